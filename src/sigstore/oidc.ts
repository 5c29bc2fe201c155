import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { hostOf, isLoopback } from '../registry/hosts.ts';
import { parseIdentityToken } from './identity-token.ts';
import { jsonOf, type Reply, refusal, type ServiceQuestion, type Services, under } from './services.ts';

/** Whom to ask for a token, and as whom. */
export interface OidcClient {
  readonly issuer: URL;
  readonly clientId: string;
}

/** What an issuer says about itself (OpenID Connect Discovery 1.0, 3). */
export interface Provider extends OidcClient {
  /** The issuer as it spells itself, in tokens too. */
  readonly name: string;
  readonly authorization: URL;
  readonly token: URL;
  /** Absent: the issuer knows no device code. */
  readonly device?: URL;
}

/** The address that Fulcio puts into the certificate comes with `email`. */
export const scope = 'openid email';

/** Sigstore's have about 1 KB. */
const maxToken = 32_768;

/** @throws TcfError `sigstore.*` (exit 2). */
export async function discoverProvider(client: OidcClient, services: Services): Promise<Provider> {
  const { issuer } = client;
  const question: ServiceQuestion = {
    method: 'GET',
    url: under(issuer, '.well-known/openid-configuration'),
    headers: { accept: 'application/json' },
    what: `the configuration of the issuer ${quoted(issuer.host)}`,
  };
  const reply = await services(question);
  if (reply.status !== 200) {
    throw refusal(question, reply, 'check --oidc-issuer');
  }
  return jsonOf(question, reply, (shape) => {
    const name = shape.get('issuer').string(2000);
    // Discovery 1.0, 4.3: or one issuer could speak for another. A URL has a slash after its host where an
    // issuer may have none.
    if (name !== issuer.href && `${name}/` !== issuer.href) {
      throw shape.get('issuer').wrong(`is ${quoted(name)}, not ${quoted(issuer.href)}`);
    }
    const device = shape.optional('device_authorization_endpoint');
    return {
      ...client,
      name,
      authorization: readEndpoint(shape.get('authorization_endpoint'), issuer),
      token: readEndpoint(shape.get('token_endpoint'), issuer),
      ...(device === undefined ? {} : { device: readEndpoint(device, issuer) }),
    };
  });
}

/**
 * An address that the issuer names: https, or plain HTTP on this machine where the issuer itself is there.
 */
export function readEndpoint(shape: Shape, issuer: URL): URL {
  const text = shape.string(2000);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const near = issuer.protocol === 'http:' && url !== undefined && isLoopback(hostOf(url));
  if (
    url === undefined ||
    (url.protocol !== 'https:' && !(url.protocol === 'http:' && near)) ||
    url.username !== ''
  ) {
    throw shape.wrong(`is not an https address: ${quoted(text)}`);
  }
  return url;
}

/** A secret of 32 random bytes, in characters for an address. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether two secrets are the same, in a time that tells nothing about where they differ. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Proof Key for Code Exchange (RFC 7636, S256): who steals the code on its way cannot use it. */
export function newProofKey(): { readonly verifier: string; readonly challenge: string } {
  const verifier = newSecret();
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** What the token endpoint answered: a token, or the `error` of RFC 6749, 5.2 with its description. */
export type TokenAnswer =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly error: string; readonly description: string };

/** @throws TcfError `sigstore.*` (exit 2) for an answer that is neither. */
export async function askForToken(
  provider: Provider,
  form: Readonly<Record<string, string>>,
  services: Services,
): Promise<TokenAnswer> {
  const question = formQuestion(
    provider.token,
    { client_id: provider.clientId, ...form },
    'an identity token',
  );
  const reply = await services(question);
  if (reply.status !== 200) {
    return { ok: false, ...oauthError(question, reply) };
  }
  const token = jsonOf(question, reply, (shape) => shape.get('id_token').string(maxToken));
  return { ok: true, token };
}

/** Form fields that let their holder log in. */
const secretFields: readonly string[] = ['code', 'code_verifier', 'device_code'];

export function formQuestion(
  url: URL,
  form: Readonly<Record<string, string>>,
  what: string,
): ServiceQuestion {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: encodeUtf8(new URLSearchParams(form).toString()),
    secrets: secretFields.flatMap((name) => form[name] ?? []),
    what,
  };
}

/** RFC 6749, 5.2. @throws TcfError `sigstore.*` where the answer is no such error. */
export function oauthError(
  question: ServiceQuestion,
  reply: Reply,
): { readonly error: string; readonly description: string } {
  try {
    const shape = new Shape(parseJson(reply.body, 'the error'), 'error');
    return {
      error: printable(shape.get('error').string(), 100),
      description: printable(shape.optional('error_description')?.string() ?? '', 300),
    };
  } catch (error) {
    if (error instanceof TcfError) {
      throw refusal(question, reply);
    }
    throw error;
  }
}

export function notGranted(issuer: URL, error: string, description: string): TcfError {
  const words = description === '' ? error : `${error}: ${description}`;
  return cannotTell('oidc.refused', `${quoted(issuer.host)} gave no identity token: ${words}`, {
    hint: 'log in again, and allow tcf to learn your e-mail address',
  });
}

/**
 * Whether a token is the one that was asked for (OpenID Connect Core 1.0, 3.1.3.7). It came from the issuer
 * itself over TLS, so its signature is left to Fulcio.
 *
 * @throws TcfError `oidc.token` (exit 2).
 */
export function checkToken(
  token: string,
  { clientId, issuer, name }: Provider,
  nonce: string | undefined,
): string {
  const { audiences, issuer: said, nonce: echoed } = parseIdentityToken(token);
  const refuse = (why: string) =>
    cannotTell('oidc.token', `the identity token of ${quoted(issuer.host)} is not ours: ${why}`, {
      hint: 'try again; if it happens again, the connection to the issuer may be intercepted',
    });
  if (said !== name) {
    throw refuse(`it is issued by ${quoted(said)}`);
  }
  if (!audiences.includes(clientId)) {
    throw refuse(`it is made out to ${audiences.map(quoted).join(', ')}`);
  }
  // A token that was given to somebody else, put into our answer.
  if (nonce !== undefined && (echoed === undefined || !isSame(echoed, nonce))) {
    throw refuse('its nonce is another');
  }
  return token;
}
