import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Cataloger, Skipped } from '../catalogers/contract.ts';
import { summaryBy } from '../catalogers/run.ts';
import { Arena, textsOf } from './columns.ts';
import { type Finds, tooMuchSeen } from './finds.ts';
import { cleanPath, joinPath, latin1ToText } from './names.ts';
import { type DirectoryEntry, type Inode, type MissingFile, pathOf, Rootfs, root } from './rootfs.ts';
import { type LayerScan, tarTypes } from './scan-layer.ts';

const mergeLimits: Readonly<Record<'visible' | 'observations' | 'history', number>> = {
  /** Content that is visible at any time while the layers are put together. */
  visible: 160 * 1024 * 1024,
  /** What scanners said of visible files, as JSON. */
  observations: 64 * 1024 * 1024,
  /** Content that was hidden by layers above and only says in which layer a package first appeared. */
  history: 32 * 1024 * 1024,
};

/** A content that once stood at a path. */
export interface Former {
  readonly inode: Inode;
  readonly content: Uint8Array;
}

/** The layers put on one another, and what is known of the files. */
export interface Merged {
  readonly rootfs: Rootfs;
  readonly finds: ReadonlyMap<Inode, Finds>;
  readonly programs: ReadonlySet<Inode>;
  /**
   * Files whose name may differ from the one they were scanned under: hard links, and files below a symbolic
   * link.
   */
  readonly renamed: ReadonlySet<Inode>;
  /** By path as latin1. */
  readonly history: ReadonlyMap<string, readonly Former[]>;
  readonly skipped: readonly Skipped[];
}

const whiteoutPrefix = '.wh.';
const opaqueName = '.wh..wh..opq';

/**
 * Puts layers on one another, lowest first, as the OCI image specification's "Applying Changesets" says and
 * `umoci unpack` does: entries in the order of their archive, a whiteout hides only what lower layers
 * brought, `.wh..wh..opq` all lower children of its directory; a symbolic link among the parents of an entry
 * is followed inside the image; whatever is not a directory on a directory replaces what stood there.
 */
export class Merger implements Merged {
  readonly rootfs: Rootfs = new Rootfs();
  readonly finds: Map<Inode, Finds> = new Map();
  readonly programs: Set<Inode> = new Set();
  readonly renamed: Set<Inode> = new Set();
  readonly history: Map<string, Former[]> = new Map();
  readonly skipped: Skipped[] = [];
  /** Names of a hard-linked file that are left; a file that is not here has one. */
  readonly #names: Map<Inode, number> = new Map();
  /**
   * Directories that this layer has touched, the new ones as well, and hard links of it to what lower layers
   * brought. Every other name that it has touched leads to an inode of its own.
   */
  readonly #touched: Set<Inode> = new Set();
  readonly #links: Set<string> = new Set();
  readonly #visible = new SharedBytes(mergeLimits.visible);
  #observationBytes = 0;
  #historyBytes = 0;
  /** What this layer hid: a few contents would keep all that stands beside them in the block of their layer. */
  #hidden = new Arena();
  #layer = 0;
  /** Directories of this layer by their path, as long as nothing on the way to one is taken away. */
  readonly #places: Map<string, Pick<DirectoryEntry, 'directories' | 'isIndirect' | 'names'>> = new Map();
  readonly #catalogers: readonly Cataloger[];

  /**
   * `catalogers`: those that were scanned for, in their order; they summarize contents that a layer above
   * replaced.
   */
  constructor(catalogers: readonly Cataloger[] = []) {
    this.#catalogers = catalogers;
  }

  /** @throws TcfError (exit 2) for a layer that no engine could unpack. */
  apply(scan: LayerScan, layer: number): void {
    this.#layer = layer;
    this.#hidden = new Arena();
    const pathAt = textsOf(scan.paths);
    for (let entry = 0; entry < scan.count; entry += 1) {
      this.#entry(scan, entry, pathAt(entry));
    }
    this.skipped.push(...scan.skipped);
    this.#touched.clear();
    this.#links.clear();
    this.#places.clear();
  }

