import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Credential } from '../../src/registry/authorize.ts';
import type { Registry, Repository } from '../../src/registry/contract.ts';
import { SentSecrets } from '../../src/registry/secrets.ts';
import { type Fault, login, startRegistry } from '../support/registry.ts';
import { testServices } from '../support/signing.ts';
import { client, descriptorOf, manifestNamed, readBlob, repositoryOn, store } from './support.ts';

const password = 'pa$$ wörd"é&+=/long';
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4iLCJqdGkiOiI4NTIxIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';

const bytesOf = (text: string) => [...Buffer.from(text)];
const hexOf = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
const encodings: readonly (readonly [string, (secret: string) => string])[] = [
  ['as it is', (secret) => secret],
  ['in base64', (secret) => Buffer.from(secret).toString('base64')],
  ['in base64 after one byte', (secret) => Buffer.from(`x${secret}`).toString('base64')],
  ['in base64 as a pair', (secret) => Buffer.from(`ann:${secret}`).toString('base64')],
  ['in base64url', (secret) => Buffer.from(secret).toString('base64url')],
  ['in base64, glued to a word', (secret) => `word${Buffer.from(secret).toString('base64')}`],
  ['percent-encoded', (secret) => encodeURIComponent(secret)],
  [
    'percent-encoded whole',
    (secret) =>
      bytesOf(secret)
        .map((byte) => `%${hexOf(byte, 2)}`)
        .join(''),
  ],
  [
    'percent-encoded in one place',
    (secret) =>
      secret.replace(/.$/, (last) =>
        encodeURIComponent(last).length > 1 ? encodeURIComponent(last) : `%${hexOf(last.charCodeAt(0), 2)}`,
      ),
  ],
  ['percent-encoded twice', (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ['as a form field', (secret) => new URLSearchParams({ p: secret }).toString()],
  ['as JSON', (secret) => JSON.stringify(secret)],
  [
    'as JSON with escapes only',
    (secret) => [...secret].map((char) => `\\u${hexOf(char.charCodeAt(0), 4)}`).join(''),
  ],
  [
    'with escapes of JavaScript',
    (secret) =>
      bytesOf(secret)
        .map((byte) => `\\x${hexOf(byte, 2)}`)
        .join(''),
  ],
  ['as HTML', (secret) => [...secret].map((char) => `&#${char.codePointAt(0)};`).join('')],
  ['as HTML with names', (secret) => secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
  ['in hex', (secret) => Buffer.from(secret).toString('hex')],
  ['percent-encoded base64', (secret) => encodeURIComponent(Buffer.from(secret).toString('base64'))],
  ['in base64 of base64', (secret) => Buffer.from(Buffer.from(secret).toString('base64')).toString('base64')],
  ['cut off', (secret) => secret.slice(0, -3)],
  ['without its beginning', (secret) => secret.slice(3)],
];
const secrets = [
  ['a password', password],
  ['a token', token],
] as const;

test.for(
  secrets.flatMap(([what, secret]) => encodings.map(([how, encode]) => [what, how, secret, encode] as const)),
)('%s is seen %s', ([, , secret, encode]) => {
  const sent = new SentSecrets();
  sent.add(secret);
  expect(sent.isIn(`denied: ${encode(secret)} is not welcome`)).toBe(true);
});

test('a secret is seen whose signs are escaped in part as bytes and in part as characters', () => {
  const sent = new SentSecrets();
  sent.add('ä€ä€ä€');
  expect(sent.isIn(`denied: ${'\\xc3\\xa4\\u20ac'.repeat(3)}`)).toBe(true);
});

test('a short password is seen whole, and one of two characters is not looked for', () => {
  const sent = new SentSecrets();
  sent.add('abc');
  sent.add('is');
  expect(sent.isIn('this is xabcx')).toBe(true);
  expect(sent.isIn('this is ab c')).toBe(false);
});

/** Everything that an error may show. */
function shown(error: unknown): string {
  if (!(error instanceof TcfError)) {
    throw error;
  }
  const causes = [];
  for (let { cause } = error as Error; cause instanceof Error; { cause } = cause as Error) {
    causes.push(cause.message);
  }
  return [error.message, error.hint ?? '', ...causes].join('\n');
}

const ann = async (): Promise<Credential> => ({ kind: 'password', ...login });
const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');
const image = manifestNamed('image');
const header = (name: string, value: string): Fault => ({ headers: { [name]: value } });
const denied = (message: string): string => JSON.stringify({ errors: [{ code: message, message }] });

/** Where a registry can put what it was sent. */
const places: readonly (readonly [string, RegExp, (echo: string) => Fault])[] = [
  ['the words of an error', /manifests/, (echo) => ({ status: 400, body: denied(echo) })],
  ['the words of a refusal', /manifests/, (echo) => ({ status: 403, body: denied(echo) })],
  ['Retry-After', /manifests/, (echo) => ({ status: 429, body: '{}', headers: { 'retry-after': echo } })],
  ['the digest', /manifests/, (echo) => header('docker-content-digest', echo)],
  ['the media type', /manifests/, (echo) => header('content-type', echo)],
  ['the name of a member', /manifests/, (echo) => ({ body: `{"${echo}":1,"${echo}":2}` })],
  ['an address to go to', /manifests/, (echo) => ({ redirect: `http://${echo}.example/` })],
  [
    'an annotation of the wrong kind',
    /manifests/,
    (echo) => ({ body: JSON.stringify({ schemaVersion: 2, layers: [], annotations: { [echo]: 1 } }) }),
  ],
];

test.for(
  places.flatMap(([where, match, fault]) =>
    [login.password, basic, encodeURIComponent(`${login.username}:${login.password}`)].map(
      (echo) => [where, echo, match, fault] as const,
    ),
  ),
)('%s does not show the credential %s', async ([, echo, match, fault]) => {
  await using server = await startRegistry({ auth: 'basic' });
  store(server, image);
  const registry = client({ credentials: ann });
  await registry.manifest(repositoryOn(server), 'latest');
  server.fault(match, fault(echo));
  const error = await registry.manifest(repositoryOn(server), 'latest').catch((thrown: unknown) => thrown);
  expect(shown(error)).not.toContain(login.password);
  expect(shown(error)).not.toContain(basic);
  expect(shown(error)).toContain(server.host);
});

const blob = Buffer.from('x');
const acts: readonly (readonly [
  string,
  RegExp,
  (echo: string) => Fault,
  (registry: Registry, at: Repository) => Promise<unknown>,
])[] = [
  [
    'the place of an upload',
    /POST/,
    (echo) => header('location', `https://elsewhere.example/${echo}`),
    (registry, at) => registry.pushBlob(at, 'text/plain', blob),
  ],
  [
    'the next page',
    /referrers/,
    (echo) => header('link', `<https://elsewhere.example/${echo}>; rel="next"`),
    (registry, at) => registry.referrers(at, descriptorOf(image).digest),
  ],
  [
    'a broken Link',
    /referrers/,
    (echo) => header('link', `<${echo}`),
    (registry, at) => registry.referrers(at, descriptorOf(image).digest),
  ],
  [
    'an error about a blob',
    /blobs/,
    (echo) => ({ status: 400, body: denied(echo) }),
    (registry, at) => readBlob(registry, at, descriptorOf(image)),
  ],
  [
    'the token service',
    /token/,
    (echo) => ({ status: 400, body: denied(echo) }),
    (registry, { registry: host }) =>
      registry.pushBlob({ registry: host, repository: 'other' }, 'text/plain', blob),
  ],
];
test.for(acts)('%s does not show the password', async ([, match, fault, act]) => {
  await using server = await startRegistry({ auth: 'token' });
  const registry = client({ credentials: ann });
  await registry.pushManifest(repositoryOn(server), 'latest', mediaTypes.manifest, image);
  server.fault(match, fault(login.password));
  const error = await act(registry, repositoryOn(server)).catch((thrown: unknown) => thrown);
  expect(shown(error)).not.toContain(login.password);
  expect(shown(error)).toMatch(/credential/);
});

test('a name that holds a short password stays readable', async () => {
  await using server = await startRegistry({ auth: 'basic' });
  store(server, image);
  const registry = client({ credentials: ann });
  await registry.manifest(repositoryOn(server), 'latest');
  server.fault(/manifests/, { status: 403 });
  const error = await registry
    .manifest(repositoryOn(server, 'team/secret'), 'latest')
    .catch((thrown: unknown) => thrown);
  expect(shown(error)).toContain('team/secret');
});

test.for(['token', 'base64'] as const)('a manifest that repeats a %s is not read', async (how) => {
  await using server = await startRegistry({ auth: 'token' });
  server.fault(/^GET \/token/, { body: JSON.stringify({ token }) });
  const echo = how === 'token' ? token : Buffer.from(token).toString('base64');
  const bytes = manifestNamed('echo', { annotations: { echo } });
  store(server, bytes);
  server.fault(/manifests/, {
    times: 1,
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${server.url}/token"` },
  });
  server.fault(/manifests/, {
    body: bytes,
    status: 200,
    headers: { 'content-type': mediaTypes.manifest, 'docker-content-digest': descriptorOf(bytes).digest },
  });
  await expect(client().manifest(repositoryOn(server), 'latest')).rejects.toThrow(/repeats a credential/);
});

test('a list of referrers that repeats a token is not read', async () => {
  await using server = await startRegistry({ auth: 'token' });
  server.fault(/^GET \/token/, { body: JSON.stringify({ token }) });
  const challenge = { 'www-authenticate': `Bearer realm="${server.url}/token"` };
  server.fault(/referrers/, { times: 1, status: 401, headers: challenge });
  const entry = { ...descriptorOf(image), annotations: { echo: token } };
  server.fault(/referrers/, {
    status: 200,
    body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] }),
    headers: { 'content-type': mediaTypes.index },
  });
  await expect(client().referrers(repositoryOn(server), descriptorOf(image).digest)).rejects.toThrow(
    /repeat a credential/,
  );
});

test.for(encodings)('a service that echoes the secret %s is not quoted', async ([, encode]) => {
  await using server = await startRegistry();
  const echo = encode(token);
  const services = testServices();
  const question = {
    method: 'POST',
    url: new URL(`${server.url}/v2/x`),
    secrets: [token],
    what: 'a thing',
  } as const;
  server.fault(/x/, { status: 400, body: JSON.stringify({ message: `unknown token ${echo}` }) });
  const { body, repeatsSecret } = await services(question);
  expect(Buffer.from(body).toString()).toBe('{}');
  expect(repeatsSecret(echo)).toBe(true);
});
