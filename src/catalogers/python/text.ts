import type { Tree } from '../contract.ts';

/** Text of a wanted file, bytes that are no UTF-8 replaced; `undefined` where there is none. */
export function utf8Text(tree: Tree, path: string): string | undefined {
  const content = tree.file(path)?.content();
  return content === undefined ? undefined : Buffer.from(content).toString('utf8');
}

/**
 * Lines of paths and settings: PATH_MAX of Linux is 4096, RECORD has a checksum beside it. A longer line is
 * empty.
 */
export function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).map((line) => (line.length > 4300 ? '' : line));
}

/** What stands before the last slash; empty for a name alone. */
export function parentFolder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** A path with `.` and `..` taken out; `..` never leaves the root. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') {
      parts.pop();
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
  }
  return parts.join('/');
}
