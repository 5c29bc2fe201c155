import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatStatement, predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { type Digest, hexOf, parseDigest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { attLayer } from '../support/cosign2.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/* what was said last counts, and of what cannot be placed in time whatever denies, in whichever format it was said. */

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let digest: Digest;
let name: string;

beforeEach(async () => {
  place = folder();
  registry = await startRegistry();
  digest = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  name = `${registry.host}/dev@${digest}`;
  write('team.key', key.export({ format: 'pem', type: 'pkcs8' }));
  write('team.pub', createPublicKey(key).export({ format: 'pem', type: 'spki' }));
  write('signed.yaml', policy('signed: { by: [team] }'));
  write(
    'strict.yaml',
    policy('signed: { by: [team] }, sbom: { by: [team] }, components: { deny: ["pkg:generic/backdoor"] }'),
  );
  expect(await tcf('sign', name, '--key', 'team.key', '--allow-http')).toMatchObject({ exit: 0 });
});
afterEach(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const write = (file: string, content: string | Uint8Array) => writeFileSync(join(place.path, file), content);
const policy = (require: string) =>
  `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { ${require} } }]\n`;
const tcf = (...args: readonly string[]): Promise<Called> => type(args, { cwd: place.path });
const verify = (file: string, ...more: readonly string[]) =>
  tcf('verify', name, '--policy', file, '--allow-http', ...more);

/** Attests with cosign 2 that there is a backdoor in the image. */
async function attest(by: typeof key): Promise<void> {
  const sbom = JSON.parse((await tcf('sbom', `docker://${name}`, '--allow-http')).out);
  sbom.components.push({
    type: 'library',
    'bom-ref': 'b',
    name: 'backdoor',
    version: '1',
    purl: 'pkg:generic/backdoor@1',
  });
  const statement = toStatement({
    subject: digest,
    predicateType: predicateTypes.cyclonedx,
    predicate: sbom,
  });
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
  await attest(key);
  expect(await verify('strict.yaml')).toMatchObject({ exit: 1, err: expect.stringContaining('backdoor') });
});

test('one by a stranger denies nothing', async () => {
  await attest(stranger);
  expect(await verify('strict.yaml')).toMatchObject({ exit: 0 });
});

test('a policy that asks for signatures only has nothing to be overruled in, and asks no more', async () => {
  await attest(key);
  const before = registry.requests.length;
  expect(await verify('signed.yaml')).toMatchObject({ exit: 0 });
  expect(registry.requests.slice(before).filter(({ path }) => path.endsWith('.att'))).toEqual([]);
});

test('a registry that does not say whether there is one is no yes', async () => {
  registry.fault(/\.att$/, { status: 500 });
  expect(await verify('strict.yaml')).toMatchObject({ exit: 2 });
  expect(await verify('signed.yaml')).toMatchObject({ exit: 0 });
});

test('that there is none is remembered with the rest', async () => {
  await verify('strict.yaml', '--cache');
  const before = registry.requests.length;
  expect(await verify('strict.yaml', '--cache')).toMatchObject({ exit: 0 });
  expect(registry.requests.length).toBe(before);
});
