import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let name: string;
let child: string;
let other: string;

/**
 * A multi-platform image as buildx pushes it: two platforms and an attestation manifest for
 * `unknown/unknown`.
 */
beforeAll(async () => {
  place = folder();
  registry = await startRegistry();
  const repository = { host: registry.host, repository: 'triton/multi' };
  child = await pushDemoImage({ ...repository, tag: 'amd64' });
  other = await pushDemoImage({ ...repository, tag: 'arm64', deb: 'nano' });
  name = `${registry.host}/triton/multi`;
  const entry = (digest: string, os: string, architecture: string) => ({
    mediaType: mediaTypes.manifest,
    digest,
    size: registry.manifests.get(`triton/multi@${digest}`)?.bytes.length,
    platform: { os, architecture },
  });
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      entry(other, 'linux', 'arm64'),
      entry(other, 'unknown', 'unknown'),
      entry(child, 'linux', 'amd64'),
    ],
  };
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const bytes = Buffer.from(JSON.stringify(index));
  await client.pushManifest(
    { registry: registry.host, repository: 'triton/multi' },
    'latest',
    mediaTypes.index,
    bytes,
  );
  write('policy.yaml', 'index');
  write('platform.yaml', 'platform');
  await tcf('keygen', '--output-key-prefix', 'team');
});

afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const write = (file: string, multiArch: string) =>
  writeFileSync(
    join(place.path, file),
    `version: 1
trust: { logs: { key: 0 } }
signers: { team: { keyFile: team.pub } }
scopes: [{ match: "${registry.host}", multiArch: ${multiArch}, require: { signed: { by: [team] }, sbom: { by: [team] }, llvm: { is: pinned } } }]
`,
  );
const tcf = (...args: string[]) => type(args, { cwd: place.path, env: { COSIGN_PASSWORD: 'x' } });
const verify = (image: string, policy: string, ...more: string[]) =>
  tcf('verify', image, '--policy', policy, '--allow-http', ...more);

test('the index is signed, the SBOM is about the platform, and both together allow the name', async () => {
  expect(await verify(name, 'policy.yaml')).toMatchObject({ exit: 1 });
  const signed = await tcf('sign', name, '--key', 'team.key', '--allow-http');
  expect(signed.exit, signed.err).toBe(0);
  const verified = await verify(name, 'policy.yaml');
  expect(verified.exit, verified.err).toBe(0);
});

test('a policy that wants each platform signed is not content with the index', async () => {
  expect(await verify(name, 'platform.yaml')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('✗ signed'),
  });
});

test('the platform asked for by its own digest was not signed', async () => {
  expect(await verify(`${name}@${child}`, 'policy.yaml')).toMatchObject({ exit: 1 });
});

test('the SBOM of one platform does not speak for another', async () => {
  const verified = await verify(name, 'policy.yaml', '--platform', 'linux/arm64');
  expect(verified).toMatchObject({ exit: 1, err: expect.stringContaining('✗ sbom') });
});

test('a platform that the index lacks cannot be decided, and the others are named', async () => {
  const verified = await verify(name, 'policy.yaml', '--platform', 'linux/riscv64');
  expect(verified).toMatchObject({ exit: 2, err: expect.stringMatching(/linux\/amd64/) });
});

test.for<readonly [string, readonly string[], readonly string[]]>([
  ['docker is told the one that was verified', [], ['--platform', 'linux/amd64']],
  ['docker is told the one that was asked for', ['--platform', 'linux/amd64'], ['--platform', 'linux/amd64']],
  ['podman has what it pulled', ['--engine', 'podman'], []],
])('of an index %s, whatever DOCKER_DEFAULT_PLATFORM says', async ([, flags, told]) => {
  await tcf('sign', name, '--key', 'team.key', '--allow-http');
  const index = registry.manifests.get('triton/multi:latest')?.bytes ?? new Uint8Array();
  const ran = await type(
    [
      'run',
      ...(flags[0] === '--engine' ? [] : ['--engine', 'docker']),
      ...flags,
      '--policy',
      'policy.yaml',
      '--allow-http',
      name,
    ],
    {
      cwd: place.path,
      env: { COSIGN_PASSWORD: 'x', DOCKER_DEFAULT_PLATFORM: 'linux/arm64' },
      found: ['docker'],
      // What the image store of containerd gives: one id for all platforms.
      answer: ([verb]) => (verb === 'image' ? { stdout: `${digestOf(index)}\n` } : {}),
    },
  );
  expect(ran.exit, ran.err).toBe(0);
  expect(ran.started.at(-1)?.slice(1, 3 + told.length)).toEqual(['run', '--pull=never', ...told]);
});
