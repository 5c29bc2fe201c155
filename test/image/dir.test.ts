import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { folder, type } from '../support/host.ts';
import { type BuiltImage, buildImage, json, writeFiles, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/* Folders as skopeo writes them, and, where skopeo is, by skopeo itself. */

const osRelease = archive(file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'));
const image = buildImage({ layers: [osRelease, archive(file('b', 'two'))] });

const blobsOf = ({ blobs }: BuiltImage) =>
  [...blobs].map(([digest, bytes]) => [hexOf(digest), bytes] as const);

function writeDir(
  path: string,
  manifest: Uint8Array,
  ...files: readonly (readonly [string, Uint8Array])[]
): void {
  const version = Buffer.from('Directory Transport Version: 1.1\n');
  writeFiles(
    path,
    new Map<string, Uint8Array>([['manifest.json', manifest], ['version', version], ...files]),
  );
}

const sbom = async (cwd: string, name: string, ...more: readonly string[]) =>
  await type(['sbom', name, ...more], { cwd });

test('an image has the same SBOM as in a layout', async () => {
  using place = folder();
  writeDir(join(place.path, 'image:with a colon'), image.manifest, ...blobsOf(image));
  writeOciLayout(join(place.path, 'layout'), { image });
  const read = await sbom(place.path, 'dir:image:with a colon');
  expect(read).toMatchObject({ exit: 0, out: (await sbom(place.path, 'oci:layout')).out });
  expect(read.out).toContain(image.manifestDigest);
});

test('of an index the image of the platform is read', async () => {
  using place = folder();
  const arm = buildImage({ layers: [osRelease], architecture: 'arm64' });
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
    ],
  });
  writeDir(join(place.path, 'index'), index, ...blobsOf(image), ...blobsOf(arm), [
    `${hexOf(arm.manifestDigest)}.manifest.json`,
    arm.manifest,
  ]);
  const read = await sbom(place.path, 'dir:index', '--platform', 'linux/arm64');
  expect(read).toMatchObject({ exit: 0, out: expect.stringContaining(arm.configDigest) });
  // `skopeo copy` without --all leaves the other images out.
  expect(await sbom(place.path, 'dir:index', '--platform', 'linux/amd64')).toMatchObject({
    exit: 2,
    out: '',
  });
});

test.for<readonly [string, (path: string) => void]>([
  [
    'a layer that another byte was put into',
    (path) => spoil(path, hexOf(image.layers[0]?.digest ?? image.configDigest)),
  ],
  ['a configuration that another byte was put into', (path) => spoil(path, hexOf(image.configDigest))],
  [
    'no layer',
    (path) =>
      renameSync(join(path, hexOf(image.layers[1]?.digest ?? image.configDigest)), join(path, 'gone')),
  ],
  ['no manifest', (path) => renameSync(join(path, 'manifest.json'), join(path, 'other.json'))],
  ['a manifest of schema 1', (path) => writeFileSync(join(path, 'manifest.json'), '{"schemaVersion":1}')],
  [
    'a manifest that is cut short',
    (path) => writeFileSync(join(path, 'manifest.json'), image.manifest.subarray(0, 40)),
  ],
])('%s is no image', async ([, spoiled]) => {
  using place = folder();
  const path = join(place.path, 'd');
  writeDir(path, image.manifest, ...blobsOf(image));
  spoiled(path);
  const read = await sbom(place.path, 'dir:d');
  expect(read).toMatchObject({ exit: 2, out: '' });
  expect(read.err).not.toContain('fault in tcf');
});

function spoil(folder: string, name: string): void {
  const bytes = Buffer.from(readFileSync(join(folder, name)));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(folder, name), bytes);
}

test.skipIf(!existsSync('/usr/bin/skopeo'))('what skopeo writes', async () => {
  using place = folder();
  writeOciLayout(join(place.path, 'layout'), { image });
  execFileSync('skopeo', ['copy', '--quiet', 'oci:layout', 'dir:copied'], { cwd: place.path });
  const read = await sbom(place.path, 'dir:copied');
  expect(read).toMatchObject({ exit: 0, out: (await sbom(place.path, 'oci:layout')).out });
});
