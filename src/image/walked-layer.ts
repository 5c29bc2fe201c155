import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { cannotTell } from '../base/error.ts';
import { isMissing } from '../system/errors.ts';
import { type LayerFolder, readPiece } from './layer-folder.ts';
import { joinPath } from './names.ts';
import { type TarEntry, type TarSink, type TarType, type TarVisitor, tarLimits } from './tar.ts';

/** A layer of a store that kept no archive of it: what lies in its folder is all there is. */
export type WalkedLayer =
  | {
      readonly driver: 'overlay';
      /** Folders, as latin1, that hide those of the layers below; absent where that cannot be told. */
      readonly opaque?: readonly string[];
    }
  | {
      /** Each folder holds everything that lies below it too. */
      readonly driver: 'vfs';
      /** The folder of the layer below, which tells what this one changed. */
      readonly below?: string;
    };

/** Told of what could not be looked at. */
export type SkipTold = (path: string, reason: string) => void;

/** The first piece of a file: what tells whether the rest is wanted. */
const firstPiece = 4096;
const chunkSize = 1024 * 1024;
const whiteout = '.wh.';

/**
 * Shows a layer as its archive would: entries sorted by name, folders before what lies in them. Whiteouts of
 * an overlay are devices 0:0, and a folder that hides the one below has a mark in its extended attributes.
 *
 * @returns bytes of all regular files.
 * @throws TcfError `storage.layer` (exit 2) where a wanted file goes away meanwhile; errors of the system.
 */
export function readWalked(
  layer: WalkedLayer & { readonly directory: string; readonly what: string },
  folder: LayerFolder,
  visit: TarVisitor,
  skip: SkipTold,
): number {
  return new Walk(layer, folder, visit, skip).run();
}

type Stats = ReturnType<typeof statOf>;
type FoundLayer = Parameters<typeof readWalked>[0];

class Walk {
  readonly #layer: FoundLayer;
  readonly #folder: LayerFolder;
  readonly #visit: TarVisitor;
  readonly #skip: SkipTold;
  readonly #buffer = Buffer.allocUnsafeSlow(chunkSize);
  /** The first name of each file that has several. */
  readonly #first: Map<string, string> = new Map();
  #count = 0;
  #size = 0;

  constructor(layer: FoundLayer, folder: LayerFolder, visit: TarVisitor, skip: SkipTold) {
    this.#layer = layer;
    this.#folder = folder;
    this.#visit = visit;
    this.#skip = skip;
  }

  run(): number {
    const folders = [''];
    const found: (readonly [string, Stats])[] = [];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      for (const name of namesIn(this.#layer.directory, at)) {
        const path = joinPath(at, name);
        const stat = statOf(this.#layer.directory, path);
        found.push([path, stat]);
        if (stat.isDirectory()) {
          folders.push(path);
        }
      }
      if (found.length > tarLimits.entries) {
        throw cannotTell('storage.layer', `${this.#layer.what} has more than ${tarLimits.entries} entries`);
      }
    }
    const directories = found.flatMap(([path, stat]) => (stat.isDirectory() ? [path] : []));
    const opaque = this.#opaque();
    for (const [path, stat] of found.sort(([a], [b]) => compare(a, b))) {
      this.#entry(path, stat);
      if (opaque.has(path)) {
        this.#emit(`${path}/${whiteout}${whiteout}.opq`, 'file', stat, 0);
      }
    }
    if (this.#below !== undefined) {
      this.#gone(this.#below, ['', ...directories]);
    }
    return this.#size;
  }

  #entry(path: string, stat: Stats): void {
    if (this.#below !== undefined && isSame(this.#layer.directory, this.#below, path, stat)) {
      return;
    }
    if (stat.isCharacterDevice() && stat.rdev === 0) {
      const slash = path.lastIndexOf('/') + 1;
      this.#emit(`${path.slice(0, slash)}${whiteout}${path.slice(slash)}`, 'file', stat, 0);
    } else if (stat.isDirectory()) {
      this.#emit(path, 'directory', stat, 0);
    } else if (stat.isSymbolicLink()) {
      this.#emit(path, 'symlink', stat, 0, targetOf(this.#layer.directory, path));
    } else if (stat.isFile()) {
      this.#file(path, stat);
    } else {
      this.#emit(path, 'other', stat, 0);
    }
  }

