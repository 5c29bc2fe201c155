import { createHash, randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Claims } from './sigstore/token.ts';

export interface IssuerOptions {
  /** Makes the token; `nonce` is what the login asked for. */
  readonly token: (claims: Claims) => string;
  /** Claims over those that are right. */
  readonly claims?: Claims;
  /** Members of the discovery document over those that are right; `undefined` takes one out. */
  readonly discovery?: Readonly<Record<string, unknown>>;
  /**
   * What the token endpoint answers, one after the other, before it gives a token: errors of RFC 6749 and RFC
   * 8628.
   */
  readonly errors?: readonly string[];
  /** Members of the answer to a device over those that are right. */
  readonly device?: Readonly<Record<string, unknown>>;
  /** What comes back to the application in place of code and state. */
  readonly redirect?: (right: URLSearchParams) => URLSearchParams;
}

/**
 * An OpenID provider on loopback, with one person who always says yes. It checks PKCE, redirect address and
 * client as a real one does.
 */
export interface Issuer extends AsyncDisposable {
  readonly url: URL;
  /** `METHOD /path` of every request so far. */
  readonly requests: readonly string[];
}

export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
  const requests: string[] = [];
  const codes = new Map<
    string,
    { readonly challenge: string; readonly nonce?: string; readonly redirect?: string }
  >();
  const errors = [...(options.errors ?? [])];
  let base = '';
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', base);
    requests.push(`${request.method} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    switch (url.pathname) {
      case '/auth/.well-known/openid-configuration':
        return json(response, 200, {
          issuer: `${base}/auth`,
          authorization_endpoint: `${base}/auth/authorize`,
          token_endpoint: `${base}/auth/token`,
          device_authorization_endpoint: `${base}/auth/device`,
          ...options.discovery,
        });
      case '/auth/authorize': {
        const query = url.searchParams;
        const redirect = query.get('redirect_uri') ?? '';
        if (!/^http:\/\/localhost:\d+\//.test(redirect) || query.get('code_challenge_method') !== 'S256') {
          return json(response, 400, { error: 'invalid_request' });
        }
        const code = randomUUID();
        codes.set(code, {
          challenge: query.get('code_challenge') ?? '',
          nonce: query.get('nonce') ?? '',
          redirect,
        });
        const right = new URLSearchParams({ code, state: query.get('state') ?? '' });
        const back = new URL(redirect);
        back.search = (options.redirect?.(right) ?? right).toString();
        return void response.writeHead(303, { location: back.href }).end();
      }
      case '/auth/device': {
        codes.set('device', { challenge: form.get('code_challenge') ?? '' });
        return json(response, 200, {
          device_code: 'device',
          user_code: 'ABCD-EFGH',
          verification_uri: `${base}/auth/type-it-in`,
          expires_in: 300,
          interval: 5,
          ...options.device,
        });
      }
      case '/auth/token':
        return json(response, ...token(form));
      default:
        return json(response, 404, {});
    }
  });

  function token(form: URLSearchParams): readonly [status: number, value: object] {
    const error = errors.shift();
    if (error !== undefined) {
      return [400, { error, error_description: 'as the test wishes' }];
    }
    const code = form.get('code') ?? form.get('device_code') ?? '';
    const asked = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isRight =
      asked?.challenge === challenge &&
      form.get('client_id') === 'sigstore' &&
      (asked.redirect === undefined || asked.redirect === form.get('redirect_uri'));
    if (!isRight) {
      return [400, { error: 'invalid_grant' }];
    }
    const claims = { iss: `${base}/auth`, ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }) };
    return [200, { token_type: 'bearer', id_token: options.token({ ...claims, ...options.claims }) }];
  }

  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: new URL(`${base}/auth`),
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
