import { createHash } from 'node:crypto';
import { cannotTell, type TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Delegation, searchTarget } from './delegations.ts';
import {
  type FileInfo,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
  type Root,
  type Snapshot,
  type TargetInfo,
  type Targets,
  type Timestamp,
  type TufRole,
} from './metadata.ts';
import type { RoleKeys } from './roles.ts';

/*
 * The client workflow of TUF 1.0.34 (section 5), one function for each file that comes from a mirror. A
 * function takes what is trusted already and the new bytes, and returns the new metadata or throws a TcfError
 * (exit 2): what was trusted before stays so.
 */

type Metadata = Root | Snapshot | Targets | Timestamp;

/**
 * A root to begin with, from the user or from tcf itself. It may be expired (5.2), but it has to be signed by
 * its own keys.
 */
export function trustRoot(bytes: Uint8Array): Root {
  const root = parseRoot(bytes);
  requireSignatures(root, root);
  return root;
}

/** The root after the trusted one (5.3.4 to 5.3.7). */
export function nextRoot(trusted: Root, bytes: Uint8Array): Root {
  const root = parseRoot(bytes);
  // 5.3.4, arbitrary software: the old keys hand over to the new ones, and the new ones show that they exist.
  requireSignatures(root, trusted);
  requireSignatures(root, root);
  // 5.3.5, rollback: no version is passed over, or a revoked key could return.
  if (root.version !== trusted.version + 1) {
    throw rollback(`root metadata ${trusted.version + 1} says it is version ${root.version}`);
  }
  return root;
}

/** A newer timestamp; the trusted one where the mirror has no newer (5.4.2 and 5.4.3). */
export function nextTimestamp(root: Root, trusted: Timestamp | undefined, bytes: Uint8Array): Timestamp {
  const timestamp = parseTimestamp(bytes);
  // 5.4.2, arbitrary software.
  requireSignatures(timestamp, root);
  if (trusted === undefined) {
    return timestamp;
  }
  // 5.4.3.1, rollback.
  if (timestamp.version < trusted.version) {
    throw older('timestamp', timestamp.version, trusted.version);
  }
  if (timestamp.version === trusted.version) {
    return trusted;
  }
  // 5.4.3.2, rollback of the snapshot by a holder of the timestamp's online key.
  if (timestamp.snapshot.version < trusted.snapshot.version) {
    throw older('snapshot', timestamp.snapshot.version, trusted.snapshot.version);
  }
  return timestamp;
}

/** The snapshot that the timestamp names (5.5.2 to 5.5.5). */
export function nextSnapshot(
  root: Root,
  timestamp: Timestamp,
  trusted: Snapshot | undefined,
  bytes: Uint8Array,
): Snapshot {
  // 5.5.2, mix and match.
  requireContent('snapshot', bytes, timestamp.snapshot);
  const snapshot = parseSnapshot(bytes);
  // 5.5.3, arbitrary software.
  requireSignatures(snapshot, root);
  // 5.5.4, mix and match.
  requireVersion(snapshot, timestamp.snapshot);
  // 5.5.5, rollback of targets, or their disappearance.
  for (const [name, { version }] of trusted?.files ?? []) {
    const file = snapshot.files.get(name);
    if (file === undefined) {
      throw rollback(`the snapshot no longer lists ${quoted(name)}`);
    }
    if (file.version < version) {
      throw older(quoted(name), file.version, version);
    }
  }
  return snapshot;
}

/** The targets that the snapshot names (5.6.2 to 5.6.4). */
export function nextTargets(root: Root, snapshot: Snapshot, bytes: Uint8Array): Targets {
  const listed = targetsIn(snapshot);
  // 5.6.2, mix and match.
  requireContent('targets', bytes, listed);
  const targets = parseTargets(bytes);
  // 5.6.3, arbitrary software.
  requireSignatures(targets, root);
  // 5.6.4, mix and match.
  requireVersion(targets, listed);
  return targets;
}

/** The metadata of a delegated role that the snapshot names (5.6.7, with 5.6.2 to 5.6.4 of it). */
export function nextDelegated(delegation: Delegation, snapshot: Snapshot, bytes: Uint8Array): Targets {
  const listed = targetsIn(snapshot, delegation.name);
  requireContent(quoted(delegation.name), bytes, listed);
  const targets = parseTargets(bytes);
  requireDelegated(targets, delegation);
  requireVersion(targets, listed);
  return targets;
}

/** Arbitrary software: the keys that this delegation lists have signed. */
function requireDelegated(targets: Targets, delegation: Delegation): void {
  if (isSignedByRole(targets, delegation)) {
    return;
  }
  throw cannotTell(
    'tuf.signatures',
    `the TUF metadata of ${quoted(delegation.name)}, version ${targets.version}, is not signed by ${delegation.threshold} of the keys that are delegated to`,
    { hint: 'the mirror was tampered with' },
  );
}

