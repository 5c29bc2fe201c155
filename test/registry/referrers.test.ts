import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { fallbackTag } from '../../src/registry/fallback-list.ts';
import { VirtualClock } from '../support/clock.ts';
import { type Fault, startRegistry, type TestRegistryOptions } from '../support/registry.ts';
import { client, clientFor, descriptorOf, manifestNamed, refusal, repositoryOn, store } from './support.ts';

const image = manifestNamed('image');
const subject = descriptorOf(image);

function signature(name: string, more: object = {}): Uint8Array {
  return manifestNamed(name, { subject, artifactType: mediaTypes.sigstoreBundle, ...more });
}

const modes: readonly (readonly [string, TestRegistryOptions])[] = [
  ['with the referrers API', {}],
  ['with the referrers API in pages', { pageSize: 1 }],
  ['without the referrers API', { referrersApi: false }],
  ['without the API and with ETags', { referrersApi: false, etags: true }],
  ['that sends OCI-Subject without having the API', { referrersApi: false, ociSubject: true }],
];

test.for(modes)('what is attached is found on a registry %s', async ([, options]) => {
  await using server = await startRegistry(options);
  const registry = client();
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toEqual([]);
  for (const name of ['one', 'two', 'one']) {
    await registry.attach(repositoryOn(server), signature(name), subject);
  }
  const found = await registry.referrers(repositoryOn(server), subject.digest);
  expect(found).toEqual(
    ['one', 'two'].map((name) => ({
      ...descriptorOf(signature(name)),
      artifactType: mediaTypes.sigstoreBundle,
      annotations: { name },
    })),
  );
});

test('a manifest without artifactType is listed under the type of its config', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const manifest = manifestNamed('old', { subject });
  await client().attach(repositoryOn(server), manifest, subject);
  const [found] = await client().referrers(repositoryOn(server), subject.digest);
  expect(found?.artifactType).toBe(mediaTypes.empty);
});

test.for<readonly [string, Fault, RegExp]>([
  ['429', { status: 429 }, /^registry\.refused/],
  ['500', { status: 500 }, /^registry\.unreachable/],
  ['401', { status: 401 }, /^registry\.unauthorized/],
  ['403', { status: 403 }, /^registry\.unauthorized/],
  ['409', { status: 409 }, /^registry\.refused/],
  ['503', { status: 503 }, /^registry\.unreachable/],
  ['silence', { hang: true }, /^registry\.unreachable/],
  ['a broken connection', { truncate: 0 }, /^registry\.unreachable/],
  ['a page for people as an index', { body: '<html>' }, /^json\.malformed/],
  ['an image as an index', { body: image }, /^registry\.protocol/],
  [
    "docker's list as an index",
    { body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [] }) },
    /^registry\.protocol: .*not an OCI index/,
  ],
  ['a Link that cannot be read', { headers: { link: '<next rel=next' } }, /^registry\.protocol/],
  ['no end', { endless: true }, /^bytes\.too-large/],
  [
    'A-90: a loop',
    { headers: { link: `</v2/team/app/referrers/${subject.digest}>; rel="next"` } },
    /^registry\.protocol: .*circle/,
  ],
])('A-61: referrers that answer %s are never "none"', async ([, fault, expected]) => {
  await using server = await startRegistry();
  server.fault(/referrers/, fault);
  expect(await refusal(clientFor(fault).referrers(repositoryOn(server), subject.digest))).toMatch(expected);
  expect(server.requests.filter(({ path }) => path.includes('manifests'))).toEqual([]);
});

