import { createHash, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePublicKey } from '../../src/attest/trusted-key.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { attachBundle } from '../../src/sigstore/attach.ts';
import { jsonBytes, keyBundle } from '../support/key-bundle.ts';
import { openScene, type Scene } from '../support/scene.ts';

/* A genuine signature of a trusted signer whose statement names the image twice, and once wrongly. */

const type = 'https://sigstore.dev/cosign/sign/v1';
let scene: Scene;
let content: Uint8Array;

beforeAll(async () => {
  scene = await openScene();
  content = scene.registry.manifests.get('dev:latest')?.bytes ?? new Uint8Array();
});
afterAll(() => scene[Symbol.asyncDispose]());

const hash = (name: string) => createHash(name).update(content).digest('hex');

async function sign(repository: string, subject: readonly object[]): Promise<void> {
  const { keys, registry } = scene;
  const privateKey = keys['team'];
  if (privateKey === undefined) {
    throw new Error('team has no key');
  }
  const pem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString();
  const payload = jsonBytes({
    _type: 'https://in-toto.io/Statement/v1',
    subject: subject.map((digest) => ({ digest })),
    predicateType: type,
    predicate: {},
  });
  const bundle = keyBundle({ privateKey, pem, trusted: parsePublicKey(pem, 'team.pub') }, { payload });
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const ref = { registry: registry.host, repository };
  const image = await client.pushManifest(
    ref,
    'latest',
    'application/vnd.oci.image.manifest.v1+json',
    content,
  );
  await attachBundle(client, ref, image, {
    bundle: jsonBytes(bundle),
    predicateType: type,
    now: new Date('2026-11-23T12:00:00Z'),
  });
}

const verify = (repository: string) =>
  scene.tcf('verify', `${scene.registry.host}/${repository}`, '--policy', 'policy.yaml', '--allow-http');

test.for<readonly [string, string, () => readonly object[], number]>([
  ['its sha256 alone', 'one', () => [{ sha256: hash('sha256') }], 0],
  ['a right sha512 too', 'two', () => [{ sha256: hash('sha256'), sha512: hash('sha512') }], 0],
  [
    'a wrong sha512 too',
    'three',
    () => [{ sha256: hash('sha256'), sha512: hash('sha384').repeat(2).slice(0, 128) }],
    1,
  ],
  ['a wrong sha3_256 too', 'four', () => [{ sha256: hash('sha256'), sha3_256: hash('sha256') }], 1],
  [
    'a second subject with a wrong sha512',
    'five',
    () => [{ sha256: hash('sha256') }, { sha256: hash('sha256'), sha512: 'ab'.repeat(64) }],
    1,
  ],
])('a statement with %s', async ([, repository, subject, exit]) => {
  await sign(repository, subject());
  const called = await verify(repository);
  expect(called.exit, called.err).toBe(exit);
  if (exit === 1) {
    expect(called.err).toMatch(/and a wrong sha|have different sha/);
  }
});