/** What the snapshot says of the top-level targets, or of a role that they delegate to. */
export function targetsIn(snapshot: Snapshot, role = 'targets'): FileInfo {
  const listed = snapshot.files.get(`${role}.json`);
  if (listed === undefined) {
    throw cannotTell('tuf.malformed', `the TUF snapshot metadata lists no ${quoted(`${role}.json`)}`);
  }
  return listed;
}

/**
 * What kept metadata says of one file (5.7.2), with every delegation proven again. @throws TcfError
 * `tuf.no-target`, `tuf.signatures`, `tuf.missing` (exit 2).
 */
export function targetIn(
  targets: Targets,
  name: string,
  roles: ReadonlyMap<string, Targets> = new Map(),
): TargetInfo {
  const search = searchTarget<Targets, TargetInfo>(targets, name);
  let step = search.next();
  while (step.done !== true) {
    const role = roles.get(step.value.name);
    if (role === undefined) {
      throw cannotTell('tuf.missing', `the metadata of the TUF role ${quoted(step.value.name)} is not there`);
    }
    requireDelegated(role, step.value);
    step = search.next(role);
  }
  return step.value ?? noTarget(name);
}

/** @throws TcfError `tuf.no-target` (exit 2). */
export function noTarget(name: string): never {
  throw cannotTell('tuf.no-target', `the TUF repository has no ${quoted(name)}`);
}

/**
 * Freeze (5.3.10, 5.4.4, 5.5.6, 5.6.5): a mirror that withholds what is new can do so only until what is old
 * expires.
 */
export function requireFresh(metadata: Metadata, now: Date): void {
  if (now < metadata.expires) {
    return;
  }
  throw cannotTell(
    'tuf.expired',
    `the TUF ${metadata.role} metadata, version ${metadata.version}, expired on ${metadata.expires.toISOString()}`,
    { hint: 'the mirror may be frozen or be kept from you; check it, and the clock of this machine' },
  );
}

/**
 * 5.5.2, 5.6.2 and 5.7.3: the bytes are those that were announced. @throws TcfError `tuf.content` (exit 2).
 */
export function requireContent(what: string, bytes: Uint8Array, announced: Announced): void {
  if (isContent(bytes, announced)) {
    return;
  }
  throw cannotTell(
    'tuf.content',
    `the TUF ${what} is not what was announced: another length or another hash`,
    {
      hint: 'the mirror is being changed just now, or it was tampered with; try again',
    },
  );
}

/** Length and hashes, as far as they were announced. */
export type Announced = Pick<FileInfo, 'hashes' | 'length'>;

export function isContent(bytes: Uint8Array, { hashes = {}, length }: Announced): boolean {
  return (
    (length === undefined || bytes.length === length) &&
    Object.entries(hashes).every(
      ([algorithm, hash]) => createHash(algorithm).update(bytes).digest('hex') === hash,
    )
  );
}

/** Whether enough keys of its role, as `root` lists them, have signed. */
export function isSigned(metadata: Metadata, root: Root): boolean {
  return isSignedByRole(metadata, root.roles[metadata.role]);
}

function isSignedByRole({ signatures, signed }: Metadata, { keys, threshold }: RoleKeys): boolean {
  return signersOf(keys, signatures, signed).size >= threshold;
}

function requireSignatures(metadata: Metadata, root: Root): void {
  if (isSigned(metadata, root)) {
    return;
  }
  const { threshold } = root.roles[metadata.role];
  throw cannotTell(
    'tuf.signatures',
    `the TUF ${metadata.role} metadata, version ${metadata.version}, is not signed by ${threshold} of the keys that root ${root.version} lists`,
    { hint: 'the mirror does not belong to this root, or it was tampered with' },
  );
}

/** Distinct keys: one key under two ids is one signer (5.3.4: each KEY contributes one SIGNATURE). */
function signersOf(
  keys: RoleKeys['keys'],
  signatures: ReadonlyMap<string, Uint8Array>,
  message: Uint8Array,
): ReadonlySet<string> {
  const signers = new Set<string>();
  for (const [id, key] of keys) {
    const signature = signatures.get(id);
    if (signature !== undefined && key.isSignedBy(message, signature)) {
      signers.add(key.fingerprint);
    }
  }
  return signers;
}

function requireVersion({ role, version }: Metadata, listed: FileInfo): void {
  if (version === listed.version) {
    return;
  }
  throw cannotTell(
    'tuf.mixed',
    `the TUF ${role} metadata is version ${version}, and version ${listed.version} was announced`,
  );
}

function older(what: TufRole | string, offered: number, known: number): TcfError {
  return rollback(`the mirror offers version ${offered} of ${what}, and version ${known} was seen before`);
}

function rollback(why: string): TcfError {
  return cannotTell('tuf.rollback', `this is a rollback: ${why}`, {
    hint: 'the earlier metadata stays in use; ask the operator of the mirror',
  });
}
