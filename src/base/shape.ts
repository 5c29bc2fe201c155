import { cannotTell, type TcfError } from './error.ts';
import { isObject, wholeText } from './json.ts';

/**
 * A JSON value and the path on which it was found, so that a refusal names the place:
 * `manifest.layers[2].size is not a whole number`. Every reader throws TcfError `document.malformed` (exit
 * 2).
 */
export class Shape {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path: string) {
    this.value = value;
    this.path = path;
  }

  wrong(why: string): TcfError {
    return cannotTell('document.malformed', `${this.path} ${why}`);
  }

  get missing(): boolean {
    return this.value === undefined;
  }

  /** The member `key` of an object; a Shape of `undefined` where it is absent. */
  get(key: string): Shape {
    const members = this.record();
    return new Shape(Object.hasOwn(members, key) ? members[key] : undefined, `${this.path}.${key}`);
  }

  /** The member `key`, or `undefined` where it is absent. `null` counts as present. */
  optional(key: string): Shape | undefined {
    const member = this.get(key);
    return member.missing ? undefined : member;
  }

  record(): Readonly<Record<string, unknown>> {
    if (!isObject(this.value)) {
      throw this.wrong(this.missing ? 'is missing' : 'is not an object');
    }
    return this.value;
  }

  list(limit: number): readonly Shape[] {
    if (!Array.isArray(this.value)) {
      throw this.wrong(this.missing ? 'is missing' : 'is not a list');
    }
    if (this.value.length > limit) {
      throw this.wrong(`has ${this.value.length} entries, more than the limit of ${limit}`);
    }
    return this.value.map((item, index) => new Shape(item, `${this.path}[${index}]`));
  }

  string(limit = 65_536): string {
    if (typeof this.value !== 'string') {
      throw this.wrong(this.missing ? 'is missing' : 'is not a string');
    }
    if (this.value.length > limit) {
      throw this.wrong(`is longer than ${limit} characters`);
    }
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') {
      throw this.wrong(this.missing ? 'is missing' : 'is not true or false');
    }
    return this.value;
  }

  /** A moment in RFC 3339, UTC, as `Date.toISOString` writes it. */
  instant(): string {
    const text = this.string(40);
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) || Number.isNaN(Date.parse(text))) {
      throw this.wrong('is not a time such as 2026-01-31T00:00:00Z');
    }
    return text;
  }

  /** A whole number from 0 to 2^53 - 1. */
  whole(): number {
    const large = wholeText(this.value);
    if (large !== undefined) {
      throw this.wrong(`is ${large}, and not a number from 0 to 2^53 - 1`);
    }
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) {
      throw this.wrong(this.missing ? 'is missing' : 'is not a whole number');
    }
    return this.value as number;
  }

  /**
   * An object whose values are all strings, such as annotations and labels; `longest` is the limit of each,
   * in characters.
   */
  strings(limit = 10_000, longest?: number): Readonly<Record<string, string>> {
    const members = Object.entries(this.record());
    if (members.length > limit) {
      throw this.wrong(`has more than ${limit} entries`);
    }
    return Object.fromEntries(
      members.map(([key, value]) => [key, new Shape(value, `${this.path}.${key}`).string(longest)]),
    );
  }
}