const emptyList = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] });
test.for<readonly [string, Fault]>([
  ['404', { status: 404 }],
  ['404 and a page for people', { status: 404, body: '<html>', headers: { 'content-type': 'text/html' } }],
  ['400', { status: 400 }],
  ['405', { status: 405 }],
  ['406', { status: 406 }],
  ['501', { status: 501 }],
  [
    '200 and a page for people',
    { status: 200, body: '<!doctype html>', headers: { 'content-type': 'text/html; charset=utf-8' } },
  ],
  [
    '200 and other JSON',
    { status: 200, body: '{"status":"ok"}', headers: { 'content-type': 'application/json' } },
  ],
  ['200 and an image', { status: 200, body: image, headers: { 'content-type': mediaTypes.manifest } }],
  [
    '200 and a list that is announced as no JSON',
    { status: 200, body: emptyList, headers: { 'content-type': 'application/jsonp' } },
  ],
  [
    '200 and a list that is announced as something like JSON',
    { status: 200, body: emptyList, headers: { 'content-type': 'x-application/json' } },
  ],
])('referrers that answer %s are at the fallback tag, in both ways', async ([, fault]) => {
  // OCI-Subject, as some registries send it without the API.
  await using server = await startRegistry({ referrersApi: false, ociSubject: true });
  server.fault(/\/referrers\//, fault);
  const registry = client();
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toEqual([]);
  expect(server.requests.map(({ path }) => path.split('/').at(-2))).toEqual(['referrers', 'manifests']);
  await registry.attach(repositoryOn(server), signature('one'), subject);
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toMatchObject([
    { digest: digestOf(signature('one')) },
  ]);
  expect(await refusal(client({ referrers: 'api' }).referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.refused: .*without the referrers API/,
  );
});

test('an index that is announced as JSON is a list of referrers', async () => {
  await using server = await startRegistry();
  store(server, signature('one'), 'one');
  server.fault(/\/referrers\//, { headers: { 'content-type': 'application/json; charset=utf-8' } });
  expect(await client().referrers(repositoryOn(server), subject.digest)).toHaveLength(1);
});

test('A-61: 401 without a challenge is no empty list, and the way out is named; then only the tag is asked', async () => {
  await using server = await startRegistry({ referrersApi: false });
  server.fault(/\/referrers\//, { status: 401 });
  const asked = client().referrers(repositoryOn(server), subject.digest);
  await expect(asked).rejects.toMatchObject({
    code: 'registry.unauthorized',
    hint: expect.stringContaining('--referrers tag'),
  });
  const byTag = client({ referrers: 'tag' });
  expect(await byTag.referrers(repositoryOn(server), subject.digest)).toEqual([]);
  const before = server.requests.length;
  await byTag.attach(repositoryOn(server), signature('one'), subject);
  expect(await byTag.referrers(repositoryOn(server), subject.digest)).toHaveLength(1);
  expect(server.requests.slice(before).filter(({ path }) => path.includes('/referrers/'))).toEqual([]);
});

test('--referrers api writes no tag where the registry does not say that it noted the subject', async () => {
  await using server = await startRegistry({ ociSubject: false });
  await client({ referrers: 'api' }).attach(repositoryOn(server), signature('one'), subject);
  expect(server.manifests.has(`team/app:${fallbackTag(subject.digest)}`)).toBe(false);
  await client().attach(repositoryOn(server), signature('two'), subject);
  expect(server.manifests.has(`team/app:${fallbackTag(subject.digest)}`)).toBe(true);
});

test('more than a thousand referrers on one page are read', async () => {
  await using server = await startRegistry();
  for (let number = 0; number < 1200; number += 1) {
    const bytes = signature(`${number}`);
    server.manifests.set(`team/app@${digestOf(bytes)}`, { mediaType: mediaTypes.manifest, bytes });
  }
  expect(await client().referrers(repositoryOn(server), subject.digest)).toHaveLength(1200);
});

const indexImage = encodeUtf8(
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [subject] }),
);
test.for([
  ['an image', image, mediaTypes.manifest],
  ['an index', indexImage, mediaTypes.index],
] as const)(
  'a registry that answers the fallback tag with %s itself has no referrers of it',
  async ([, bytes, mediaType]) => {
    await using server = await startRegistry({ referrersApi: false, dashIsDigest: 'reads' });
    const digest = store(server, bytes, 'latest', mediaType);
    const about = { mediaType, digest, size: bytes.length };
    const registry = client();
    expect(await registry.referrers(repositoryOn(server), digest)).toEqual([]);
    const signed = manifestNamed('one', { subject: about, artifactType: mediaTypes.sigstoreBundle });
    await registry.attach(repositoryOn(server), signed, about);
    expect(await registry.referrers(repositoryOn(server), digest)).toMatchObject([
      { digest: digestOf(signed) },
    ]);
  },
);

test.for(['refuses', 'writes'] as const)(
  'a registry that %s the tag for the digest of the image says so, so it asks no verifier to delete the image',
  async (dashIsDigest) => {
    await using server = await startRegistry({ referrersApi: false, dashIsDigest });
    store(server, image);
    const attached = client().attach(repositoryOn(server), signature('one'), subject);
    await expect(attached).rejects.toMatchObject({
      code: 'registry.refused',
      message: expect.stringContaining('takes the tag'),
      hint: expect.not.stringMatching(/delete|remove/),
    });
    expect(server.manifests.has('team/app:latest')).toBe(true);
  },
);

test.for([400, 404, 422])(
  'what was deleted from the registry is left out of the tag where it answers %d, and the image can be signed again',
  async (status) => {
    await using server = await startRegistry({ referrersApi: false, strict: true });
    const registry = client();
    for (const name of ['one', 'two', 'three']) {
      await registry.attach(repositoryOn(server), signature(name), subject);
    }
    for (const name of ['one', 'three']) {
      server.manifests.delete(`team/app@${digestOf(signature(name))}`);
    }
    const before = server.requests.length;
    server.fault(/PUT .*manifests\/sha256-/, { status, times: 1 });
    await registry.attach(repositoryOn(server), signature('four'), subject);
    const tagged = server.requests.slice(before).filter(({ path }) => path.includes('/sha256-'));
    expect(tagged.filter(({ method }) => method === 'PUT').map((seen) => seen.status)).toEqual([status, 201]);
    const found = await registry.referrers(repositoryOn(server), subject.digest);
    expect(found.map(({ digest }) => digest)).toEqual(
      ['two', 'four'].map((name) => digestOf(signature(name))),
    );
  },
);

test('a registry that answers 500 to a list with a deleted manifest can be signed to as well', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const registry = client();
  const gone = digestOf(signature('one'));
  for (const name of ['one', 'two']) {
    await registry.attach(repositoryOn(server), signature(name), subject);
  }
  server.manifests.delete(`team/app@${gone}`);
  server.fault(/PUT .*manifests\/sha256-/, { times: 4, status: 500 });
  await registry.attach(repositoryOn(server), signature('three'), subject);
  const found = await registry.referrers(repositoryOn(server), subject.digest);
  expect(found.map(({ digest }) => digest)).toEqual(
    ['two', 'three'].map((name) => digestOf(signature(name))),
  );
});

test('a registry that takes nothing at all while a list names a deleted manifest can be signed to again', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const registry = client();
  for (const name of ['one', 'two']) {
    await registry.attach(repositoryOn(server), signature(name), subject);
  }
  server.manifests.delete(`team/app@${digestOf(signature('one'))}`);
  server.fault(/PUT .*manifests\/sha256:/, { times: 1, status: 500 });
  await registry.attach(repositoryOn(server), signature('three'), subject);
  const found = await registry.referrers(repositoryOn(server), subject.digest);
  expect(found.map(({ digest }) => digest)).toEqual(
    ['two', 'three'].map((name) => digestOf(signature(name))),
  );
});

