import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../src/oci/digest.ts';
import { pushDemoImage } from './demo-image.ts';
import { type Called, folder, type TestHostOptions, type } from './host.ts';
import { startRegistry, type TestRegistry, type TestRegistryOptions } from './registry.ts';

export interface SceneParts extends TestRegistryOptions {
  /** Of the image. Default: `dev`. */
  readonly repository?: string;
  /** Who has a key: `NAME.key` and `NAME.pub` in the folder, without a password. Default: `team`. */
  readonly keys?: readonly string[];
  /**
   * Policies by their file: what each asks of the registry's images. Default: `policy.yaml` asks for a
   * signature.
   */
  readonly policies?: Readonly<Record<string, string>>;
  /** Whether the first key has signed the image: alone, or with its SBOM. Default: nobody has. */
  readonly signed?: 'alone' | 'with its SBOM';
  /** What every call of tcf meets. */
  readonly host?: Omit<TestHostOptions, 'cwd'>;
}

/** An image in a registry, keys and policies in a folder, and somebody who types. */
export interface Scene extends AsyncDisposable {
  readonly path: string;
  readonly registry: TestRegistry;
  readonly keys: Readonly<Record<string, KeyObject>>;
  readonly digest: Digest;
  /** `registry/repository`, whose tag `latest` leads to the image. */
  readonly name: string;
  /** `registry/repository@digest`. */
  readonly pinned: string;
  readonly write: (file: string, content: string | Uint8Array) => void;
  /** The text of a policy that believes every key of the scene, by the name of its file. */
  readonly policy: (require: string) => string;
  readonly tcf: (...args: readonly string[]) => Promise<Called>;
  /** As `tcf`, on another day, with other surroundings. */
  readonly tcfWith: (host: Partial<TestHostOptions>, ...args: readonly string[]) => Promise<Called>;
}

/** `await using scene = await openScene({ signed: 'alone' })`, or with `beforeAll` and `afterAll`. */
export async function openScene(parts: SceneParts = {}): Promise<Scene> {
  const { host, keys: owners = ['team'], repository = 'dev', signed } = parts;
  const { policies = { 'policy.yaml': 'signed: { by: [team] }' } } = parts;
  const place = folder();
  const registry = await startRegistry(parts);
  const digest = await pushDemoImage({ host: registry.host, repository, tag: 'latest' });
  const name = `${registry.host}/${repository}`;
  const write = (file: string, content: string | Uint8Array) =>
    writeFileSync(join(place.path, file), content);
  const keys = Object.fromEntries(owners.map((owner) => [owner, writeKeyPair(place.path, owner)]));
  const files = Object.fromEntries(owners.map((owner) => [owner, `${owner}.pub`]));
  const policy = (require: string) => keyPolicy(registry.host, require, files);
  for (const [file, require] of Object.entries(policies)) {
    write(file, policy(require));
  }
  const tcfWith: Scene['tcfWith'] = (more, ...args) => type(args, { ...host, ...more, cwd: place.path });
  const tcf: Scene['tcf'] = (...args) => tcfWith({}, ...args);
  if (signed !== undefined) {
    const how = signed === 'alone' ? ['--no-sbom'] : [];
    const called = await tcf('sign', name, '--key', `${owners[0]}.key`, '--allow-http', ...how);
    if (called.exit !== 0) {
      throw new Error(called.err);
    }
  }
  return {
    path: place.path,
    registry,
    keys,
    digest,
    name,
    pinned: `${name}@${digest}`,
    write,
    policy,
    tcf,
    tcfWith,
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      place[Symbol.dispose]();
    },
  };
}

/** The text of a policy for `match` that believes keys by their files, and asks for no log. */
export function keyPolicy(
  match: string,
  require: string,
  files: Readonly<Record<string, string>> = { team: 'team.pub' },
): string {
  const signers = Object.entries(files).map(([name, file]) => `${name}: { keyFile: ${file} }`);
  return [
    'version: 1',
    'trust: { logs: { key: 0 } }',
    `signers: { ${signers.join(', ')} }`,
    `scopes: [{ match: "${match}", require: { ${require} } }]\n`,
  ].join('\n');
}

/**
 * `OWNER.key` and `OWNER.pub` as openssl writes them: opening a key of `tcf keygen`, which has a password,
 * costs more than all the rest of a test.
 */
export function writeKeyPair(folder: string, owner: string): KeyObject {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, `${owner}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(join(folder, `${owner}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
  return privateKey;
}
