import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, ComponentEvidence, Property } from '../bom/model.ts';
import { type Purl, toPurl } from '../bom/purl.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, ObservedFile, Ownership, Skipped, Tree } from './contract.ts';
import { fileHashes, hashesOfFile } from './file-hashes.ts';
import { loadSegment, noteSegment, type Segment } from './programs/elf.ts';
import { programMagics } from './programs/magics.ts';
import {
  isProgram,
  keepParts,
  type ProgramLayout,
  type ProgramPart,
  type Selection,
} from './programs/parts.ts';

/** What a file says of itself: the toolchain, and the lines of `go version -m`. */
interface Seen {
  readonly go: string;
  /** Absent where they cannot be read; empty where the program was built without modules. */
  readonly modules?: string;
  /** Absent where only the end of the file showed that it is one of Go. */
  readonly hashes?: { readonly sha256: string; readonly sha512: string };
}

interface Module {
  readonly path: string;
  readonly version?: string;
  /** `h1:` and base64: of the tree of the module, as in go.sum. */
  readonly sum?: string;
  readonly replaces?: string;
}

interface BuildInfo {
  /** Of the package `main`. */
  readonly program?: string;
  readonly main?: Module;
  readonly modules: readonly Module[];
  readonly settings: ReadonlyMap<string, string>;
  /** Lines that are not as they should be. */
  readonly broken: number;
}

const magic: Buffer = Buffer.from('\xff Go buildinf:', 'latin1');
const alignment = 16;
const blobHeader = 32;
const isBigEndian = 1;
const isInline = 2;
/** The module information stands between two of 16 bytes each. */
const frame = 16;

/**
 * Of each segment; what lies behind is not found. Only old toolchains need the constants: kubelet 1.22 has 40
 * MiB of them.
 */
const maxConstants = 48 * 1024 * 1024;
const maxData = 16 * 1024 * 1024;
/** Of one file. syft has 26 KB, with 450 modules. */
const maxModuleText = 1024 * 1024;
const maxVersion = 256;

/**
 * Programs of Go by their build information (debug/buildinfo): the toolchain and every module that was
 * linked, with its version. What a module needs of the others is not written there.
 */
export const goBinary: Cataloger<Seen> = {
  name: 'go-binary',
  wantedAt: recordPlaces,
  wants: isRecord,
  scanned: { begins: programMagics },
  scan: (_path, head) => (isProgram(head) ? keepParts(head, selectionOf) : undefined),
  catalog(tree: Tree<Seen>): Catalog {
    const skipped: Skipped[] = [];
    const components: Component[] = [];
    const owners: Ownership[] = [];
    for (const file of installed(tree, tree.observed())) {
      const { modules } = file.observation;
      const info = readLines(modules ?? '');
      if (modules === undefined || info.broken > 0) {
        skipped.push({ path: printable(file.path), reason: 'has modules that cannot be read' });
      }
      const component = componentOf(file, info);
      const paths = new Set([file.path, ...(file.links ?? [])]);
      components.push(component);
      owners.push({ bomRef: component.bomRef, owns: (path) => paths.has(path) });
    }
    return {
      components,
      dependencies: components.map(({ bomRef, components: linked = [] }) => ({
        ref: bomRef,
        dependsOn: linked.map((each) => each.bomRef).sort(byCodeUnit),
      })),
      owners,
      skipped,
      unknownDependencies: components.flatMap(({ components: linked = [] }) =>
        linked.map(({ bomRef }) => bomRef),
      ),
    };
  },
};

/**
 * Old toolchains keep pointers in the data and the strings among the constants, new ones everything in the
 * data.
 */