  #entry(scan: LayerScan, entry: number, path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith(whiteoutPrefix)) {
      this.#whiteout(path.slice(0, -name.length), name, path);
      return;
    }
    const type = tarTypes[scan.types[entry] ?? 0] ?? 'other';
    if (path === '') {
      if (type === 'directory') {
        return;
      }
      throw this.#wrong(path, 'replaces the root by something that is not a directory');
    }
    const place = this.#parent(path);
    const directory = place.directories.at(-1) ?? root;
    if (
      type === 'directory' &&
      place.inode !== undefined &&
      this.rootfs.typeOf(place.inode) === 'directory'
    ) {
      this.#touch(place);
      this.#touched.add(place.inode);
      return;
    }
    if (place.inode !== undefined) {
      this.#remove(directory, place.name, pathOf(place));
    }
    const inode =
      type === 'hardlink'
        ? this.#linked(scan.links.get(entry) ?? '', path)
        : this.rootfs.add(type, this.#layer, entry, {
            size: scan.sizes[entry],
            modified: scan.times[entry],
            target: scan.links.get(entry),
          });
    this.rootfs.link(directory, place.name, inode);
    this.#touch(place);
    if (type === 'hardlink') {
      this.#links.add(`${directory}/${place.name}`);
    }
    if (type === 'file') {
      this.#file(scan, entry, inode, { path, isIndirect: place.isIndirect });
    }
  }

  #file(
    scan: LayerScan,
    entry: number,
    inode: Inode,
    { isIndirect, path }: { readonly path: string; readonly isIndirect: boolean },
  ): void {
    if (scan.programs.has(entry)) {
      this.programs.add(inode);
    }
    if (isIndirect) {
      this.renamed.add(inode);
    }
    const found = scan.finds.get(entry);
    if (found === undefined) {
      return;
    }
    this.finds.set(inode, found);
    if (found.content !== undefined && !this.#visible.add(found.content)) {
      delete found.content;
    }
    this.#observationBytes += found.observationBytes ?? 0;
    if (this.#observationBytes <= mergeLimits.observations) {
      return;
    }
    this.#observationBytes -= found.observationBytes ?? 0;
    found.observationBytes = 0;
    found.observations.clear();
    this.skipped.push({ path: latin1ToText(path), reason: tooMuchSeen });
  }

  /** Where an entry goes: nearly always into a directory that was seen. */
  #parent(path: string): DirectoryEntry {
    const slash = path.lastIndexOf('/');
    const above = path.slice(0, Math.max(0, slash));
    const known = this.#places.get(above);
    if (known === undefined) {
      const place = this.#walk(path);
      this.#places.set(above, place);
      return place;
    }
    const { directories, isIndirect, names } = known;
    const name = path.slice(slash + 1);
    const inode = this.rootfs.childrenOf(directories.at(-1) ?? root).get(name);
    return { directories, names, name, inode, isIndirect };
  }

  #walk(path: string): DirectoryEntry {
    const place = this.rootfs.walk(path, {
      followLast: false,
      onMissing: (missing) => this.#makeDirectory(missing, path),
    });
    if (place === undefined) {
      throw this.#wrong(path, 'lies below symbolic links that lead in circles');
    }
    return place;
  }

  /**
   * A directory that no entry announced. Where a lower layer has a file of that name, an overlay shows the
   * directory.
   */
  #makeDirectory({ directory, names, name, isDirect }: MissingFile, path: string): Inode {
    const existing = this.rootfs.childrenOf(directory).get(name);
    if (existing !== undefined) {
      if (!isDirect || this.#isTouched(directory, name)) {
        throw this.#wrong(path, 'lies below something that is not a directory');
      }
      this.#remove(directory, name, joinPath(names.join('/'), name));
    }
    const made = this.rootfs.add('directory', this.#layer, 0);
    this.rootfs.link(directory, name, made);
    return made;
  }

  #linked(target: string, path: string): Inode {
    const place = this.rootfs.walk(cleanPath(target), { followLast: false });
    if (place?.inode === undefined || this.rootfs.typeOf(place.inode) === 'directory') {
      throw this.#wrong(path, `is a hard link to ${quoted(latin1ToText(target))}, which is not a file`);
    }
    this.#names.set(place.inode, (this.#names.get(place.inode) ?? 1) + 1);
    this.renamed.add(place.inode);
    return place.inode;
  }

  #whiteout(parent: string, name: string, path: string): void {
    const hidden = name.slice(whiteoutPrefix.length);
    const isOpaque = name === opaqueName;
    // `.wh..` and `.wh...` would name the directory itself or the one above.
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw this.#wrong(path, 'is a whiteout without a name');
    }
    const place = this.rootfs.walk(isOpaque ? parent : `${parent}${hidden}`, { followLast: isOpaque });
    if (place?.inode === undefined) {
      return;
    }
    if (!isOpaque) {
      this.#hide(place.directories.at(-1) ?? root, place.name, pathOf(place));
      return;
    }
    for (const child of [...this.rootfs.childrenOf(place.inode).keys()]) {
      this.#hide(place.inode, child, joinPath(pathOf(place), child));
    }
  }

  /** Removes what lower layers brought, and of a directory that this layer touched only the rest. */
  #hide(directory: Inode, name: string, path: string): void {
    if (!this.#isTouched(directory, name)) {
      this.#remove(directory, name, path);
      return;
    }
    const inode = this.rootfs.childrenOf(directory).get(name);
    if (inode === undefined) {
      return;
    }
    for (const child of [...this.rootfs.childrenOf(inode).keys()]) {
      this.#hide(inode, child, joinPath(path, child));
    }
  }

  #remove(directory: Inode, name: string, path: string): void {
    const inode = this.rootfs.childrenOf(directory).get(name);
    if (inode === undefined) {
      return;
    }
    this.rootfs.unlink(directory, name);
    const type = this.rootfs.typeOf(inode);
    if (type === 'directory' || type === 'symlink') {
      this.#places.clear();
    }
    const removed: [Inode, string][] = [[inode, path]];
    for (let next = removed.pop(); next !== undefined; next = removed.pop()) {
      const [current, at] = next;
      for (const [child, below] of this.rootfs.childrenOf(current)) {
        removed.push([below, joinPath(at, child)]);
      }
      this.#release(current, at);
    }
  }

  /** One name of a file is gone: its content becomes history, and is nowhere else once all names are gone. */
  #release(inode: Inode, path: string): void {
    const names = (this.#names.get(inode) ?? 1) - 1;
    if (names > 0) {
      this.#names.set(inode, names);
    }
    const found = this.finds.get(inode);
    if (found === undefined) {
      return;
    }
    if (found.content !== undefined) {
      const content = this.#hidden.keep(this.#summarized(path, found.wanted, found.content));
      this.history.set(path, [...(this.history.get(path) ?? []), { inode, content }]);
      this.#historyBytes += content.length;
      this.#trimHistory();
    }
    if (names === 0) {
      if (found.content !== undefined) {
        this.#visible.remove(found.content);
      }
      this.#observationBytes -= found.observationBytes ?? 0;
      this.finds.delete(inode);
    }
  }

  #summarized(path: string, wanted: number, content: Uint8Array): Uint8Array {
    for (const [at, cataloger] of this.#catalogers.entries()) {
      const kept = (wanted & (1 << at)) === 0 ? undefined : summaryBy(cataloger, latin1ToText(path), content);
      if (kept !== undefined) {
        return kept;
      }
    }
    return content;
  }

  /** What was hidden first goes first. */
  #trimHistory(): void {
    for (const [path, former] of this.history) {
      if (this.#historyBytes <= mergeLimits.history) {
        return;
      }
      for (const { content } of former) {
        this.#historyBytes -= content.length;
      }
      this.history.delete(path);
    }
  }

  /** Whoever touched a name touched all directories above it. */
  #touch({ directories }: DirectoryEntry): void {
    for (let at = directories.length - 1; at >= 0; at -= 1) {
      const directory = directories[at] ?? root;
      if (this.#touched.has(directory)) {
        return;
      }
      this.#touched.add(directory);
    }
  }

  #isTouched(directory: Inode, name: string): boolean {
    const inode = this.rootfs.childrenOf(directory).get(name);
    return (
      inode !== undefined &&
      (this.rootfs.layerOf(inode) === this.#layer ||
        this.#touched.has(inode) ||
        this.#links.has(`${directory}/${name}`))
    );
  }

  #wrong(path: string, why: string): Error {
    return cannotTell('layer.entry', `layer ${this.#layer}: ${quoted(latin1ToText(path))} ${why}`, {
      hint: 'no container engine can unpack this image',
    });
  }
}

/** Contents of which several files may have one together: it counts once. */
class SharedBytes {
  readonly #users: Map<Uint8Array, number> = new Map();
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  /** `false` where it is too much. */
  add(content: Uint8Array): boolean {
    const users = this.#users.get(content) ?? 0;
    if (users === 0 && content.length > this.#left) {
      return false;
    }
    if (users === 0) {
      this.#left -= content.length;
    }
    this.#users.set(content, users + 1);
    return true;
  }

  remove(content: Uint8Array): void {
    const users = (this.#users.get(content) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(content, users);
      return;
    }
    this.#users.delete(content);
    this.#left += content.length;
  }
}
