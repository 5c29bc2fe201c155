import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { jsonOf, type Question, refusal, type Services } from './services.ts';

/** Proof of who asks Fulcio for a certificate: a JSON Web Token of an OIDC issuer. Nothing in it is verified here; Fulcio does that. */
export interface IdentityToken {
  /** The token itself: whoever has it can sign as this person until it expires, so it stands in no message. */
  readonly raw: string;
  /** What the proof of possession is made over: the verified e-mail address, else `sub`. */
  readonly subject: string;
  /** What the certificate will name: the workflow for a job of GitHub Actions, else the subject. */
  readonly identity: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly expires: Date | undefined;
}

/** Whom tokens for Fulcio are made out to. */
export const audience = 'sigstore';

/** GitHub's have about 2 KB. */
const maxToken = 32_768;

export interface TokenPlaces {
  /** What the user gave by a flag or a file. */
  readonly given?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly services: Services;
}

/**
 * Finds the identity token: what was given, else SIGSTORE_ID_TOKEN, else the job of GitHub Actions. The first place that has one
 * decides; a bad one is an error and never selects the next.
 *
 * @throws TcfError `token.missing`, `token.malformed` (exit 3), `sigstore.*` (exit 2).
 */
export async function openIdentityToken({ given, env, services }: TokenPlaces): Promise<IdentityToken> {
  const found = given ?? nonEmpty(env['SIGSTORE_ID_TOKEN']) ?? (await fromGitHub(env, services));
  if (found !== undefined) return parseIdentityToken(found);
  const inActions = env['GITHUB_ACTIONS'] === 'true';
  throw askedWrongly('token.missing', 'there is no identity token to sign with', {
    hint: inActions
      ? 'give the job the permission "id-token: write"'
      : 'set SIGSTORE_ID_TOKEN, give --identity-token, or sign with --key',
  });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** docs.github.com, "OpenID Connect": a job with `id-token: write` gets an address and a token for it. */
async function fromGitHub(env: TokenPlaces['env'], services: Services): Promise<string | undefined> {
  const address = nonEmpty(env['ACTIONS_ID_TOKEN_REQUEST_URL']);
  const bearer = nonEmpty(env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
  if (address === undefined || bearer === undefined) return undefined;
  if (!URL.canParse(address) || !/^[\x21-\x7e]+$/.test(bearer)) {
    throw askedWrongly('token.malformed', 'ACTIONS_ID_TOKEN_REQUEST_URL and its token cannot be used');
  }
  const url = new URL(address);
  url.searchParams.set('audience', audience);
  const headers = { authorization: `bearer ${bearer}` };
  const question: Question = { method: 'GET', url, headers, what: 'the identity token of this job' };
  const reply = await services(question);
  if (reply.status !== 200) throw refusal(question, reply, 'give the job the permission "id-token: write"');
  return jsonOf(question, reply, (shape) => shape.get('value').string(maxToken));
}

/** Reads the claims of a token. @throws TcfError `token.malformed` (exit 3). */
export function parseIdentityToken(text: string): IdentityToken {
  const raw = text.trim();
  const [, claims] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(raw.length > maxToken ? '' : raw) ?? [];
  if (claims === undefined) throw malformed('it is not a JSON Web Token');
  try {
    const shape = new Shape(parseJson(Buffer.from(claims, 'base64url'), 'its claims'), 'token');
    const expires = shape.optional('exp')?.value;
    const subject = readSubject(shape);
    const workflow = shape.optional('job_workflow_ref')?.string(2000);
    return {
      raw,
      subject,
      identity: workflow === undefined ? subject : `https://github.com/${workflow}`,
      issuer: shape.get('iss').string(2000),
      audiences: readAudiences(shape.get('aud')),
      expires: typeof expires === 'number' ? new Date(expires * 1000) : undefined,
    };
  } catch (error) {
    if (error instanceof TcfError) throw malformed(error.message);
    throw error;
  }
}

function readSubject(shape: Shape): string {
  const email = shape.optional('email');
  if (email === undefined || email.value === '') return shape.get('sub').string(2000);
  // Fulcio takes the address only from an issuer that has checked it; some issuers write a string.
  const verified = shape.get('email_verified').value;
  if (verified !== true && verified !== 'true') throw email.wrong('was not verified by the issuer');
  return email.string(1000);
}

function readAudiences(shape: Shape): readonly string[] {
  if (shape.missing) return [];
  return typeof shape.value === 'string' ? [shape.value] : shape.list(100).map((item) => item.string(2000));
}

function malformed(why: string): TcfError {
  return askedWrongly('token.malformed', `cannot read the identity token: ${why}`, {
    hint: 'give the token as the issuer wrote it: three parts joined by dots',
  });
}

/** Fulcio would refuse an expired token with less clear words. @throws TcfError `token.expired` (exit 2). */
export function checkFresh({ expires }: IdentityToken, now: Date): void {
  if (expires !== undefined && expires <= now) {
    throw cannotTell('token.expired', `the identity token expired at ${expires.toISOString()}`, {
      hint: 'get a new one and try again; such tokens live for some minutes only',
    });
  }
}

/** Why Fulcio may have refused the token, as far as it can be seen from outside. */
export function explainRefusal({ audiences, issuer }: IdentityToken): { code: string; hint: string } {
  return audiences.includes(audience)
    ? {
        code: 'sigstore.refused',
        hint: `check that this Fulcio knows the issuer ${quoted(issuer)} and that the token is fresh`,
      }
    : {
        code: 'token.audience',
        hint: `the token is made out to ${audiences.map(quoted).join(', ') || 'nobody'}; ask the issuer for the audience "${audience}"`,
      };
}
