import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatStatement, predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { hexOf, parseDigest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { attLayer } from '../support/cosign2.ts';
import { openScene, type Scene } from '../support/scene.ts';

/*
 * what was said last counts, and of what cannot be placed in time whatever denies, in whichever format
 * it was said.
 */

let scene: Scene;

beforeEach(async () => {
  scene = await openScene({
    keys: ['team', 'stranger'],
    policies: {
      'signed.yaml': 'signed: { by: [team] }',
      'strict.yaml':
        'signed: { by: [team] }, sbom: { by: [team] }, components: { deny: ["pkg:generic/backdoor"] }',
    },
    signed: 'with its SBOM',
  });
});
afterEach(() => scene[Symbol.asyncDispose]());

const verify = (file: string, ...more: readonly string[]) =>
  scene.tcf('verify', scene.pinned, '--policy', file, '--allow-http', ...more);

/** Attests with cosign 2 that there is a backdoor in the image. */
async function attest(who: string): Promise<void> {
  const { pinned, tcf } = scene;
  const sbom = JSON.parse((await tcf('sbom', `docker://${pinned}`, '--allow-http')).out);
  sbom.components.push({
    type: 'library',
    'bom-ref': 'b',
    name: 'backdoor',
    version: '1',
    purl: 'pkg:generic/backdoor@1',
  });
  await attestAs(scene, who, sbom);
}

/** Attests a CycloneDX document as cosign 2 stores it, whatever it says. */
async function attestAs({ digest, keys, registry }: Scene, who: string, predicate: unknown): Promise<void> {
  const by = keys[who];
  if (by === undefined) {
    throw new Error(`${who} has no key`);
  }
  const statement = toStatement({ subject: digest, predicateType: predicateTypes.cyclonedx, predicate });
  const { annotations, content, mediaType } = attLayer({ payload: formatStatement(statement), key: by });
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: registry.host, repository: 'dev' };
  const layer = { ...(await client.pushBlob(repository, mediaType, content)), annotations };
  const config = await client.pushBlob(repository, mediaTypes.config, Buffer.from('{}'));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] };
  const tag = `sha256-${hexOf(parseDigest(digest))}.att`;
  await client.pushManifest(repository, tag, mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
}

test('an attestation of cosign 2 by a trusted signer denies what bundles allow', async () => {
  expect(await verify('strict.yaml')).toMatchObject({ exit: 0 });
  await attest('team');
  expect(await verify('strict.yaml')).toMatchObject({ exit: 1, err: expect.stringContaining('backdoor') });
});

test('one by a stranger denies nothing', async () => {
  await attest('stranger');
  expect(await verify('strict.yaml')).toMatchObject({ exit: 0 });
});

test('a policy that asks for signatures only has nothing to be overruled in, and asks no more', async () => {
  await attest('team');
  const before = scene.registry.requests.length;
  expect(await verify('signed.yaml')).toMatchObject({ exit: 0 });
  expect(scene.registry.requests.slice(before).filter(({ path }) => path.endsWith('.att'))).toEqual([]);
});

test('a registry that does not say whether there is one is no yes', async () => {
  scene.registry.fault(/\.att$/, { status: 500 });
  expect(await verify('strict.yaml')).toMatchObject({ exit: 2 });
  expect(await verify('signed.yaml')).toMatchObject({ exit: 0 });
});

test('that there is none is remembered with the rest', async () => {
  await verify('strict.yaml', '--cache');
  const before = scene.registry.requests.length;
  expect(await verify('strict.yaml', '--cache')).toMatchObject({ exit: 0 });
  expect(scene.registry.requests.length).toBe(before);
});

test('A-133: a VEX in the form of an SBOM is none: it lists what is affected, and not what is there', async () => {
  await using unlisted = await openScene({
    policies: { 'sbom.yaml': 'sbom: { by: [team] }, components: { deny: ["pkg:generic/backdoor"] }' },
  });
  const { digest, pinned, tcf } = unlisted;
  const vex = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { type: 'container', name: 'dev', purl: `pkg:oci/dev@${digest}` } },
    components: [{ type: 'library', 'bom-ref': 'z', name: 'zlib', purl: 'pkg:generic/zlib@1' }],
    vulnerabilities: [{ id: 'CVE-2026-1', affects: [{ ref: 'z' }], analysis: { state: 'not_affected' } }],
  };
  await attestAs(unlisted, 'team', vex);
  expect(await tcf('verify', pinned, '--policy', 'sbom.yaml', '--allow-http')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('the document is a VEX'),
  });
  unlisted.write('vex.json', JSON.stringify(vex));
  const sign = (...flags: readonly string[]) =>
    tcf('sign', pinned, '--key', 'team.key', '--allow-http', ...flags);
  expect(await sign('--sbom', 'vex.json', '--allow-invalid-sbom')).toMatchObject({
    exit: 3,
    err: expect.stringContaining('"vex.json" is a VEX'),
  });
  expect(await sign('--attest', 'https://cyclonedx.org/bom/v1.6=vex.json')).toMatchObject({ exit: 3 });
  expect(await sign('--attest', 'https://cyclonedx.org/vex=vex.json')).toMatchObject({ exit: 0 });
});
