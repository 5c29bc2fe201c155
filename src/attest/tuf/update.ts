import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Delegation, searchTarget } from './delegations.ts';
import { maxTarget } from './limits.ts';
import {
  type FileInfo,
  maxLength,
  type Root,
  type Snapshot,
  type TargetInfo,
  type Targets,
  type Timestamp,
} from './metadata.ts';
import {
  isContent,
  isSigned,
  nextDelegated,
  nextRoot,
  nextSnapshot,
  nextTargets,
  nextTimestamp,
  noTarget,
  requireContent,
  requireFresh,
  targetsIn,
  trustRoot,
} from './workflow.ts';

/** Everything that is trusted of one TUF repository. */
export interface TufRepository extends TufMetadata {
  readonly root: Root;
  /** The roots that led from the first trusted one to `root`, without the first, oldest first. */
  readonly chain: readonly Root[];
}

/** What is trusted beside the root. */
export interface TufMetadata {
  readonly timestamp?: Timestamp;
  readonly snapshot?: Snapshot;
  readonly targets?: Targets;
  readonly trustedRoot?: TargetFile;
}

/**
 * What an instance says of itself: whom to believe, and with which services to sign. Both come from one and
 * the same targets.
 */
export interface TargetFile {
  readonly bytes: Uint8Array;
  /** When a mirror last showed that these bytes are the current ones. */
  readonly refreshedAt: Date;
  /** Those that the repository has, by their names. */
  readonly signingConfigs: SigningConfigFiles;
  /** The delegated roles that were asked for them, by their names. */
  readonly roles: DelegatedRoles;
}

export type DelegatedRoles = ReadonlyMap<string, Targets>;

export type SigningConfigFiles = Readonly<Partial<Record<SigningConfigName, Uint8Array>>>;

/** Gets one file of a mirror, at most `limit` bytes; `undefined` where it has no such file. */
export type Download = (path: string, limit: number) => Promise<Uint8Array | undefined>;

export interface UpdateOptions {
  readonly download: Download;
  /** When the update began; all of it happens at this time (5.1). */
  readonly now: Date;
  /**
   * Keeps what has just become trusted, so that no later update falls behind it even where this one ends
   * early (5.3.8, 5.4.5, 5.5.7, 5.6.6).
   */
  readonly persist: (repository: TufRepository) => Promise<void>;
  /**
   * Throws where the new trusted root or a signing config cannot be used: then those before stay in use, and
   * grow old.
   */
  readonly accept: (files: Pick<TargetFile, 'bytes' | 'signingConfigs'>) => void;
}

/** The one target that has to be there. */
export const targetName = 'trusted_root.json';
/** The public instance has both: the default one, and one to opt into logs of API version 2 with. */
export const signingConfigNames = ['signing_config.v0.2.json', 'signing_config_rekor_v2.v0.2.json'] as const;
export type SigningConfigName = (typeof signingConfigNames)[number];
/** Y of section 5.3.3: the public instance makes three roots a year. */
const maxRoots = 256;

/** The state of a client that has nothing but a root to begin with. */
export function newRepository(anchor: Uint8Array): TufRepository {
  return { root: trustRoot(anchor), chain: [] };
}

/**
 * Brings a repository up to date: the client workflow of TUF 1.0.34 section 5. Two requests where nothing is
 * new.
 *
 * @throws TcfError `tuf.signatures`, `tuf.rollback`, `tuf.expired`, `tuf.mixed`, `tuf.content`,
 *   `tuf.no-target`, `tuf.malformed`, `tuf.missing`, `document.malformed`, `json.malformed` (exit 2), and
 *   what `download` and `persist` throw.
 */
