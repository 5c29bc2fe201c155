import type { TrustMaterial } from '@sigstore/verify';
import { cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { optionalMember } from './dsse.ts';
import {
  type ExperimentalAlgorithm,
  isUnusable,
  readAuthority,
  readLog,
  readTimestampAuthority,
  type Unusable,
  usable,
} from './root-material.ts';
import type { TrustedKey } from './trusted-key.ts';

/**
 * Certificate authorities, timestamp authorities and logs of one Sigstore instance, each with its validity.
 */
export interface TrustedRoot {
  readonly material: TrustMaterial;
  /** Digest of the file: part of the key under which verifications are cached. */
  readonly digest: Digest;
  /** The latest start of any entry: how old this knowledge is at most. */
  readonly newest: Date;
  /** Entries that do not count, in the order of the file; `docs/trust.md` has the rule. */
  readonly skipped: readonly SkippedEntry[];
}

export interface SkippedEntry extends Unusable {
  readonly kind: EntryKind;
  /** `trustedRoot.tlogs[1]`. */
  readonly path: string;
}

type EntryKind = 'tlogs' | 'ctlogs' | 'certificateAuthorities' | 'timestampAuthorities';

export interface RootOptions {
  /** For messages: the file, or the instance. */
  readonly what?: string;
  /** Algorithms that count besides those of `isStrongKey`; none where absent. */
  readonly experimental?: readonly ExperimentalAlgorithm[];
}

/** What a signature by a key needs: distinct logs, and trusted times of any kind. */
export interface KeyThreshold {
  readonly logs: number;
  readonly times: number;
}

/** Whom a verification believes. */
export interface Trust {
  /**
   * Each one is a closed domain: certificate, log and timestamp of one bundle come from one and the same
   * root.
   */
  readonly roots: readonly TrustedRoot[];
  readonly keys: readonly TrustedKey[];
  /**
   * What a signature by a key needs; nothing where absent. Keyless thresholds follow from the root and are
   * not configurable.
   */
  readonly keyThreshold?: KeyThreshold;
}

const mediaTypes = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];

/** The public good instance has two to four entries of each kind; Sigstore's staging has ten logs. */
const maxEntries = 64;

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * Reads `trusted_root.json` (protobuf-specs `sigstore_trustroot.proto`). Unknown fields are ignored: this
 * file comes from TUF and grows while older programs read it. The form is strict: an entry without
 * `validFor.start` would be valid for ever (gap of @sigstore/verify), so it ends the reading. An entry of the
 * right form whose key or certificate cannot be used is skipped and listed in `skipped`; fewer entries never
 * make a signature count.
 *
 * @throws TcfError `trust.malformed`, `json.malformed` or `document.malformed` (exit 2).
 */
export function parseTrustedRoot(bytes: Uint8Array, options: RootOptions = {}): TrustedRoot {
  const { experimental = [], what = 'the trusted root' } = options;
  const shape = new Shape(parseJson(bytes, what, jsonLimits.small), 'trustedRoot');
  const mediaType = shape.get('mediaType').string(200);
  if (!mediaTypes.includes(mediaType)) {
    throw shape.get('mediaType').wrong(`is ${quoted(mediaType)}, which tcf does not know`);
  }
  const starts = [
    ...entries(shape, 'tlogs').map(checkLog),
    ...entries(shape, 'ctlogs').map(checkLog),
    ...entries(shape, 'certificateAuthorities').map(checkAuthority),
    ...entries(shape, 'timestampAuthorities').map(checkAuthority),
  ];
  const newest = new Date(Math.max(0, ...starts.map(Number)));
  const { material, skipped } = readMaterial(shape, experimental);
  if (skipped.length > 0 && skipped.length === starts.length) {
    const reasons = skipped.map(({ path, reason }) => `${path}: ${reason}`).join('; ');
    throw cannotTell('trust.malformed', `cannot use any entry of ${what}: ${reasons}`);
  }
  return { material, digest: digestOf(bytes), newest, skipped };
}

function readMaterial(
  root: Shape,
  experimental: readonly ExperimentalAlgorithm[],
): Pick<TrustedRoot, 'material' | 'skipped'> {
  const skipped: SkippedEntry[] = [];
  const all = <T extends object>(kind: EntryKind, read: (shape: Shape, allowed: typeof experimental) => T) =>
    entries(root, kind).flatMap((entry) => {
      const value = usable(() => read(entry, experimental));
      if (!isUnusable(value)) {
        return [value];
      }
      skipped.push({ ...value, kind, path: entry.path });
      return [];
    });
  const material: TrustMaterial = {
    tlogs: all('tlogs', readLog),
    ctlogs: all('ctlogs', readLog),
    certificateAuthorities: all('certificateAuthorities', readAuthority),
    timestampAuthorities: all('timestampAuthorities', readTimestampAuthority),
    // A key of the user is handed to each proof by itself; a root knows none.
    publicKey: (hint) => {
      throw new Error(`the trusted root holds no key ${quoted(hint)}`);
    },
  };
  return { material, skipped };
}

/** Whether the root lists a log of any kind, be it one that tcf cannot use. */
export function listsLog({ material: { ctlogs, tlogs }, skipped }: TrustedRoot): boolean {
  return (
    tlogs.length + ctlogs.length > 0 || skipped.some(({ kind }) => kind === 'tlogs' || kind === 'ctlogs')
  );
}

function entries(root: Shape, key: string): readonly Shape[] {
  return optionalMember(root, key)?.list(maxEntries) ?? [];
}

function checkLog(log: Shape): Date {
  return startOf(log.get('publicKey').get('validFor'));
}

function checkAuthority(authority: Shape): Date {
  const certificates = authority.get('certChain').get('certificates').list(10);
  if (certificates.length === 0) {
    throw authority.get('certChain').wrong('is empty');
  }
  return startOf(authority.get('validFor'));
}

function startOf(window: Shape): Date {
  const end = optionalMember(window, 'end');
  if (end !== undefined) {
    readTime(end);
  }
  return readTime(window.get('start'));
}

function readTime(shape: Shape): Date {
  const text = shape.string(40);
  const time = new Date(text);
  if (!rfc3339.test(text) || Number.isNaN(time.getTime())) {
    throw shape.wrong('is not a time such as 2026-01-31T00:00:00Z');
  }
  return time;
}
