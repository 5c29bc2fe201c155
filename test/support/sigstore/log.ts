import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { newKey, sha256, spkiOf } from './authority.ts';

/** An entry of a bundle in the JSON form of Protocol Buffers. */
export interface EntryJson {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  readonly integratedTime: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

/** A transparency log with a real Merkle tree (RFC 6962), without the network. */
export interface Log {
  readonly version: 1 | 2;
  readonly key: KeyObject;
  /** 32 bytes. */
  readonly id: Buffer;
  /** How it calls itself in its checkpoints: its host, with the port in version 1, as Go verifiers expect. */
  readonly name: string;
  /** Appends a body and returns the entry with promise (v1 only), proof and checkpoint. */
  append(body: Uint8Array, time?: Date): EntryJson;
  /** The entry of a body that is in the log, at the present size of the tree. */
  find(body: Uint8Array): EntryJson | undefined;
}

export function newLog(version: 1 | 2, name: string, now: () => Date): Log {
  const key = version === 1 ? newKey() : generateKeyPairSync('ed25519').privateKey;
  const id = version === 1 ? sha256(spkiOf(key)) : noteKeyId(name, key);
  const leaves: { readonly body: Buffer; readonly time: Date }[] = [];

  const entryAt = (index: number): EntryJson => {
    const leaf = leaves[index];
    if (leaf === undefined) {
      throw new Error(`the log has no entry ${index}`);
    }
    const hashes = leaves.map(({ body }) => sha256(Buffer.from([0]), body));
    const { kind, apiVersion } = JSON.parse(leaf.body.toString());
    const root = rootOf(hashes);
    return {
      logIndex: String(index),
      logId: { keyId: id.toString('base64') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: version === 1 ? seconds(leaf.time) : '0',
      ...(version === 1
        ? {
            inclusionPromise: {
              signedEntryTimestamp: promise(leaf.body, leaf.time, index).toString('base64'),
            },
          }
        : {}),
      inclusionProof: {
        logIndex: String(index),
        rootHash: root.toString('base64'),
        treeSize: String(leaves.length),
        hashes: pathOf(index, hashes).map((hash) => hash.toString('base64')),
        checkpoint: { envelope: checkpoint(root) },
      },
      canonicalizedBody: leaf.body.toString('base64'),
    };
  };

  const promise = (body: Buffer, time: Date, index: number) =>
    sign(
      'sha256',
      Buffer.from(
        JSON.stringify({
          body: body.toString('base64'),
          integratedTime: Number(seconds(time)),
          logID: id.toString('hex'),
          logIndex: index,
        }),
      ),
      key,
    );

  const checkpoint = (root: Buffer) => {
    const origin = version === 1 ? `${name} - 1193050959916656506` : name;
    const note = `${origin}\n${leaves.length}\n${root.toString('base64')}\n`;
    const signature = sign(version === 1 ? 'sha256' : null, Buffer.from(note), key);
    return `${note}\n\u2014 ${name} ${Buffer.concat([id.subarray(0, 4), signature]).toString('base64')}\n`;
  };

  return {
    version,
    key,
    id,
    name,
    append: (body, time = now()) => {
      leaves.push({ body: Buffer.from(body), time });
      return entryAt(leaves.length - 1);
    },
    find: (body) => {
      const index = leaves.findIndex((leaf) => leaf.body.equals(body));
      return index < 0 ? undefined : entryAt(index);
    },
  };
}

const seconds = (time: Date) => String(Math.floor(Number(time) / 1000));

/** C2SP signed-note: SHA-256 of name, newline, algorithm 1 and the Ed25519 key. */
export function noteKeyId(name: string, key: KeyObject): Buffer {
  return sha256(Buffer.from(`${name}\n\u0001`), spkiOf(key).subarray(-32));
}

const node = (left: Buffer, right: Buffer) => sha256(Buffer.from([1]), left, right);

/** The largest power of two below `size`. */
function split(size: number): number {
  let power = 1;
  while (power * 2 < size) {
    power *= 2;
  }
  return power;
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) {
    return sha256();
  }
  if (hashes.length === 1) {
    return only;
  }
  const middle = split(hashes.length);
  return node(rootOf(hashes.slice(0, middle)), rootOf(hashes.slice(middle)));
}

function pathOf(index: number, hashes: readonly Buffer[]): Buffer[] {
  if (hashes.length <= 1) {
    return [];
  }
  const middle = split(hashes.length);
  return index < middle
    ? [...pathOf(index, hashes.slice(0, middle)), rootOf(hashes.slice(middle))]
    : [...pathOf(index - middle, hashes.slice(middle)), rootOf(hashes.slice(0, middle))];
}