export async function update(known: TufRepository, options: UpdateOptions): Promise<TufRepository> {
  const { accept, download, now, persist } = options;
  const { snapshot, state, targets } = await updateMetadata(known, options);
  const { trustedRoot } = state;
  const roles = new Map<string, Targets>();
  const find = (name: string) =>
    findTarget({ root: state.root, snapshot, targets }, name, {
      download,
      now,
      kept: trustedRoot?.roles,
      onRole: (role, metadata) => roles.set(role, metadata),
    });
  const fetchFile = (name: string, info: TargetInfo, kept?: Uint8Array) =>
    updateTarget(state.root, info, name, kept, download);
  const listed = (await find(targetName)) ?? noTarget(targetName);
  const bytes = await fetchFile(targetName, listed, trustedRoot?.bytes);
  const signingConfigs: Partial<Record<SigningConfigName, Uint8Array>> = {};
  for (const name of signingConfigNames) {
    const info = await find(name);
    // An instance that nobody but its own tools signs with may have none.
    if (info !== undefined) {
      signingConfigs[name] = await fetchFile(name, info, trustedRoot?.signingConfigs[name]);
    }
  }
  accept({ bytes, signingConfigs });
  const updated = { ...state, targets, trustedRoot: { bytes, refreshedAt: now, roles, signingConfigs } };
  await persist(updated);
  return updated;
}

/**
 * Sections 5.3 to 5.6: the top-level metadata. The new targets are returned beside the state, which keeps the
 * old ones until their files have come and are accepted.
 *
 * @throws TcfError as `update` does, for metadata.
 */
export async function updateMetadata(
  known: TufRepository,
  options: Omit<UpdateOptions, 'accept'>,
): Promise<{ readonly state: TufRepository; readonly snapshot: Snapshot; readonly targets: Targets }> {
  const { download, now, persist } = options;
  let state = await updateRoot(known, options);
  requireFresh(state.root, now);

  const timestamp = await updateTimestamp(state, download);
  requireFresh(timestamp, now);
  state = { ...state, timestamp };
  await persist(state);

  const snapshot = await updateSnapshot(state, timestamp, download);
  requireFresh(snapshot, now);
  state = { ...state, snapshot };
  await persist(state);

  const targets = await updateTargets(state, snapshot, download);
  requireFresh(targets, now);
  return { state, snapshot, targets };
}

async function updateRoot(
  known: TufRepository,
  { download, persist }: Pick<UpdateOptions, 'download' | 'persist'>,
): Promise<TufRepository> {
  let state = known;
  for (let count = 0; count < maxRoots; count += 1) {
    const bytes = await download(`${state.root.version + 1}.root.json`, maxLength.root);
    if (bytes === undefined) {
      break;
    }
    const root = nextRoot(state.root, bytes);
    state = { ...vouchedFor(state, root), root, chain: [...state.chain, root] };
    await persist(state);
  }
  return state;
}

/**
 * What the keys of a new root still vouch for. The rest goes: after a fast-forward attack with a stolen
 * online key the true versions are lower than those that were seen, and would look like a rollback for ever
 * (5.3.11). A trusted root that revoked keys signed goes with them.
 */
export function vouchedFor(
  { snapshot, targets, timestamp, trustedRoot }: TufMetadata,
  root: Root,
): TufMetadata {
  const isOnline = [timestamp, snapshot].every((role) => role === undefined || isSigned(role, root));
  const isOffline = targets !== undefined && isSigned(targets, root);
  return {
    ...(isOnline && timestamp !== undefined ? { timestamp } : {}),
    ...(isOnline && snapshot !== undefined ? { snapshot } : {}),
    ...(isOffline ? { targets } : {}),
    ...(isOffline && trustedRoot !== undefined ? { trustedRoot } : {}),
  };
}

async function updateTimestamp({ root, timestamp }: TufRepository, download: Download): Promise<Timestamp> {
  return nextTimestamp(root, timestamp, await need(download, 'timestamp.json', maxLength.timestamp));
}

/** What is kept is not fetched again where it is what is announced now; nor is it in the next two. */
async function updateSnapshot(
  { root, snapshot }: TufRepository,
  timestamp: Timestamp,
  download: Download,
): Promise<Snapshot> {
  const listed = timestamp.snapshot;
  if (snapshot !== undefined && isListed(snapshot, listed)) {
    return snapshot;
  }
  const bytes = await need(download, versioned(root, listed, 'snapshot.json'), limitOf('snapshot', listed));
  return nextSnapshot(root, timestamp, snapshot, bytes);
}

