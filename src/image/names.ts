import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';

/**
 * Names in an archive are bytes. Inside this package they are strings with one character for each byte
 * (latin1), which compare and hash as bytes do and need one byte each; catalogers and people see text.
 */

const needsCleaning = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * No leading, trailing or double slash, no `.`, and `..` taken away with what stands before it; never above
 * the root, which is ``.
 */
export function cleanPath(name: string): string {
  if (isClean(name)) {
    return name;
  }
  const kept: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') {
      kept.pop();
    } else if (part !== '' && part !== '.') {
      kept.push(part);
    }
  }
  return kept.join('/');
}

/** Whether no component is empty, `.` or `..`. */
export function isClean(name: string): boolean {
  return !needsCleaning.test(name);
}

const notAscii = /[^\0-\x7f]/;
const beyondAscii = /[\x80-\xff]/;

/** As text; a byte that is not part of UTF-8 becomes `\xff`. */
export function latin1ToText(name: string): string {
  if (!beyondAscii.test(name)) {
    return name;
  }
  const bytes = Buffer.from(name, 'latin1');
  const text = decodeUtf8(bytes);
  if (text !== undefined) {
    return text;
  }
  // Character by character: only what does not decode is escaped.
  let escaped = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => decodeUtf8(bytes.subarray(at, at + count)) !== undefined);
    escaped +=
      length === undefined
        ? `\\x${(bytes[at] ?? 0).toString(16)}`
        : decodeUtf8(bytes.subarray(at, at + length));
    at += length ?? 1;
  }
  return escaped;
}

/** The bytes of a text, as latin1. A text with escapes of `toText` finds its way back through `unescaped`. */
export function fromText(text: string): string {
  if (!notAscii.test(text)) {
    return text;
  }
  return Buffer.from(encodeUtf8(text)).toString('latin1');
}

export function unescaped(name: string): string {
  return name.replace(/\\x([89a-f][0-9a-f])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** V8 copies slices that are shorter than this. */
const shortSlice = 13;

/** A string of its own: a slice of a longer string would keep that one in memory. */
export function flat(name: string): string {
  return name.length < shortSlice ? name : Buffer.from(name, 'latin1').toString('latin1');
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
