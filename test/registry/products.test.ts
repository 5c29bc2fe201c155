import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { formatStatement, predicateTypes, toSignatureStatement } from '../../src/attest/statement.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Registry, Repository } from '../../src/registry/contract.ts';
import { copyContent } from '../../src/registry/copy.ts';
import { registryTarget } from '../../src/registry/copy-target.ts';
import type { ReferrersMode } from '../../src/registry/referrers-api.ts';
import { attachBundle } from '../../src/sigstore/attach.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { discoverCosign2 } from '../../src/sigstore/discover-cosign2.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { testKey } from '../support/key-bundle.ts';
import { login, startRegistry, type TestRegistry, type TestRegistryOptions } from '../support/registry.ts';
import { client, manifestNamed, refusal, repositoryOn } from './support.ts';

/**
 * One conversation for each registry product, synthetic: how it answers where it has no referrers API, or how
 * its API answers, as the sources that each file names describe it. Every product is verified, signed, and
 * copied from and to; what is said on the way stands in the file.
 */
interface Product {
  readonly product: string;
  /** The row of docs/registries.md. */
  readonly answer: string;
  readonly sources: readonly string[];
  readonly registry: TestRegistryOptions;
  readonly mode?: ReferrersMode;
  readonly answers: readonly {
    readonly request: string;
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
  /** `METHOD path status` of each request, digests by name. */
  readonly conversations?: Readonly<Record<string, readonly string[]>>;
}

const folder = join(import.meta.dirname, '../../fixtures/registries');
const files = readdirSync(folder).sort();
const read = (file: string): Product => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const now = new Date('2026-11-30T12:00:00Z');
const key = testKey();
const signer = keySigner(key.privateKey);
const imageBytes = manifestNamed('image');
const image: Descriptor = {
  mediaType: mediaTypes.manifest,
  digest: digestOf(imageBytes),
  size: imageBytes.length,
};

function open(mode: ReferrersMode = 'auto'): Registry {
  return client({ referrers: mode, credentials: async () => ({ kind: 'password', ...login }) });
}

async function startProduct(product: Product): Promise<TestRegistry> {
  const server = await startRegistry(product.registry);
  for (const { request, status, headers, body } of product.answers) {
    server.fault(new RegExp(request), { status, headers, body });
  }
  return server;
}

async function pushImage(registry: Registry, repository: Repository): Promise<void> {
  await registry.pushBlob(repository, mediaTypes.empty, Buffer.from('{}'));
  await registry.pushManifest(repository, '1', mediaTypes.manifest, imageBytes);
}

async function sign(registry: Registry, repository: Repository): Promise<Digest> {
  const bundle = await signStatement(formatStatement(toSignatureStatement(image.digest)), signer, []);
  return (
    await attachBundle(registry, repository, image, { bundle, predicateType: predicateTypes.signature, now })
  ).digest;
}

/** How many signatures of our key are there; what cannot be found out is thrown. */
async function verify(registry: Registry, repository: Repository): Promise<number> {
  const found = await discoverBundles(registry, repository, image.digest);
  const older = await discoverCosign2(registry, repository, ['sig', 'att'], image.digest);
  expect(older).toEqual([]);
  return found.filter((entry) => {
    if (!entry.ok || !('bundle' in entry)) {
      return false;
    }
    const bundle = parseBundle(entry.bundle);
    const trust = { roots: [], keys: [key.trusted] };
    return bundle.ok && verifyAttestation(bundle.value, trust, { subject: image.digest }, now).ok;
  }).length;
}

/** What was said, with a name for each digest in the order in which they are seen. */
function conversation(server: TestRegistry, from: number): readonly string[] {
  const names = new Map<string, string>([[image.digest.slice(7), 'IMAGE']]);
  return server.requests.slice(from).map(({ method, path, status }) => {
    const named = path
      .replace(/%3A/gi, ':')
      .replace(/[0-9a-f]{64}/g, (hex) => {
        if (!names.has(hex)) {
          names.set(hex, `CONTENT${names.size}`);
        }
        return names.get(hex) ?? '';
      })
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'UPLOAD');
    return `${method} ${named} ${status}`;
  });
}

describe.for(files)('%s', (file) => {
  const product = read(file);

  test('unsigned, signed, signed twice, copied away and copied to', async () => {
    await using server = await startProduct(product);
    await using other = await startRegistry({ referrersApi: false, strict: true });
    await using source = await startRegistry();
    const registry = open(product.mode);
    const here = repositoryOn(server);
    await pushImage(registry, here);
    const said: Record<string, readonly string[]> = {};
    const saying = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
      const from = server.requests.length;
      const value = await act();
      said[what] = conversation(server, from);
      return value;
    };
    expect(await saying('verify what is not signed', () => verify(registry, here))).toBe(0);
    await saying('sign', () => sign(registry, here));
    expect(await saying('verify what is signed', () => verify(registry, here))).toBe(1);
    await sign(registry, here);
    expect(await verify(registry, here)).toBe(2);

    const named = await registry.manifest(here, '1');
    if (named === undefined) {
      throw new Error('the image is gone');
    }
    const plain = client();
    const away = await copyContent(registry, here, named, registryTarget(plain, repositoryOn(other), '1'));
    expect(away).toMatchObject({ companions: 2, warnings: [] });
    expect(await verify(plain, repositoryOn(other))).toBe(2);

    await pushImage(plain, repositoryOn(source));
    await sign(plain, repositoryOn(source));
    const there = repositoryOn(server, 'team/copy');
    const target = registryTarget(registry, there, '1');
    expect(await copyContent(plain, repositoryOn(source), named, target)).toMatchObject({ companions: 1 });
    expect(await verify(registry, there)).toBe(1);

    if (process.env['UPDATE_GOLDEN']) {
      writeFileSync(
        join(folder, file),
        `${JSON.stringify({ ...product, conversations: said }, undefined, 2)}\n`,
      );
    } else {
      expect(said).toEqual(product.conversations);
    }
  });

  test('a registry that is down is not one without signatures', async () => {
    await using server = await startProduct(product);
    const registry = open(product.mode);
    await pushImage(registry, repositoryOn(server));
    server.clearFaults();
    server.fault(/GET .*\/(?:referrers|manifests)\//, { status: 503 });
    expect(await refusal(verify(registry, repositoryOn(server)))).toMatch(/^registry\.unreachable/);
  });
});

test('each product has a row in docs/registries.md, and each row a product', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/registries.md'), 'utf8');
  const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| `([\w.-]+\.json)` \|$/gm)];
  expect(rows.map(([, product, answer, file]) => ({ file, product, answer }))).toEqual(
    files.map((file) => ({ file, product: read(file).product, answer: read(file).answer })),
  );
  expect(rows.length).toBeGreaterThanOrEqual(12);
});