function selectionOf(layout: ProgramLayout): Selection<Seen> | undefined {
  const loaded = layout.segments.filter(({ type, isExecutable }) => type === loadSegment && !isExecutable);
  const isGo = isMarked(layout);
  const kept = loaded.filter(({ isWritable }) => isWritable || isGo);
  if (kept.length === 0) {
    return undefined;
  }
  const hashes = isGo ? fileHashes() : undefined;
  return {
    // The data first: what is kept has a limit, and new toolchains need nothing else.
    ranges: kept
      .toSorted((a, b) => Number(b.isWritable) - Number(a.isWritable))
      .map(({ at, isWritable, size }) => ({
        at,
        size: Math.min(size, isWritable ? maxData : maxConstants),
      })),
    ...(hashes === undefined ? {} : { everything: hashes.push }),
    end(parts) {
      const said = buildInfoIn(memoryOf(parts, loaded));
      if (said === undefined) {
        return undefined;
      }
      return { ...said, ...(hashes === undefined ? {} : { hashes: hashes.end() }) };
    },
  };
}

/**
 * Whether the headers say that Go made the program: in ELF by the note with Go's build-id, in Mach-O by its
 * section. A file without is asked all the same, for less. PE files say nothing, and are rare enough to be
 * asked for all.
 */
function isMarked(layout: ProgramLayout): boolean {
  if (layout.format === 'PE') {
    return true;
  }
  if (layout.format === 'Mach-O') {
    return layout.sections.some(({ name }) => name === '__go_buildinfo');
  }
  const { segments, window } = layout;
  return segments.some(
    ({ at, size, type }) => type === noteSegment && window.subarray(at, at + size).includes('Go\0\0'),
  );
}

interface Memory {
  readonly data: readonly Piece[];
  /** What lies at an address; `undefined` where it was not kept whole. */
  read(address: number, size: number): Buffer | undefined;
}

interface Piece {
  readonly address: number;
  readonly bytes: Buffer;
}

function memoryOf(parts: readonly ProgramPart[], segments: readonly Segment[]): Memory {
  const pieces = parts.flatMap(({ at, bytes }) =>
    segments
      .filter((segment) => segment.at === at)
      .map(({ address, isWritable }) => ({ address, bytes, isWritable })),
  );
  return {
    data: pieces.filter(({ isWritable }) => isWritable),
    read(address, size) {
      for (const piece of pieces) {
        const from = address - piece.address;
        if (from >= 0 && from + size <= piece.bytes.length) {
          return piece.bytes.subarray(from, from + size);
        }
      }
      return undefined;
    },
  };
}

/** As `readRawBuildInfo` of debug/buildinfo does it. */
function buildInfoIn(memory: Memory): Pick<Seen, 'go' | 'modules'> | undefined {
  for (const { address, bytes } of memory.data) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      if ((address + at) % alignment !== 0) {
        continue;
      }
      const start = address + at;
      const blob = memory.read(start, blobHeader);
      if (blob === undefined) {
        return undefined;
      }
      const [go, framed] =
        ((blob[15] ?? 0) & isInline) === 0 ? byPointers(memory, blob) : inline(memory, start);
      if (go === undefined) {
        return undefined;
      }
      return framed === undefined ? { go } : { go, modules: unframed(framed) };
    }
  }
  return undefined;
}

type Strings = readonly [go: string | undefined, modules: Buffer | undefined];

/** Go 1.18 and later: two strings behind the header, each after its length as a varint. */
function inline(memory: Memory, start: number): Strings {
  const first = stringAt(memory, start + blobHeader, maxVersion);
  if (first === undefined) {
    return [undefined, undefined];
  }
  return [goVersion(first.bytes), stringAt(memory, first.end, maxModuleText)?.bytes];
}

function stringAt(
  memory: Memory,
  address: number,
  most: number,
): { readonly bytes: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let at = 0; at < 4; at += 1) {
    const byte = memory.read(address + at, 1)?.[0];
    if (byte === undefined) {
      return undefined;
    }
    length += (byte & 0x7f) * 2 ** (7 * at);
    if ((byte & 0x80) !== 0) {
      continue;
    }
    const start = address + at + 1;
    const bytes = length <= most ? memory.read(start, length) : undefined;
    return bytes === undefined ? undefined : { bytes, end: start + length };
  }
  return undefined;
}

