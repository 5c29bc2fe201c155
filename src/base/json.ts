import { decodeUtf8 } from './bytes.ts';
import { cannotTell, type TcfError } from './error.ts';

export interface JsonLimits {
  /** Longest text in bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth: number;
  /**
   * What becomes of half a character (a lone surrogate): an error, or U+FFFD as in Go, which is what
   * container engines read.
   */
  readonly surrogates?: 'refused' | 'replaced';
}

/** 64 levels: the deepest document we read (CycloneDX with nested components) uses fewer than 20. */
const maxDepth = 64;
const mebi = 1024 * 1024;

export const jsonLimits: Readonly<Record<'manifest' | 'bundle' | 'document' | 'small', JsonLimits>> = {
  /** Manifests and indexes: the distribution specification asks registries to take at least 4 MiB. */
  manifest: { maxBytes: 4 * mebi, maxDepth },
  /**
   * Bundles: GitHub's limit for an attestation is 16 MiB; base64 in DSSE adds a third, so 32 MiB holds every
   * real one.
   */
  bundle: { maxBytes: 32 * mebi, maxDepth },
  /** SBOMs given as a file. */
  document: { maxBytes: 64 * mebi, maxDepth },
  /** Image configurations, credential files, trusted roots, tokens. */
  small: { maxBytes: 8 * mebi, maxDepth },
};

/**
 * Reads JSON (RFC 8259) as one meaning or none. Beyond `JSON.parse` it refuses what two parsers understand
 * differently: duplicate keys, a byte order mark, bytes that are not UTF-8, lone surrogates, numbers that a
 * double cannot hold, nesting beyond the limit. Objects have no prototype, so `__proto__` is a key like any
 * other. A whole number from 2^53 on stays as it was written (see `wholeText`) and is never rounded.
 *
 * @throws TcfError `json.malformed` or `json.too-large` (exit 2).
 */
export function parseJson(
  input: Uint8Array | string,
  what: string,
  limits: JsonLimits = jsonLimits.small,
): unknown {
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.length;
  if (size > limits.maxBytes) {
    throw cannotTell(
      'json.too-large',
      `${what} has ${size} bytes, more than the limit of ${limits.maxBytes}`,
    );
  }
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (text === undefined) {
    throw malformed(what, 'it is not UTF-8');
  }
  return new Parser(text, what, limits).document();
}

function malformed(what: string, why: string): TcfError {
  return cannotTell('json.malformed', `${what} is not well-formed JSON: ${why}`);
}

// One sticky regular expression for each token keeps the scanner linear.
const whitespace = /[\t\n\r ]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const plainString = /"[^"\\\u0000-\u001f\ud800-\udfff]*"/y;
/**
 * Part of a string with escapes. Each round of an alternation takes a place on the engine's stack, so the
 * rounds have a limit, not the string.
 */
const anyCharacters = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,4096}/y;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** A double holds 17 significant digits; a longer literal is a bomb (10^6 digits) or a second meaning. */
const maxNumberLength = 40;

class Parser {
  readonly #text: string;
  readonly #what: string;
  readonly #maxDepth: number;
  readonly #replaces: boolean;
  #at = 0;

