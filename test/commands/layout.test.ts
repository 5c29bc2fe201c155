import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { TestRegistry } from '../support/registry.ts';
import { keyPolicy, openScene, type Scene } from '../support/scene.ts';

/* A signed image on a disk, without any registry: what a machine without a network verifies. */

const as = 'quay.io/triton-dev-containers/cpu';
let scene: Scene;
let registry: TestRegistry;
let image: Digest;

interface Entry {
  readonly digest: string;
  readonly name?: string;
}

/** Everything of the repository as blobs; `index.json` lists these entries. */
function layout(name: string, entries: readonly Entry[], more: readonly Uint8Array[] = []): string {
  const path = join(scene.path, name);
  const blobs = join(path, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const contents = [
    ...more,
    ...[...registry.manifests.values()].map(({ bytes }) => bytes),
    ...registry.blobs.values(),
  ];
  const sizes = new Map<string, number>();
  for (const bytes of contents) {
    writeFileSync(join(blobs, hexOf(digestOf(bytes))), bytes);
    sizes.set(digestOf(bytes), bytes.length);
  }
  const manifests = entries.map(({ digest, name: ref }) => ({
    mediaType: ref?.startsWith('sha256-') ? mediaTypes.index : mediaTypes.manifest,
    digest,
    size: sizes.get(digest),
    ...(ref === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': ref } }),
  }));
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return name;
}

/** A policy for the name that the layout is given, by one of the keys. */
const policyOf = (key: string) =>
  keyPolicy('quay.io/triton-dev-containers', 'signed: { by: [team] }, sbom: { by: [team] }', {
    team: `${key}.pub`,
  });

beforeAll(async () => {
  scene = await openScene({
    repository: 'cpu',
    keys: ['team', 'other'],
    policies: {},
    signed: 'with its SBOM',
  });
  ({ digest: image, registry } = scene);
  scene.write('policy.yaml', policyOf('team'));
  scene.write('other.yaml', policyOf('other'));
});
afterAll(() => scene[Symbol.asyncDispose]());

const digests = () => [...new Set([...registry.manifests.values()].map(({ bytes }) => digestOf(bytes)))];
const referrers = () => digests().filter((digest) => digest !== image);
const verify = (...args: readonly string[]) => scene.tcf('verify', ...args, '--policy', 'policy.yaml');

test('referrers that stand in index.json are found, and no registry is asked', async () => {
  layout('listed', [{ digest: image, name: '1' }, ...referrers().map((digest) => ({ digest }))]);
  const before = registry.requests.length;
  const ran = await verify('oci:listed:1', '--as', as, '--print-digest');
  expect(ran).toMatchObject({ exit: 0, out: `${as}@${image}\n` });
  expect(registry.requests.length).toBe(before);
});

test('referrers that stand behind the fallback tag are found', async () => {
  const tag = `sha256-${hexOf(image)}`;
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: referrers().map((digest) => ({
        mediaType: mediaTypes.manifest,
        digest,
        size: registry.manifests.get(`cpu@${digest}`)?.bytes.length,
      })),
    }),
  );
  const entries = [
    { digest: image, name: '1' },
    { digest: digestOf(index), name: tag },
  ];
  layout('tagged', entries, [index]);
  expect(await verify('oci:tagged:1', '--as', as)).toMatchObject({ exit: 0 });
});

test('without its referrers the image is unsigned, and by another key it is denied', async () => {
  layout('bare', [{ digest: image, name: '1' }]);
  expect(await verify('oci:bare:1', '--as', as)).toMatchObject({ exit: 1 });
  layout('whole', [{ digest: image, name: '1' }, ...referrers().map((digest) => ({ digest }))]);
  const ran = await scene.tcf('verify', 'oci:whole:1', '--as', as, '--policy', 'other.yaml');
  expect(ran).toMatchObject({ exit: 1 });
});

test.for([
  ['no name for the policies', ['oci:listed:1'], 3, 'has no name that a policy could judge'],
  ['a name outside of every scope', ['oci:listed:1', '--as', 'docker.io/library/cpu'], 1, 'no scope'],
  ['another digest', ['oci:listed:1', '--as', `${as}@sha256:${'0'.repeat(64)}`], 3, 'is sha256:'],
  ['no layout', ['oci:nowhere:1', '--as', as], 2, 'is not an OCI image layout'],
  ['a tag that is not there', ['oci:listed:2', '--as', as], 2, 'holds no image of that name'],
  ['--as for a registry', ['quay.io/a/b', '--as', as], 3, '--as is for oci: layouts'],
] as const)('%s', async ([, args, exit, message]) => {
  const ran = await verify(...args);
  expect(ran.err).toContain(message);
  expect(ran.exit).toBe(exit);
});

test('a changed blob is neither a yes nor a no', async () => {
  layout('changed', [{ digest: image, name: '1' }, ...referrers().map((digest) => ({ digest }))]);
  for (const digest of referrers()) {
    const file = join(scene.path, 'changed/blobs/sha256', hexOf(digest));
    const bytes = registry.manifests.get(`cpu@${digest}`)?.bytes ?? Buffer.of();
    writeFileSync(file, Buffer.from(Buffer.from(bytes).toString().replace('annotations', 'annotationz')));
  }
  expect(await verify('oci:changed:1', '--as', as)).toMatchObject({ exit: 2 });
  rmSync(join(scene.path, 'changed/blobs'), { recursive: true });
  expect(await verify('oci:changed:1', '--as', as)).toMatchObject({ exit: 2 });
});
