import { compact } from '../../base/compact.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { canonicalJson } from './canonical-json.ts';
import { type Delegation, readDelegations } from './delegations.ts';
import { maxKeys, membersOf, type RoleKeys, readKeys, readRole } from './roles.ts';

/** The top-level roles (TUF 1.0.34 section 2.1). */
export type TufRole = 'root' | 'snapshot' | 'targets' | 'timestamp';

/**
 * Most bytes that are read of each role's metadata, where no other role says how many there are: W, X, Y and
 * Z of section 5.
 */
export const maxLength: Readonly<Record<TufRole, number>> = {
  // The public Sigstore instance: root 6 KiB, timestamp 0.5 KiB, snapshot 0.5 KiB, targets 6 KiB. A timestamp
  // names one file only.
  root: 512 * 1024,
  timestamp: 16 * 1024,
  snapshot: 2 * 1024 * 1024,
  targets: 5 * 1024 * 1024,
};

interface Metadata {
  /** As it was received. */
  readonly bytes: Uint8Array;
  /** What signatures are made over. */
  readonly signed: Uint8Array;
  /**
   * By key id; entries with an empty signature, as tuf-on-ci leaves them for absent signers, are not in it.
   */
  readonly signatures: ReadonlyMap<string, Uint8Array>;
  /** From 1. */
  readonly version: number;
  readonly expires: Date;
}

export interface Root extends Metadata {
  readonly role: 'root';
  readonly consistentSnapshot: boolean;
  readonly roles: Readonly<Record<TufRole, RoleKeys>>;
}

export interface Timestamp extends Metadata {
  readonly role: 'timestamp';
  readonly snapshot: FileInfo;
}

export interface Snapshot extends Metadata {
  readonly role: 'snapshot';
  /** By file name: `targets.json`. */
  readonly files: ReadonlyMap<string, FileInfo>;
}

export interface Targets extends Metadata {
  readonly role: 'targets';
  readonly targets: ReadonlyMap<string, TargetInfo>;
  /** Other roles that speak of targets, in the order in which they are asked. */
  readonly delegations: readonly Delegation[];
}

/** What one role says of the metadata file of another. */
export interface FileInfo {
  readonly version: number;
  /** Bytes. */
  readonly length?: number;
  readonly hashes?: Hashes;
}

export interface TargetInfo {
  /** Bytes. */
  readonly length: number;
  readonly hashes: Hashes;
}

/** Lower-case hexadecimal; at least one of them. */
export type Hashes = Readonly<Partial<Record<'sha256' | 'sha512', string>>>;

/** The public instance has 12 targets. */
const maxTargets = 10_000;

/**
 * Reads root metadata (section 4.3). @throws TcfError `json.malformed`, `document.malformed`, `tuf.malformed`
 * (exit 2); so do the others.
 */
export function parseRoot(bytes: Uint8Array): Root {
  const { common, signed } = open(bytes, 'root');
  const keys = readKeys(signed.get('keys'));
  const roles = signed.get('roles');
  const role = (name: TufRole) => readRole(roles.get(name), keys);
  return {
    ...common,
    role: 'root',
    consistentSnapshot: signed.get('consistent_snapshot').boolean(),
    roles: {
      root: role('root'),
      timestamp: role('timestamp'),
      snapshot: role('snapshot'),
      targets: role('targets'),
    },
  };
}

/** Reads timestamp metadata (section 4.6). */
export function parseTimestamp(bytes: Uint8Array): Timestamp {
  const { common, signed } = open(bytes, 'timestamp');
  return { ...common, role: 'timestamp', snapshot: readFile(signed.get('meta').get('snapshot.json')) };
}

/** Reads snapshot metadata (section 4.4). */
export function parseSnapshot(bytes: Uint8Array): Snapshot {
  const { common, signed } = open(bytes, 'snapshot');
  return { ...common, role: 'snapshot', files: new Map(membersOf(signed.get('meta'), maxTargets, readFile)) };
}

