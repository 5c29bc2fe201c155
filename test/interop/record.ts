import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../src/oci/digest.ts';
import { openRegistry } from '../../src/registry/client.ts';
import type { Repository } from '../../src/registry/contract.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { discoverCosign2 } from '../../src/sigstore/discover-cosign2.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { startRegistry } from '../support/registry.ts';
import { startRealSigstore } from './real-sigstore.ts';
import { run } from './support.ts';

// Records what the real cosign 2 and 3 write, with keys and with the real private Sigstore, into fixtures/sigstore/recordings, so that
// `npm test` holds the verifier against them without Go.
// usage: bash toolchain/run.sh test/interop/record.ts [PART_OF_A_NAME]

const target = join(import.meta.dirname, '../../fixtures/sigstore/recordings');
const parts = '/var/tmp/tcf-interop';
execFileSync('bash', [join(import.meta.dirname, 'build-parts.sh'), parts], { stdio: 'inherit' });
const bin = join(parts, 'bin');
const folder = mkdtempSync(join(tmpdir(), 'tcf-record-'));
await using registry = await startRegistry();
await using sigstore = await startRealSigstore(bin, folder);
const client = openRegistry({ userAgent: 'tcf-record', allowHttp: true });

writeFileSync(join(folder, 'root.json'), sigstore.trustedRoot);
writeFileSync(join(folder, 'signing.json'), sigstore.signingConfig);
writeFileSync(join(folder, 'token'), sigstore.token('ann@example.test'));
writeFileSync(join(folder, 'bom.json'), '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}');
await cosign('cosign', ['generate-key-pair']);

const key = ['--key', 'cosign.key', '--tlog-upload=false'];
const keyless = [
  '--signing-config',
  'signing.json',
  '--trusted-root',
  'root.json',
  '--identity-token',
  'token',
];
const attest = ['attest', '--predicate', 'bom.json', '--type', 'cyclonedx'];
const bundles = [
  ['cosign-3.0.6-key', ['sign', '--use-signing-config=false', '-a', 'env=prod', ...key]],
  ['cosign-3.0.6-keyless', ['sign', ...keyless]],
  ['cosign-3.0.6-keyless-attest', [...attest, ...keyless]],
] as const;
const layers = [
  ['cosign-2.6.5-sig', ['sign', '-a', 'env=prod', ...key]],
  ['cosign-2.6.5-att', [...attest, ...key]],
] as const;
const artifact = '#!/bin/sh\necho triton\n';
const blobs = [
  ['cosign-3.0.6-blob-key', ['sign-blob', '--use-signing-config=false', ...key]],
  ['cosign-3.0.6-blob-keyless', ['sign-blob', ...keyless]],
] as const;

for (const [name, args] of bundles.filter(isWanted)) {
  const { image, repository } = await signed(name, 'cosign', args);
  const [found] = await discoverBundles(client, repository, image);
  if (!found?.ok || !('bundle' in found)) {
    throw new Error(`${name}: no bundle was written`);
  }
  saveAbout(name, 'cosign', args, image, {
    'bundle.json': found.bundle,
    ...(await manifests(repository, image, found.source)),
  });
}
for (const [name, args] of layers.filter(isWanted)) {
  const { image, repository } = await signed(name, 'cosign2', args);
  const [found] = await discoverCosign2(client, repository, ['sig', 'att'], image);
  if (!found?.ok || !('layer' in found)) {
    throw new Error(`${name}: no layer was written`);
  }
  const { annotations, content, mediaType } = found.layer;
  const layer = { mediaType, annotations, content: Buffer.from(content).toString('base64') };
  saveAbout(name, 'cosign2', args, image, {
    'layer.json': `${JSON.stringify(layer, null, 2)}\n`,
    ...(await manifests(repository, image, found.source)),
  });
}
for (const [name, args] of blobs.filter(isWanted)) {
  writeFileSync(join(folder, 'artifact'), artifact);
  await cosign('cosign', [...args, '--yes', '--bundle', 'out.json', 'artifact']);
  const place = join(target, '../blobs', name);
  save(place, args, { 'bundle.json': readFileSync(join(folder, 'out.json')), artifact });
  const expected = { made: `cosign 3.0.6 ${args.join(' ')} artifact`, signer: signerOf(args) };
  writeFileSync(join(place, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
}
rmSync(folder, { recursive: true });

function isWanted([name]: readonly [string, ...unknown[]]): boolean {
  return name.includes(process.argv[2] ?? '');
}

async function signed(name: string, tool: string, args: readonly string[]) {
  const image = await pushDemoImage({ host: registry.host, repository: name, tag: '1' });
  await cosign(tool, [...args, '--yes', '--allow-http-registry', `${registry.host}/${name}@${image}`]);
  return { image, repository: { registry: registry.host, repository: name } };
}

/** The manifest of the image, and the one by which the tool attached what it signed. */
async function manifests(repository: Repository, image: Digest, attached: Digest) {
  const bytes = async (digest: Digest) => {
    const fetched = await client.manifest(repository, digest);
    if (fetched === undefined) {
      throw new Error(`${repository.repository} has no ${digest}`);
    }
    return fetched.bytes;
  };
  return { 'image.json': await bytes(image), 'manifest.json': await bytes(attached) };
}

async function cosign(tool: string, args: readonly string[]): Promise<void> {
  const ran = await run(folder, join(bin, tool), args);
  if (ran.code !== 0) {
    throw new Error(`${tool} ${args.join(' ')}: ${ran.text}`);
  }
}

type Files = Readonly<Record<string, string | Uint8Array>>;

/** What was made, and what it is verified with. */
function save(place: string, args: readonly string[], files: Files): void {
  mkdirSync(place, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(place, file), content);
  }
  if (args.includes('--key')) {
    writeFileSync(join(place, 'key.pub'), readFileSync(join(folder, 'cosign.pub')));
  } else {
    writeFileSync(join(place, 'trusted_root.json'), sigstore.trustedRoot);
  }
}

function signerOf(args: readonly string[]): object {
  return args.includes('--key')
    ? { kind: 'key' }
    : { kind: 'keyless', issuer: sigstore.issuer, identity: 'ann@example.test' };
}

function saveAbout(name: string, tool: string, args: readonly string[], image: string, files: Files): void {
  const place = join(target, name);
  save(place, args, files);
  const expected = {
    made: `${tool === 'cosign' ? 'cosign 3.0.6' : 'cosign 2.6.5'} ${args.join(' ')} IMAGE`,
    image,
    predicateType: args[0] === 'attest' ? 'https://cyclonedx.org/bom' : 'https://sigstore.dev/cosign/sign/v1',
    signer: signerOf(args),
    annotations: args.includes('-a') ? { env: 'prod' } : {},
  };
  writeFileSync(join(place, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
}