test('a registry that takes nothing and has lost nothing is the error', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  server.fault(/PUT .*manifests\/sha256:/, { status: 500 });
  const before = server.requests.length;
  expect(await refusal(registry.attach(repositoryOn(server), signature('two'), subject))).toMatch(
    /^registry\.unreachable: .*answered 500/,
  );
  const asked = server.requests.slice(before).map(({ method, path }) => `${method} ${path.split(/[:-]/)[0]}`);
  const at = '/v2/team/app/manifests/sha256';
  expect(asked).toEqual([`PUT ${at}`, `GET ${at}`, `HEAD ${at}`]);
});

test('a registry that lets nobody push is asked nothing about its lists', async () => {
  await using server = await startRegistry({ referrersApi: false });
  server.fault(/PUT/, { status: 403 });
  expect(await refusal(client().attach(repositoryOn(server), signature('one'), subject))).toMatch(
    /^registry\.unauthorized/,
  );
  expect(server.requests).toHaveLength(1);
});

test('a registry that noted one of two subjects gets the other one into the tag', async () => {
  await using server = await startRegistry();
  const manifests = ['one', 'two'].map((name) => {
    const bytes = signature(name);
    return { bytes, descriptor: descriptorOf(bytes), document: parseManifest(bytes, undefined, name) };
  });
  server.fault(new RegExp(`PUT .*${digestOf(signature('two'))}`), { headers: { 'oci-subject': 'sha256:x' } });
  await client().attachAll(repositoryOn(server), manifests, subject.digest);
  const index = server.manifests.get(`team/app:${fallbackTag(subject.digest)}`);
  expect(JSON.parse(Buffer.from(index?.bytes ?? '{}').toString()).manifests).toMatchObject([
    { digest: digestOf(signature('two')) },
  ]);
});

