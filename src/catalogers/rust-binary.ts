import { inflateSync } from 'node:zlib';
import { TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, ComponentEvidence } from '../bom/model.ts';
import { type Purl, toPurl } from '../bom/purl.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, ObservedFile, Ownership, Skipped, Tree } from './contract.ts';
import { identifiedBy } from './identity.ts';
import { type ElfHeader, loadSegment, type Section, type Segment, sectionsOf } from './programs/elf.ts';
import { programMagics } from './programs/magics.ts';
import {
  isProgram,
  keepParts,
  type ProgramLayout,
  type ProgramPart,
  type Selection,
} from './programs/parts.ts';

/** What a file says of itself: the section as it stands, or why it could not be kept. */
type Seen = { readonly section: string } | { readonly reason: string };

/** A crate as cargo-auditable writes it; `dependencies` are places in its list. */
interface Crate {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly isBuild: boolean;
  readonly isRoot: boolean;
  readonly dependencies: readonly number[];
}

const sectionName = '.dep-v0';
/**
 * The section lies behind what is loaded, with the names of sections and what debuggers read. uv has 10 KB of
 * it in all.
 */
const maxTail = 4 * 1024 * 1024;
/** The names of the sections stand right before their table. */
const maxNames = 64 * 1024;
/** uv has 9.6 KB, with 500 crates: 45 KB of JSON. */
const maxSection = 1024 * 1024;
const maxJson = 8 * 1024 * 1024;
const maxCrates = 10_000;

/**
 * Programs of Rust by the list of crates that cargo-auditable put into them (PARSING.md of it):
 * zlib-compressed JSON in a section of its own. A program without it says nothing of its crates, and stays a
 * file that nobody owns.
 */
export const rustBinary: Cataloger<Seen> = {
  name: 'rust-binary',
  wantedAt: recordPlaces,
  wants: isRecord,
  scanned: { begins: programMagics },
  scan: (_path, head) => (isProgram(head) ? keepParts(head, selectionOf) : undefined),
  catalog(tree: Tree<Seen>): Catalog {
    const skipped: Skipped[] = [];
    const programs = [...Map.groupBy(installed(tree, tree.observed()), buildOf).values()].flatMap((files) => {
      const [first] = files;
      const crates = first === undefined ? '' : cratesIn(first.observation);
      if (typeof crates !== 'string') {
        return [programOf(files, crates)];
      }
      skipped.push(...files.map(({ path }) => ({ path: printable(path), reason: crates })));
      return [];
    });
    return {
      components: programs.map(({ component }) => component),
      dependencies: programs.flatMap(({ dependencies }) => dependencies),
      owners: programs.map(({ owner }) => owner),
      skipped,
    };
  },
};

/**
 * What cargo built together: a package of several programs, such as uv and uvx, has one list of crates in
 * each of them, and is one.
 */
function buildOf({ observation, path }: ObservedFile<Seen>): string {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return 'section' in observation ? `${folder}\0${observation.section}` : path;
}

function selectionOf(layout: ProgramLayout): Selection<Seen> | undefined {
  if (layout.format === 'ELF') {
    return fromEnd(layout.header, layout.segments);
  }
  const section = layout.sections.find(({ name }) => name === sectionName);
  if (section === undefined) {
    return undefined;
  }
  const { at, size } = section;
  return {
    ranges: size > maxSection ? [] : [{ at, size }],
    end: (parts) => listIn(parts, section),
  };
}

/** ELF has the names of sections at its end. */
function fromEnd(header: ElfHeader, segments: readonly Segment[]): Selection<Seen> | undefined {
  const { sections } = header;
  if (sections === undefined) {
    return undefined;
  }
  const behind = Math.max(
    0,
    ...segments.filter(({ type }) => type === loadSegment).map(({ at, size }) => at + size),
  );
  const table = Math.max(behind, sections.at - maxNames);
  const end = sections.at + sections.count * sections.size;
  if (end <= table) {
    return undefined;
  }
  return {
    ranges: [
      { at: behind, size: Math.min(maxTail, end - behind) },
      { at: table, size: end - table },
    ],
    end(parts) {
      const last = parts.find(({ at, bytes }) => at === table && bytes.length === end - table);
      if (last === undefined) {
        return undefined;
      }
      const section = sectionsOf(last.bytes, table, header).find(({ name }) => name === sectionName);
      return section === undefined ? undefined : listIn(parts, section);
    },
  };
}

function listIn(parts: readonly ProgramPart[], { at, size }: Section): Seen {
  const bytes = size > maxSection ? undefined : read(parts, at, size);
  return bytes === undefined
    ? { reason: 'has a list of crates where it was not looked for, or one that is too large' }
    : { section: bytes.toString('base64') };
}

