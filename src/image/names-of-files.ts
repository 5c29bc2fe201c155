import type { Cataloger, Skipped } from '../catalogers/contract.ts';
import { openScanner } from '../catalogers/run.ts';
import { type AskedFolder, type Interests, interestsOf, placeOfBit } from './interests.ts';
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
  readonly #interests: Interests;
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
    this.#interests = interestsOf(catalogers);
    this.#wanted = catalogers.map(() => []);
    this.#scanned = catalogers.map(() => []);
    this.#behindLinks = catalogers.reduce(
      (bits, { scansBehindLinks = true }, at) => (scansBehindLinks ? bits | (1 << at) : bits),
      0,
    );
  }

  find(): FileNames {
    const links: Link[] = [];
    this.#eachBelow(
      { path: '', inode: root, asked: this.#interests.root },
      Number.POSITIVE_INFINITY,
      (directory, name, inode) => {
        const type = this.#rootfs.typeOf(inode);
        if (type === 'symlink') {
          links.push({ ...directory, name, link: inode, way: [] });
        } else if (type === 'file') {
          this.#realName(directory, name, inode);
        }
        return true;
      },
    );
    this.#aliases(links);
    return { wanted: this.#wanted, scanned: this.#scanned, links: this.#links, skipped: this.#skipped };
  }

  /**
   * Shows `see` whatever lies in a directory and, `levels` deep, in those below it, until it answers `false`.
   * An object for each name would be the larger part of the work.
   */
  #eachBelow(
    from: NamedFolder,
    levels: number,
    see: (directory: LeveledFolder, name: string, inode: Inode) => boolean,
  ): void {
    const todo: LeveledFolder[] = levels < 1 ? [] : [{ ...from, left: levels }];
    let goesOn = true;
    for (let at = todo.pop(); at !== undefined && goesOn; at = todo.pop()) {
      const directory = at;
      this.#rootfs.childrenOf(directory.inode).forEach((inode, name) => {
        goesOn &&= see(directory, name, inode);
        if (directory.left > 1 && this.#rootfs.typeOf(inode) === 'directory') {
          const asked = this.#interests.enter(directory.asked, name);
          todo.push({ path: joinPath(directory.path, name), inode, asked, left: directory.left - 1 });
        }
      });
    }
  }

  #realName(directory: NamedFolder, name: string, inode: Inode): void {
    const found = this.#merged.finds.get(inode);
    const isRenamed = this.#merged.renamed.has(inode);
    if (found === undefined && !isRenamed) {
      return;
    }
    const path = joinPath(directory.path, name);
    if (isRenamed) {
      this.#links.set(inode, [...(this.#links.get(inode) ?? []), path]);
    }
    const other = isRenamed ? this.#askedUnder(directory, name, this.#headOf(inode)) : undefined;
    const { scanned, wanted } = other ?? found ?? nobody;
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

  #alias({ asked, inode, left, link, name, path, way }: Link, next: Link[]): void {
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
      this.#otherName({ asked, inode, path }, name, target);
    }
    if (this.#rootfs.typeOf(target) !== 'directory') {
      return;
    }
    const steps = [...way, { link, directory: inode }];
    const leadsAbove = steps.some(({ directory }) => this.#rootfs.isWithin(directory, target));
    // Every turn back says again what was said, so that all turns of one way share the levels of the first.
    const levels = leadsAbove ? Math.min(left, aliasLimits.above) : Number.POSITIVE_INFINITY;
    const below = { path: alias, inode: target, asked: this.#interests.enter(asked, name) };
    this.#eachBelow(below, levels, (directory, child, found) => {
      const type = this.#rootfs.typeOf(found);
      if (type === 'symlink') {
        next.push({
          ...directory,
          name: child,
          link: found,
          way: steps,
          left: Math.min(left, directory.left - 1),
        });
      } else if (type === 'file') {
        this.#otherName(directory, child, found);
      }
      this.#namesLeft -= 1;
      return this.#namesLeft >= 0;
    });
  }

  #otherName(directory: NamedFolder, name: string, inode: Inode): void {
    this.#namesLeft -= 1;
    const seen = this.#seen.get(inode);
    // Nearly always.
    if (seen === undefined && this.#asksNobody(directory.asked, name)) {
      return;
    }
    const without = {
      wanted: seen?.wanted ?? 0,
      scanned: (seen?.scanned ?? 0) | ~this.#behindLinks,
    };
    // Of what nobody wanted or scanned under its own name nothing was kept.
    const head = seen === undefined ? noHead : this.#headOf(inode);
    const { scanned, wanted } = this.#askedUnder(directory, name, head, without);
    if (wanted !== 0 || scanned !== 0) {
      this.#add({ path: joinPath(directory.path, name), inode }, wanted, scanned);
    }
  }

  /** Whether a file of this name, of which nothing was kept, is of no interest. */
  #asksNobody(asked: AskedFolder, name: string): boolean {
    return (
      this.#interests.mayWant(asked, name, 0) === 0 &&
      (this.#interests.byName(this.#interests.mayScan(asked, name, 0)) & this.#behindLinks) === 0
    );
  }

  /** The catalogers that want or scan a file under this name; those of `without` are not asked. */
  #askedUnder(
    { asked, path }: NamedFolder,
    name: string,
    head: Uint8Array,
    without: Askers = nobody,
  ): Askers {
    const mayWant = this.#interests.mayWant(asked, name, 0) & ~without.wanted;
    const mayScan =
      this.#interests.scanning(this.#interests.mayScan(asked, name, 0), head) & ~without.scanned;
    if (mayWant === 0 && mayScan === 0) {
      return nobody;
    }
    const text = latin1ToText(joinPath(path, name));
    return { wanted: this.#interests.wanting(mayWant, text), scanned: this.#scanning(mayScan, text, head) };
  }

  /** Of a file that begins as no scanner says no head was kept; who goes by the name alone needs none. */
  #headOf(inode: Inode): Uint8Array {
    return this.#merged.finds.get(inode)?.head ?? noHead;
  }

  #scanning(candidates: number, path: string, head: Uint8Array): number {
    let bits = 0;
    for (let left = candidates; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const cataloger = this.#catalogers[placeOfBit(bit)];
      if (cataloger !== undefined && openScanner(cataloger, path, head, []) !== undefined) {
        bits |= bit;
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
const nobody: Askers = { wanted: 0, scanned: 0 };

/** Catalogers, as bits. */
interface Askers {
  readonly wanted: number;
  readonly scanned: number;
}

interface NamedFolder extends NamedFile {
  readonly asked: AskedFolder;
}

interface LeveledFolder extends NamedFolder {
  /** Levels that are left below it. */
  readonly left: number;
}

/** A symbolic link: `path` and `inode` are its directory's. */
interface Link extends NamedFolder {
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
