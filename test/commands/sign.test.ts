import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { parseStatement, type Statement } from '../../src/attest/statement.ts';
import { main } from '../../src/cli.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { writeKeyPair } from '../support/scene.ts';

const place = folder();
let registry: TestRegistry;
let image: string;
let index: string;
let platforms: readonly string[];

beforeAll(async () => {
  writeKeyPair(place.path, 'team');
});
beforeEach(async () => {
  await registry?.close();
  registry = await startRegistry();
  const repository = { host: registry.host, repository: 'dev' };
  platforms = [
    await pushDemoImage({ ...repository, tag: 'amd64' }),
    await pushDemoImage({ ...repository, tag: 'arm64', deb: 'nano' }),
  ];
  image = `${registry.host}/dev@${platforms[0]}`;
  const [amd64 = '', arm64 = ''] = platforms;
  const entry = (digest: string, os: string, architecture: string) => ({
    mediaType: mediaTypes.manifest,
    digest,
    size: registry.manifests.get(`dev@${digest}`)?.bytes.length,
    platform: { os, architecture },
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [
        entry(amd64, 'linux', 'amd64'),
        entry(arm64, 'linux', 'arm64'),
        entry(arm64, 'unknown', 'unknown'),
      ],
    }),
  );
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const pushed = await client.pushManifest(
    { registry: registry.host, repository: 'dev' },
    'latest',
    mediaTypes.index,
    bytes,
  );
  index = pushed.digest;
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

async function tcf(...args: readonly string[]) {
  const host = testHost({ cwd: place.path });
  const exit = await main([...args, '--allow-http'], host);
  return { exit, out: host.out(), err: host.err() };
}

const sign = (...args: readonly string[]) => tcf('sign', ...args, '--key', 'team.key');

function write(name: string, content: unknown): string {
  writeFileSync(join(place.path, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

/** Every statement that was signed, in the order in which it came. */
function statements(): readonly Statement[] {
  return [...registry.blobs.values()].flatMap((bytes) => {
    const bundle = parseBundle(bytes);
    if (!bundle.ok || bundle.value.content.kind !== 'dsse') {
      return [];
    }
    const statement = parseStatement(bundle.value.content.envelope.payload);
    return statement.ok ? [statement.value] : [];
  });
}

const told = () =>
  statements().map(({ predicateType, subjects }) => `${predicateType} ${subjects[0]?.digests[0]}`);
const signature = 'https://sigstore.dev/cosign/sign/v1';
const sbom = 'https://cyclonedx.org/bom';

const provenance = {
  buildDefinition: { buildType: 'https://example.test/build/v1', externalParameters: { ref: 'main' } },
  runDetails: { builder: { id: 'https://example.test/builder' } },
};
const vex = {
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://example.test/vex/1',
  author: 'Ann',
  timestamp: '2026-11-23T00:00:00Z',
  statements: [{ vulnerability: { name: 'CVE-2026-1' }, status: 'not_affected' }],
};

test('annotations are part of what is signed', async () => {
  const ran = await sign(image, '--no-sbom', '-a', 'env=prod', '--annotation', 'note=a=b');
  expect(ran.exit, ran.err).toBe(0);
  expect(statements()[0]?.subjects[0]?.annotations).toEqual({ env: 'prod', note: 'a=b' });
});

test('predicates are attested before the image is signed, under their full types', async () => {
  const ran = await sign(
    ...[image, '--no-sbom', '--attest', `slsaprovenance1=${write('p.json', provenance)}`],
    ...['--attest', `openvex=${write('v.json', vex)}`],
    ...['--attest', `https://example.test/review/v1=${write('r.json', { by: 'Ann' })}`],
  );
  expect(ran.exit, ran.err).toBe(0);
  expect(told()).toEqual([
    `https://slsa.dev/provenance/v1 ${platforms[0]}`,
    `https://openvex.dev/ns ${platforms[0]}`,
    `https://example.test/review/v1 ${platforms[0]}`,
    `${signature} ${platforms[0]}`,
  ]);
  expect(statements()[0]?.predicate).toEqual(provenance);
  expect(ran.err).toContain('attached the attestation https://example.test/review/v1: sha256:');
});

test('an index is signed with every platform in it, each with its own SBOM', async () => {
  const ran = await sign(`${registry.host}/dev:latest`, '--recursive');
  expect(ran.exit, ran.err).toBe(0);
  expect(told()).toEqual([
    ...platforms.map((digest) => `${sbom} ${digest}`),
    ...platforms.map((digest) => `${signature} ${digest}`),
    `${signature} ${index}`,
  ]);
  const again = await sign(`${registry.host}/dev:latest`, '--recursive', '--skip-existing');
  expect(again.err).not.toContain('attached');
});

test('without --recursive an index is signed alone', async () => {
  expect(await sign(`${registry.host}/dev:latest`, '--no-sbom')).toMatchObject({ exit: 0 });
  expect(told()).toEqual([`${signature} ${index}`]);
});

test.for<[string, () => readonly string[], number, string]>([
  ['an annotation without a value', () => ['-a', 'env'], 3, 'is not key=value'],
  ['an annotation twice', () => ['-a', 'a=1', '-a', 'a=2'], 3, 'names a key twice'],
  ['a type that nobody knows', () => ['--attest', 'odd=x.json'], 3, 'cannot attest the predicate type "odd"'],
  [
    'a member of every object as a type',
    () => ['--attest', 'constructor=x.json'],
    3,
    'cannot attest the predicate type "constructor"',
  ],
  ['no file', () => ['--attest', 'openvex='], 3, 'as TYPE=FILE'],
  ['a file that is not there', () => ['--attest', 'openvex=nowhere.json'], 3, 'cannot read the predicate'],
  ['a file that is no JSON', () => ['--attest', `openvex=${write('x', '{')}`], 2, 'is not well-formed JSON'],
  ['an SBOM that nobody checks', () => ['--attest', `cyclonedx=${write('b', {})}`], 3, 'makes itself'],
  ['a signature of another kind', () => ['--attest', `${signature}=${write('s', {})}`], 3, 'makes itself'],
  [
    'a whole statement',
    () => ['--attest', `custom=${write('w', { _type: 'x', predicateType: 'y' })}`],
    2,
    'is a whole statement',
  ],
  [
    'a provenance without its builder',
    () => ['--attest', `slsaprovenance1=${write('p', { ...provenance, runDetails: {} })}`],
    2,
    '.runDetails.builder',
  ],
  [
    'a provenance whose build has no type',
    () => ['--attest', `slsaprovenance1=${write('p', { ...provenance, buildDefinition: {} })}`],
    2,
    'buildDefinition.buildType is missing',
  ],
  [
    'a VEX with a status of its own',
    () => [
      '--attest',
      `openvex=${write('v', { ...vex, statements: [{ vulnerability: {}, status: 'fine' }] })}`,
    ],
    2,
    'is not one of not_affected',
  ],
  [
    'a VEX of another format',
    () => ['--attest', `openvex=${write('v', { ...vex, '@context': 'https://csaf.test' })}`],
    2,
    'not OpenVEX',
  ],
  [
    'an SPDX without a version',
    () => ['--attest', `spdxjson=${write('x', { spdxVersion: '2.3' })}`],
    2,
    'not a version of SPDX',
  ],
])('%s: nothing is pushed', async ([, args, exit, message]) => {
  const before = registry.blobs.size;
  const ran = await sign(image, '--no-sbom', ...args());
  expect(ran.err).toContain(message);
  expect(ran.exit).toBe(exit);
  expect(registry.blobs.size).toBe(before);
});

test('one SBOM is not about all platforms', async () => {
  const file = write('bom.json', { bomFormat: 'CycloneDX', specVersion: '1.6' });
  const ran = await sign(`${registry.host}/dev:latest`, '--recursive', '--sbom', file);
  expect(ran).toMatchObject({ exit: 3 });
  expect(ran.err).toContain('--sbom is about one platform');
});

interface Document {
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> };
  readonly components: readonly Readonly<Record<string, unknown>>[];
  readonly dependencies: readonly unknown[];
}

/** The SBOM of the image, changed. */
async function changedSbom(change: (sbom: Document) => object): Promise<string> {
  const { out } = await tcf('sbom', image);
  const sbom = JSON.parse(out) as Document;
  return write('given.json', { ...sbom, ...change(sbom) });
}

test.for<[string, (sbom: Document) => object, string]>([
  [
    'a bom-ref twice',
    ({ components }) => ({ components: [...components, { ...components[0], name: 'x' }] }),
    'this bom-ref',
  ],
  [
    'a type that is not there',
    ({ components: [first] }) => ({ components: [{ ...first, type: 'foo' }] }),
    '/components/0/type: must be equal to one of the allowed values',
  ],
  [
    'a dependency on nothing',
    ({ dependencies }) => ({ dependencies: [...dependencies, { ref: 'gone' }] }),
    'gone: dependencies or compositions name it',
  ],
  [
    'an id on no list',
    ({ components: [first] }) => ({ components: [{ ...first, licenses: [{ license: { id: 'Apache' } }] }] }),
    '/components/0/licenses',
  ],
])('a given SBOM with %s is not signed, but where somebody insists', async ([, change, message]) => {
  const file = await changedSbom(change);
  const before = registry.blobs.size;
  const ran = await sign(image, '--sbom', file);
  expect(ran.err).toContain('"given.json" is not valid CycloneDX');
  expect(ran.err).toContain(message);
  expect(ran.err).toContain('--allow-invalid-sbom');
  expect(registry.blobs.size).toBe(before);
  expect(await sign(image, '--sbom', file, '--allow-invalid-sbom')).toMatchObject({ exit: 0 });
});

test('a given SBOM that names the image and has the hash of something else is not signed', async () => {
  const file = await changedSbom(({ metadata }) => ({
    metadata: {
      ...metadata,
      component: { ...metadata.component, hashes: [{ alg: 'SHA-256', content: 'e'.repeat(64) }] },
    },
  }));
  for (const insisting of [[], ['--allow-invalid-sbom']]) {
    const ran = await sign(image, '--sbom', file, ...insisting);
    expect(ran).toMatchObject({ exit: 3 });
    expect(ran.err).toContain(`has the hash sha256:${'e'.repeat(64)}`);
  }
});

test('a given SBOM whose purl cannot be read is signed with a word', async () => {
  const file = await changedSbom(({ components: [first, ...rest] }) => ({
    components: [{ ...first, purl: 'pkg:pypi/torch%zz' }, ...rest],
  }));
  const ran = await sign(image, '--sbom', file);
  expect(ran).toMatchObject({ exit: 0 });
  expect(ran.err).toContain('tcf: warning: pkg:pypi/torch%zz: it cannot be read as a purl');
});
