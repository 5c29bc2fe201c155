import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openTransport, type Transport, type TransportOptions } from '../../src/registry/transport.ts';
import { client, refusal } from './support.ts';

const open = (options: Partial<TransportOptions> = {}): Transport =>
  openTransport({ userAgent: 'tcf-test', timeouts: { idle: 20_000, document: 20_000 }, ...options });

async function listen(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((ready) => server.listen(0, '0.0.0.0', ready));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: new URL(`http://127.0.0.1:${port}/`),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

test.for([
  ['plain HTTP over a network', 'http://10.0.0.1/'],
  ['plain HTTP to a name', 'http://registry.example/'],
  ['another scheme', 'ftp://127.0.0.1/'],
  ['a file', 'file:///etc/passwd'],
] as const)('A-23: %s is not spoken, whoever asks', async ([, url]) => {
  const asked = async () => open()({ method: 'GET', url: new URL(url), headers: {}, reach: 'any' });
  expect(await refusal(asked())).toMatch(/^registry\.refused: will not speak "(?:http|ftp|file):"/);
});

test('a long body arrives whole, and a slow line that moves is no silence', async () => {
  const idle = 500;
  let arrived = 0;
  await using server = await listen(async (request, response) => {
    const until = performance.now() + 1.5 * idle;
    for await (const chunk of request) {
      arrived += (chunk as Buffer).length;
      await sleep(performance.now() < until ? 10 : 0);
    }
    response.end();
  });
  const body = new Uint8Array(24 * 1024 * 1024);
  const transport = open({ timeouts: { idle, document: 20_000 } });
  const answer = await transport({ method: 'PUT', url: server.url, headers: {}, body, reach: 'loopback' });
  answer.end();
  expect(arrived).toBe(body.length);
});

test('an answer that its reader leaves is not sent to its end', async () => {
  let isClosed = false;
  await using server = await listen((_, response) => {
    response.on('close', () => {
      isClosed = true;
    });
    response.write('begin');
  });
  const { body } = await open()({ method: 'GET', url: server.url, headers: {}, reach: 'loopback' });
  for await (const chunk of body) {
    expect(Buffer.from(chunk).toString()).toBe('begin');
    break;
  }
  await vi.waitFor(() => expect(isClosed).toBe(true));
});

test('a question that failed leaves no clock running', async () => {
  await using server = await listen((request) => void request.destroy());
  const ask = () => open()({ method: 'GET', url: server.url, headers: {}, reach: 'loopback' });
  // Node's client is loaded with the first question.
  await refusal(ask());
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    expect(await refusal(ask())).toMatch(/^registry\.unreachable/);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('silence names the variables of proxies', async () => {
  await using server = await listen(() => {});
  const transport = open({ timeouts: { idle: 100, document: 100 } });
  await expect(
    transport({ method: 'GET', url: server.url, headers: {}, reach: 'loopback' }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/^"127.0.0.1:\d+" did not answer within 0.1 s$/),
    hint: expect.stringContaining('HTTPS_PROXY'),
  });
});

test.for([
  ['speaks plain HTTP on this machine', '127.0.0.1', true, /--allow-http/],
  ['speaks plain HTTP elsewhere', '0.0.0.0', true, /^check the name and the network$/],
  ['is not there', '127.0.0.1', false, /^check the name and the network$/],
] as const)('a registry that %s: the hint says what helps', async ([, host, isThere, hint]) => {
  await using server = await listen((_, response) => void response.end());
  const port = isThere ? server.port : 1;
  const asked = client({ allowHttp: false }).manifest({ registry: `${host}:${port}`, repository: 'a' }, 'b');
  await expect(asked).rejects.toMatchObject({
    code: 'registry.unreachable',
    hint: expect.stringMatching(hint),
  });
});