test.for<readonly [string, number, TestRegistryOptions, RegExp | undefined]>([
  ['409 to a stale version', 409, { etags: true }, undefined],
  ['412 to a stale version', 412, { etags: true }, undefined],
  ['403 to a known version', 403, { etags: true }, /^registry\.unauthorized/],
  ['409 without versions', 409, {}, /^registry\.refused: .*409/],
  ['412 without versions', 412, {}, /^registry\.refused: .*412/],
])('a registry that answers %s', async ([, status, options, expected]) => {
  await using server = await startRegistry({ referrersApi: false, ...options });
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  server.fault(/PUT .*manifests\/sha256-/, { status, times: 1 });
  const attached = registry.attach(repositoryOn(server), signature('two'), subject);
  if (expected === undefined) {
    await attached;
    expect(await registry.referrers(repositoryOn(server), subject.digest)).toHaveLength(2);
  } else {
    expect(await refusal(attached)).toMatch(expected);
  }
});

test('a registry that takes the tag for the image and is down is down', async () => {
  await using server = await startRegistry({ referrersApi: false, dashIsDigest: 'reads' });
  store(server, image);
  server.fault(/PUT .*manifests\/sha256-/, { status: 500 });
  expect(await refusal(client().attach(repositoryOn(server), signature('one'), subject))).toMatch(
    /^registry\.unreachable: .*answered 500/,
  );
});

test("a fallback tag that holds docker's list is no list of referrers", async () => {
  await using server = await startRegistry({ referrersApi: false });
  const bytes = encodeUtf8(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [subject] }),
  );
  store(server, bytes, fallbackTag(subject.digest), mediaTypes.dockerIndex);
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.protocol: .*not an index of referrers/,
  );
});

test('A-90: a hundred and one pages of referrers are too many', async () => {
  await using server = await startRegistry({ pageSize: 1 });
  for (let number = 0; number < 101; number += 1) {
    store(server, signature(`${number}`), `${number}`);
  }
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.limit: .*limit of 100 pages/,
  );
  server.manifests.delete(`team/app@${digestOf(signature('0'))}`);
  expect(await client().referrers(repositoryOn(server), subject.digest)).toHaveLength(100);
});

test.for(['ann@', ':secret@'])('A-90: a next page at %sHOST is not asked for', async (info) => {
  await using server = await startRegistry();
  const link = `<http://${info}${server.host}/next>; rel="next"`;
  server.fault(/referrers/, { headers: { link } });
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.refused: .*another host/,
  );
  expect(server.requests).toHaveLength(1);
});

test('a registry that is silent is not said to lack the referrers API', async () => {
  await using server = await startRegistry();
  server.fault(/referrers/, { hang: true });
  const registry = client({ timeouts: { idle: 100, document: 1000 } });
  await expect(registry.referrers(repositoryOn(server), subject.digest)).rejects.toMatchObject({
    code: 'registry.unreachable',
    hint: expect.not.stringContaining('--referrers'),
  });
});

