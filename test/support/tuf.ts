import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TufRole } from '../../src/attest/tuf/metadata.ts';
import { type Download, targetName } from '../../src/attest/tuf/update.ts';
import { newKey, sha256, spkiOf } from './sigstore/authority.ts';

// biome-ignore lint/suspicious/noExplicitAny: metadata that tests make wrong on purpose
type Loose = any;

/** How a role of the repository under test signs. */
export interface RoleSetup {
  readonly keys: readonly KeyObject[];
  readonly threshold: number;
}

export interface Publication {
  /** Content of `trusted_root.json`. */
  readonly target?: Uint8Array;
  /** Further targets, by name; as before where absent. */
  readonly others?: Readonly<Record<string, Uint8Array>>;
  /** Milliseconds from the clock of the repository until the metadata of a role expires. */
  readonly life?: Partial<Record<TufRole, number>>;
  /** Versions other than the next ones. */
  readonly versions?: Partial<Record<TufRole, number>>;
  /** Who signs in place of the role's keys. */
  readonly signers?: Partial<Record<TufRole, readonly KeyObject[]>>;
  /** Changes what is signed. */
  readonly edit?: Partial<Record<TufRole, (signed: Loose) => void>>;
}

export const day: number = 24 * 3600 * 1000;

const lives: Readonly<Record<TufRole, number>> = {
  root: 200 * day,
  timestamp: 7 * day,
  snapshot: 30 * day,
  targets: 100 * day,
};

export const ed25519Key = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

/** A TUF repository in memory, with whatever is wrong with it. It begins with version 1 of everything. */
export class TestTuf {
  /** What its mirror serves, by path. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** Every path that was asked for through `download`. */
  readonly asked: string[] = [];
  readonly versions: Record<TufRole, number> = { root: 0, timestamp: 0, snapshot: 0, targets: 0 };
  readonly setup: Record<TufRole, RoleSetup>;
  consistentSnapshot = true;
  now: Date;
  #target: Uint8Array;
  #others: Readonly<Record<string, Uint8Array>> = {};

  constructor(target: Uint8Array, now: Date) {
    this.#target = target;
    this.now = now;
    const one = () => ({ keys: [ed25519Key()], threshold: 1 });
    this.setup = {
      root: { keys: [newKey(), ed25519Key(), newKey()], threshold: 2 },
      timestamp: one(),
      snapshot: one(),
      targets: { keys: [newKey(), newKey()], threshold: 2 },
    };
    this.publishRoot();
    this.publish();
  }

  /** Version 1 of the root: what a client begins with. */
  get anchor(): Uint8Array {
    return this.files.get('1.root.json') ?? Buffer.of();
  }

  readonly download: Download = async (path, limit) => {
    this.asked.push(path);
    const bytes = this.files.get(path);
    if (bytes !== undefined && bytes.length > limit) {
      throw new Error(`${path} is larger than ${limit}`);
    }
    return bytes;
  };

