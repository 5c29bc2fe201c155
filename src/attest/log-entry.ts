import { wholeNumber } from '../base/json.ts';
import type { Shape } from '../base/shape.ts';
import { bytesAt, onlyKeys, optionalMember } from './dsse.ts';

/**
 * `dev.sigstore.rekor.v1.TransparencyLogEntry`. Numbers are decimal digits: a log index may exceed what a
 * double holds.
 */
export interface LogEntry {
  readonly kind: string;
  readonly apiVersion: string;
  /** Of the log's key: sha256 of its SPKI for Rekor v1, the checkpoint key ID for v2. */
  readonly logId: Uint8Array;
  readonly logIndex: string;
  /** Seconds since 1970, `0` where the log gives none (Rekor v2). */
  readonly integratedTime: string;
  readonly signedEntryTimestamp?: Uint8Array;
  readonly proof?: InclusionProof;
  readonly body: Uint8Array;
}

export interface InclusionProof {
  readonly logIndex: string;
  readonly treeSize: string;
  readonly rootHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  /** A signed note (C2SP tlog-checkpoint). */
  readonly checkpoint?: string;
}

/** A tree of 2^63 leaves needs 63 hashes. */
const maxHashes = 64;
/** Checkpoints with a dozen co-signatures have about 3 KB. */
const maxCheckpoint = 65_536;

/** @throws TcfError; call it inside `answer`. `needs`: what the bundle's version requires of an entry. */
export function readLogEntry(entry: Shape, needs: 'promise' | 'proof'): LogEntry {
  onlyKeys(entry, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const kindVersion = entry.get('kindVersion');
  onlyKeys(kindVersion, ['kind', 'version']);
  onlyKeys(entry.get('logId'), ['keyId']);
  const promise = optionalMember(entry, 'inclusionPromise');
  const proof = optionalMember(entry, 'inclusionProof');
  if (needs === 'promise' && promise === undefined) {
    throw entry.wrong('has no inclusionPromise');
  }
  if (needs === 'proof' && proof === undefined) {
    throw entry.wrong('has no inclusionProof');
  }
  if (promise !== undefined) {
    onlyKeys(promise, ['signedEntryTimestamp']);
  }
  return {
    kind: kindVersion.get('kind').string(100),
    apiVersion: kindVersion.get('version').string(100),
    logId: bytesAt(entry.get('logId').get('keyId'), 1000),
    logIndex: readNumber(entry, 'logIndex'),
    integratedTime: readNumber(entry, 'integratedTime'),
    ...(promise === undefined ? {} : { signedEntryTimestamp: bytesAt(promise.get('signedEntryTimestamp')) }),
    ...(proof === undefined ? {} : { proof: readProof(proof, needs === 'proof') }),
    body: bytesAt(entry.get('canonicalizedBody'), 64 * 1024 * 1024),
  };
}

function readProof(proof: Shape, needsCheckpoint: boolean): InclusionProof {
  onlyKeys(proof, ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']);
  const checkpoint = optionalMember(proof, 'checkpoint');
  if (checkpoint === undefined && needsCheckpoint) {
    throw proof.wrong('has no checkpoint');
  }
  if (checkpoint !== undefined) {
    onlyKeys(checkpoint, ['envelope']);
  }
  return {
    logIndex: readNumber(proof, 'logIndex'),
    treeSize: readNumber(proof, 'treeSize'),
    rootHash: hashAt(proof.get('rootHash')),
    hashes: (optionalMember(proof, 'hashes')?.list(maxHashes) ?? []).map(hashAt),
    ...(checkpoint === undefined ? {} : { checkpoint: checkpoint.get('envelope').string(maxCheckpoint) }),
  };
}

function hashAt(shape: Shape): Uint8Array {
  const hash = bytesAt(shape, 100);
  if (hash.length !== 32) {
    throw shape.wrong(`has ${hash.length} bytes, not 32`);
  }
  return hash;
}

/**
 * An int64 of the JSON form of Protocol Buffers, here never negative: digits in a string, or a number. Absent
 * is zero.
 */
function readNumber(shape: Shape, key: string): string {
  const member = optionalMember(shape, key);
  if (member === undefined) {
    return '0';
  }
  if (typeof member.value === 'number') {
    return String(member.whole());
  }
  const large = wholeNumber(member.value);
  const digits = large === undefined ? member.string(19) : String(large);
  if (!/^(?:0|[1-9]\d*)$/.test(digits) || BigInt(digits) >= 2n ** 63n) {
    throw member.wrong('is not a whole number of 64 bits');
  }
  return digits;
}
