import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { lastLine, quoted } from '../base/text.ts';
import type { RunProgram } from '../system/program.ts';
import { clockTolerance, clockWrong } from './clock.ts';
import { jsonOf, refusal, type ServiceQuestion, type Services } from './services.ts';

/**
 * Proof of who asks Fulcio for a certificate: a JSON Web Token of an OIDC issuer. Nothing in it is verified
 * here; Fulcio does that.
 */
export interface IdentityToken {
  /** The token itself: its holder can sign as this person until it expires, so no message shows it. */
  readonly raw: string;
  /** What the proof of possession is made over: the verified e-mail address, else `sub`. */
  readonly subject: string;
  /** What the certificate will name: the workflow of a CI job, else the subject. */
  readonly identity: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly issued: Date | undefined;
  readonly expires: Date | undefined;
  /** What the login put in, so that the token is the answer to it. */
  readonly nonce: string | undefined;
}

/** Whom tokens for Fulcio are made out to. */
const audience = 'sigstore';

/** The last second of the year 9999: what lies beyond cannot be written as a time. */
const maxSeconds = 253_402_300_799;

/** GitHub's have about 2 KB. */
const maxToken = 32_768;

export interface TokenPlaces {
  /** What the user gave by a flag or a file. */
  readonly given?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly services: Services;
  /** Starts the agent of Buildkite. */
  readonly program: RunProgram;
  /** Asks the person who sits there; absent where nobody does. */
  readonly login?: () => Promise<string>;
}

/**
 * Finds the identity token, in this order: what was given, SIGSTORE_ID_TOKEN (where GitLab puts it too), the
 * job of GitHub Actions, the agent of Buildkite, a person. The first place that is there decides; a bad token
 * or a refusal is an error and never selects the next.
 *
 * @throws TcfError `token.missing`, `token.malformed` (exit 3), `token.agent`, `sigstore.*`, `oidc.*` (exit
 *   2).
 */
export async function openIdentityToken(places: TokenPlaces): Promise<IdentityToken> {
  const { env, given, login, program, services } = places;
  const found =
    given ??
    nonEmpty(env['SIGSTORE_ID_TOKEN']) ??
    (await fromGitHub(env, services)) ??
    (await fromBuildkite(env, program)) ??
    (await login?.());
  if (found !== undefined) {
    return parseIdentityToken(found);
  }
  throw askedWrongly('token.missing', 'there is no identity token to sign with', { hint: hintFor(env) });
}

