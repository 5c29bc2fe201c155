import { cannotTell } from '../base/error.ts';
import { flat, isClean, joinPath } from './names.ts';
import type { TarType } from './tar.ts';

const rootfsLimits: Readonly<Record<'nodes' | 'names' | 'links', number>> = {
  /**
   * Files, directories and links of all layers together, hidden ones included: six times what was ever seen.
   */
  nodes: 3_000_000,
  /** Bytes of all names together. */
  names: 256 * 1024 * 1024,
  /** Symbolic links on one way. Linux follows 40, unpackers up to 255. */
  links: 255,
};

/** A number for each file, directory or link: what a file system calls an inode. 0 is the root directory. */
export type Inode = number;

export const root: Inode = 0;

export type NodeType = Exclude<TarType, 'hardlink'>;

/** Where a way ended: the directory, the last name, and what stands there if anything does. */
export interface DirectoryEntry {
  /** Directories from the root to the one that holds `name`; the root itself first. */
  readonly directories: readonly Inode[];
  /** Their names; the root has none, so there is one name less. */
  readonly names: readonly string[];
  /** `` for the root itself. */
  readonly name: string;
  readonly inode: Inode | undefined;
  /** Whether a symbolic link was followed on the way. */
  readonly isIndirect: boolean;
}

export interface MissingFile {
  readonly directory: Inode;
  /** Names of the directories above, from the root. */
  readonly names: readonly string[];
  readonly name: string;
  /** Whether no symbolic link was followed on the way. */
  readonly isDirect: boolean;
}

export interface WalkOptions {
  /** Follow a symbolic link that is the last component. */
  readonly followLast: boolean;
  /**
   * Called for a component that is missing or no directory; answers with the directory to go on in, if any.
   */
  readonly onMissing?: (missing: MissingFile) => Inode | undefined;
}

/** What an archive says of an entry beside its name. */
interface Facts {
  readonly size?: number | undefined;
  readonly modified?: number | undefined;
  /** Of a link. */
  readonly target?: string | undefined;
}

/**
 * A tree of numbers. A file of no interest costs its name, an entry in the map of its directory and a few
 * array slots, so that an image with half a million files fits into memory beside everything else.
 */
export class Rootfs {
  readonly #types: NodeType[] = [];
  readonly #layers: number[] = [];
  readonly #entries: number[] = [];
  readonly #sizes: number[] = [];
  readonly #times: number[] = [];
  /** Of directories only. */
  readonly #children: (Map<string, Inode> | undefined)[] = [];
  /** Of each directory. */
  readonly #parents: Map<Inode, Inode> = new Map();
  readonly #names: Map<Inode, string> = new Map();
  readonly #targets: Map<Inode, string> = new Map();
  #nameBytes = 0;

  constructor() {
    this.add('directory', 0, 0);
    this.#parents.set(root, root);
  }

  add(type: NodeType, layer: number, entry: number, { modified, size, target }: Facts = {}): Inode {
    const inode = this.#types.length;
    if (inode >= rootfsLimits.nodes) {
      throw cannotTell('layer.too-large', `the image has more than ${rootfsLimits.nodes} files`);
    }
    this.#types.push(type);
    this.#layers.push(layer);
    this.#entries.push(entry);
    this.#sizes.push(size ?? 0);
    this.#times.push(modified ?? 0);
    this.#children.push(type === 'directory' ? new Map() : undefined);
    if (target !== undefined) {
      this.#targets.set(inode, target);
    }
    return inode;
  }

  typeOf(inode: Inode): NodeType {
    return this.#types[inode] ?? 'other';
  }

  /** Position of the layer that brought it. */
  layerOf(inode: Inode): number {
    return this.#layers[inode] ?? 0;
  }

  /** Position in the archive of that layer. */
  entryOf(inode: Inode): number {
    return this.#entries[inode] ?? 0;
  }

  sizeOf(inode: Inode): number {
    return this.#sizes[inode] ?? 0;
  }

  /** When it was changed last, in seconds since 1970. */
  modifiedAt(inode: Inode): number {
    return this.#times[inode] ?? 0;
  }

  /** Where a symbolic link leads, as written. */
  targetOf(link: Inode): string {
    return this.#targets.get(link) ?? '';
  }