test('a refusal that nothing deleted explains is the error, and the tag stays as it is', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  server.fault(/PUT .*manifests\/sha256-/, { status: 400 });
  expect(await refusal(registry.attach(repositoryOn(server), signature('two'), subject))).toMatch(
    /^registry\.refused: "[^"]*" answered 400/,
  );
  server.clearFaults();
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toHaveLength(1);
});

test('a registry that cannot say whether a listed manifest is there loses none', async () => {
  await using server = await startRegistry({ referrersApi: false, strict: true });
  const registry = client();
  for (const name of ['one', 'two']) {
    await registry.attach(repositoryOn(server), signature(name), subject);
  }
  server.manifests.delete(`team/app@${digestOf(signature('one'))}`);
  server.fault(/HEAD .*manifests/, { status: 403 });
  expect(await refusal(registry.attach(repositoryOn(server), signature('three'), subject))).toMatch(
    /MANIFEST_BLOB_UNKNOWN/,
  );
  server.clearFaults();
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toHaveLength(2);
});

test('an empty list as Go writes it is an empty list', async () => {
  await using server = await startRegistry();
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: null });
  server.fault(/referrers/, { body, headers: { 'content-type': mediaTypes.index } });
  expect(await client().referrers(repositoryOn(server), subject.digest)).toEqual([]);
});

test('A-61: a second page that is gone is not the end', async () => {
  await using server = await startRegistry({ pageSize: 1 });
  for (const name of ['one', 'two']) {
    store(server, signature(name), name);
  }
  server.fault(/from=1/, { status: 404 });
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.missing/,
  );
});

test('A-90: the next page is not fetched from another host', async () => {
  await using elsewhere = await startRegistry();
  await using server = await startRegistry();
  server.fault(/referrers/, { headers: { link: `<${elsewhere.url}/next>; rel="next"` } });
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.refused/,
  );
  expect(elsewhere.requests).toEqual([]);
});

test.for([
  ['on one page', 5000],
  ['on many pages', 500],
] as const)('A-90: 5000 referrers %s are too many, and the limit is named', async ([, pageSize]) => {
  await using server = await startRegistry({ pageSize });
  for (let number = 0; number < 5000; number += 1) {
    const bytes = signature(`${number}`);
    server.manifests.set(`team/app@${digestOf(bytes)}`, { mediaType: mediaTypes.manifest, bytes });
  }
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /limit of (1000|2000)/,
  );
});

test('a fallback tag that holds something else stops both ways, and stays as it is', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const tag = fallbackTag(subject.digest);
  store(server, manifestNamed('other'), tag);
  const before = server.manifests.get(`team/app:${tag}`);
  expect(await refusal(client().referrers(repositoryOn(server), subject.digest))).toMatch(
    /^registry\.protocol/,
  );
  expect(await refusal(client().attach(repositoryOn(server), signature('one'), subject))).toMatch(
    /^registry\.protocol/,
  );
  expect(server.manifests.get(`team/app:${tag}`)).toBe(before);
});

test('members that we do not know survive when we add to a fallback tag', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const tag = fallbackTag(subject.digest);
  const foreign = { ...descriptorOf(manifestNamed('foreign')), data: 'e30=' };
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    annotations: { by: 'them' },
    count: 1,
    manifests: [foreign],
  };
  const text = JSON.stringify(index).replace('"count":1', '"count":9007199254740993');
  store(server, encodeUtf8(text), tag, mediaTypes.index);
  await client().attach(repositoryOn(server), signature('one'), subject);
  const bytes = Buffer.from(server.manifests.get(`team/app:${tag}`)?.bytes ?? '').toString();
  expect(bytes).toContain('"count":9007199254740993');
  const written = JSON.parse(bytes);
  expect(written.annotations).toEqual({ by: 'them' });
  expect(written.manifests[0]).toEqual(foreign);
  expect(written.manifests).toHaveLength(2);
});

test('a manifest is not attached to something it does not name', async () => {
  await using server = await startRegistry();
  const other = descriptorOf(manifestNamed('other'));
  expect(await refusal(client().attach(repositoryOn(server), signature('one'), other))).toMatch(
    /^manifest\.subject/,
  );
  expect(server.requests).toEqual([]);
});

