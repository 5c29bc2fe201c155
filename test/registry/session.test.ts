import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Authorizer, Credential } from '../../src/registry/authorize.ts';
import { SentSecrets } from '../../src/registry/secrets.ts';
import { openSession, type Session } from '../../src/registry/session.ts';
import type { Exchange } from '../../src/registry/transport.ts';
import { type Fault, login, startRegistry } from '../support/registry.ts';
import { client, descriptorOf, manifestNamed, readBlob, refusal, repositoryOn, store } from './support.ts';

const ann = async (): Promise<Credential> => ({ kind: 'password', ...login });
const nobody: Authorizer = { cached: () => undefined, authorize: async () => undefined, evict: () => {} };

/** A session that allows plain HTTP, over a line that redirects once and then says 200. */
function redirectedTo(location: string): { readonly session: Session; readonly seen: readonly Exchange[] } {
  const seen: Exchange[] = [];
  const transport = async (exchange: Exchange) => {
    seen.push(exchange);
    const isFirst = seen.length === 1;
    return {
      url: exchange.url,
      status: isFirst ? 307 : 200,
      headers: isFirst ? { location } : {},
      body: (async function* () {})(),
      end: () => {},
    };
  };
  const timeouts = { idle: 1000, document: 1000 };
  return { session: openSession(transport, nobody, () => true, timeouts, new SentSecrets()), seen };
}

test.for([
  ['the same registry', 'registry.corp:5000', 'https://registry.corp:5000/other', 'any'],
  ['a blob store', 'registry.corp:5000', 'https://cdn.example/other', 'public'],
  ['a blob store, from this machine', '127.0.0.1:5000', 'https://cdn.example/other', 'public'],
  ['another port of this machine', '127.0.0.1:5000', 'http://127.0.0.1:5001/other', 'loopback'],
] as const)(
  'A-96: a redirect to %s may reach so far and no further',
  async ([, registry, location, reach]) => {
    const { session, seen } = redirectedTo(location);
    const at = { registry, repository: 'team/app' };
    for (const method of ['GET', 'HEAD'] as const) {
      const url = session.url(at, 'blobs/x');
      await session.call(at, {
        method,
        url,
        action: 'pull',
        headers: { range: 'bytes=1-', cookie: 'x' },
        what: 'it',
      });
      expect(seen[1]).toMatchObject({ method, reach, headers: { range: 'bytes=1-' } });
      expect(seen[1]?.headers).not.toHaveProperty('cookie');
      (seen as Exchange[]).splice(0);
    }
  },
);

test.for([
  ['registry.example', 'https://registry.example/v2/team/app/tags/list'],
  ['registry.example:443', 'https://registry.example/v2/team/app/tags/list'],
  ['registry.example:4430', 'https://registry.example:4430/v2/team/app/tags/list'],
  ['docker.io', 'https://registry-1.docker.io/v2/team/app/tags/list'],
  ['localhost:5000', 'http://localhost:5000/v2/team/app/tags/list'],
  ['10.0.0.1:5000', 'https://10.0.0.1:5000/v2/team/app/tags/list'],
] as const)('where plain HTTP is allowed, %s is asked at %s', ([registry, expected]) => {
  expect(redirectedTo('').session.url({ registry, repository: 'team/app' }, 'tags/list').href).toBe(expected);
});

test('a redirect of a question without a body is followed as well', async () => {
  await using server = await startRegistry();
  await using elsewhere = await startRegistry();
  const layer = encodeUtf8('layer');
  elsewhere.blobs.set(digestOf(layer), layer);
  server.fault(/HEAD/, { redirect: `${elsewhere.url}/v2/team/app/blobs/${digestOf(layer)}` });
  await client().pushBlob(repositoryOn(server), mediaTypes.layer, layer);
  expect(server.requests.map(({ method }) => method)).toEqual(['HEAD']);
});

test('a refusal without a challenge is not asked twice', async () => {
  await using server = await startRegistry();
  server.fault(/manifests/, { status: 401 });
  const asked = client({ credentials: ann }).manifest(repositoryOn(server), 'latest');
  expect(await refusal(asked)).toMatch(/^registry\.unauthorized/);
  expect(server.requests).toHaveLength(1);
});