  #file(path: string, stat: Stats): void {
    const key = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1 ? this.#first.get(key) : undefined;
    if (first !== undefined) {
      this.#emit(path, 'hardlink', stat, 0, first);
      return;
    }
    if (stat.nlink > 1) {
      this.#first.set(key, path);
    }
    this.#size += stat.size;
    const sink = this.#emit(path, 'file', stat, stat.size);
    if (sink !== undefined && stat.size > 0) {
      this.#content(path, stat.size, sink);
    }
    sink?.end();
  }

  #content(path: string, size: number, sink: TarSink): void {
    const read = this.#folder.read(path, (file) => {
      for (let at = 0; at < size; ) {
        const piece = readPiece(
          file,
          this.#buffer,
          at,
          Math.min(size - at, at === 0 ? firstPiece : chunkSize),
        );
        if (piece.length === 0) {
          return false;
        }
        if (sink.isOfUse?.(piece, 0) === false) {
          return true;
        }
        sink.push(piece);
        if (sink.isDone === true) {
          return true;
        }
        at += piece.length;
      }
      return true;
    });
    if (read !== true) {
      throw cannotTell('storage.layer', `${this.#layer.what} changed while it was read`);
    }
  }

  #emit(name: string, type: TarType, stat: Stats, size: number, linkName = ''): TarSink | undefined {
    const modified = Math.floor(stat.mtimeMs / 1000);
    const entry: TarEntry = {
      index: this.#count,
      name,
      type,
      size,
      modified,
      stored: size,
      linkName,
      offset: 0,
    };
    this.#count += 1;
    return this.#visit(entry);
  }

  /** What the layer below has and this one has not. */
  #gone(below: string, directories: readonly string[]): void {
    for (const at of directories) {
      const names = new Set(namesIn(this.#layer.directory, at));
      for (const name of namesIn(below, at).filter((one) => !names.has(one))) {
        const stat = statOf(this.#layer.directory, at);
        this.#emit(joinPath(at, `${whiteout}${name}`), 'file', stat, 0);
      }
    }
  }

  get #below(): string | undefined {
    return this.#layer.driver === 'vfs' ? this.#layer.below : undefined;
  }

  #opaque(): ReadonlySet<string> {
    if (this.#layer.driver === 'overlay' && this.#layer.opaque === undefined) {
      const reason = 'which of its folders hide those of lower layers cannot be told: GNU tar cannot be run';
      this.#skip(this.#layer.what, reason);
    }
    return new Set(this.#layer.driver === 'overlay' ? this.#layer.opaque : []);
  }
}

/** Whether the layer below has the same there, as far as a copy tells: names of one file are told apart. */
function isSame(directory: string, below: string, path: string, stat: Stats): boolean {
  const other = statIn(below, path);
  if (other === undefined || other.mode !== stat.mode || stat.nlink > 1 !== other.nlink > 1) {
    return false;
  }
  if (stat.isDirectory()) {
    return true;
  }
  const isAlike = other.size === stat.size && other.mtimeMs === stat.mtimeMs && other.rdev === stat.rdev;
  return isAlike && (!stat.isSymbolicLink() || targetOf(directory, path) === targetOf(below, path));
}

function statOf(directory: string, path: string) {
  return lstatSync(absolute(directory, path));
}

function statIn(directory: string, path: string): Stats | undefined {
  try {
    return statOf(directory, path);
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Sorted, as latin1; none where there is no such folder. */
function namesIn(directory: string, path: string): readonly string[] {
  if (statIn(directory, path)?.isDirectory() !== true) {
    return [];
  }
  return readdirSync(absolute(directory, path), { encoding: 'buffer' })
    .map((name) => name.toString('latin1'))
    .sort();
}

function targetOf(directory: string, path: string): string {
  return readlinkSync(absolute(directory, path), { encoding: 'buffer' }).toString('latin1');
}

function absolute(directory: string, path: string): Buffer {
  return Buffer.from(joinPath(Buffer.from(directory).toString('latin1'), path), 'latin1');
}

/** By components: `a/b` stands before `a.b`. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.replaceAll('/', '\0')) as [string, string];
  return left < right ? -1 : Number(left > right);
}
