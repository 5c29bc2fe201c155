import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { appendFile, open, readlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Content, replaceFile, temporaryBeside } from './atomic.ts';

/**
 * What stands where an output goes. `descriptor`: the path is a name of an open file of this process
 * (`/dev/stdout`, `>(...)`), which goes on where the last writer stopped; to open or replace what it leads to
 * would take away what others wrote there. `through`: a device, a pipe or the like. `whole`: a regular file
 * or nothing, which is replaced in one step.
 */
export type Destination =
  | { readonly kind: 'descriptor'; readonly descriptor: number }
  | { readonly kind: 'through'; readonly path: string }
  | { readonly kind: 'whole'; readonly path: string; readonly mode?: number };

const descriptorPath = /^\/(?:dev|proc\/(?:self|thread-self))\/fd\/(\d{1,6})$/;

/**
 * Where the links of a path end; a link to nothing ends where its file would be made.
 *
 * @param path Absolute.
 * @throws the system's error.
 */
export async function destinationOf(path: string, links = 40): Promise<Destination> {
  const descriptor = descriptorPath.exec(path)?.[1];
  if (descriptor !== undefined) {
    refuseOwnDescriptor(Number(descriptor));
    return { kind: 'descriptor', descriptor: Number(descriptor) };
  }
  if (links > 0 && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    return await destinationOf(resolve(dirname(path), await readlink(path)), links - 1);
  }
  const standing = statSync(path, { throwIfNoEntry: false });
  if (standing === undefined) {
    return { kind: 'whole', path };
  }
  return standing.isFile() ? { kind: 'whole', path, mode: standing.mode & 0o777 } : { kind: 'through', path };
}

/**
 * What Node opened for itself is not a file, a pipe or a socket. @throws as the system does for a closed one.
 */
function refuseOwnDescriptor(descriptor: number): void {
  const stats = fstatSync(descriptor);
  const kinds = ['isFile', 'isFIFO', 'isSocket', 'isCharacterDevice', 'isBlockDevice'] as const;
  if (!kinds.some((kind) => stats[kind]())) {
    throw Object.assign(new Error('EBADF: bad file descriptor, write'), { code: 'EBADF', syscall: 'write' });
  }
}

/**
 * @param mode Permission bits of a file; default: those of the file that stands there, or 644.
 * @throws the system's error.
 */
export async function writeTo(to: Destination, content: Content, mode?: number): Promise<void> {
  if (to.kind === 'whole') {
    await replaceFile(to.path, content, mode ?? to.mode);
    return;
  }
  const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  await using stream = to.kind === 'through' ? await open(to.path, 'w') : undefined;
  for await (const chunk of chunks) {
    if (to.kind === 'descriptor') {
      writeWhole(to.descriptor, chunk);
    } else {
      await stream?.writeFile(chunk);
    }
  }
}

/** Adds at the end of what stands there. @throws the system's error. */
export async function appendTo(to: Destination, content: string): Promise<void> {
  if (to.kind === 'descriptor') {
    writeWhole(to.descriptor, content);
  } else {
    await appendFile(to.path, content);
  }
}

/**
 * Looks whether something can be written there, and changes nothing.
 *
 * @param how `append`: what stands there stays; `make`: it is replaced.
 * @throws the system's error.
 */
export function tryDestination(to: Destination, how: 'append' | 'make'): void {
  if (to.kind === 'descriptor') {
    writeSync(to.descriptor, '');
  } else if (to.kind === 'through') {
    accessSync(to.path, constants.W_OK);
  } else if (how === 'append' && to.mode !== undefined) {
    closeSync(openSync(to.path, 'a'));
  } else {
    // A folder may be on a disk that takes nothing, which its permissions do not say.
    const path = temporaryBeside(to.path);
    closeSync(openSync(path, 'wx', 0o600));
    rmSync(path);
  }
}

/**
 * Writes all of a text or bytes to an open file. A disk that is nearly full takes a part and says so by a
 * number; the next write says why.
 *
 * @throws the system's error.
 */
export function writeWhole(descriptor: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(descriptor, bytes, at);
  }
}
