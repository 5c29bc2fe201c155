import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import type { Skipped, StreamScanner, Tree, TreeFile } from '../contract.ts';
import { lz4Reader } from './lz4.ts';
import type { Deb } from './packages.ts';

/**
 * The .deb a package came from, as the lists of apt have it; they were signed when apt fetched them, and
 * nobody checks that here.
 */
export interface DpkgArchive {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Without user and password; absent where no source of apt names the repository. */
  readonly url?: string;
}

const lists = 'var/lib/apt/lists/';
/** `main` of Debian has 69,000 packages and 14 MiB of these; Ubuntu's `universe` is as large. */
const maxKept = 24 * 1024 * 1024;
/** Descriptions fold; what is longer is no field of ours. */
const maxLine = 4096;

export const listPlaces: readonly string[] = [`${lists}*_Packages`, `${lists}*_Packages.lz4`];

export function isList(path: string): boolean {
  return path.startsWith(lists) && /^[^/]+_Packages(?:\.lz4)?$/.test(path.slice(lists.length));
}

export const sourcePlaces: readonly string[] = [
  'etc/apt/sources.list',
  'etc/apt/sources.list.d/*.list',
  'etc/apt/sources.list.d/*.sources',
];

export function isSource(path: string): boolean {
  return (
    path === 'etc/apt/sources.list' || /^etc\/apt\/sources\.list\.d\/[^/]+\.(?:list|sources)$/.test(path)
  );
}

/** What a list of apt says. */
export interface AptList {
  /** A line `NAME VERSION ARCHITECTURE SHA256 FILENAME` of each package. */
  readonly packages: string;
  readonly fault?: string;
}

/**
 * Scans a list of apt, which is too large to keep: of each package a line `NAME VERSION ARCHITECTURE SHA256
 * FILENAME`. In images of Debian and Ubuntu they are compressed with LZ4.
 */
export function listScanner(path: string): StreamScanner<AptList> {
  const reader = new ListReader();
  if (!path.endsWith('.lz4')) {
    return reader;
  }
  const lz4 = lz4Reader((chunk) => reader.push(chunk));
  return {
    push: (chunk) => lz4.push(chunk),
    end: () => ({ ...reader.end(), ...(lz4.isWhole() ? {} : { fault: 'is not a whole LZ4 file' }) }),
  };
}

/** The fields of a stanza that are looked at, in the order of a line of `AptList`. */
const fields = ['Package: ', 'Version: ', 'Architecture: ', 'SHA256: ', 'Filename: '] as const;
/** The place of a field by its first letter, so that nine lines of ten cost one comparison; -1: none of ours. */
const fieldAt = new Int8Array(256).fill(-1);
for (const [at, field] of fields.entries()) {
  fieldAt[field.charCodeAt(0)] = at;
}

class ListReader implements StreamScanner<AptList> {
  #rest = '';
  /** Lines of one chunk each. */
  readonly #kept: string[] = [];
  #size = 0;
  #isFull = false;
  readonly #stanza: string[] = fields.map(() => '');

  push(chunk: Uint8Array): void {
    const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    let lines = '';
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      lines += this.#line(text, start, end);
      start = end + 1;
    }
    this.#keep(lines);
    // Of a line without an end only the front is kept: it is longer than any field of ours.
    this.#rest = text.slice(start, start + maxLine);
  }

  end(): AptList {
    this.#keep(this.#line(this.#rest, 0, this.#rest.length) + this.#close());
    return {
      packages: this.#kept.join(''),
      ...(this.#isFull ? { fault: 'names more packages than are kept' } : {}),
    };
  }

  /** The line of a stanza that ends here. */
  #line(text: string, start: number, end: number): string {
    if (end === start) {
      return this.#close();
    }
    const at = fieldAt[text.charCodeAt(start)] ?? -1;
    const name = fields[at];
    if (name !== undefined && end - start <= maxLine && text.startsWith(name, start)) {
      this.#stanza[at] = text.slice(start + name.length, end);
    }
    return '';
  }

  #close(): string {
    const [name = '', version = '', architecture = '', sha256 = '', filename = ''] = this.#stanza;
    this.#stanza.fill('');
    const entry = `${name} ${version} ${architecture} ${sha256} ${filename}\n`;
    if (!/^[!-~]+ [!-~]+ [!-~]+ [0-9a-f]{64} [!-~]+\n$/.test(entry)) {
      return '';
    }
    this.#isFull ||= this.#size + entry.length > maxKept;
    if (this.#isFull) {
      return '';
    }
    this.#size += entry.length;
    return entry;
  }

  #keep(lines: string): void {
    if (lines !== '') {
      // A copy: slices would keep the whole chunk.
      this.#kept.push(Buffer.from(lines, 'latin1').toString('latin1'));
    }
  }
}

