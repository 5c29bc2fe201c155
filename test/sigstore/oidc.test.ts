import { describe, expect, test } from 'vitest';
import { parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import { discoverProvider } from '../../src/sigstore/oidc.ts';
import { tokenByBrowser } from '../../src/sigstore/oidc-browser.ts';
import { type DeviceCode, tokenByDevice } from '../../src/sigstore/oidc-device.ts';
import { type IssuerOptions, startIssuer } from '../support/oidc.ts';
import { testServices } from '../support/signing.ts';
import { newSigstore } from '../support/sigstore.ts';

const sigstore = newSigstore();
const services = testServices();
const usual: IssuerOptions = { token: (claims) => sigstore.token(claims) };

/** What a person does: opens the address, and lets the browser go wherever it is sent. */
async function open(address: URL): Promise<Response> {
  return await fetch(new URL(address.href.replace('//localhost', '//127.0.0.1')), { redirect: 'follow' });
}

async function byBrowser(
  options: Partial<IssuerOptions> = {},
  visit: (address: URL) => Promise<unknown> = open,
  timeout = 20_000,
): Promise<string> {
  await using issuer = await startIssuer({ ...usual, ...options });
  const provider = await discoverProvider({ issuer: issuer.url, clientId: 'sigstore' }, services);
  let visited: Promise<unknown> | undefined;
  const show = async (address: URL) => {
    visited = visit(address);
  };
  try {
    return await tokenByBrowser(provider, services, show, timeout);
  } finally {
    await visited?.catch(() => undefined);
  }
}

async function byDevice(options: Partial<IssuerOptions> = {}) {
  await using issuer = await startIssuer({ ...usual, ...options });
  const provider = await discoverProvider({ issuer: issuer.url, clientId: 'sigstore' }, services);
  const shown: DeviceCode[] = [];
  const waits: number[] = [];
  const token = await tokenByDevice(
    provider,
    services,
    async (code) => void shown.push(code),
    async (ms) => void waits.push(ms / 1000),
  );
  return { token, shown, waits };
}

test('a person logs in with a browser, and the token is the answer to this login', async () => {
  const token = parseIdentityToken(await byBrowser());
  expect(token.identity).toBe('ann@example.test');
  expect(token.nonce).toMatch(/^[\w-]{43}$/);
});

test('each login has its own state, nonce and proof key, and asks for nothing but who it is', async () => {
  const seen: URLSearchParams[] = [];
  const look = async (address: URL) => {
    seen.push(address.searchParams);
    return await open(address);
  };
  await byBrowser({}, look);
  await byBrowser({}, look);
  expect(Object.fromEntries(seen[0] ?? [])).toMatchObject({
    response_type: 'code',
    client_id: 'sigstore',
    scope: 'openid email',
    code_challenge_method: 'S256',
    redirect_uri: expect.stringMatching(/^http:\/\/localhost:\d+\/auth\/callback$/),
  });
  for (const name of ['state', 'nonce', 'code_challenge']) {
    expect(seen[0]?.get(name)).toMatch(/^[\w-]{43}$/);
    expect(seen[0]?.get(name)).not.toBe(seen[1]?.get(name));
  }
});

describe('whoever comes to the callback and is not our browser ends nothing:', () => {
  const stranger = `${'A'.repeat(43)}`;
  test.for<readonly [string, (right: URL) => string, RequestInit?]>([
    ['no state', ({ pathname }) => `${pathname}?code=theirs`],
    ['another state', ({ pathname }) => `${pathname}?code=theirs&state=${stranger}`],
    [
      'two states',
      ({ pathname, searchParams }) => `${pathname}?code=theirs&state=${searchParams.get('state')}&state=x`,
    ],
    ['an error with another state', ({ pathname }) => `${pathname}?error=access_denied&state=${stranger}`],
    ['another path', ({ search }) => `/${search}`],
    ['a POST', ({ pathname, search }) => `${pathname}${search}`, { method: 'POST' }],
    ['two codes', ({ pathname, search }) => `${pathname}${search}&code=theirs`],
    ['no code', ({ pathname, searchParams }) => `${pathname}?state=${searchParams.get('state')}`],
    ['another issuer (RFC 9207)', ({ pathname, search }) => `${pathname}${search}&iss=https://evil.test`],
    ['a very long address', ({ pathname, search }) => `${pathname}${search}&x=${'x'.repeat(9000)}`],
  ])('%s', async ([, from, init]) => {
    const answers: number[] = [];
    const token = await byBrowser({}, async (address) => {
      const went = await fetch(address, { redirect: 'manual' });
      const right = new URL((went.headers.get('location') ?? '').replace('//localhost', '//127.0.0.1'));
      answers.push((await fetch(new URL(from(right), right), init)).status);
      answers.push((await fetch(right)).status);
    });
    expect(answers).toEqual([400, 200]);
    expect(parseIdentityToken(token).identity).toBe('ann@example.test');
  });
});

test.for<readonly [string, Partial<IssuerOptions>, string]>([
  [
    'the person says no',
    { redirect: (right) => new URLSearchParams({ error: 'access_denied', state: right.get('state') ?? '' }) },
    'oidc.refused',
  ],
  ['the code is not taken', { errors: ['invalid_grant'] }, 'oidc.refused'],
  [
    'the code is somebody else’s',
    { redirect: (right) => new URLSearchParams({ code: 'theirs', state: right.get('state') ?? '' }) },
    'oidc.refused',
  ],
  ['the token is for another login', { claims: { nonce: 'theirs' } }, 'oidc.token'],
  ['the token answers no login', { claims: { nonce: undefined } }, 'oidc.token'],
  ['the token is of another issuer', { claims: { iss: 'https://evil.test' } }, 'oidc.token'],
  ['the token is for another client', { claims: { aud: 'theirs' } }, 'oidc.token'],
  ['the address was never verified', { claims: { email_verified: false } }, 'token.malformed'],
])('%s: there is no token', async ([, options, code]) => {
  await expect(byBrowser(options)).rejects.toMatchObject({ code, hint: expect.any(String) });
});

test('nobody comes', async () => {
  await expect(byBrowser({}, async () => undefined, 50)).rejects.toMatchObject({
    code: 'oidc.timeout',
    exit: 2,
    hint: expect.stringContaining('--oidc-flow device'),
  });
});

test.for<readonly [string, IssuerOptions['discovery']]>([
  ['speaks for another', { issuer: 'https://evil.test' }],
  ['names no issuer', { issuer: undefined }],
  ['sends the person to a script', { authorization_endpoint: 'javascript:alert(1)' }],
  ['sends the person to plain HTTP', { authorization_endpoint: 'http://evil.test/' }],
  ['takes the code with plain HTTP', { token_endpoint: 'http://evil.test/token' }],
  ['names an address with user info', { token_endpoint: 'https://a:b@evil.test/token' }],
  ['names a file', { device_authorization_endpoint: 'file:///etc/passwd' }],
])('an issuer that %s is not asked', async ([, discovery]) => {
  await expect(byBrowser(discovery === undefined ? {} : { discovery })).rejects.toMatchObject({
    code: 'sigstore.protocol',
    exit: 2,
  });
});

test('a device gets a code to show, and asks no more often than it may', async () => {
  const errors = ['authorization_pending', 'slow_down', 'authorization_pending'];
  const { shown, token, waits } = await byDevice({ errors });
  expect(shown).toMatchObject([{ userCode: 'ABCD-EFGH' }]);
  expect(shown[0]?.address.pathname).toBe('/auth/type-it-in');
  expect(waits).toEqual([5, 5, 10, 10]);
  expect(parseIdentityToken(token).identity).toBe('ann@example.test');
});

test.for<readonly [string, Partial<IssuerOptions>, string, number]>([
  ['the person says no', { errors: ['access_denied'] }, 'oidc.refused', 2],
  ['the code expired', { errors: ['authorization_pending', 'expired_token'] }, 'oidc.timeout', 2],
  ['nobody types it in', { errors: new Array(100).fill('authorization_pending') }, 'oidc.timeout', 2],
  [
    'it would live for a year',
    { device: { expires_in: 31_536_000 }, errors: new Array(1000).fill('authorization_pending') },
    'oidc.timeout',
    2,
  ],
  ['it is slow for ever', { errors: new Array(100).fill('slow_down') }, 'oidc.timeout', 2],
  [
    'it is to be typed in at plain HTTP',
    { device: { verification_uri: 'http://evil.test/' } },
    'sigstore.protocol',
    2,
  ],
  [
    'it is to be typed in at a script',
    { device: { verification_uri_complete: 'javascript:alert(1)' } },
    'sigstore.protocol',
    2,
  ],
  ['the token is for another client', { claims: { aud: 'theirs' } }, 'oidc.token', 2],
  [
    'the issuer knows no devices',
    { discovery: { device_authorization_endpoint: undefined } },
    'oidc.device',
    3,
  ],
])('a device: %s', async ([, options, code, exit]) => {
  await expect(byDevice(options)).rejects.toMatchObject({ code, exit });
});

test('an issuer that wants to be asked without a pause is asked every second, for a quarter of an hour', async () => {
  const issuer = {
    device: { interval: 0, expires_in: 10_000 },
    errors: new Array(2000).fill('authorization_pending'),
  };
  await using server = await startIssuer({ ...usual, ...issuer });
  const provider = await discoverProvider({ issuer: server.url, clientId: 'sigstore' }, services);
  const asked = tokenByDevice(
    provider,
    services,
    async () => undefined,
    async () => undefined,
  );
  await expect(asked).rejects.toMatchObject({ code: 'oidc.timeout' });
  expect(server.requests.filter((line) => line.endsWith('/token'))).toHaveLength(900);
});