function hintFor(env: TokenPlaces['env']): string {
  if (env['GITHUB_ACTIONS'] === 'true') {
    return 'give the job the permission "id-token: write"';
  }
  if (env['GITLAB_CI'] === 'true') {
    return `give the job "id_tokens: { SIGSTORE_ID_TOKEN: { aud: ${audience} } }"`;
  }
  return 'set SIGSTORE_ID_TOKEN, give --identity-token, log in with --oidc-flow browser or device, or sign with --key';
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** docs.github.com, "OpenID Connect": a job with `id-token: write` gets an address and a token for it. */
async function fromGitHub(env: TokenPlaces['env'], services: Services): Promise<string | undefined> {
  const address = nonEmpty(env['ACTIONS_ID_TOKEN_REQUEST_URL']);
  const bearer = nonEmpty(env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
  if (address === undefined || bearer === undefined) {
    return undefined;
  }
  if (!URL.canParse(address) || !/^[\x21-\x7e]+$/.test(bearer)) {
    throw askedWrongly('token.malformed', 'ACTIONS_ID_TOKEN_REQUEST_URL and its token cannot be used');
  }
  const url = new URL(address);
  url.searchParams.set('audience', audience);
  const headers = { authorization: `bearer ${bearer}` };
  const question: ServiceQuestion = { method: 'GET', url, headers, what: 'the identity token of this job' };
  const reply = await services(question);
  if (reply.status !== 200) {
    throw refusal(question, reply, 'give the job the permission "id-token: write"');
  }
  return jsonOf(question, reply, (shape) => shape.get('value').string(maxToken));
}

/** buildkite.com/docs, "OIDC in Buildkite": the agent that runs the job asks for a token in its name. */
async function fromBuildkite(env: TokenPlaces['env'], program: RunProgram): Promise<string | undefined> {
  if (env['BUILDKITE'] !== 'true') {
    return undefined;
  }
  const limits = { timeout: 60_000, output: maxToken };
  const ran = await program(
    'buildkite-agent',
    ['oidc', 'request-token', '--audience', audience],
    new Uint8Array(),
    limits,
  );
  if (ran.code === 0) {
    return Buffer.from(ran.stdout).toString('latin1');
  }
  const said = lastLine(ran.stderr, 300);
  throw cannotTell(
    'token.agent',
    `buildkite-agent gave no identity token: it ended with ${ran.code}: ${said}`,
    {
      hint: 'the agent has to be of version 3.41 or newer; SIGSTORE_ID_TOKEN is looked at first',
    },
  );
}

/** Reads the claims of a token. @throws TcfError `token.malformed` (exit 3). */
export function parseIdentityToken(text: string): IdentityToken {
  const raw = text.trim();
  const [, claims] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(raw.length > maxToken ? '' : raw) ?? [];
  if (claims === undefined) {
    throw malformed('it is not a JSON Web Token');
  }
  try {
    const shape = new Shape(parseJson(Buffer.from(claims, 'base64url'), 'its claims'), 'token');
    const subject = readSubject(shape);
    return {
      raw,
      subject,
      identity: readWorkflow(shape) ?? subject,
      issuer: shape.get('iss').string(2000),
      audiences: readAudiences(shape.get('aud')),
      issued: readTime(shape, 'iat'),
      expires: readTime(shape, 'exp'),
      nonce: shape.optional('nonce')?.string(2000),
    };
  } catch (error) {
    if (error instanceof TcfError) {
      throw malformed(error.message);
    }
    throw error;
  }
}

/** Seconds since 1970, `NumericDate` of RFC 7519. */
function readTime(shape: Shape, name: string): Date | undefined {
  const seconds = shape.optional(name)?.value;
  return typeof seconds === 'number' && seconds < maxSeconds ? new Date(seconds * 1000) : undefined;
}

/** What Fulcio makes of the claims of a CI service (fulcio, docs/oidc.md). */
function readWorkflow(shape: Shape): string | undefined {
  const claim = (name: string) => shape.optional(name)?.string(2000);
  const github = claim('job_workflow_ref');
  if (github !== undefined) {
    return `https://github.com/${github}`;
  }
  const gitlab = claim('ci_config_ref_uri');
  if (gitlab !== undefined) {
    return `https://${gitlab}`;
  }
  const [organization, pipeline] = [claim('organization_slug'), claim('pipeline_slug')];
  if (organization === undefined || pipeline === undefined) {
    return undefined;
  }
  return `https://buildkite.com/${organization}/${pipeline}`;
}

function readSubject(shape: Shape): string {
  const email = shape.optional('email');
  if (email === undefined || email.value === '') {
    return shape.get('sub').string(2000);
  }
  // Fulcio takes the address only from an issuer that has checked it; some issuers write a string.
  const verified = shape.get('email_verified').value;
  if (verified !== true && verified !== 'true') {
    throw email.wrong('was not verified by the issuer');
  }
  return email.string(1000);
}

function readAudiences(shape: Shape): readonly string[] {
  if (shape.missing) {
    return [];
  }
  return typeof shape.value === 'string' ? [shape.value] : shape.list(100).map((item) => item.string(2000));
}

function malformed(why: string): TcfError {
  return askedWrongly('token.malformed', `cannot read the identity token: ${why}`, {
    hint: 'give the token as the issuer wrote it: three parts joined by dots',
  });
}

/**
 * Fulcio would refuse an expired token with less clear words.
 * @throws TcfError `token.expired`, `clock.wrong` (exit 2).
 */
export function checkFresh({ expires, issued }: IdentityToken, now: Date): void {
  if (issued !== undefined && Number(issued) > Number(now) + clockTolerance) {
    throw clockWrong('the identity token was issued', issued, now);
  }
  if (expires !== undefined && expires <= now) {
    throw cannotTell(
      'token.expired',
      `the identity token expired at ${expires.toISOString()}, and it is ${now.toISOString()} here`,
      { hint: 'get a new one, such tokens live for some minutes only; or set the clock if it is wrong' },
    );
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
