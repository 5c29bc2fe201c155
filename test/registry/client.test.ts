import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type Fault, login, startRegistry } from '../support/registry.ts';
import {
  client,
  clientFor,
  descriptorOf,
  manifestNamed,
  readBlob,
  refusal,
  repositoryOn,
  store,
} from './support.ts';

const credentials = async () => ({ kind: 'password', ...login }) as const;

test('a manifest comes by tag and by digest, with the digest of its bytes', async () => {
  await using server = await startRegistry();
  const bytes = manifestNamed('one');
  const digest = store(server, bytes);
  for (const reference of ['latest', digest]) {
    const fetched = await client().manifest(repositoryOn(server), reference);
    expect(fetched?.descriptor).toEqual({ mediaType: mediaTypes.manifest, digest, size: bytes.length });
  }
});

test('a manifest is not pushed under a digest that its bytes do not have', async () => {
  await using server = await startRegistry();
  const pushed = client().pushManifest(
    repositoryOn(server),
    digestOf(manifestNamed('other')),
    mediaTypes.manifest,
    manifestNamed('one'),
  );
  expect(await refusal(pushed)).toMatch(/^content\.digest: .*its bytes are sha256:/);
  expect(server.requests).toEqual([]);
});

test('a registry that keeps a manifest under another digest is not believed', async () => {
  await using server = await startRegistry();
  const other = digestOf(manifestNamed('other'));
  server.fault(/PUT .*manifests/, { status: 201, headers: { 'docker-content-digest': other } });
  const pushed = client().pushManifest(
    repositoryOn(server),
    'one',
    mediaTypes.manifest,
    manifestNamed('one'),
  );
  expect(await refusal(pushed)).toMatch(new RegExp(`^registry\\.protocol: .*keeps it as "${other}"`));
});

test('what is not there is undefined and no error', async () => {
  await using server = await startRegistry();
  expect(await client().manifest(repositoryOn(server), 'gone')).toBeUndefined();
});

test('a blob that was pushed comes back, and is not pushed twice', async () => {
  await using server = await startRegistry();
  const blob = encodeUtf8('layer');
  const registry = client();
  const descriptor = await registry.pushBlob(repositoryOn(server), mediaTypes.layer, blob);
  await registry.pushBlob(repositoryOn(server), mediaTypes.layer, blob);
  expect(await readBlob(registry, repositoryOn(server), descriptor)).toEqual(blob);
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
});

const digest = `sha256:${'a'.repeat(64)}`;
test.for<readonly [string, Fault, RegExp]>([
  ['A-3: other bytes than the digest', { damage: true }, /^content\.digest/],
  [
    'A-3: another manifest, with the digest of its own bytes',
    { body: manifestNamed('other'), headers: { 'docker-content-digest': digestOf(manifestNamed('other')) } },
    /^content\.digest/,
  ],
  [
    'A-3: a digest header that the bytes do not have',
    { headers: { 'docker-content-digest': digest } },
    /^content\.digest/,
  ],
  [
    'a digest header that is none',
    { headers: { 'docker-content-digest': 'sha1:aa' } },
    /^registry\.protocol/,
  ],
  [
    'A-13: another type announced',
    { headers: { 'content-type': mediaTypes.index } },
    /^manifest\.media-type/,
  ],
  [
    'A-15: schema 1',
    { body: '{"schemaVersion":1}', headers: { 'docker-content-digest': '' } },
    /^(content\.digest|registry\.protocol)/,
  ],
  ['A-87: a manifest without end', { endless: true }, /^bytes\.too-large: .*4 MiB/],
  ['silence', { hang: true }, /^registry\.unreachable/],
  ['a body that drips', { drip: 50 }, /^registry\.unreachable/],
  ['a broken connection', { truncate: 0 }, /^registry\.unreachable/],
  ['half a body', { truncate: 20 }, /^registry\.unreachable/],
  ['401 without a challenge', { status: 401 }, /^registry\.unauthorized/],
  ['403', { status: 403 }, /^registry\.unauthorized: .*INJECTED "as the test wishes"/],
  ['429 for ever', { status: 429 }, /^registry\.refused/],
  ['500', { status: 500 }, /^registry\.unreachable/],
  ['204 without content', { status: 204, body: '' }, /^registry\.protocol/],
  ['a redirect to nowhere', { status: 307 }, /^registry\.protocol/],
])('a manifest with %s cannot be told', async ([, fault, expected]) => {
  await using server = await startRegistry();
  const wanted = store(server, manifestNamed('one'));
  server.fault(/manifests/, fault);
  expect(await refusal(clientFor(fault).manifest(repositoryOn(server), wanted))).toMatch(expected);
});

