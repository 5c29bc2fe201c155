import { decodeBase64, encodeBase64, encodeUtf8 } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { cannotTell } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { parseSnapshot, parseTargets, parseTimestamp, type Root } from './metadata.ts';
import {
  type DelegatedRoles,
  type SigningConfigFiles,
  signingConfigNames,
  type TufMetadata,
  type TufRepository,
  targetName,
  vouchedFor,
} from './update.ts';
import { isSigned, nextRoot, requireContent, targetIn, trustRoot } from './workflow.ts';

const format = 'tcf.tuf/1';

/** A few dozen roots of 6 KiB and a trusted root are some hundred KiB. */
export const maxState: number = 32 * 1024 * 1024;
const maxChain = 10_000;
/** A search asks 32, and there are three files. */
const maxRoles = 100;

/** What is kept of a repository between two runs. */
export interface State {
  /** Address of the mirror that was asked last. */
  readonly mirror: string;
  /** The root to begin with; absent where tcf carries it. */
  readonly anchor?: Uint8Array;
  readonly repository: TufRepository;
}

/** One JSON document, so that one rename replaces all of it: old and new metadata never mix. */
export function formatState({ anchor, mirror, repository }: State): Uint8Array {
  const { chain, root, snapshot, targets, timestamp, trustedRoot } = repository;
  const base64 = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : encodeBase64(bytes));
  const document = {
    format,
    mirror,
    refreshedAt: trustedRoot?.refreshedAt.toISOString(),
    rootVersion: root.version,
    anchor: base64(anchor),
    chain: chain.map(({ bytes }) => encodeBase64(bytes)),
    timestamp: base64(timestamp?.bytes),
    snapshot: base64(snapshot?.bytes),
    targets: base64(targets?.bytes),
    trustedRoot: base64(trustedRoot?.bytes),
    roles: [...(trustedRoot?.roles ?? [])].map(([name, role]) => ({ name, bytes: encodeBase64(role.bytes) })),
    signingConfigs: signingConfigNames.flatMap((name) => {
      const bytes = trustedRoot?.signingConfigs[name];
      return bytes === undefined ? [] : [{ name, bytes: encodeBase64(bytes) }];
    }),
  };
  return encodeUtf8(`${JSON.stringify(document, undefined, 1)}\n`);
}

/**
 * Reads what was kept, and proves all of it again, from the anchor on: a file that somebody else wrote gains
 * no trust by lying there. Nothing is asked about expiry: an old state is still the floor below which
 * no mirror may go, and how old it is, is told by its age.
 *
 * @param carried the root that tcf carries for this repository, if it does.
 * @throws TcfError `trust.corrupt`, `json.malformed`, `document.malformed`, and those of the workflow (exit
 *   2).
 */
export function parseState(bytes: Uint8Array, name: string, carried: Uint8Array | undefined): State {
  const limits = { maxBytes: maxState, maxDepth: 4 };
  const shape = new Shape(parseJson(bytes, `what is kept of ${name}`, limits), name);
  if (shape.get('format').string(100) !== format) {
    throw shape.get('format').wrong(`is not ${format}`);
  }
  const anchor = carried ?? bytesOf(shape.get('anchor'));
  return {
    mirror: shape.get('mirror').string(2000),
    ...(carried === undefined ? { anchor } : {}),
    repository: prove(shape, anchor),
  };
}

function prove(shape: Shape, anchor: Uint8Array): TufRepository {
  const kept = readMetadata(shape);
  let root = trustRoot(anchor);
  const keptVersion = shape.get('rootVersion').whole();
  // A newer tcf carries a newer root, and its keys decide what is left of the old state.
  if (keptVersion < root.version) {
    return { ...vouchedFor(kept, root), root, chain: [] };
  }
  const roots = shape.get('chain').list(maxChain);
  const chain: Root[] = [];
  for (const bytes of roots.slice(Math.max(0, roots.length - (keptVersion - root.version)))) {
    root = nextRoot(root, bytesOf(bytes));
    chain.push(root);
  }
  if (root.version !== keptVersion) {
    throw corrupt(shape, `root ${keptVersion}`);
  }
  for (const role of [kept.timestamp, kept.snapshot, kept.targets]) {
    if (role !== undefined && !isSigned(role, root)) {
      throw corrupt(shape, `the signed ${role.role} metadata`);
    }
  }
  return { ...kept, root, chain };
}

function readMetadata(shape: Shape): TufMetadata {
  const read = <T>(key: string, parse: (bytes: Uint8Array) => T): T | undefined => {
    const member = shape.optional(key);
    return member === undefined ? undefined : parse(bytesOf(member));
  };
  const timestamp = read('timestamp', parseTimestamp);
  const snapshot = read('snapshot', parseSnapshot);
  const targets = read('targets', parseTargets);
  const trustedRoot = read('trustedRoot', (bytes) => ({
    bytes,
    refreshedAt: timeOf(shape.get('refreshedAt')),
    signingConfigs: readSigningConfigs(shape),
    roles: readRoles(shape),
  }));
  if (trustedRoot !== undefined) {
    if (targets === undefined) {
      throw shape.get('targets').wrong('is missing');
    }
    const files = { ...trustedRoot.signingConfigs, [targetName]: trustedRoot.bytes };
    for (const [name, content] of Object.entries(files)) {
      requireContent(`target ${name}`, content, targetIn(targets, name, trustedRoot.roles));
    }
  }
  return compact({
    timestamp,
    snapshot,
    targets,
    trustedRoot,
  });
}

/** Delegated roles that the files were found through; `targetIn` proves them. */
function readRoles(shape: Shape): DelegatedRoles {
  return new Map(
    (shape.optional('roles')?.list(maxRoles) ?? []).map((role) => [
      role.get('name').string(200),
      parseTargets(bytesOf(role.get('bytes'))),
    ]),
  );
}

/** A tcf that knew of no signing configs kept none; the next update brings them. */
function readSigningConfigs(shape: Shape): SigningConfigFiles {
  const kept = shape.optional('signingConfigs')?.list(signingConfigNames.length) ?? [];
  return Object.fromEntries(
    kept.map((config) => {
      const name = config.get('name').string(200);
      const known = signingConfigNames.find((one) => one === name);
      if (known === undefined) {
        throw config.get('name').wrong('is not the name of a signing config');
      }
      return [known, bytesOf(config.get('bytes'))];
    }),
  );
}

function bytesOf(shape: Shape): Uint8Array {
  const bytes = decodeBase64(shape.string(maxState));
  if (bytes === undefined) {
    throw shape.wrong('is not base64');
  }
  return bytes;
}

function timeOf(shape: Shape): Date {
  const time = new Date(shape.string(40));
  if (Number.isNaN(Number(time))) {
    throw shape.wrong('is not a time');
  }
  return time;
}

function corrupt(shape: Shape, what: string): Error {
  return cannotTell('trust.corrupt', `what is kept of ${shape.path} does not hold ${what}`);
}