  /**
   * The next root, which lists what `setup` says now; signed by the keys of root before and after the change.
   */
  publishRoot(change: Partial<Record<TufRole, RoleSetup>> = {}, publication: Publication = {}): void {
    const before = this.setup.root.keys;
    Object.assign(this.setup, change);
    const roles: Loose = {};
    const keys: Loose = {};
    for (const [role, { keys: members, threshold }] of Object.entries(this.setup)) {
      roles[role] = { keyids: members.map(keyIdOf), threshold };
      for (const key of members) {
        keys[keyIdOf(key)] = formatKey(key);
      }
    }
    const signers = [...new Set([...before, ...this.setup.root.keys])];
    const bytes = this.#make('root', publication, signers, {
      keys,
      roles,
      consistent_snapshot: this.consistentSnapshot,
    });
    this.files.set(`${publication.versions?.root ?? this.versions.root}.root.json`, bytes);
  }

  /** The next targets, snapshot and timestamp. */
  publish(publication: Publication = {}): void {
    this.#target = publication.target ?? this.#target;
    this.#others = publication.others ?? this.#others;
    const listed: Loose = { 'other/file.txt': { length: 1, hashes: hashesOf(this.#target) } };
    for (const [name, bytes] of Object.entries({ [targetName]: this.#target, ...this.#others })) {
      const hashes = hashesOf(bytes);
      listed[name] = { length: bytes.length, hashes };
      this.files.set(`targets/${this.consistentSnapshot ? `${hashes.sha256}.` : ''}${name}`, bytes);
    }
    const targets = this.#make('targets', publication, this.setup.targets.keys, { targets: listed });
    this.publishSnapshot(publication, targets);
  }

  /** The next snapshot and timestamp, around targets that were made before. */
  publishSnapshot(publication: Publication, targets: Uint8Array): void {
    const listed = (role: TufRole, bytes: Uint8Array) => ({
      version: this.#nameOf(role, publication),
      length: bytes.length,
      hashes: hashesOf(bytes),
    });
    const snapshot = this.#make('snapshot', publication, this.setup.snapshot.keys, {
      meta: { 'targets.json': listed('targets', targets), 'other.json': { version: 1 } },
    });
    const timestamp = this.#make('timestamp', publication, this.setup.timestamp.keys, {
      meta: { 'snapshot.json': listed('snapshot', snapshot) },
    });
    const prefix = (role: TufRole) => (this.consistentSnapshot ? `${this.#nameOf(role, publication)}.` : '');
    this.files.set(`${prefix('targets')}targets.json`, targets);
    this.files.set(`${prefix('snapshot')}snapshot.json`, snapshot);
    this.files.set('timestamp.json', timestamp);
  }

  #nameOf(role: TufRole, { versions }: Publication): number {
    return versions?.[role] ?? this.versions[role];
  }

  #make(role: TufRole, publication: Publication, keys: readonly KeyObject[], parts: object): Uint8Array {
    this.versions[role] += 1;
    const signed = {
      _type: role,
      spec_version: '1.0.34',
      version: this.#nameOf(role, publication),
      expires: toTime(new Date(Number(this.now) + (publication.life?.[role] ?? lives[role]))),
      ...parts,
    };
    publication.edit?.[role]?.(signed);
    return signMetadata(signed, publication.signers?.[role] ?? keys);
  }
}

/** Metadata as it is served: indented, so that signatures are over another text than that of the file. */
export function signMetadata(signed: object, keys: readonly KeyObject[]): Uint8Array {
  const message = Buffer.from(canonical(signed));
  const signatures = keys.map((key) => ({ keyid: keyIdOf(key), sig: signatureOf(key, message) }));
  return Buffer.from(JSON.stringify({ signatures, signed }, undefined, 1));
}

function signatureOf(key: KeyObject, message: Uint8Array): string {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', message, key).toString('hex');
}

/** Canonical JSON for what the tests sign, whose keys are ASCII. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value);
  }
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `"${key}":${canonical(member)}`).join(',')}}`;
}

export function keyIdOf(key: KeyObject): string {
  return sha256(Buffer.from(canonical(formatKey(key)))).toString('hex');
}

/** Ed25519 in hexadecimal and ECDSA in PEM, as tuf-on-ci writes them. */
export function formatKey(key: KeyObject): object {
  const spki = spkiOf(key);
  if (key.asymmetricKeyType === 'ed25519') {
    return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: spki.subarray(-32).toString('hex') } };
  }
  const lines = spki.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
  return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } };
}

function hashesOf(bytes: Uint8Array): Readonly<Record<'sha256' | 'sha512', string>> {
  const hash = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { sha256: hash('sha256'), sha512: hash('sha512') };
}

function toTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

export interface TufServer extends AsyncDisposable {
  readonly url: string;
  /** Path of every request so far. */
  readonly requests: readonly string[];
}

/** A mirror on loopback. `answer` may serve something else than what `files` holds. */
export async function serveTuf(
  files: ReadonlyMap<string, Uint8Array>,
  answer: (path: string) => Uint8Array | number | 'endless' | undefined = () => undefined,
): Promise<TufServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    requests.push(path);
    const body = answer(path) ?? files.get(path) ?? 404;
    if (body === 'endless') {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 32))) {}
        response.once('drain', pour);
      };
      pour();
    } else if (typeof body === 'number') {
      response.writeHead(body).end('no');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
