import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { cannotTell } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import {
  askForToken,
  checkToken,
  isSame,
  newProofKey,
  newSecret,
  notGranted,
  type Provider,
  scope,
} from './oidc.ts';
import type { Services } from './services.ts';

/** Milliseconds: passwords, second factors and a cup of coffee. */
const loginTimeout = 5 * 60_000;
/** A code and a state in one address; Node refuses headers above 16 KiB by itself. */
const maxAddress = 8192;
const path = '/auth/callback';

/**
 * Asks the person in a browser (RFC 8252: native app, loopback redirect; RFC 7636: PKCE). `show` gets the
 * address to open, and may open it.
 *
 * @throws TcfError `oidc.*`, `sigstore.*` (exit 2).
 */
export async function tokenByBrowser(
  provider: Provider,
  services: Services,
  show: (address: URL) => Promise<void>,
  timeout: number = loginTimeout,
): Promise<string> {
  const state = newSecret();
  const nonce = newSecret();
  const { verifier, challenge } = newProofKey();
  await using callback = await listen(provider, state, timeout);
  const address = new URL(provider.authorization);
  const query = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: callback.redirect,
    scope,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) {
    address.searchParams.set(name, value);
  }
  await show(address);
  const code = await callback.code;
  const answer = await askForToken(
    provider,
    { grant_type: 'authorization_code', code, redirect_uri: callback.redirect, code_verifier: verifier },
    services,
  );
  if (!answer.ok) {
    throw notGranted(provider.issuer, answer.error, answer.description);
  }
  return checkToken(answer.token, provider, nonce);
}

interface Callback extends AsyncDisposable {
  readonly redirect: string;
  readonly code: Promise<string>;
}

/** Waits on loopback for the browser to come back. */
async function listen(provider: Provider, state: string, timeout: number): Promise<Callback> {
  const { promise, reject, resolve } = Promise.withResolvers<string>();
  // It may be refused before anybody waits for it.
  promise.catch(() => undefined);
  const server = createServer((request, response) => {
    const outcome = readCallback(request, provider, state);
    answer(response, outcome);
    if (outcome.kind === 'code') {
      resolve(outcome.code);
    }
    if (outcome.kind === 'refused') {
      reject(notGranted(provider.issuer, outcome.error, outcome.description));
    }
  });
  const port = await start(server);
  const timer = setTimeout(() => {
    reject(
      cannotTell('oidc.timeout', `no login at ${quoted(provider.issuer.host)} within ${timeout / 1000} s`, {
        hint: 'try again, or use --oidc-flow device where the browser is on another machine',
      }),
    );
  }, timeout);
  return {
    // The name and not the address: it is what Dex, and with it Sigstore's issuer, has always allowed to
    // clients without a secret.
    redirect: `http://localhost:${port}${path}`,
    code: promise,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        clearTimeout(timer);
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function start(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        cannotTell('oidc.listen', `cannot wait for the browser on this machine: ${error.message}`, {
          hint: 'use --oidc-flow device',
        }),
      ),
    );
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

type Outcome =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'refused'; readonly error: string; readonly description: string }
  /** Not our browser coming back: any page can send a browser here, so it ends nothing. */
  | { readonly kind: 'stranger' };

function readCallback({ method, url = '' }: IncomingMessage, { name }: Provider, state: string): Outcome {
  if (method !== 'GET' || url.length > maxAddress || !url.startsWith(`${path}?`)) {
    return { kind: 'stranger' };
  }
  const query = new URLSearchParams(url.slice(path.length + 1));
  // RFC 6749, 10.12: without our state, somebody else's code would be signed with.
  if (query.getAll('state').length !== 1 || !isSame(query.get('state') ?? '', state)) {
    return { kind: 'stranger' };
  }
  // RFC 9207: the answer of another issuer, mixed up with ours.
  const said = query.get('iss');
  if (said !== null && said !== name) {
    return { kind: 'stranger' };
  }
  const error = query.get('error');
  if (error !== null) {
    const description = printable(query.get('error_description') ?? '', 300);
    return { kind: 'refused', error: printable(error, 100), description };
  }
  const [code, ...more] = query.getAll('code');
  return code === undefined || code === '' || more.length > 0 ? { kind: 'stranger' } : { kind: 'code', code };
}

function answer(response: ServerResponse, { kind }: Outcome): void {
  const text = {
    code: 'You are logged in. Close this window and go back to the terminal.\n',
    refused: 'You are not logged in. The terminal says why.\n',
    stranger: 'This is not an answer that tcf waits for.\n',
  }[kind];
  response
    .writeHead(kind === 'stranger' ? 400 : 200, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      connection: 'close',
    })
    .end(text);
}