/** Reads the metadata of the top-level targets role, or of one that it delegates to (section 4.5). */
export function parseTargets(bytes: Uint8Array): Targets {
  const { common, signed } = open(bytes, 'targets');
  const readTarget = (target: Shape) => ({
    length: target.get('length').whole(),
    hashes: readHashes(target.get('hashes')),
  });
  return {
    ...common,
    role: 'targets',
    targets: new Map(membersOf(signed.get('targets'), maxTargets, readTarget)),
    delegations: readDelegations(signed.optional('delegations')),
  };
}

function open(bytes: Uint8Array, role: TufRole): { readonly common: Metadata; readonly signed: Shape } {
  const limits = { maxBytes: maxLength[role], maxDepth: 16 };
  const envelope = new Shape(parseJson(bytes, `the TUF ${role} metadata`, limits), role);
  const signed = envelope.get('signed');
  // Metadata of another role, signed by a key that both roles share, must not pass for this one.
  const type = signed.get('_type');
  if (type.string(100) !== role) {
    throw type.wrong(`is ${quoted(type.string())}, not ${role}`);
  }
  const specification = signed.get('spec_version');
  if (!/^1(?:\.\d{1,9}){1,2}$/.test(specification.string(100))) {
    throw specification.wrong(`is ${quoted(specification.string())}, and 1.0 is needed`);
  }
  return {
    signed,
    common: {
      bytes,
      signed: canonicalJson(signed.value),
      signatures: readSignatures(envelope.get('signatures')),
      version: readVersion(signed.get('version')),
      expires: readTime(signed.get('expires')),
    },
  };
}

function readSignatures(list: Shape): ReadonlyMap<string, Uint8Array> {
  const signatures = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  for (const entry of list.list(maxKeys)) {
    const id = entry.get('keyid').string(200);
    if (seen.has(id)) {
      throw entry.get('keyid').wrong('stands twice');
    }
    seen.add(id);
    const hex = entry.get('sig');
    if (!/^(?:[0-9a-f]{2})*$/.test(hex.string(4096))) {
      throw hex.wrong('is not hexadecimal');
    }
    if (hex.value !== '') {
      signatures.set(id, Buffer.from(hex.string(), 'hex'));
    }
  }
  return signatures;
}

function readFile(file: Shape): FileInfo {
  const length = file.optional('length')?.whole();
  const hashes = file.optional('hashes');
  return compact({
    version: readVersion(file.get('version')),
    length,
    ...(hashes === undefined ? {} : { hashes: readHashes(hashes) }),
  });
}

/**
 * Hashes of other algorithms are passed over; where there is none that tcf knows, nothing could be checked.
 */
function readHashes(hashes: Shape): Hashes {
  const read = (name: 'sha256' | 'sha512', digits: number): Hashes => {
    const hash = hashes.optional(name);
    if (hash === undefined) {
      return {};
    }
    if (!/^[0-9a-f]+$/.test(hash.string(digits)) || hash.string().length !== digits) {
      throw hash.wrong(`is not ${digits} hexadecimal digits`);
    }
    return { [name]: hash.string() };
  };
  const known = { ...read('sha256', 64), ...read('sha512', 128) };
  if (Object.keys(known).length === 0) {
    throw hashes.wrong('holds neither sha256 nor sha512');
  }
  return known;
}

function readVersion(version: Shape): number {
  if (version.whole() === 0) {
    throw version.wrong('is 0, and versions begin with 1');
  }
  return version.whole();
}

/** ISO 8601 in UTC, to the second (section 4.2.2: EXPIRES). */
function readTime(shape: Shape): Date {
  const text = shape.string(40);
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) || Number.isNaN(Number(time))) {
    throw shape.wrong('is not a time such as 2026-01-31T00:00:00Z');
  }
  return time;
}
