import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, bytesOf, encodeUtf8 } from '../../src/base/bytes.ts';
import { checked, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { BlobFate } from '../../src/registry/contract.ts';
import { type Fault, login, startRegistry, type TestRegistry } from '../support/registry.ts';
import { client, descriptorOf, readBlob, refusal, repositoryOn } from './support.ts';

const chunkSize = 10;
/** Two chunks and a half. */
const content = encodeUtf8('abcdefghijklmnopqrstuvwxy');

function layer(bytes: Uint8Array): Descriptor {
  return { mediaType: mediaTypes.layer, digest: digestOf(bytes), size: bytes.length };
}

/** In pieces that fit no chunk. */
async function* inPieces(bytes: Uint8Array, size = 7): Bytes {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

function copy(server: TestRegistry, bytes = content, from?: string): Promise<BlobFate> {
  const source = from === undefined ? undefined : repositoryOn(server, from);
  return client({ chunkSize }).copyBlob(
    repositoryOn(server),
    layer(bytes),
    () => checked(inPieces(bytes), digestOf(bytes), bytes.length, 'the blob'),
    source,
  );
}

const told = (server: TestRegistry) =>
  server.requests.map(({ method, headers, size }) =>
    [method, headers['content-range'] ?? '', size || ''].join(' ').trim(),
  );

test('a large blob goes in chunks that say where they belong', async () => {
  await using server = await startRegistry();
  expect(await copy(server)).toBe('copied');
  expect(told(server)).toEqual(['HEAD', 'POST', 'PATCH 0-9 10', 'PATCH 10-19 10', 'PATCH 20-24 5', 'PUT']);
  expect(server.blobs.get(digestOf(content))).toEqual(content);
});

test.for([
  ['empty', 0],
  ['one byte', 1],
  ['exactly one chunk', chunkSize],
])('a blob of %s goes in one piece', async ([, size]) => {
  await using server = await startRegistry();
  const bytes = content.subarray(0, Number(size));
  await copy(server, bytes);
  expect(told(server)).toEqual(['HEAD', 'POST', size === 0 ? 'PUT' : `PUT  ${size}`]);
  expect(server.blobs.get(digestOf(bytes))).toEqual(bytes);
});

test('what is there is not sent', async () => {
  await using server = await startRegistry();
  server.blobs.set(digestOf(content), content);
  expect(await copy(server)).toBe('there');
  expect(told(server)).toEqual(['HEAD']);
});

test('a blob of another repository of the registry is mounted', async () => {
  await using server = await startRegistry({ ownBlobs: true });
  await client().pushBlob(repositoryOn(server, 'team/base'), mediaTypes.layer, content);
  expect(await copy(server, content, 'team/base')).toBe('mounted');
  expect(server.requests.at(-1)).toMatchObject({
    method: 'POST',
    path: `/v2/team/app/blobs/uploads/?mount=${digestOf(content).replace(':', '%3A')}&from=team%2Fbase`,
  });
  expect(await readBlob(client(), repositoryOn(server), layer(content))).toEqual(content);
});

test('a token for a mount is asked for both repositories', async () => {
  await using server = await startRegistry({ ownBlobs: true, auth: 'token' });
  const credentials = async () => ({ kind: 'password', ...login }) as const;
  const registry = client({ credentials });
  await registry.pushBlob(repositoryOn(server, 'team/base'), mediaTypes.layer, content);
  const from = repositoryOn(server, 'team/base');
  expect(await registry.copyBlob(repositoryOn(server), layer(content), () => bytesOf(content), from)).toBe(
    'mounted',
  );
  expect(server.requests.map(({ path }) => decodeURIComponent(path))).toContain(
    '/token?service=test&scope=repository:team/app:pull,push&scope=repository:team/base:pull',
  );
});

test.for([401, 400, 403, 404])(
  'a token service that answers %d to two scopes is asked for one',
  async (status) => {
    await using server = await startRegistry({ ownBlobs: true, auth: 'token' });
    const credentials = async () => ({ kind: 'password', ...login }) as const;
    const registry = client({ credentials });
    await registry.pushBlob(repositoryOn(server, 'team/base'), mediaTypes.layer, content);
    server.fault(/token\?.*scope=.*scope=/, { status });
    const from = repositoryOn(server, 'team/base');
    const copied = registry.copyBlob(repositoryOn(server), layer(content), () => bytesOf(content), from);
    expect(await copied).toBe('copied');
  },
);

test.for<readonly [string, Fault | undefined]>([
  ['does not mount', undefined],
  ['may not read the other repository', { status: 403, times: 1 }],
  ['has not the other repository', { status: 404, times: 1 }],
  ['does not know what mounting is', { status: 405, times: 1 }],
])('a registry that %s gets the bytes', async ([, fault]) => {
  await using server = await startRegistry({ ownBlobs: true, mounts: false });
  await client().pushBlob(repositoryOn(server, 'team/base'), mediaTypes.layer, content);
  if (fault !== undefined) {
    server.fault(/POST .*mount=/, fault);
  }
  expect(await copy(server, content, 'team/base')).toBe('copied');
  expect(await readBlob(client(), repositoryOn(server), layer(content))).toEqual(content);
});

test.for<readonly [string, RegExp, Fault]>([
  ['the line breaks before a chunk', /PATCH/, { truncate: 0, times: 1 }],
  ['the line breaks within a chunk', /PATCH/, { keep: 4, times: 2 }],
  ['the answer to a chunk is lost', /PATCH/, { keep: 10, times: 1 }],
  ['the registry is busy', /PATCH/, { status: 503, times: 2 }],
  ['the registry limits requests', /PATCH/, { status: 429, times: 1 }],
  ['the upload is forgotten', /PATCH/, { status: 404, times: 1 }],
  ['the upload is forgotten when it is asked for', /GET|PATCH/, { status: 416, times: 2 }],
  ['the answer at the end is lost', /PUT/, { keep: 0, times: 1 }],
  ['the registry got other bytes', /PUT/, { status: 400, times: 1 }],
])('%s: the blob arrives whole', async ([, match, fault]) => {
  await using server = await startRegistry();
  server.fault(match, fault);
  expect(await copy(server)).toBe('copied');
  expect(server.blobs.get(digestOf(content))).toEqual(content);
});

test('a chunk whose answer was lost is not sent again', async () => {
  await using server = await startRegistry();
  server.fault(/PATCH/, { keep: 10, times: 1 });
  await copy(server);
  expect(told(server).slice(2)).toEqual(['PATCH 0-9 10', 'GET', 'PATCH 10-19 10', 'PATCH 20-24 5', 'PUT']);
});

test('what has arrived is not sent again', async () => {
  await using server = await startRegistry();
  server.fault(/PATCH/, { keep: 4, times: 1 });
  await copy(server);
  expect(told(server)).toEqual([
    'HEAD',
    'POST',
    'PATCH 0-9 10',
    'GET',
    'PATCH 4-9 6',
    'PATCH 10-19 10',
    'PATCH 20-24 5',
    'PUT',
  ]);
});

const again = ['POST', 'PATCH 0-9 10', 'PATCH 10-19 10', 'PATCH 20-24 5', 'PUT'];
test.for<readonly [string, Fault]>([
  ['has less than it has taken', { status: 204, body: '', headers: { range: '0-4' } }],
  ['has more than was sent', { status: 204, body: '', headers: { range: '0-99' } }],
  ['cannot say how much it has', { status: 204, body: '', headers: { range: 'all' } }],
  ['says more than a range', { status: 204, body: '', headers: { range: '0-13 or so' } }],
  ['says something before a range', { status: 204, body: '', headers: { range: 'x0-13' } }],
  ['says how much it has with another status', { status: 200, body: '', headers: { range: '0-13' } }],
  ['has forgotten the upload', { status: 404 }],
])('a registry that %s gets the blob from its start', async ([, fault]) => {
  await using server = await startRegistry();
  server.fault(/PATCH/, { times: 1, lie: true, status: 202, body: '' });
  server.fault(/PATCH/, { keep: 4, times: 1 });
  server.fault(/GET/, { ...fault, times: 1 });
  expect(await copy(server)).toBe('copied');
  expect(told(server)).toEqual(['HEAD', 'POST', 'PATCH 0-9 10', 'PATCH 10-19 10', 'GET', ...again]);
  expect(server.blobs.get(digestOf(content))).toEqual(content);
});

test.for<readonly [string, Fault, readonly string[]]>([
  ['does not know the upload and has the blob', { status: 404, lie: true }, ['PUT', 'HEAD']],
  ['does not know the upload', { status: 404 }, ['PUT', 'HEAD', ...again]],
  ['does not want the blob that it has', { status: 400, lie: true }, ['PUT', ...again]],
])('a registry that at the end %s is believed as far as it can be', async ([, fault, expected]) => {
  await using server = await startRegistry();
  server.fault(/PUT/, { ...fault, times: 1 });
  expect(await copy(server)).toBe('copied');
  expect(told(server).slice(5)).toEqual(expected);
});

test.for<readonly [string, RegExp, Fault, RegExp, readonly string[]]>([
  ['may not be asked', /HEAD/, { status: 403 }, /^registry\.unauthorized/, ['HEAD']],
  [
    'is down while it is asked to mount',
    /POST/,
    { truncate: 0 },
    /^registry\.unreachable/,
    ['HEAD', 'POST', 'POST', 'POST', 'POST'],
  ],
])('a registry that %s is sent nothing', async ([, match, fault, expected, asked]) => {
  await using server = await startRegistry();
  server.fault(match, fault);
  server.fault(/POST .*uploads\/$/, { status: 500 });
  expect(await refusal(copy(server, content, 'team/base'))).toMatch(expected);
  expect(told(server)).toEqual(asked);
});

test('a question whether a blob is there is asked again while the registry is busy', async () => {
  await using server = await startRegistry();
  server.fault(/HEAD/, { status: 500, times: 2 });
  expect(await copy(server)).toBe('copied');
  expect(told(server).slice(0, 4)).toEqual(['HEAD', 'HEAD', 'HEAD', 'POST']);
});

test.for(['20x', 'x20', '2e1', ''])('a least size of "%s" for chunks is none', async (size) => {
  await using server = await startRegistry();
  server.fault(/POST/, { headers: { 'oci-chunk-min-length': size } });
  await copy(server);
  expect(told(server).slice(2)).toEqual(again.slice(1));
});

test.for([
  ['user', 'ann@'],
  ['password', ':secret@'],
] as const)('an upload is not sent to a place with a %s', async ([, info]) => {
  await using server = await startRegistry();
  const location = `http://${info}${server.host}/v2/team/app/blobs/uploads/1`;
  server.fault(/POST/, { headers: { location } });
  expect(await refusal(copy(server))).toMatch(/^registry\.refused: .*wants it sent to/);
  expect(told(server)).toEqual(['HEAD', 'POST']);
});

test('law: wherever the line breaks, the blob arrives whole or not at all', async () => {
  await using server = await startRegistry();
  const break_ = fc.record({ keep: fc.nat({ max: 12 }), method: fc.constantFrom('PATCH', 'PUT', 'GET') });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(break_, { maxLength: 4 }),
      async (bytes, breaks) => {
        server.blobs.clear();
        for (const { method, keep } of breaks) {
          server.fault(new RegExp(`^${method}`), { keep, times: 1 });
        }
        await refusal(copy(server, bytes));
        const stored = [...server.blobs.values()];
        expect(stored.length === 0 || Buffer.from(stored[0] ?? '').equals(bytes)).toBe(true);
        expect(stored.length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 150 },
  );
});

test.for<readonly [string, RegExp, Fault, RegExp]>([
  ['is read-only', /POST/, { status: 405 }, /^registry\.refused/],
  ['lets nobody push', /POST/, { status: 403 }, /^registry\.unauthorized/],
  ['breaks the line for ever', /PATCH/, { truncate: 0 }, /^registry\.unreachable/],
  ['is busy for ever', /PATCH/, { keep: 0, lie: true, status: 503 }, /^registry\.unreachable/],
  ['has no room', /PATCH/, { status: 413 }, /^registry\.refused/],
  ['forgets every upload', /PATCH/, { status: 404 }, /^registry\.missing/],
  ['loses what it has taken', /PATCH/, { keep: 3, lie: true }, /^registry\.refused/],
  [
    'wants chunks of a gigabyte',
    /POST/,
    { headers: { 'oci-chunk-min-length': '1073741824' } },
    /^registry\.limit/,
  ],
  [
    'sends the next chunk elsewhere',
    /PATCH/,
    { headers: { location: 'https://cdn.example/x' } },
    /^registry\.refused/,
  ],
  ['sends the next chunk nowhere', /PATCH/, { headers: { location: 'http://[' } }, /^registry\.refused/],
])('a registry that %s gets no blob', async ([, match, fault, expected]) => {
  await using server = await startRegistry();
  server.fault(match, fault);
  expect(await refusal(copy(server))).toMatch(expected);
  expect(server.blobs.size).toBe(0);
});

test('a source that turns out to be another blob finishes no upload', async () => {
  await using server = await startRegistry();
  const other = encodeUtf8('ABCDEFGHIJKLMNOPQRSTUVWXY');
  const open = () => checked(inPieces(other), digestOf(content), content.length, 'the blob');
  const copied = client({ chunkSize }).copyBlob(repositoryOn(server), layer(content), open);
  expect(await refusal(copied)).toMatch(/^content\.digest/);
  expect(server.requests.map(({ method }) => method)).not.toContain('PUT');
});

test('a registry that wants larger chunks gets them', async () => {
  await using server = await startRegistry();
  server.fault(/POST/, { headers: { 'oci-chunk-min-length': '20' } });
  await copy(server);
  expect(told(server).slice(2)).toEqual(['PATCH 0-19 20', 'PATCH 20-24 5', 'PUT']);
});

test.for<readonly [string, boolean]>([
  ['from where it broke', true],
  ['from the start where the server knows no ranges', false],
])('a download that breaks goes on %s', async ([, ranges]) => {
  await using server = await startRegistry();
  server.blobs.set(digestOf(content), content);
  server.fault(/GET/, { truncate: 11, times: 2 });
  if (!ranges) {
    server.fault(/GET/, { status: 200, body: content });
  }
  expect(await readBlob(client(), repositoryOn(server), descriptorOf(content))).toEqual(content);
  expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=11-', 'bytes=22-']);
});

test('a download whose second half is of another blob is refused', async () => {
  await using server = await startRegistry();
  server.blobs.set(digestOf(content), content);
  server.fault(/GET/, { truncate: 11, times: 1 });
  server.fault(/GET/, { damage: true });
  expect(await refusal(readBlob(client(), repositoryOn(server), descriptorOf(content)))).toMatch(
    /^content\.digest/,
  );
});
