import { expect, test } from 'vitest';
import { bytesOf, encodeUtf8 } from '../../src/base/bytes.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { readDocument } from '../../src/registry/answers.ts';
import { openAuthorizer } from '../../src/registry/authorize.ts';
import { addToTag } from '../../src/registry/fallback-tag.ts';
import { fetchManifest } from '../../src/registry/manifest.ts';
import { pushManifest, writeSharedTag } from '../../src/registry/push.ts';
import { listByApi } from '../../src/registry/referrers-api.ts';
import { type RetryPolicy, withRetry } from '../../src/registry/retry.ts';
import { SentSecrets } from '../../src/registry/secrets.ts';
import { openSession, type Session } from '../../src/registry/session.ts';
import { type HttpAnswer, openTransport, type Transport } from '../../src/registry/transport.ts';
import { uploadBlob } from '../../src/registry/upload.ts';
import { login, startRegistry, type TestRegistry, type TestRegistryOptions } from '../support/registry.ts';
import { descriptorOf, manifestNamed, refusal, repositoryOn, store } from './support.ts';

/*
 * An answer that nobody reads to its end holds its connection: a registry that sends a long page for "no such
 * manifest" would be downloaded for as long as it likes.
 */

const retryPolicy: RetryPolicy = { sleep: async () => undefined, random: () => 0.5 };
const timeouts = { idle: 20_000, document: 20_000 };

/** A session, and how many of its answers were neither read to their end nor ended. */
function watched(): { readonly session: Session; readonly open: () => number } {
  const open = new Set<symbol>();
  const transport = openTransport({ userAgent: 'tcf-test', timeouts });
  const watching: Transport = async (exchange) => {
    const answer = await transport(exchange);
    const key = Symbol();
    open.add(key);
    const body = async function* () {
      yield* answer.body;
      open.delete(key);
    };
    const end = () => {
      open.delete(key);
      answer.end();
    };
    return { ...answer, body: body(), end };
  };
  const patient = withRetry(watching, retryPolicy);
  const secrets = new SentSecrets();
  const credentials = async () => ({ kind: 'password', ...login }) as const;
  const authorizer = openAuthorizer(patient, credentials, timeouts, secrets);
  return {
    session: openSession(patient, authorizer, () => true, timeouts, secrets),
    open: () => open.size,
  };
}

const image = manifestNamed('image');
const subject = descriptorOf(image);
const signature = (name: string) => manifestNamed(name, { subject });
const content = encodeUtf8('abcdefghijklmnopqrstuvwxy');
const layer = { mediaType: mediaTypes.layer, digest: digestOf(content), size: content.length };
const upload = (session: Session, server: TestRegistry, from?: string) =>
  uploadBlob(
    { session, retryPolicy, chunkSize: 10 },
    repositoryOn(server),
    layer,
    () => bytesOf(content),
    from === undefined ? undefined : repositoryOn(server, from),
  );
const tag = (etag?: string) => ({ tag: 'shared', mediaType: mediaTypes.manifest, bytes: image, etag });

test.for<
  readonly [
    string,
    TestRegistryOptions,
    (server: TestRegistry) => unknown,
    (session: Session, server: TestRegistry) => Promise<unknown>,
  ]
>([
  [
    'no such manifest',
    {},
    () => {},
    (session, server) => fetchManifest(session, repositoryOn(server), 'gone'),
  ],
  [
    'a manifest behind a redirect',
    {},
    (server) => {
      store(server, image);
      server.fault(/latest/, { redirect: `/v2/team/app/manifests/${subject.digest}` });
    },
    (session, server) => fetchManifest(session, repositoryOn(server), 'latest'),
  ],
  [
    'a registry that is busy at first',
    {},
    (server) => {
      store(server, image);
      server.fault(/latest/, { status: 503, times: 2 });
    },
    (session, server) => fetchManifest(session, repositoryOn(server), 'latest'),
  ],
  [
    'a registry that asks who we are',
    { auth: 'basic' },
    (server) => store(server, image),
    (session, server) => fetchManifest(session, repositoryOn(server), 'latest'),
  ],
  [
    'a pushed manifest',
    {},
    () => {},
    (session, server) => pushManifest(session, repositoryOn(server), 'new', mediaTypes.manifest, image),
  ],
  ['a written tag', {}, () => {}, (session, server) => writeSharedTag(session, repositoryOn(server), tag())],
  [
    'a tag that somebody else wrote first',
    { etags: true },
    () => {},
    (session, server) => writeSharedTag(session, repositoryOn(server), tag('"other"')),
  ],
  [
    'no referrers API',
    { referrersApi: false },
    () => {},
    (session, server) => listByApi(session, repositoryOn(server), subject.digest),
  ],
  [
    'a page for people in place of referrers',
    {},
    (server) => server.fault(/referrers/, { body: '<html>', headers: { 'content-type': 'text/html' } }),
    (session, server) => listByApi(session, repositoryOn(server), subject.digest),
  ],
  [
    'a list with a manifest that was deleted',
    { referrersApi: false, strict: true },
    (server) => store(server, image),
    async (session, server) => {
      const add = (name: string) =>
        addToTag(session, retryPolicy, repositoryOn(server), subject.digest, [descriptorOf(signature(name))]);
      store(server, signature('one'), 'one');
      store(server, signature('two'), 'two');
      await add('one');
      server.manifests.delete(`team/app@${digestOf(signature('one'))}`);
      await add('two');
    },
  ],
  ['a blob in chunks', {}, () => {}, upload],
  ['a blob that is there', {}, (server) => server.blobs.set(layer.digest, content), upload],
  [
    'a blob that is mounted',
    {},
    (server) => {
      server.fault(/HEAD/, { status: 404 });
      server.blobs.set(layer.digest, content);
    },
    (session, server) => upload(session, server, 'team/base'),
  ],
  [
    'a blob that cannot be mounted',
    { mounts: false },
    () => {},
    (session, server) => upload(session, server, 'team/base'),
  ],
  ['a chunk that arrives in part', {}, (server) => server.fault(/PATCH/, { keep: 4, times: 1 }), upload],
])('nothing stays open after %s', async ([, options, prepare, act]) => {
  await using server = await startRegistry(options);
  prepare(server);
  const { session, open } = watched();
  await act(session, server);
  expect(server.requests.length).toBeGreaterThan(0);
  expect(open()).toBe(0);
});

test('a document that does not arrive in time is ended', async () => {
  let ended = 0;
  const answer: HttpAnswer = {
    url: new URL('https://registry.example/'),
    status: 200,
    headers: {},
    body: (async function* () {
      await new Promise(() => {});
    })(),
    end: () => {
      ended += 1;
    },
  };
  expect(await refusal(readDocument(answer, 10, 'the list', { idle: 5, document: 5 }))).toBe(
    'registry.unreachable: the list did not arrive within 0.005 s',
  );
  expect(ended).toBe(1);
});
