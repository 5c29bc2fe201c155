import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { codeOf, isMissing } from '../system/errors.ts';
import { cleanPath, joinPath } from './names.ts';

/** What Linux follows. */
const maxLinks = 40;

/**
 * Opens the files of an unpacked layer without leaving its folder. An image may bring `etc -> /etc` and then
 * `etc/shadow`: its unpacker, which has changed its root, wrote below the folder of the layer, and there we
 * look, not in the host's /etc. Synchronous, because a hundred thousand trips to the thread pool take longer
 * than the reading.
 */
export class LayerFolder {
  readonly #root: string;
  readonly #directories: Map<string, string | undefined> = new Map([['', '']]);

  constructor(root: string) {
    this.#root = Buffer.from(root).toString('latin1');
  }

  /**
   * Reads the regular file of a name through `use`, and closes it. A link, a pipe or a device of that name is
   * not what the layer unpacked.
   *
   * @param name bytes as latin1.
   * @returns `undefined` where there is no such file.
   */
  read<T>(name: string, use: (file: OpenFile) => T): T | undefined {
    const handle = this.#open(name);
    if (handle === undefined) {
      return undefined;
    }
    try {
      const stat = fstatSync(handle);
      return stat.isFile() ? use({ handle, size: stat.size }) : undefined;
    } finally {
      closeSync(handle);
    }
  }

  #open(name: string): number | undefined {
    const path = cleanPath(name);
    const slash = path.lastIndexOf('/');
    const directory = this.#real(path.slice(0, Math.max(0, slash)));
    if (directory === undefined) {
      return undefined;
    }
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      return openSync(this.#absolute(joinPath(directory, path.slice(slash + 1))), flags);
    } catch (error) {
      if (isMissing(error) || isLink(error)) {
        return undefined;
      }
      throw error;
    }
  }

  #absolute(path: string): Buffer {
    return Buffer.from(joinPath(this.#root, path), 'latin1');
  }

  #real(path: string): string | undefined {
    if (!this.#directories.has(path)) {
      this.#directories.set(path, this.#resolve(path));
    }
    return this.#directories.get(path);
  }

  #resolve(path: string): string | undefined {
    const slash = path.lastIndexOf('/');
    // Nearly every directory lies in one that was seen, and is no link.
    const parent = this.#real(path.slice(0, Math.max(0, slash)));
    if (parent === undefined) {
      return undefined;
    }
    return this.#follow(parent, path.slice(slash + 1));
  }

  #follow(start: string, rest: string): string | undefined {
    const todo = [rest];
    const real = start === '' ? [] : start.split('/');
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') {
        continue;
      }
      if (part === '..') {
        real.pop();
        continue;
      }
      const target = this.#linkTarget([...real, part].join('/'));
      if (target === undefined) {
        real.push(part);
        continue;
      }
      links += 1;
      if (links > maxLinks) {
        return undefined;
      }
      if (target.startsWith('/')) {
        real.length = 0;
      }
      todo.push(...target.split('/').reverse());
    }
    return real.join('/');
  }

  #linkTarget(path: string): string | undefined {
    try {
      const absolute = this.#absolute(path);
      if (!lstatSync(absolute).isSymbolicLink()) {
        return undefined;
      }
      return readlinkSync(absolute, { encoding: 'buffer' }).toString('latin1');
    } catch (error) {
      if (isMissing(error)) {
        return undefined;
      }
      throw error;
    }
  }
}

export interface OpenFile {
  readonly handle: number;
  readonly size: number;
}

/** The next bytes of a file, in `buffer`; none at its end. */
export function readPiece({ handle }: OpenFile, buffer: Uint8Array, at: number, most: number): Uint8Array {
  return buffer.subarray(0, readSync(handle, buffer, 0, Math.min(most, buffer.length), at));
}

function isLink(error: unknown): boolean {
  return codeOf(error) === 'ELOOP';
}