async function updateTargets(
  { root, targets }: TufRepository,
  snapshot: Snapshot,
  download: Download,
): Promise<Targets> {
  const listed = targetsIn(snapshot);
  if (targets !== undefined && isListed(targets, listed)) {
    return targets;
  }
  const bytes = await need(download, versioned(root, listed, 'targets.json'), limitOf('targets', listed));
  return nextTargets(root, snapshot, bytes);
}

/** The metadata that a search begins with. */
export interface Listed {
  readonly root: Root;
  readonly snapshot: Snapshot;
  readonly targets: Targets;
}

export interface FindOptions extends Pick<UpdateOptions, 'download' | 'now'> {
  /** What was kept of delegated roles; verified again, and not fetched where it is what is announced now. */
  readonly kept?: DelegatedRoles | undefined;
  /** Told of each delegated role that was asked. */
  readonly onRole: (name: string, metadata: Targets) => void;
}

/**
 * What the repository says of one file: the top-level targets, else the roles that they delegate to (5.6.7);
 * `undefined` where nobody lists it. @throws TcfError as `update` does.
 */
export async function findTarget(
  { root, snapshot, targets }: Listed,
  name: string,
  { download, kept, now, onRole }: FindOptions,
): Promise<TargetInfo | undefined> {
  const search = searchTarget<Targets, TargetInfo>(targets, name);
  let step = search.next();
  while (step.done !== true) {
    const role = await updateDelegated(root, snapshot, step.value, kept?.get(step.value.name), download);
    requireFresh(role, now);
    onRole(step.value.name, role);
    step = search.next(role);
  }
  return step.value;
}

async function updateDelegated(
  root: Root,
  snapshot: Snapshot,
  delegation: Delegation,
  kept: Targets | undefined,
  download: Download,
): Promise<Targets> {
  const listed = targetsIn(snapshot, delegation.name);
  const isCurrent = kept !== undefined && isListed(kept, listed);
  // The name of a role is anybody's text: as one part of an address it leads nowhere else.
  const file = `${encodeURIComponent(delegation.name)}.json`;
  const bytes = isCurrent
    ? kept.bytes
    : await need(download, versioned(root, listed, file), limitOf('targets', listed));
  return nextDelegated(delegation, snapshot, bytes);
}

/** One file as it was announced, unless what is kept is it. @throws TcfError as `update` does. */
export async function updateTarget(
  root: Root,
  info: TargetInfo,
  name: string,
  kept: Uint8Array | undefined,
  download: Download,
): Promise<Uint8Array> {
  if (info.length > maxTarget) {
    throw cannotTell(
      'tuf.content',
      `the TUF target ${name} has ${info.length} bytes, more than the limit of ${maxTarget}`,
    );
  }
  if (kept !== undefined && isContent(kept, info)) {
    return kept;
  }
  const prefix = root.consistentSnapshot ? `${info.hashes.sha256 ?? info.hashes.sha512}.` : '';
  const bytes = await need(download, `targets/${prefix}${name}`, info.length);
  requireContent(`target ${name}`, bytes, info);
  return bytes;
}

/** The name of a metadata file under consistent snapshots (section 6.2) and without. */
function versioned({ consistentSnapshot }: Root, { version }: FileInfo, name: string): string {
  return consistentSnapshot ? `${version}.${name}` : name;
}

function isListed({ bytes, version }: Snapshot | Targets, listed: FileInfo): boolean {
  return version === listed.version && isContent(bytes, listed);
}

/** Endless data: what was announced, but never more than the role may have. */
function limitOf(role: 'snapshot' | 'targets', { length }: FileInfo): number {
  return Math.min(length ?? maxLength[role], maxLength[role]);
}

async function need(download: Download, path: string, limit: number): Promise<Uint8Array> {
  const bytes = await download(path, limit);
  if (bytes !== undefined) {
    return bytes;
  }
  throw cannotTell('tuf.missing', `the TUF mirror has no ${quoted(path)}`, {
    hint: 'check the address of the mirror',
  });
}