test('an entry that another writer lost is put back', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const tag = `team/app:${fallbackTag(subject.digest)}`;
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  let reads = 0;
  // Somebody who read before our write writes after it, and has never heard of us.
  const stale = server.manifests.get(tag);
  server.fault(/GET .*manifests\/sha256-/, {
    before: () => {
      reads += 1;
      if (reads === 2 && stale) {
        server.manifests.set(tag, stale);
      }
    },
  });
  await registry.attach(repositoryOn(server), signature('two'), subject);
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toHaveLength(2);
});

test('a write that failed is not repeated as it was: what came in between would be undone', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const tag = `team/app:${fallbackTag(subject.digest)}`;
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  const other = descriptorOf(signature('between'));
  server.fault(/PUT .*manifests\/sha256-/, {
    times: 1,
    status: 503,
    before: () => {
      const bytes = encodeUtf8(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.index,
          manifests: [descriptorOf(signature('one')), other],
        }),
      );
      server.manifests.set(tag, { mediaType: mediaTypes.index, bytes });
    },
  });
  await registry.attach(repositoryOn(server), signature('two'), subject);
  const found = await registry.referrers(repositoryOn(server), subject.digest);
  expect(found.map(({ digest }) => digest)).toContain(other.digest);
  expect(found).toHaveLength(3);
});

test.for<readonly [string, Fault, RegExp]>([
  ['is down', { status: 500 }, /^registry\.unreachable/],
  ['is busy', { status: 429 }, /^registry\.refused/],
  ['breaks the line', { truncate: 0 }, /^registry\.unreachable/],
  ['says no', { status: 403 }, /^registry\.unauthorized/],
])('a registry that %s for ever is not asked to write the tag for ever', async ([, fault, expected]) => {
  await using server = await startRegistry({ referrersApi: false });
  server.fault(/PUT .*manifests\/sha256-/, fault);
  expect(await refusal(client().attach(repositoryOn(server), signature('one'), subject))).toMatch(expected);
  expect(
    server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('sha256-')).length,
  ).toBeLessThan(5);
});

test('a list that is full takes no more, and one that others always replace is given up', async () => {
  const indexOf = (count: number) =>
    encodeUtf8(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: Array.from({ length: count }, (_, at) => descriptorOf(manifestNamed(`${at}`))),
      }),
    );
  const attachTo = async (index: Uint8Array) => {
    await using server = await startRegistry({ referrersApi: false });
    const headers = { 'content-type': mediaTypes.index, 'docker-content-digest': digestOf(index) };
    server.fault(/GET .*manifests\/sha256-/, { body: index, headers });
    return await refusal(client().attach(repositoryOn(server), signature('one'), subject));
  };
  expect(await attachTo(indexOf(2000))).toMatch(/^registry\.limit: .*more than the limit of 2000 referrers/);
  expect(await attachTo(indexOf(1))).toMatch(
    /^registry\.protocol: could not list .*other writers replaced it 60/,
  );
});

test('a read that fails once, because somebody else is writing, is repeated', async () => {
  await using server = await startRegistry({ referrersApi: false });
  const registry = client();
  await registry.attach(repositoryOn(server), signature('one'), subject);
  server.fault(/GET .*manifests\/sha256-/, { status: 500, times: 2 });
  expect(await registry.referrers(repositoryOn(server), subject.digest)).toHaveLength(1);
});

const writers = 10;
const rounds = 8;
test.for(modes.slice(2))('ten writers at once lose nothing on a registry %s', async ([, options]) => {
  for (let round = 0; round < rounds; round += 1) {
    const clock = new VirtualClock();
    const { sleep } = clock;
    await using server = await startRegistry({ ...options, jitter: 15, sleep });
    const names = Array.from({ length: writers }, (_, writer) => `${round}-${writer}`);
    const write = (name: string) =>
      client({ sleep, random: Math.random }).attach(repositoryOn(server), signature(name), subject);
    await Promise.all(names.map((name) => clock.run(() => write(name))));
    const found = await client().referrers(repositoryOn(server), subject.digest);
    expect(found.map(({ annotations }) => annotations?.['name']).sort()).toEqual(names);
  }
});