test('A-87: a blob that drips for ever cannot be told, however long each pause is', async () => {
  await using server = await startRegistry();
  const blob = new Uint8Array(10_000);
  server.blobs.set(digestOf(blob), blob);
  const fault = { drip: 50 };
  server.fault(/blobs/, fault);
  expect(await refusal(readBlob(clientFor(fault), repositoryOn(server), descriptorOf(blob)))).toMatch(
    /^registry\.unreachable: .*less than 4 KB a second/,
  );
});

test.for<readonly [string, Fault, RegExp]>([
  ['other bytes', { damage: true }, /^content\.digest/],
  ['too few bytes', { body: 'laye' }, /^content\.size/],
  ['A-87: bytes without end', { endless: true }, /^content\.size/],
  ['one byte at a time and then nothing', { truncate: 1 }, /^registry\.unreachable/],
  ['404', { status: 404 }, /^registry\.missing/],
  ['silence', { hang: true }, /^registry\.unreachable/],
  ['A-92: a compressed form', { body: 'xxxxx', headers: { 'content-encoding': 'gzip' } }, /^content\.digest/],
  ['a part that nobody asked for', { status: 206, body: 'layer' }, /^registry\.protocol/],
])('a blob with %s cannot be told', async ([, fault, expected]) => {
  await using server = await startRegistry();
  const blob = encodeUtf8('layer');
  server.blobs.set(digestOf(blob), blob);
  server.fault(/blobs/, fault);
  expect(await refusal(readBlob(clientFor(fault), repositoryOn(server), descriptorOf(blob)))).toMatch(
    expected,
  );
});

test('a blob whose last byte has come is whole, however its line ends', async () => {
  await using server = await startRegistry();
  const blob = encodeUtf8('layer');
  server.blobs.set(digestOf(blob), blob);
  server.fault(/blobs/, { truncate: 5, headers: { 'content-length': '6' } });
  expect(await readBlob(client(), repositoryOn(server), descriptorOf(blob))).toEqual(blob);
  expect(server.requests).toHaveLength(1);
});

test('a blob that is gone when its second half is asked for is not made of the error', async () => {
  await using server = await startRegistry();
  const blob = encodeUtf8('layer');
  server.blobs.set(digestOf(blob), blob);
  server.fault(/blobs/, { truncate: 3, times: 1 });
  server.fault(/blobs/, { status: 404 });
  expect(await refusal(readBlob(client(), repositoryOn(server), descriptorOf(blob)))).toMatch(
    /^registry\.missing/,
  );
});

test.for([
  ["cosign 2's signatures", true, (hex: string) => `sha256-${hex}.sig`],
  ['a name that begins otherwise', false, (hex: string) => `x-sha256-${hex}.sig`],
  ['a name that ends otherwise', false, (hex: string) => `sha256-${hex}.sig-old`],
  ['any tag', false, () => 'latest'],
] as const)('a manifest of 5 MiB at %s is read or not: %s', async ([, isRead, tag]) => {
  await using server = await startRegistry();
  const annotations = Object.fromEntries(
    Array.from({ length: 90 }, (_, at) => [`${at}`, 'x'.repeat(60_000)]),
  );
  const bytes = manifestNamed('large', { annotations });
  const name = tag(digestOf(bytes).slice('sha256:'.length));
  store(server, bytes, name);
  const asked = client().manifest(repositoryOn(server), name);
  if (isRead) {
    expect((await asked)?.bytes.length).toBe(bytes.length);
  } else {
    expect(await refusal(asked)).toMatch(/^bytes\.too-large: .*4 MiB/);
  }
});

test('a registry may keep a manifest by SHA-512 under its own digest', async () => {
  await using server = await startRegistry();
  const bytes = manifestNamed('one');
  const wide = digestOf(bytes, 'sha512');
  server.fault(/PUT/, { status: 201, body: '', headers: { 'docker-content-digest': digestOf(bytes) } });
  const pushed = client().pushManifest(repositoryOn(server), wide, mediaTypes.manifest, bytes);
  expect((await pushed).digest).toBe(wide);
});

