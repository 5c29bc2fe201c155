// C0, DEL, C1, line and paragraph separators, bidirectional controls and zero-width characters. Names,
// identities and annotations are written by strangers: printed raw they move the cursor, hide text or fake
// another line.
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Makes a stranger's text safe to print on one line: control characters become `\x1b` or `\u202e`. */
export function printable(text: string, limit = 400): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unsafe, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The last line of what a program said, which is mostly why it ended; safe to print. */
export function lastLine(text: string, limit?: number): string {
  return printable(text.trim().split('\n').at(-1) ?? '', limit);
}

/** `2026-11-30`, in UTC. */
export function formatDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** Of those, what `JSON.stringify` leaves as it is. */
const unsafeInJson = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/**
 * JSON for people and programs, with a line feed: the same values, and nothing in it that a terminal obeys
 * (A-121).
 */
export function formatJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  return `${text.replace(unsafeInJson, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** A stranger's text in quotes, for an error message. */
export function quoted(text: string): string {
  return `"${printable(text, 200)}"`;
}

/** Orders by UTF-16 code unit, so that no locale changes a byte of the output. */
export function byCodeUnit(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

/** `1 package`, `2 packages`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}
