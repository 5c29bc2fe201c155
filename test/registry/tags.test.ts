import { expect, test } from 'vitest';
import { bytesOf, encodeUtf8 } from '../../src/base/bytes.ts';
import { SentSecrets } from '../../src/registry/secrets.ts';
import type { Session } from '../../src/registry/session.ts';
import { listTags } from '../../src/registry/tags.ts';
import { startRegistry } from '../support/registry.ts';
import { client, manifestNamed, refusal, repositoryOn, store } from './support.ts';

const page = (tags: readonly string[] | null) => JSON.stringify({ name: 'team/app', tags });
const next = (path: string) => ({ link: `<${path}>; rel="next"` });
const first = '/v2/team/app/tags/list';

test('tags come in the order of the registry, over all its pages, each once', async () => {
  await using server = await startRegistry({ pageSize: 2 });
  for (const name of ['three', 'one', 'two']) {
    store(server, manifestNamed(name), name);
  }
  expect(await client().tags(repositoryOn(server))).toEqual(['three', 'one', 'two']);
  server.fault(/n=2/, { status: 200, body: page(['one', 'two']) });
  server.fault(/list$/, { status: 200, body: page(['one']), headers: next('?n=2') });
  expect(await client().tags(repositoryOn(server))).toEqual(['one', 'two']);
});

test('an empty list as Go writes it is an empty list; a repository that is not there is none', async () => {
  await using server = await startRegistry();
  expect(await refusal(client().tags(repositoryOn(server)))).toMatch(/^registry\.missing/);
  server.fault(/list/, { status: 200, body: page(null) });
  expect(await client().tags(repositoryOn(server))).toEqual([]);
});

test('A-90: pages that go round in a circle end in an error', async () => {
  await using server = await startRegistry();
  server.fault(/list$/, { status: 200, body: page(['a']), headers: next(first) });
  expect(await refusal(client().tags(repositoryOn(server)))).toMatch(/^registry\.protocol: .*do not end/);
  expect(server.requests).toHaveLength(1);
});

test('A-90: pages that go on for ever end in an error', async () => {
  let asked = 0;
  const session: Session = {
    timeouts: { idle: 1000, document: 1000 },
    secrets: new SentSecrets(),
    url: () => new URL('https://registry.example/tags/list'),
    call: async (_, { url }) => {
      asked += 1;
      const headers = next(`?n=${asked}`);
      return { url, status: 200, headers, body: bytesOf(encodeUtf8(page(['a']))), end: () => {} };
    },
  };
  const listed = listTags(session, { registry: 'registry.example', repository: 'team/app' });
  expect(await refusal(listed)).toMatch(/^registry\.protocol: .*do not end/);
  expect(asked).toBe(2000);
});

test('A-90: more tags than ten years of builds have are too many', async () => {
  await using server = await startRegistry();
  const many = (from: number) => page(Array.from({ length: 60_000 }, (_, at) => `t${from + at}`));
  server.fault(/n=2/, { status: 200, body: many(60_000) });
  server.fault(/list$/, { status: 200, body: many(0), headers: next('?n=2') });
  expect(await refusal(client().tags(repositoryOn(server)))).toMatch(/^registry\.limit: .*limit of 100000/);
});

test('the next page is not asked for at another host', async () => {
  await using server = await startRegistry();
  server.fault(/list/, { status: 200, body: page(['a']), headers: next('https://elsewhere.example/x') });
  expect(await refusal(client().tags(repositoryOn(server)))).toMatch(/^registry\.protocol: .*elsewhere/);
});