function read(parts: readonly ProgramPart[], at: number, size: number): Buffer | undefined {
  const part = parts.find((each) => at >= each.at && at + size <= each.at + each.bytes.length);
  return part?.bytes.subarray(at - part.at, at - part.at + size);
}

/** The crates, or why there are none. */
function cratesIn(seen: Seen): readonly Crate[] | string {
  if ('reason' in seen) {
    return seen.reason;
  }
  const bytes = inflate(Buffer.from(seen.section, 'base64'));
  if (bytes === undefined) {
    return 'has a list of crates that cannot be unpacked';
  }
  let value: unknown;
  try {
    value = parseJson(bytes, sectionName);
  } catch (error) {
    if (error instanceof TcfError) {
      return printable(error.message);
    }
    throw error;
  }
  const list = (value as { readonly packages?: unknown } | null)?.packages;
  if (!Array.isArray(list) || list.length === 0 || list.length > maxCrates) {
    return 'has an invalid list of crates';
  }
  const crates = list.map((entry) => crateOf(entry, list.length));
  return crates.every((crate) => crate !== undefined) ? crates : 'has an invalid crate in its list';
}

function inflate(bytes: Buffer): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: maxJson });
  } catch {
    return undefined;
  }
}

function crateOf(entry: unknown, count: number): Crate | undefined {
  if (typeof entry !== 'object' || entry === null) {
    return undefined;
  }
  const { dependencies = [], kind, name, root, source, version } = entry as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    return undefined;
  }
  if (typeof version !== 'string' || !/^[0-9A-Za-z.+-]{1,128}$/.test(version)) {
    return undefined;
  }
  if (typeof source !== 'string' || !/^[ -~]{1,512}$/.test(source)) {
    return undefined;
  }
  if (!Array.isArray(dependencies) || dependencies.length > count) {
    return undefined;
  }
  const places = dependencies.filter(
    (each): each is number => Number.isInteger(each) && each >= 0 && each < count,
  );
  if (places.length < dependencies.length) {
    return undefined;
  }
  return { name, version, source, isBuild: kind === 'build', isRoot: root === true, dependencies: places };
}

interface Program {
  readonly component: Component;
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly owner: Ownership;
}

/** Crates that only the build ran are not in the program. The first file names it where its list does not. */
function programOf(files: readonly ObservedFile<Seen>[], crates: readonly Crate[]): Program {
  const place = files[0]?.path ?? '';
  const linked = crates.filter(({ isBuild }) => !isBuild);
  const root = linked.find(({ isRoot }) => isRoot) ?? {
    name: place.slice(place.lastIndexOf('/') + 1),
    version: '',
    source: 'unknown',
    dependencies: linked.map((crate) => crates.indexOf(crate)),
  };
  const refOf = (crate: Pick<Crate, 'name' | 'source' | 'version'>): string => `${purlOf(crate)}#${place}`;
  const parts = new Map(linked.filter((crate) => crate !== root).map((crate) => [refOf(crate), crate]));
  const known = new Set([refOf(root), ...parts.keys()]);
  const identity = identifiedBy('name', {
    technique: 'binary-analysis',
    confidence: 0.95,
    value: `section ${sectionName}`,
  });
  const occurrences = files.map(({ layer, path }) => ({ location: path, layer }));
  const component: Component = {
    ...componentOf(root, refOf(root), { identity, occurrences }),
    type: 'application',
    components: [...parts].map(([ref, crate]) => componentOf(crate, ref, { identity })),
  };
  const paths = new Set(files.flatMap(({ links = [], path }) => [path, ...links]));
  return {
    component,
    dependencies: [[refOf(root), root] as const, ...parts].map(([ref, { dependencies }]) => ({
      ref,
      dependsOn: [
        ...new Set(
          dependencies.flatMap((place) => {
            const target = crates[place];
            const to = target === undefined ? undefined : refOf(target);
            return to === undefined || to === ref || !known.has(to) ? [] : [to];
          }),
        ),
      ].sort(byCodeUnit),
    })),
    owner: { bomRef: component.bomRef, owns: (path) => paths.has(path) },
  };
}

function componentOf(
  crate: Pick<Crate, 'name' | 'source' | 'version'>,
  bomRef: string,
  evidence: ComponentEvidence,
): Component {
  return {
    bomRef,
    type: 'library',
    name: crate.name,
    ...(crate.version === '' ? {} : { version: crate.version }),
    purl: purlOf(crate),
    ...(crate.source === 'crates.io'
      ? {}
      : { properties: [{ name: 'tcf:cargo:source', value: crate.source }] }),
    evidence,
  };
}

/** A crate from a directory or a repository may share its name with one of crates.io, and is not it. */
function purlOf({ name, source, version }: Pick<Crate, 'name' | 'source' | 'version'>): Purl {
  const type = source === 'crates.io' ? 'cargo' : 'generic';
  return toPurl({ type, name, ...(version === '' ? {} : { version }) });
}