/**
 * Which archive each package came from: the one that has its name, version and architecture, if all lists
 * agree on it.
 */
export function archivesOf(
  tree: Tree<AptList>,
  debs: readonly Deb[],
  skipped: Skipped[],
): (deb: Deb) => DpkgArchive | undefined {
  const sources = sourcesOf(tree);
  const found = new Map<string, DpkgArchive | undefined>();
  const wanted = new Set(debs.map(keyOf));
  for (const list of tree.observed()) {
    const { packages, fault } = list.observation;
    if (fault !== undefined) {
      skipped.push({ path: printable(list.path), reason: fault });
    }
    const base = baseOf(list, sources);
    for (const line of packages.split('\n')) {
      const [name, version, architecture, sha256 = '', filename = ''] = line.split(' ');
      const key = `${name} ${version} ${architecture}`;
      if (!wanted.has(key)) {
        continue;
      }
      const url = urlOf(base, filename);
      const archive = compact({ sha256, url });
      const known = found.get(key);
      // The same version built twice: nobody knows which one was installed.
      if (found.has(key) && known?.sha256 !== sha256) {
        found.set(key, undefined);
      } else if (known?.url === undefined) {
        found.set(key, archive);
      }
    }
  }
  return (deb) => found.get(keyOf(deb));
}

/** A file name in a list is relative to the repository, and stays there. */
function urlOf(base: string | undefined, filename: string): string | undefined {
  const path = filename.replace(/^(?:\.?\/)+/, '');
  if (base === undefined || /[#?]|(?:^|\/)\.\.?(?:\/|$)/.test(path)) {
    return undefined;
  }
  return `${base}/${encodeURI(path)}`;
}

function keyOf({ name, version, architecture }: Deb): string {
  return `${name} ${version} ${architecture}`;
}

/**
 * A repository as apt names its files: `deb.debian.org/debian`, by which its address with scheme is found.
 */
function sourcesOf(tree: Tree): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const file of tree.wanted().filter(({ path }) => isSource(path))) {
    const text = Buffer.from(file.content() ?? []).toString('utf8');
    for (const [, scheme = '', place = ''] of text.matchAll(
      /(?:^|\s)(https?):\/\/(?:[^\s/@]{0,500}@)?([^\s@]{1,500})/gm,
    )) {
      const bare = place.replace(/\/+$/, '');
      if (!sources.has(bare) && /^[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9._~+%-]*)*$/.test(bare)) {
        sources.set(bare, `${scheme}://${bare}`);
      }
    }
  }
  return sources;
}

/**
 * apt writes the address of a list as its name: `/` as `_`, and `_` itself as `%5f`. What stands before
 * `dists` is the repository; one without `dists` has its list in some folder of the repository.
 */
function baseOf({ path }: TreeFile, sources: ReadonlyMap<string, string>): string | undefined {
  const address = path
    .slice(lists.length)
    .replace(/_Packages(?:\.lz4)?$/, '')
    .replaceAll('_', '/')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const dists = address.indexOf('/dists/');
  if (dists >= 0) {
    return sources.get(address.slice(0, dists));
  }
  for (let at = address.length; at > 0; at = address.lastIndexOf('/', at - 1)) {
    const source = sources.get(address.slice(0, at));
    if (source !== undefined) {
      return source;
    }
  }
  return undefined;
}
