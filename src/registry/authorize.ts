import { encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { failure, maxSmallAnswer, readDocument } from './answers.ts';
import { parseChallenges, type Realm, toRealm } from './challenge.ts';
import type { Repository } from './contract.ts';
import { hostOf, isLoopback } from './hosts.ts';
import type { SentSecrets } from './secrets.ts';
import type { Exchange, HttpAnswer, Timeouts, Transport } from './transport.ts';

export type Action = 'pull' | 'pull,push';

/** What a user proves who they are with. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token (`identitytoken` in docker's file). */
  | { readonly kind: 'identity-token'; readonly token: string };

export type Credentials = (repository: Repository) => Promise<Credential | undefined>;

/** What a request wants to do. */
export interface TokenScope {
  readonly repository: Repository;
  readonly action: Action;
  /** Pulled from as well: a blob is mounted from there. */
  readonly from?: Repository;
}

/** Authorization headers, one for each scope, as long as this registry is open. */
export interface Authorizer {
  cached(scope: TokenScope): string | undefined;
  /** Answers a 401; `undefined` when there is nothing to answer it with. @throws TcfError. */
  authorize(scope: TokenScope, refused: HttpAnswer): Promise<string | undefined>;
  evict(scope: TokenScope): void;
}

export function openAuthorizer(
  transport: Transport,
  credentials: Credentials,
  timeouts: Timeouts,
  secrets: SentSecrets,
): Authorizer {
  const known = new Map<string, string>();
  const keyOf = (scope: TokenScope) => [scope.repository.registry, ...scopesOf(scope)].join(' ');
  const answer: Authorizer['authorize'] = async (scope, refused) => {
    const challenges = parseChallenges(refused.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    const credential = await credentials(scope.repository);
    if (credential !== undefined) {
      secrets.add(credential.kind === 'password' ? credential.password : credential.token);
    }
    let authorization: string | undefined;
    if (bearer !== undefined) {
      const realm = toRealm(bearer.parameters['realm'], refused.url);
      authorization = await fetchToken(
        transport,
        { realm, service: bearer.parameters['service'], scopes: scopesOf(scope), credential },
        timeouts,
      );
    } else if (basic && credential?.kind === 'password') {
      authorization = basicHeader(credential.username, credential.password);
    }
    if (authorization !== undefined) {
      secrets.add(authorization.slice(authorization.indexOf(' ') + 1));
      known.set(keyOf(scope), authorization);
    }
    return authorization;
  };
  /** Questions that were refused at the same time wait for one token. */
  const pending = new Map<string, ReturnType<Authorizer['authorize']>>();
  return {
    cached: (scope) => known.get(keyOf(scope)),
    evict: (scope) => known.delete(keyOf(scope)),
    async authorize(scope, refused) {
      const key = keyOf(scope);
      const answering = pending.get(key) ?? answer(scope, refused);
      pending.set(key, answering);
      try {
        return await answering;
      } finally {
        pending.delete(key);
      }
    },
  };
}

/** Distribution specification, "Token Scope": one for each repository. */
function scopesOf({ repository, action, from }: TokenScope): readonly string[] {
  const own = `repository:${repository.repository}:${action}`;
  return from === undefined ? [own] : [own, `repository:${from.repository}:pull`];
}

function basicHeader(username: string, password: string): string {
  return `Basic ${encodeBase64(encodeUtf8(`${username}:${password}`))}`;
}

/** For whom a token is asked, and for what. */
interface TokenRequest {
  readonly realm: Realm;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
}

/**
 * Distribution specification, "Token Authentication". Our own scope is asked for, not the one in the
 * challenge.
 */
async function fetchToken(transport: Transport, request: TokenRequest, timeouts: Timeouts): Promise<string> {
  const { credential, realm, scopes } = request;
  const what = `the token for ${quoted(scopes.join(' '))}`;
  const answer = await transport(tokenRequest(request));
  if (answer.status !== 200) {
    const error = await failure(answer, what, timeouts);
    if (credential === undefined || realm.trusted) {
      throw error;
    }
    throw cannotTell(error.code, error.message, {
      hint: `your credentials were not sent to ${quoted(realm.url.host)}, because it is not known to belong to the registry`,
    });
  }
  const bytes = await readDocument(answer, maxSmallAnswer, what, timeouts);
  const token = readToken(new Shape(parseJson(bytes, what), what));
  // A header value; anything else would end the header line.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw cannotTell('registry.protocol', `${what} is not a bearer token`);
  }
  return `Bearer ${token}`;
}

/**
 * `token`, or `access_token` of OAuth 2. Servers that know both write `null` or nothing into the one that
 * they do not use.
 */
function readToken(shape: Shape): string {
  const { value } = shape.get('token');
  const isUnused = value === undefined || value === null || value === '';
  return shape.get(isUnused ? 'access_token' : 'token').string(maxSmallAnswer);
}

function tokenRequest({ credential, realm, scopes, service }: TokenRequest): Exchange {
  const { trusted } = realm;
  const url = new URL(realm.url);
  const isNear = trusted ? url.protocol === 'http:' : isLoopback(hostOf(url));
  const far = trusted ? 'any' : 'public';
  const reach = isNear ? 'loopback' : far;
  const parameters = service === undefined ? {} : { service };
  if (trusted && credential?.kind === 'identity-token') {
    const form = {
      grant_type: 'refresh_token',
      client_id: 'tcf',
      ...parameters,
      scope: scopes.join(' '),
      refresh_token: credential.token,
    };
    return {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: encodeUtf8(new URLSearchParams(form).toString()),
      reach,
    };
  }
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.set(name, value);
  }
  for (const scope of scopes) {
    url.searchParams.append('scope', scope);
  }
  const authorization =
    trusted && credential?.kind === 'password'
      ? { authorization: basicHeader(credential.username, credential.password) }
      : {};
  return { method: 'GET', url, headers: authorization, reach };
}