test('no compression is asked for', async () => {
  await using server = await startRegistry();
  await client().manifest(repositoryOn(server), 'latest');
  expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
});

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 30, 12, 0, seconds)).toUTCString();
test.for<readonly [string, Fault, number]>([
  ['429', { status: 429, headers: { 'retry-after': '2' } }, 2000],
  ['503', { status: 503 }, 375],
  ['429 with a date', { status: 429, headers: { date: at(0), 'retry-after': at(7) } }, 7000],
  [
    '429 with a date as RFC 850 has it',
    { status: 429, headers: { date: at(0), 'retry-after': 'Monday, 30-Nov-26 12:00:07 GMT' } },
    7000,
  ],
  [
    '429 with a date as asctime writes it',
    { status: 429, headers: { date: at(0), 'retry-after': 'Mon Nov 30 12:00:07 2026' } },
    7000,
  ],
  ['429 with a date in the past', { status: 429, headers: { date: at(9), 'retry-after': at(0) } }, 375],
  ['429 with no date at all', { status: 429, headers: { date: at(0), 'retry-after': '2026-12' } }, 375],
  [
    '429 with a date and more',
    { status: 429, headers: { date: at(0), 'retry-after': `${at(7)}-0000` } },
    375,
  ],
  ['429 with words and a date', { status: 429, headers: { date: at(0), 'retry-after': `x ${at(7)}` } }, 375],
  ['a broken connection', { truncate: 0 }, 375],
])('a registry that answers %s once is asked again', async ([, fault, waited]) => {
  await using server = await startRegistry();
  store(server, manifestNamed('one'));
  server.fault(/manifests/, { ...fault, times: 1 });
  const sleeps: number[] = [];
  const sleep = async (ms: number) => void sleeps.push(ms);
  expect(await client({ sleep }).manifest(repositoryOn(server), 'latest')).toBeDefined();
  expect(sleeps).toEqual([waited]);
});

test.for([
  ['an hour', { 'retry-after': '3600' }],
  ['a day, as a date', { date: at(0), 'retry-after': at(86_400) }],
] as const)('a registry that asks for a wait of %s is not asked again', async ([, headers]) => {
  await using server = await startRegistry();
  server.fault(/manifests/, { status: 429, headers });
  expect(await refusal(client().manifest(repositoryOn(server), 'latest'))).toMatch(/^registry\.refused/);
  expect(server.requests).toHaveLength(1);
});

test('A-23: plain HTTP is not spoken without being allowed, not even to loopback', async () => {
  await using server = await startRegistry();
  expect(await refusal(client({ allowHttp: false }).manifest(repositoryOn(server), 'latest'))).toMatch(
    /^registry\.unreachable/,
  );
  expect(server.requests).toEqual([]);
});

test.for([
  ['a path that climbs', 'team/../../token', 'latest'],
  ['a query in the tag', 'team/app', 'latest?x=1'],
  ['a fragment', 'team/app', 'latest#x'],
  ['an escape', 'team/app', '%2e%2e/x y'],
  ['A-25: a digest with a path', 'team/app', 'sha256:../../token'],
])('%s makes no address', async ([, repository = '', reference = '']) => {
  await using server = await startRegistry();
  expect(await refusal(client().manifest(repositoryOn(server, repository), reference))).toMatch(
    /^reference\.malformed/,
  );
  expect(server.requests).toEqual([]);
});

test.for([
  ['link-local', 'http://169.254.169.254/latest/meta-data', 'registry.refused'],
  ['link-local over TLS', 'https://169.254.169.254/', 'registry.refused'],
  ['a private network', 'https://10.0.0.1/', 'registry.refused'],
  ['mapped loopback over TLS', 'https://[::ffff:127.0.0.1]/', 'registry.refused'],
  ['a file', 'file:///etc/passwd', 'registry.refused'],
  ['another port elsewhere', 'https://cdn.example:8443/', 'registry.refused'],
  ['a user', 'https://a@cdn.example/', 'registry.refused'],
  ['a password', 'https://:b@cdn.example/', 'registry.refused'],
])('A-96: a blob is not fetched from %s', async ([, redirect = '', code]) => {
  await using server = await startRegistry();
  server.fault(/blobs/, { redirect });
  const blob = descriptorOf(encodeUtf8('layer'));
  expect(await refusal(readBlob(client(), repositoryOn(server), blob))).toMatch(new RegExp(`^${code}`));
});

test('A-96: a sixth redirect is not followed', async () => {
  await using server = await startRegistry();
  server.fault(/blobs/, { redirect: '/v2/team/app/blobs/again' });
  const blob = descriptorOf(encodeUtf8('layer'));
  expect(await refusal(readBlob(client(), repositoryOn(server), blob))).toMatch(
    /^registry\.limit: .*5 redirects/,
  );
  expect(server.requests).toHaveLength(6);
});

