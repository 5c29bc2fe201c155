import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { folder, testHost } from '../support/host.ts';
import { zip } from '../support/zip.ts';

/* Archives from addresses: whatever a server does, what is kept stays, and nothing half is ever built. */

const record = JSON.stringify({
  id: 'GHSA-1',
  modified: '2026-01-01T00:00:00Z',
  affected: [{ package: { ecosystem: 'PyPI', name: 'a' }, versions: ['1'] }],
});
const whole = zip({ 'GHSA-1.json': record });

let place = folder();
let closing: (() => void)[] = [];
beforeEach(() => {
  place = folder();
  closing = [];
});
afterEach(() => {
  for (const close of closing) {
    close();
  }
  place[Symbol.dispose]();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/PyPI/all.zip`;
}

async function build(...argv: readonly string[]) {
  const host = testHost({ cwd: place.path });
  const exit = await main(['db', 'build', ...argv, '--timeout', '1'], host);
  return { exit, err: host.err() };
}

async function statusOf(): Promise<string> {
  const host = testHost({ cwd: place.path });
  await main(['db', 'status', '--json'], host);
  return host.out();
}

/** Half a gigabyte of one letter as an entry of a zip of half a megabyte, by the word of whose directory it has 100 bytes. */
function bomb(): Buffer {
  const honest = zip({ 'x.json': 'x'.repeat(100) });
  const packed = deflateRawSync(Buffer.alloc(64 * 1024 * 1024, 'x'));
  const start = honest.subarray(0, 30 + 'x.json'.length);
  const central = Buffer.from(honest.subarray(honest.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'))));
  central.writeUInt32LE(packed.length, 20);
  const end = central.indexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  central.writeUInt32LE(start.length + packed.length, end + 16);
  return Buffer.concat([start, packed, central]);
}

test('a whole archive is read, and its database answers', async () => {
  const address = await serve((_, response) => response.end(whole));
  expect(await build(address)).toMatchObject({ exit: 0 });
  expect(JSON.parse(await statusOf()).sources[0]).toMatchObject({ name: 'GHSA', records: 1 });
});

test.for<[string, RequestListener, string]>([
  [
    'cut off',
    (_, response) => {
      response.writeHead(200, { 'content-length': whole.length });
      response.write(whole.subarray(0, 50), () => response.destroy());
    },
    'cannot get the archive',
  ],
  [
    'an answer that ends early without a length',
    (_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.end(whole.subarray(0, whole.length - 30));
    },
    '',
  ],
  [
    'nothing for a second',
    (_, response) => void response.writeHead(200).write('PK'),
    'cannot get the archive',
  ],
  [
    'a redirect',
    (_, response) => response.writeHead(302, { location: 'https://elsewhere.example/all.zip' }).end(),
    'status 302',
  ],
  ['not found', (_, response) => response.writeHead(404).end('no'), 'status 404'],
  ['a page of HTML', (_, response) => response.end('<html>'), ''],
  ['a zip bomb', (_, response) => response.end(bomb()), ''],
])('%s is an answer with a reason, and what is kept stays', async ([, listener, said]) => {
  const good = await serve((_, response) => response.end(whole));
  expect(await build(good)).toMatchObject({ exit: 0 });
  const before = await statusOf();
  const { err, exit } = await build(await serve(listener));
  expect(exit).toBe(2);
  expect(err).toContain(said);
  expect(err).not.toContain('fault in tcf');
  expect(await statusOf()).toBe(before);
});

test.for(['http://user:secret@127.0.0.1/x.zip', 'http://192.0.2.1/all.zip', 'https://'])(
  '%s is not asked',
  async (address) => {
    const { err, exit } = await build(address, '-o', join(place.path, 'x'));
    expect([2, 3]).toContain(exit);
    expect(err).not.toContain('secret');
    expect(err).not.toContain('fault in tcf');
  },
);
