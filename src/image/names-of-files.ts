import type { Cataloger, Skipped } from '../catalogers/contract.ts';
import { openScanner } from '../catalogers/run.ts';
import { wantedBy } from './finds.ts';
import type { Merged } from './merge.ts';
import { joinPath, latin1ToText } from './names.ts';
import { type Inode, pathOf, type Rootfs, root } from './rootfs.ts';

const aliasLimits: Readonly<Record<'names' | 'depth' | 'above', number>> = {
  /** Names through symbolic links that are tried. An image with merged `/usr` has 100 000. */
  names: 4_000_000,
  /**
   * Symbolic links to directories that follow one another in one name. A path that a cataloger asks for by
   * all its directories has fewer, so more links on the way hide nothing.
   */
  depth: 8,
  /**
   * Levels below a link that leads to a directory above itself (`build/Release -> ..`, `x.dist-info -> .`).
   * What lies there has its name already, and only the last parts of a name make it a package:
   * `lib/sysimage/rpm/rpmdb.sqlite` has four.
   */
  above: 4,
};

/** A visible name of a regular file, as latin1. */
export interface NamedFile {
  readonly path: string;
  readonly inode: Inode;
}

export interface FileNames {
  /** By cataloger: every visible file it wants. */
  readonly wanted: readonly (readonly NamedFile[])[];
  /** By cataloger: every visible file its scanner saw or, under this name, would see. */
  readonly scanned: readonly (readonly NamedFile[])[];
  /** All names of hard-linked files. */
  readonly links: ReadonlyMap<Inode, readonly string[]>;
  readonly skipped: readonly Skipped[];
}

/**
 * Finds all names under which the merged tree shows files to catalogers. A layer is scanned by the names in
 * its archive, but a file is also reached through hard links and symbolic links, and a package database
 * behind one (`/var/lib/dpkg -> /opt/x`) is a database all the same: otherwise a link is enough to hide
 * everything that is installed.
 */
export function findNames(merged: Merged, catalogers: readonly Cataloger[]): FileNames {
  return new NameFinder(merged, catalogers).find();
}

class NameFinder {
  readonly #merged: Merged;
  readonly #rootfs: Rootfs;
  readonly #catalogers: readonly Cataloger[];
  readonly #wanted: NamedFile[][];
  readonly #scanned: NamedFile[][];
  readonly #links: Map<Inode, string[]> = new Map();
  /** Catalogers that see a file under its real name: they are not shown it again under another. */
  readonly #seen: Map<Inode, { wanted: number; scanned: number }> = new Map();
  readonly #skipped: Skipped[] = [];
  /** Catalogers that are shown a file under a name that a symbolic link gives it. */
  readonly #behindLinks: number;
  #namesLeft: number = aliasLimits.names;