/** Go 1.13 to 1.17: pointers to two string headers. */
function byPointers(memory: Memory, blob: Buffer): Strings {
  const size = blob[14];
  if (size !== 4 && size !== 8) {
    return [undefined, undefined];
  }
  const isBig = ((blob[15] ?? 0) & isBigEndian) !== 0;
  const pointer = (bytes: Buffer, at: number): number => {
    if (size === 4) {
      return isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    }
    return Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at));
  };
  const follow = (at: number, most: number): Buffer | undefined => {
    const header = memory.read(pointer(blob, at), 2 * size);
    if (header === undefined) {
      return undefined;
    }
    const length = pointer(header, size);
    return length <= most ? memory.read(pointer(header, 0), length) : undefined;
  };
  const version = follow(blobHeader / 2, maxVersion);
  return [
    version === undefined ? undefined : goVersion(version),
    follow(blobHeader / 2 + size, maxModuleText),
  ];
}

function goVersion(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text) ? text : undefined;
}

function unframed(bytes: Buffer): string {
  if (bytes.length <= 2 * frame || bytes[bytes.length - frame - 1] !== 0x0a) {
    return '';
  }
  return bytes.toString('utf8', frame, bytes.length - frame);
}

/** The lines of runtime/debug.BuildInfo, without those of modules whose names or versions are none. */
function readLines(text: string): BuildInfo {
  const modules: Module[] = [];
  const settings = new Map<string, string>();
  let program: string | undefined;
  let main: Module | undefined;
  let broken = 0;
  let last: 'dep' | 'mod' | undefined;
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.split('\t');
    const [first = ''] = words;
    if (kind === 'path') {
      program = isWord(first) ? first : undefined;
    } else if (kind === 'build') {
      const [, key, value = ''] = /^([\w.-]+)=([ -~]*)$/.exec(first) ?? [];
      if (key !== undefined) {
        settings.set(key, value);
      }
    } else if (kind === 'mod' || kind === 'dep') {
      const found = moduleOf(words);
      last = found === undefined ? undefined : kind;
      if (found === undefined) {
        broken += 1;
      } else if (kind === 'mod') {
        main = found;
      } else {
        modules.push(found);
      }
    } else if (kind === '=>') {
      const module = last === 'dep' ? modules.pop() : undefined;
      const replaced = last === 'mod' ? main : module;
      const found = replaced === undefined ? undefined : replacement(replaced, words);
      if (found === undefined) {
        broken += 1;
      } else if (last === 'mod') {
        main = found;
      } else {
        modules.push(found);
      }
      last = undefined;
    }
  }
  return compact({
    modules,
    settings,
    broken,
    program,
    main,
  });
}