  /** Whether `directory` is `above` or lies below it. */
  isWithin(directory: Inode, above: Inode): boolean {
    for (let at = directory; ; at = this.#parents.get(at) ?? root) {
      if (at === above) {
        return true;
      }
      if (at === root) {
        return false;
      }
    }
  }

  childrenOf(directory: Inode): ReadonlyMap<string, Inode> {
    return this.#children[directory] ?? none;
  }

  link(directory: Inode, name: string, inode: Inode): void {
    const children = this.#children[directory];
    if (children === undefined) {
      return;
    }
    if (!children.has(name)) {
      this.#nameBytes += name.length;
      if (this.#nameBytes > rootfsLimits.names) {
        throw cannotTell('layer.too-large', 'the names of the files in the image are too long in sum');
      }
    }
    const own = flat(name);
    children.set(own, inode);
    if (this.typeOf(inode) === 'directory') {
      this.#parents.set(inode, directory);
      this.#names.set(inode, own);
    }
  }

  unlink(directory: Inode, name: string): void {
    this.#children[directory]?.delete(name);
  }

  /**
   * Walks a path from the root as Linux would inside a container: symbolic links are followed in every
   * component, an absolute one starts at the image's root, and `..` stays inside. `undefined` where a
   * component is missing or no directory, or links go in circles.
   */
  walk(path: string, options: WalkOptions): DirectoryEntry | undefined {
    return this.#walk([root], [], path, options);
  }

  /** Walks the target of a symbolic link that stands in `directory`. */
  follow(directory: Inode, link: Inode): DirectoryEntry | undefined {
    const directories = [directory];
    const names: string[] = [];
    for (let at = directory; at !== root; ) {
      const parent = this.#parents.get(at) ?? root;
      names.unshift(this.#names.get(at) ?? '');
      directories.unshift(parent);
      at = parent;
    }
    return this.#walk(directories, names, this.targetOf(link), { followLast: true });
  }

  #walk(
    directories: Inode[],
    names: string[],
    path: string,
    { followLast, onMissing }: WalkOptions,
  ): DirectoryEntry | undefined {
    const todo = partsOf(path);
    if (path.startsWith('/')) {
      reset(directories, names);
    }
    let followed = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '..') {
        if (directories.length > 1) {
          directories.pop();
        }
        names.pop();
        continue;
      }
      const directory = directories.at(-1) ?? root;
      const inode = this.childrenOf(directory).get(part);
      const isLast = todo.length === 0;
      const type = inode === undefined ? undefined : this.typeOf(inode);
      if (inode !== undefined && type === 'symlink' && !(isLast && !followLast)) {
        followed += 1;
        if (followed > rootfsLimits.links) {
          return undefined;
        }
        const target = this.targetOf(inode);
        if (target.startsWith('/')) {
          reset(directories, names);
        }
        todo.push(...partsOf(target));
        continue;
      }
      if (isLast) {
        return { directories, names, name: part, inode, isIndirect: followed > 0 };
      }
      const next =
        type === 'directory'
          ? inode
          : onMissing?.({ directory, names, name: part, isDirect: followed === 0 });
      if (next === undefined) {
        return undefined;
      }
      directories.push(next);
      names.push(part);
    }
    return ended(directories, names, followed > 0);
  }
}

/** Last first. Most paths are clean already. */
function partsOf(path: string): string[] {
  const parts = path.split('/');
  const kept = isClean(path) ? parts : parts.filter((part) => part !== '' && part !== '.');
  return kept.reverse();
}

const none: ReadonlyMap<string, Inode> = new Map();

function reset(directories: Inode[], names: string[]): void {
  directories.length = 0;
  directories.push(root);
  names.length = 0;
}

/** A way that ends with `..` or a link to `/` ends at a directory, which has a name in the one above. */
function ended(directories: Inode[], names: string[], isIndirect: boolean): DirectoryEntry {
  const inode = directories.at(-1) ?? root;
  if (names.length === 0) {
    return { directories: [root], names, name: '', inode: root, isIndirect };
  }
  return {
    directories: directories.slice(0, -1),
    names: names.slice(0, -1),
    name: names.at(-1) ?? '',
    inode,
    isIndirect,
  };
}

export function pathOf({ names, name }: DirectoryEntry): string {
  return joinPath(names.join('/'), name);
}