test('A-97: a blob store elsewhere gets no credentials', async () => {
  await using server = await startRegistry({ auth: 'basic' });
  await using store = await startRegistry();
  const blob = encodeUtf8('layer');
  store.blobs.set(digestOf(blob), blob);
  const path = `/v2/team/app/blobs/${digestOf(blob)}`;
  server.fault(/blobs/, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' }, times: 1 });
  server.fault(/blobs/, { redirect: `${store.url}${path}` });
  expect(await readBlob(client({ credentials }), repositoryOn(server), descriptorOf(blob))).toEqual(blob);
  expect(server.requests.at(-1)?.headers.authorization).toMatch(/^Basic/);
  expect(store.requests).toHaveLength(1);
  expect(store.requests[0]?.headers.authorization).toBeUndefined();
  expect(store.requests[0]?.headers.cookie).toBeUndefined();
});

test('credentials are sent only after they were asked for', async () => {
  await using server = await startRegistry({ auth: 'basic' });
  store(server, manifestNamed('one'));
  expect(await client({ credentials }).manifest(repositoryOn(server), 'latest')).toBeDefined();
  expect(server.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([false, true]);
});

test('questions that are asked at once share one token', async () => {
  await using server = await startRegistry({ auth: 'token', jitter: 20 });
  store(server, manifestNamed('one'));
  const registry = client({ credentials });
  const asked = ['latest', 'latest', 'latest'].map((tag) => registry.manifest(repositoryOn(server), tag));
  expect((await Promise.all(asked)).every((found) => found !== undefined)).toBe(true);
  expect(server.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
});

test('a token is fetched once for each repository and action', async () => {
  await using server = await startRegistry({ auth: 'token' });
  store(server, manifestNamed('one'));
  const registry = client({ credentials });
  for (let times = 0; times < 3; times += 1) {
    await registry.manifest(repositoryOn(server), 'latest');
  }
  await registry.pushBlob(repositoryOn(server), mediaTypes.layer, encodeUtf8('x'));
  const scopes = server.requests.filter(({ path }) => path.startsWith('/token')).map(({ path }) => path);
  expect(scopes).toEqual([
    '/token?service=test&scope=repository%3Ateam%2Fapp%3Apull',
    '/token?service=test&scope=repository%3Ateam%2Fapp%3Apull%2Cpush',
  ]);
});

test.for([
  ['access_token', '{"access_token":"pull"}'],
  ['null beside access_token', '{"token":null,"access_token":"pull"}'],
  ['nothing beside access_token', '{"token":"","access_token":"pull","expires_in":300}'],
  ['token beside null', '{"token":"pull","access_token":null}'],
] as const)('a token service may answer %s', async ([, body]) => {
  await using server = await startRegistry({ auth: 'token' });
  store(server, manifestNamed('one'));
  server.fault(/token/, { body });
  expect(await client().manifest(repositoryOn(server), 'latest')).toBeDefined();
});

test('a token service at a path of the registry is asked there', async () => {
  await using server = await startRegistry({ auth: 'token', realm: '/token' });
  store(server, manifestNamed('one'));
  expect(await client().manifest(repositoryOn(server), 'latest')).toBeDefined();
});

test('an identity token is posted to the token service', async () => {
  await using server = await startRegistry({ auth: 'token' });
  const identity = async () => ({ kind: 'identity-token', token: login.password }) as const;
  await client({ credentials: identity }).pushBlob(repositoryOn(server), mediaTypes.layer, encodeUtf8('x'));
  expect(server.requests.find(({ path }) => path === '/token')?.method).toBe('POST');
});

test.for<readonly [string, Fault]>([
  ['is refused', { status: 401 }],
  ['ends the header line', { body: '{"token":"a\\r\\nx: y"}' }],
  ['is missing', { body: '{}' }],
  ['has no end', { endless: true }],
])('a token that %s lets nobody in', async ([, fault]) => {
  await using server = await startRegistry({ auth: 'token' });
  server.fault(/token/, fault);
  expect(await refusal(client({ credentials }).manifest(repositoryOn(server), 'latest'))).not.toMatch(
    /^nothing/,
  );
});

test('A-98: another host on this machine gets no credentials for a token', async () => {
  await using elsewhere = await startRegistry();
  await using server = await startRegistry({ auth: 'token', realm: `${elsewhere.url}/token` });
  store(server, manifestNamed('one'));
  expect(await client({ credentials }).manifest(repositoryOn(server), 'latest')).toBeDefined();
  expect(elsewhere.requests).toHaveLength(1);
  expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
});

test('an upload that is sent to another host is refused', async () => {
  await using elsewhere = await startRegistry();
  await using server = await startRegistry();
  server.fault(/POST/, { headers: { location: `${elsewhere.url}/upload` } });
  const pushed = client().pushBlob(repositoryOn(server), mediaTypes.layer, encodeUtf8('x'));
  expect(await refusal(pushed)).toMatch(/^registry\.refused/);
  expect(elsewhere.requests).toEqual([]);
});
