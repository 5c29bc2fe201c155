import { TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** Characters of a secret that must not be seen in a row; a shorter secret is looked for whole. */
const windowLength = 12;
/** A shorter secret occurs in any text by chance. */
const leastLength = 3;
/** Encodings in encodings that are undone. */
const depth = 3;
/** Characters of a message that are looked at; ours have some hundred. */
const maxMessage = 16_384;
/** A password of fewer characters may stand in a document by chance. */
const leastInDocuments = 16;

/**
 * What was sent as a credential, so that no answer brings it into an output: a registry can repeat it in an
 * error, a header or an address, as it is, in base64, percent-encoded, or escaped as JSON and HTML do.
 */
export class SentSecrets {
  readonly #long = new Set<string>();
  readonly #windows = new Map<number, Set<string>>();

  /** A password, a token, the value of an Authorization header. */
  add(secret: string): void {
    const text = toLatin1(secret);
    if (text.length < leastLength) {
      return;
    }
    if (text.length >= leastInDocuments) {
      this.#long.add(text);
    }
    const length = Math.min(text.length, windowLength);
    const windows = this.#windows.get(length) ?? new Set();
    this.#windows.set(length, windows);
    for (let at = 0; at + length <= text.length; at += 1) {
      windows.add(text.slice(at, at + length));
    }
  }

  /** Whether a message holds a secret, or a part of a long one, in any of these encodings. */
  isIn(text: string): boolean {
    return this.#windows.size > 0 && this.#isIn(toLatin1(text.slice(0, maxMessage)), depth);
  }

  /** Whether a document holds a whole token: what is read of it gets into reports. */
  isInDocument(bytes: Uint8Array): boolean {
    if (this.#long.size === 0) {
      return false;
    }
    const text = Buffer.from(bytes).toString('latin1');
    const views = [text, undoEscapes(text, false), undoEscapes(text, true), ...encodedRuns(text)];
    return views.some((view) => [...this.#long].some((secret) => view.includes(secret)));
  }

  #isIn(text: string, left: number): boolean {
    if (this.#holds(text)) {
      return true;
    }
    if (left === 0) {
      return false;
    }
    const plain = [undoEscapes(text, false), undoEscapes(text, true)].filter((view) => view !== text);
    if (plain.some((view) => this.#isIn(view, left - 1))) {
      return true;
    }
    return encodedRuns(text).some((decoded) => this.#isIn(decoded, left - 1));
  }

  #holds(text: string): boolean {
    for (const [length, windows] of this.#windows) {
      for (let at = 0; at + length <= text.length; at += 1) {
        if (windows.has(text.slice(at, at + length))) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The error without what strangers made of a secret. `own` are words of the user (names, tags): they are no
   * answer, and a short password may stand in them.
   */
  cleaned(error: unknown, own: readonly string[]): unknown {
    if (!(error instanceof TcfError)) {
      return error;
    }
    const foreign = (text: string) => own.reduce((rest, word) => rest.replaceAll(word, ' '), text);
    const reveals = (text: string) => this.isIn(foreign(text));
    const isClean = !reveals(error.message) && !reveals(error.hint ?? '');
    if (isClean && !reveals(causes(error))) {
      return error;
    }
    const parts = error.message.replace(/"[^"]*"/g, (part) => (reveals(part) ? '"[credential]"' : part));
    const message = reveals(parts)
      ? `the answer of ${quoted(own[0] ?? 'the service')} repeats a credential`
      : parts;
    const hint = error.hint === undefined || reveals(error.hint) ? {} : { hint: error.hint };
    return new TcfError(error.exit, error.code, message, hint);
  }
}

function causes(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${cause.message} ${causes(cause)}` : '';
}

/** One character for each byte of UTF-8, which is what encoders see. */
function toLatin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const byName: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const byLetter: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
const escapes =
  /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]{1,6});|&#(\d{1,7});|&(amp|lt|gt|quot|apos);|\\(.)|(\+)/gi;

/**
 * Undoes the escapes of URLs, forms, JSON, JavaScript and HTML. Some writers escape characters, and some the
 * bytes of UTF-8.
 */
function undoEscapes(text: string, ofBytes: boolean): string {
  const toText = (point: number) =>
    ofBytes && point < 0x100 ? String.fromCharCode(point) : toLatin1(String.fromCodePoint(point));
  return text.replace(escapes, (whole, percent, u, x, hex, decimal, name, letter, plus) => {
    if (percent !== undefined) {
      return String.fromCharCode(Number.parseInt(percent, 16));
    }
    if (name !== undefined) {
      return byName[name.toLowerCase()] ?? whole;
    }
    if (letter !== undefined) {
      return byLetter[letter] ?? letter;
    }
    if (plus !== undefined) {
      return ' ';
    }
    const point = decimal === undefined ? Number.parseInt(u ?? x ?? hex, 16) : Number(decimal);
    return point > 0x10ffff ? whole : toText(point);
  });
}

/** What runs of base64 and of hex mean, wherever in the run their writer began. */
function encodedRuns(text: string): readonly string[] {
  const hex = [...text.matchAll(/(?:[0-9a-f]{2}){3,}/gi)].map(([run]) =>
    Buffer.from(run, 'hex').toString('latin1'),
  );
  const base64 = [...text.matchAll(/[A-Za-z0-9+/_-]{4,}/g)].flatMap(([run]) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1')),
  );
  return [...hex, ...base64];
}