  constructor(text: string, what: string, { maxDepth, surrogates }: JsonLimits) {
    this.#text = text;
    this.#what = what;
    this.#maxDepth = maxDepth;
    this.#replaces = surrogates === 'replaced';
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) {
      throw this.#wrong('there is more after its end');
    }
    return value;
  }

  #wrong(why: string): TcfError {
    return malformed(this.#what, `${why} at character ${this.#at}`);
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text);
    if (found === null) {
      return undefined;
    }
    this.#at = token.lastIndex;
    return found[0];
  }

  #skip(): void {
    this.#match(whitespace);
  }

  #value(depth: number): unknown {
    this.#skip();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      throw this.#wrong('a value is expected');
    }
    this.#at += word.length;
    return value;
  }

  #number(): unknown {
    const start = this.#at;
    const literal = this.#match(number);
    if (literal === undefined) {
      throw this.#wrong('a value is expected');
    }
    const value = Number(literal);
    if (literal.length > maxNumberLength || !Number.isFinite(value)) {
      this.#at = start;
      throw this.#wrong('a number is out of range');
    }
    if (!Number.isInteger(value)) {
      return value;
    }
    if (hasFraction(literal)) {
      this.#at = start;
      throw this.#wrong('a number has a fraction too small for a double');
    }
    return Number.isSafeInteger(value) ? value : rawJson.rawJSON(literal);
  }

  #string(): string {
    const plain = this.#match(plainString);
    if (plain !== undefined) {
      return plain.slice(1, -1);
    }
    const value = JSON.parse(this.#escaped()) as string;
    if (this.#replaces) {
      return value.toWellFormed();
    }
    if (loneSurrogate.test(value)) {
      throw this.#wrong('a string holds half a character (lone surrogate)');
    }
    return value;
  }

  /** The whole literal, quotes included. */
  #escaped(): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#match(anyCharacters) !== undefined) {}
    if (this.#text[this.#at] !== '"') {
      this.#at = start;
      throw this.#wrong('a string is not closed or has a bad escape');
    }
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #array(depth: number): unknown[] {
    this.#open(depth);
    const items: unknown[] = [];
    if (this.#close(']')) {
      return items;
    }
    do {
      items.push(this.#value(depth));
    } while (this.#more(']'));
    return items;
  }

  #object(depth: number): Record<string, unknown> {
    this.#open(depth);
    const members: Record<string, unknown> = Object.create(null);
    if (this.#close('}')) {
      return members;
    }
    do {
      this.#skip();
      if (this.#text[this.#at] !== '"') {
        throw this.#wrong('a key is expected');
      }
      const key = this.#string();
      if (key in members) {
        throw this.#wrong(`the key ${JSON.stringify(key.slice(0, 80))} stands twice`);
      }
      this.#skip();
      if (this.#text[this.#at] !== ':') {
        throw this.#wrong('":" is expected');
      }
      this.#at += 1;
      members[key] = this.#value(depth);
    } while (this.#more('}'));
    return members;
  }

  #open(depth: number): void {
    if (depth > this.#maxDepth) {
      throw this.#wrong(`it is nested deeper than ${this.#maxDepth} levels`);
    }
    this.#at += 1;
  }

  #close(bracket: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== bracket) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #more(bracket: string): boolean {
    if (this.#close(bracket)) {
      return false;
    }
    if (this.#text[this.#at] !== ',') {
      throw this.#wrong(`"," or "${bracket}" is expected`);
    }
    this.#at += 1;
    return true;
  }
}

/** What ECMAScript 2026 has for numbers as they were written; the types of TypeScript 7.0 do not have it. */
interface RawJson {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
}
const rawJson = JSON as typeof JSON & RawJson;

/** The digits of a literal, and how many of them stand behind the point once its exponent is applied. */
function digitsOf(literal: string): { readonly digits: string; readonly places: number } {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  return { digits: whole + fraction, places: fraction.length - Number(exponent) };
}

/** Whether a number that a double takes for a whole one was written with a fraction: `4.99999999999999999999`. */
function hasFraction(literal: string): boolean {
  const { digits, places } = digitsOf(literal);
  return places > 0 && /[1-9]/.test(digits.slice(-places));
}

/**
 * The text of a whole number from 2^53 on, as `parseJson` keeps it, such as `18446744073709551615` or `1e30`;
 * `JSON.stringify` writes it again. `undefined`: the value is something else.
 */
export function wholeText(value: unknown): string | undefined {
  return rawJson.isRawJSON(value) ? value.rawJSON : undefined;
}

/** The same number, exactly. `undefined`: the value is something else. */
export function wholeNumber(value: unknown): bigint | undefined {
  const text = wholeText(value);
  if (text === undefined) {
    return undefined;
  }
  const { digits, places } = digitsOf(text);
  const whole = BigInt(places > 0 ? digits.slice(0, -places) : digits.padEnd(digits.length - places, '0'));
  return text.startsWith('-') ? -whole : whole;
}

/** Whether a value of JSON, YAML or TOML is an object with members: neither a list nor null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && wholeText(value) === undefined
  );
}
