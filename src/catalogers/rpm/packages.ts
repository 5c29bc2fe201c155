import type { TreeFile } from '../contract.ts';
import { BadHeader, type Header } from './header.ts';
import type { Related, Relation } from './relations.ts';
import { issuerOf, signatureTags } from './signature.ts';

/** An installed package. */
export interface Rpm extends Related {
  /** Number in the order of the database: tells two rows of one purl apart. */
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly summary: string;
  readonly license: string;
  readonly vendor: string;
  readonly packager: string;
  readonly url: string;
  /** Where its maintainer says the repository of the source is. */
  readonly vcs: string;
  readonly sourceRpm: string;
  readonly modularityLabel: string;
  /** Lower-case hexadecimal, or empty. */
  readonly sha256Header: string;
  /** The key that its signature names, unverified: 16 lower-case hexadecimal digits, or empty. */
  readonly keyId: string;
  /** Bytes of its files, by its own word. */
  readonly size: number | undefined;
  readonly database: TreeFile;
  /** False for a manifest, which has no dependencies and files. */
  readonly isWhole: boolean;
}

const tag = {
  sha256Header: 273,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  size: 1009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  url: 1020,
  arch: 1022,
  sourceRpm: 1044,
  provideName: 1047,
  requireFlags: 1048,
  requireName: 1049,
  requireVersion: 1050,
  provideFlags: 1112,
  provideVersion: 1113,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  vcs: 5034,
  modularityLabel: 5096,
} as const;

/** Names longer than a file's are none; blanks and control characters would make another purl. */
export const isWord = (text: string): boolean => /^[!-~]{1,255}$/.test(text);

/** How many relations of all packages of a database together are read. 2,000 packages have 150,000. */
export interface RpmBudget {
  relations: number;
}

export const fullBudget = (): RpmBudget => ({ relations: 2_000_000 });

/**
 * The package of a header, its relations as far as the budget goes; `undefined` for a key that rpm keeps
 * among the packages.
 *
 * @throws BadHeader
 */
export function toRpm(header: Header, database: TreeFile, budget: RpmBudget): Rpm | undefined {
  const text = (of: number): string => header.text(of) ?? '';
  const name = text(tag.name);
  if (name === 'gpg-pubkey') {
    return undefined;
  }
  const [version, release] = [text(tag.version), text(tag.release)];
  if (!isWord(name) || name.includes('/')) {
    throw new BadHeader('has an invalid name');
  }
  if (!isWord(version) || !isWord(release)) {
    throw new BadHeader('has an invalid version');
  }
  const arch = text(tag.arch);
  if (!/^[A-Za-z0-9_]{0,64}$/.test(arch)) {
    throw new BadHeader('has an invalid architecture');
  }
  const digest = text(tag.sha256Header);
  const count = header.count(tag.provideName) + header.count(tag.requireName);
  const isAffordable = count <= budget.relations;
  if (isAffordable) {
    budget.relations -= count;
  }
  return {
    name,
    version,
    release,
    epoch: header.numbers(tag.epoch)[0] ?? 0,
    arch,
    summary: text(tag.summary),
    license: text(tag.license),
    vendor: text(tag.vendor),
    packager: text(tag.packager),
    url: text(tag.url),
    vcs: text(tag.vcs),
    sourceRpm: text(tag.sourceRpm),
    modularityLabel: text(tag.modularityLabel),
    sha256Header: /^[0-9a-f]{64}$/.test(digest) ? digest : '',
    keyId: signatureTags.map((each) => issuerOf(header.bytes(each) ?? empty)).find(Boolean) ?? '',
    provides: isAffordable ? relations(header, tag.provideName, tag.provideFlags, tag.provideVersion) : [],
    requires: isAffordable
      ? relations(header, tag.requireName, tag.requireFlags, tag.requireVersion)
      : undefined,
    size: sizeOf(header),
    database,
    isWhole: true,
  };
}

/** Absent beyond 4 GiB, where `LONGSIZE` has it. A size that cannot be read costs the size only. */
function sizeOf(header: Header): number | undefined {
  try {
    return header.numbers(tag.size)[0];
  } catch (error) {
    if (error instanceof BadHeader) {
      return undefined;
    }
    throw error;
  }
}

const empty = new Uint8Array(0);

function relations(header: Header, names: number, flags: number, versions: number): readonly Relation[] {
  const senses = header.numbers(flags);
  const evrs = header.texts(versions);
  return header.texts(names).map((name, at) => ({ name, flags: senses[at] ?? 0, evr: evrs[at] ?? '' }));
}

/** How many files a package says it has. */
export function fileCountOf(header: Header): number {
  return header.count(tag.baseNames);
}

/**
 * Every path of a package as its directory (`usr/bin/`, or empty) and its last part.
 *
 * @throws BadHeader
 */
export function* rpmFiles(header: Header): Generator<readonly [string, string]> {
  const directories = header.texts(tag.dirNames);
  const indexes = header.numbers(tag.dirIndexes);
  for (const [at, name] of header.texts(tag.baseNames).entries()) {
    const directory = directories[indexes[at] ?? -1];
    if (directory === undefined) {
      throw new BadHeader('has a file in no directory');
    }
    yield [directory.replace(/^\/+|\/+$/g, ''), name];
  }
}

export function evrOf({ epoch, version, release }: Rpm): string {
  return `${epoch > 0 ? `${epoch}:` : ''}${version}${release === '' ? '' : `-${release}`}`;
}

export function rpmKey(rpm: Rpm): string {
  return `${rpm.name}-${evrOf(rpm)}.${rpm.arch}`;
}