test('a login that was refused is not sent with the next question', async () => {
  await using server = await startRegistry({ auth: 'basic' });
  const one = store(server, manifestNamed('one'));
  const registry = client({ credentials: ann });
  await registry.manifest(repositoryOn(server), one);
  const challenge = { 'www-authenticate': 'Basic realm="x"' };
  server.fault(/manifests/, { status: 401, headers: challenge, times: 2 });
  expect(await refusal(registry.manifest(repositoryOn(server), one))).toMatch(/^registry\.unauthorized/);
  await registry.manifest(repositoryOn(server), one);
  expect(server.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([
    ...[false, true],
    ...[true, true],
    ...[false, true],
  ]);
});

test('a manifest that nobody may ask for is not taken for a deleted one', async () => {
  await using server = await startRegistry({ referrersApi: false, strict: true });
  const subject = descriptorOf(manifestNamed('image'));
  const signature = (name: string) => manifestNamed(name, { subject });
  const registry = client({ credentials: ann });
  await registry.attach(repositoryOn(server), signature('one'), subject);
  server.manifests.delete(`team/app@${digestOf(signature('one'))}`);
  server.fault(/HEAD .*manifests/, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
  expect(await refusal(registry.attach(repositoryOn(server), signature('two'), subject))).toMatch(
    /^registry\.unauthorized: .*answered 401/,
  );
});

test.for<readonly [string, Fault, RegExp | undefined]>([
  ['refuses', { status: 401 }, /were not sent to/],
  ['is not there', { status: 404 }, /were not sent to/],
])('A-98: a token service elsewhere that %s says that it got no credentials', async ([, fault, hint]) => {
  await using elsewhere = await startRegistry();
  await using server = await startRegistry({ auth: 'token', realm: `${elsewhere.url}/token` });
  elsewhere.fault(/token/, fault);
  const code = fault.status === 401 ? 'registry.unauthorized' : 'registry.missing';
  const ask = (options: object) => client(options).manifest(repositoryOn(server), 'latest');
  await expect(ask({ credentials: ann })).rejects.toMatchObject({
    code,
    hint: expect.stringMatching(hint ?? ''),
  });
  await expect(ask({})).rejects.not.toMatchObject({ hint: expect.stringMatching(hint ?? '') });
});

test('the token service of the registry itself that refuses got the credentials', async () => {
  await using server = await startRegistry({ auth: 'token' });
  server.fault(/token/, { status: 401 });
  await expect(client({ credentials: ann }).manifest(repositoryOn(server), 'latest')).rejects.toMatchObject({
    code: 'registry.unauthorized',
    hint: expect.stringMatching(/^log in/),
  });
});

test('A-98: another host on this machine gets no refresh token', async () => {
  await using elsewhere = await startRegistry();
  await using server = await startRegistry({ auth: 'token', realm: `${elsewhere.url}/token` });
  store(server, manifestNamed('one'));
  const credentials = async () => ({ kind: 'identity-token', token: login.password }) as const;
  expect(await client({ credentials }).manifest(repositoryOn(server), 'latest')).toBeDefined();
  expect(
    elsewhere.requests.map(({ method, path, size }) => [method, path.includes(login.password), size]),
  ).toEqual([['GET', false, 0]]);
});

test.for<readonly [string, Fault, RegExp, number]>([
  ['is silent', { hang: true }, /^registry\.unreachable/, 1],
  ['redirects into a private network', { redirect: 'https://10.0.0.1/' }, /^registry\.refused/, 1],
  ['breaks the line', { truncate: 0 }, /^registry\.unreachable/, 4],
  ['is busy', { status: 503 }, /^registry\.unreachable/, 4],
])('a registry that %s is asked as often as that helps', async ([, fault, expected, times]) => {
  await using server = await startRegistry();
  server.fault(/blobs/, fault);
  const registry = client(fault.hang ? { timeouts: { idle: 200, document: 1000 } } : {});
  const blob = descriptorOf(encodeUtf8('layer'));
  expect(await refusal(readBlob(registry, repositoryOn(server), blob))).toMatch(expected);
  // The outer loop resumes a broken download, so the line that breaks is tried more often.
  expect(server.requests.length).toBe(fault.truncate === 0 ? times * times : times);
});

test('what is not to be written says that the registry may be read-only', async () => {
  await using server = await startRegistry();
  server.fault(/POST/, { status: 405 });
  await expect(
    client().pushBlob(repositoryOn(server), mediaTypes.layer, encodeUtf8('x')),
  ).rejects.toMatchObject({ code: 'registry.refused', hint: expect.stringContaining('read-only') });
});