  constructor(merged: Merged, catalogers: readonly Cataloger[]) {
    this.#merged = merged;
    this.#rootfs = merged.rootfs;
    this.#catalogers = catalogers;
    this.#wanted = catalogers.map(() => []);
    this.#scanned = catalogers.map(() => []);
    this.#behindLinks = catalogers.reduce(
      (bits, { scansBehindLinks = true }, at) => (scansBehindLinks ? bits | (1 << at) : bits),
      0,
    );
  }

  find(): FileNames {
    const links: Link[] = [];
    for (const directory of this.#directories()) {
      for (const [name, inode] of this.#rootfs.childrenOf(directory.inode)) {
        const type = this.#rootfs.typeOf(inode);
        if (type === 'symlink') {
          links.push({ ...directory, name, link: inode, way: [], left: Number.POSITIVE_INFINITY });
        } else if (type === 'file') {
          this.#realName(directory.path, name, inode);
        }
      }
    }
    this.#aliases(links);
    return { wanted: this.#wanted, scanned: this.#scanned, links: this.#links, skipped: this.#skipped };
  }

  *#directories(
    from: NamedFile = { path: '', inode: root },
    levels = Number.POSITIVE_INFINITY,
  ): Iterable<NamedFile & { readonly left: number }> {
    const todo = levels < 1 ? [] : [{ ...from, left: levels }];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      yield at;
      if (at.left <= 1) {
        continue;
      }
      for (const [name, inode] of this.#rootfs.childrenOf(at.inode)) {
        if (this.#rootfs.typeOf(inode) === 'directory') {
          todo.push({ path: joinPath(at.path, name), inode, left: at.left - 1 });
        }
      }
    }
  }

  #realName(directory: string, name: string, inode: Inode): void {
    const found = this.#merged.finds.get(inode);
    const isRenamed = this.#merged.renamed.has(inode);
    if (found === undefined && !isRenamed) {
      return;
    }
    const path = joinPath(directory, name);
    if (isRenamed) {
      this.#links.set(inode, [...(this.#links.get(inode) ?? []), path]);
    }
    const text = latin1ToText(path);
    const wanted = isRenamed ? wantedBy(this.#catalogers, text) : (found?.wanted ?? 0);
    const scanned = isRenamed ? this.#scannedUnder(text, inode) : (found?.scanned ?? 0);
    this.#add({ path, inode }, wanted, scanned);
    const seen = this.#seen.get(inode) ?? { wanted: 0, scanned: 0 };
    this.#seen.set(inode, { wanted: seen.wanted | wanted, scanned: seen.scanned | scanned });
  }

  /** Breadth first: short ways before long ones, should there be too many. */
  #aliases(links: readonly Link[]): void {
    let level: readonly Link[] = links;
    for (let depth = 0; depth < aliasLimits.depth && level.length > 0; depth += 1) {
      const next: Link[] = [];
      for (const link of level) {
        this.#alias(link, next);
        if (this.#namesLeft >= 0) {
          continue;
        }
        this.#skipped.push({
          path: latin1ToText(joinPath(link.path, link.name)),
          reason: `more than ${aliasLimits.names} names lead through symbolic links; not all were looked at`,
        });
        return;
      }
      level = next;
    }
  }

  #alias({ path, name, inode, link, way, left }: Link, next: Link[]): void {
    // A second time on one way it leads where it led.
    if (way.some((before) => before.link === link)) {
      return;
    }
    const target = this.#rootfs.follow(inode, link)?.inode;
    if (target === undefined) {
      return;
    }
    const alias = joinPath(path, name);
    if (this.#rootfs.typeOf(target) === 'file') {
      this.#otherName(alias, target);
    }
    if (this.#rootfs.typeOf(target) !== 'directory') {
      return;
    }
    const steps = [...way, { link, directory: inode }];
    const leadsAbove = steps.some(({ directory }) => this.#rootfs.isWithin(directory, target));
    // Every turn back says again what was said, so that all turns of one way share the levels of the first.
    const levels = leadsAbove ? Math.min(left, aliasLimits.above) : Number.POSITIVE_INFINITY;
    for (const directory of this.#directories({ path: alias, inode: target }, levels)) {
      for (const [child, below] of this.#rootfs.childrenOf(directory.inode)) {
        const type = this.#rootfs.typeOf(below);
        if (type === 'symlink') {
          next.push({
            ...directory,
            name: child,
            link: below,
            way: steps,
            left: Math.min(left, directory.left - 1),
          });
        } else if (type === 'file') {
          this.#otherName(joinPath(directory.path, child), below);
        }
        this.#namesLeft -= 1;
        if (this.#namesLeft < 0) {
          return;
        }
      }
    }
  }

  #otherName(path: string, inode: Inode): void {
    this.#namesLeft -= 1;
    const seen = this.#seen.get(inode);
    const text = latin1ToText(path);
    const wanted = wantedBy(this.#catalogers, text) & ~(seen?.wanted ?? 0);
    const scanned = this.#scannedUnder(text, inode) & this.#behindLinks & ~(seen?.scanned ?? 0);
    if (wanted !== 0 || scanned !== 0) {
      this.#add({ path, inode }, wanted, scanned);
    }
  }

  #scannedUnder(path: string, inode: Inode): number {
    // Of a small file no head was kept; who goes by the name alone needs none, and others would have seen it
    // by its own name.
    const head = this.#merged.finds.get(inode)?.head ?? noHead;
    let bits = 0;
    for (const [at, cataloger] of this.#catalogers.entries()) {
      if (openScanner(cataloger, path, head, []) !== undefined) {
        bits |= 1 << at;
      }
    }
    return bits;
  }

  #add(file: NamedFile, wanted: number, scanned: number): void {
    for (let at = 0; at < this.#catalogers.length; at += 1) {
      if ((wanted & (1 << at)) !== 0) {
        this.#wanted[at]?.push(file);
      }
      if ((scanned & (1 << at)) !== 0) {
        this.#scanned[at]?.push(file);
      }
    }
  }
}

const noHead = new Uint8Array(0);

/** A symbolic link: `path` and `inode` are its directory's. */
interface Link extends NamedFile {
  readonly name: string;
  readonly link: Inode;
  /** The links that were followed on the way to it, and their directories. */
  readonly way: readonly { readonly link: Inode; readonly directory: Inode }[];
  /**
   * Levels that are left to the way below it, once one of those led to a directory above its own or another
   * of the way.
   */
  readonly left: number;
}

/** The real path behind a path, as latin1. */
export function realPath(rootfs: Rootfs, path: string): string | undefined {
  const place = rootfs.walk(path, { followLast: true });
  return place?.inode === undefined ? undefined : pathOf(place);
}