function moduleOf([path = '', version = '', sum = '']: readonly string[]): Module | undefined {
  if (!isWord(path) || !/^[!-~]{0,256}$/.test(version)) {
    return undefined;
  }
  return {
    path,
    // `(devel)` is what Go says where it knows none.
    ...(/^[^(]/.test(version) ? { version } : {}),
    ...(/^h1:[A-Za-z0-9+/]{43}=$/.test(sum) ? { sum } : {}),
  };
}

/**
 * A directory in place of a module has no version: what was linked has the name of the module, and is not
 * what is published as it.
 */
function replacement({ path }: Module, words: readonly string[]): Module | undefined {
  const found = moduleOf(words);
  if (found === undefined) {
    return undefined;
  }
  if (/^\.{0,2}\//.test(found.path)) {
    return { path, replaces: `${path} by ${found.path}` };
  }
  return found.path === path ? found : { ...found, replaces: path };
}

function isWord(text: string): boolean {
  return /^[!-~]{1,512}$/.test(text);
}

function componentOf(file: ObservedFile<Seen>, info: BuildInfo): Component {
  const { go, hashes } = file.observation;
  const name = info.main?.path ?? info.program ?? file.path.slice(file.path.lastIndexOf('/') + 1);
  const version = info.main?.version;
  const purl = info.main === undefined ? undefined : purlOf(info.main);
  const identity: ComponentEvidence['identity'] = [
    {
      field: purl === undefined ? 'name' : 'purl',
      confidence: 0.95,
      methods: [{ technique: 'binary-analysis', confidence: 0.95, value: 'Go build information' }],
    },
  ];
  const linked = [standardLibrary(go), ...info.modules.map(partOf)].map((part) => ({
    ...part,
    bomRef: `${part.bomRef}#${file.path}`,
    evidence: { identity },
  }));
  return compact({
    bomRef: `${purl ?? `go:${name}`}#${file.path}`,
    type: 'application',
    name,
    version,
    purl,
    ...(hashes === undefined ? {} : { hashes: hashesOfFile(hashes) }),
    properties: [
      { name: 'tcf:go:toolchain', value: go },
      ...(info.program === undefined ? [] : [{ name: 'tcf:go:package', value: info.program }]),
      ...propertiesOf(info.main),
      ...['CGO_ENABLED', 'vcs.modified', 'vcs.revision'].flatMap((key): readonly Property[] => {
        const value = info.settings.get(key) ?? '';
        const setting = key.replace('.', '-');
        return value === '' ? [] : [{ name: `tcf:go:build:${setting}`, value }];
      }),
    ],
    evidence: { identity, occurrences: [{ location: file.path, layer: file.layer }] },
    // Two lines of the same module would be two components of one name.
    components: [...new Map(linked.map((part) => [part.bomRef, part])).values()],
  });
}

function partOf(module: Module): Component {
  const purl = purlOf(module);
  const properties = propertiesOf(module);
  return compact({
    bomRef: purl ?? `go:${module.path}`,
    type: 'library',
    name: module.path,
    version: module.version,
    purl,
    ...(properties.length === 0 ? {} : { properties }),
  });
}

function propertiesOf(module: Module | undefined): readonly Property[] {
  return [
    ...(module?.sum === undefined ? [] : [{ name: 'tcf:go:sum', value: module.sum }]),
    ...(module?.replaces === undefined ? [] : [{ name: 'tcf:go:replaces', value: module.replaces }]),
  ];
}

/**
 * It is linked into every program and is part of the toolchain; Go's vulnerability database and all scanners
 * call it so.
 */
function standardLibrary(go: string): Component {
  const [, release] = /^go(1\.\d{1,3}(?:\.\d{1,3})?(?:(?:beta|rc)\d{1,2})?)(?![\w.])/.exec(go) ?? [];
  const purl =
    release === undefined ? undefined : toPurl({ type: 'golang', name: 'stdlib', version: release });
  return compact({
    bomRef: purl ?? 'go:stdlib',
    type: 'library',
    name: 'stdlib',
    version: release ?? go,
    purl,
    ...(release === undefined || /[a-z]/.test(release)
      ? {}
      : { cpe: `cpe:2.3:a:golang:go:${release}:*:*:*:*:*:*:*` }),
    supplier: { name: 'The Go Authors', url: 'https://go.dev/' },
    ...(release === undefined
      ? {}
      : { externalReferences: [{ type: 'vcs', url: `https://github.com/golang/go/tree/go${release}` }] }),
    licenses: [{ acknowledgement: 'concluded', expression: 'BSD-3-Clause' }],
  });
}

/**
 * A module in place of which something else was linked has none, nor has a path that is no module of a proxy.
 */
function purlOf({ path, replaces, version }: Module): Purl | undefined {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || replaces?.includes(' by ') === true) {
    return undefined;
  }
  try {
    return toPurl(
      compact({
        type: 'golang',
        namespace: path.slice(0, slash),
        name: path.slice(slash + 1),
        version,
      }),
    );
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}
