import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSbom } from '../../src/bom/read.ts';
import { main } from '../../src/cli.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { folder, testHost } from '../support/host.ts';
import { type BuiltImage, buildImage, writeOciLayout } from '../support/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { archive, file } from '../support/tar.ts';

const place = folder();
let registry: TestRegistry;

const stanza = (name: string, version: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
const system = archive(
  file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
  file('var/lib/dpkg/status', stanza('bash', '5.2') + stanza('nano', '7')),
);
const more = archive(
  file('var/lib/dpkg/status', stanza('bash', '5.2') + stanza('nano', '8') + stanza('vim', '9')),
  file('usr/lib/python3/dist-packages/six-1.17.0.dist-info/METADATA', 'Name: six\nVersion: 1.17.0\n'),
);
const base = buildImage({ layers: [system] });
const named = (name: string, digest: string) => ({
  'org.opencontainers.image.base.name': name,
  'org.opencontainers.image.base.digest': digest,
});
/** The digest of `image` under a name that the registry in memory answers to. */
const claims = (image: BuiltImage) => named(`${registry.host}/base:12`, image.manifestDigest);
const other = buildImage({ layers: [archive(file('etc/os-release', 'ID=alpine\n'))] });

beforeAll(async () => {
  registry = await startRegistry();
  await push('base', base);
  await push('base', other);
  const images = {
    base,
    other,
    plain: buildImage({ layers: [system, more] }),
    labelled: buildImage({ layers: [system, more], labels: claims(base) }),
    annotated: buildImage({ layers: [system, more], annotations: claims(base), labels: claims(other) }),
    liar: buildImage({ layers: [system, more], annotations: claims(other) }),
  };
  for (const [name, image] of Object.entries(images)) {
    writeOciLayout(`${place.path}/${name}`, { image });
  }
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

async function push(repository: string, image: BuiltImage): Promise<void> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const ref = { registry: registry.host, repository };
  for (const bytes of image.blobs.values()) {
    await client.pushBlob(ref, mediaTypes.layer, bytes);
  }
  await client.pushManifest(ref, image.manifestDigest, mediaTypes.manifest, image.manifest);
}

async function sbom(...args: readonly string[]) {
  const host = testHost({ cwd: place.path });
  const exit = await main(['sbom', '--allow-http', ...args], host);
  return { exit, out: host.out(), err: host.err() };
}

interface Form {
  readonly name: string;
  readonly version?: string;
  readonly components?: readonly Form[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

function origins(text: string): readonly string[] {
  const walk = (components: readonly Form[] = []): readonly string[] =>
    components.flatMap(({ name, version, components: nested, properties = [] }) => [
      `${name} ${version}: ${properties.find((property) => property.name === 'tcf:origin')?.value}`,
      ...walk(nested),
    ]);
  return [...walk(JSON.parse(text).components)].sort();
}

const split = ['bash 5.2: base', 'debian 12: base', 'nano 8: added', 'six 1.17.0: added', 'vim 9: added'];

test.for([
  ['the base that the user names', 'plain', 'oci:base'],
  ['the base that labels name', 'labelled', 'auto'],
  ['the base that annotations name, whatever the labels say', 'annotated', 'auto'],
] as const)('%s splits what came with it from what was added', async ([, image, name]) => {
  const { exit, out, err } = await sbom(`oci:${image}`, '--base', name);
  expect({ exit, err }).toMatchObject({
    exit: 0,
    err: expect.stringContaining('2 came with the base, 3 were added\n'),
  });
  expect(origins(out)).toEqual(split);
  const { component } = JSON.parse(out).metadata;
  expect(component.pedigree.ancestors).toMatchObject([{ type: 'container', version: base.configDigest }]);
  expect(component.properties).toContainEqual({ name: 'tcf:base:layers', value: '1' });
});

test('a claim that nobody proved is a claim, and splits nothing', async () => {
  const { exit, out } = await sbom('oci:liar');
  expect(exit).toBe(0);
  expect(JSON.parse(out).metadata.component.properties).toContainEqual({
    name: 'tcf:base:claimed',
    value: `${registry.host}/base:12@${other.manifestDigest}`,
  });
  expect(out).not.toContain('tcf:origin');
  expect(out).not.toContain('pedigree');
});

test('a digest claimed without a name is not read as one that the SBOM is about', async () => {
  const labels = { 'org.opencontainers.image.base.digest': other.manifestDigest };
  writeOciLayout(`${place.path}/nameless`, { image: buildImage({ layers: [system], labels }) });
  const { out } = await sbom('oci:nameless');
  expect(out).toContain(`"@${other.manifestDigest}"`);
  expect(parseSbom(JSON.parse(out), 'it').subject.digests).not.toContain(other.manifestDigest);
});

test('the same image and base give the same bytes, however the base was named', async () => {
  const plain = await sbom('oci:plain', '--base', 'oci:base');
  const again = await sbom('oci:plain', '--base', `oci:${place.path}/base`);
  expect(again.out).toBe(plain.out);
});

test.for([
  [
    'another image',
    ['oci:plain', '--base', 'oci:other'],
    'the image is not built on "oci:other": layer 0 differs',
  ],
  ['an image on top of it', ['oci:base', '--base', 'oci:plain'], 'that has 2 layers, and this 1'],
  ['the image itself', ['oci:plain', '--base', 'oci:plain'], 'that is the image itself'],
  ['a lie in an annotation', ['oci:liar', '--base', 'auto'], 'layer 0 differs'],
  ['no annotation at all', ['oci:plain', '--base', 'auto'], 'does not say which base it was built on'],
] as const)('%s is no base, and nothing is written', async ([, args, message]) => {
  const ran = await sbom(...args);
  expect(ran).toMatchObject({ exit: 3, out: '' });
  expect(ran.err).toContain(message);
});
