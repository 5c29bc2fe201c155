import {
  boolCoreTag,
  dump,
  EVENT_ID,
  type Event,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';

/**
 * A policy is a page or two; the largest that lists every image of a registry by name stays under 100 KiB.
 */
const maxCharacters = 262_144;

/** Where a value stands: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** YAML read as plain data, with a way back to line and column. */
export interface YamlDocument {
  readonly value: unknown;
  /** An error that names the place: `policy.yaml:7:5: signers.team.key is ...`. */
  wrong(path: Path, why: string, options?: { readonly key?: string; readonly hint?: string }): TcfError;
}

/**
 * Reads YAML 1.2 (JSON is a part of it) as one meaning or none. Refused is what lets two readers see two
 * policies: duplicate keys, directives, tags, several documents; and anchors, aliases and merge keys, with
 * which ten lines become gigabytes.
 *
 * @throws TcfError `policy.malformed` (exit 3) with line and column.
 */
export function parseStrictYaml(
  text: string,
  name: string,
  what = 'policy',
  limit: number = maxCharacters,
): YamlDocument {
  if (text.length > limit) {
    throw malformed(printable(name), `the ${what} is longer than ${limit} characters`);
  }
  const at = (offset: number): string => {
    const lines = text.slice(0, offset).split(/\r\n|[\r\n]/);
    return `${printable(name)}:${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  };
  const refuse: Refuse = (offset, why) => malformed(at(offset), why);
  const top = new Reader(text, readEvents(text, refuse), what, refuse).document();
  return {
    value: top.value,
    wrong: (path, why, { key, hint } = {}) =>
      malformed(at(placeOf(top, path, key)), `${formatPath(path)} ${why}`.trim(), hint),
  };
}

type Refuse = (offset: number, why: string) => TcfError;

function readEvents(text: string, refuse: Refuse): readonly Event[] {
  try {
    return parseEvents(text, { maxDepth: 100 });
  } catch (error) {
    if (error instanceof YAMLException) {
      throw refuse(error.mark?.position ?? 0, printable(error.reason));
    }
    throw error;
  }
}

/** Documents for other engines: no line is broken, and nothing is written by reference. */
export function formatYaml(...documents: readonly unknown[]): string {
  return documents.map((document) => dump(document, { lineWidth: -1, noRefs: true })).join('---\n');
}

/** A value and where it begins. */
interface Node {
  readonly value: unknown;
  readonly start: number;
  /** Where its key begins, in a mapping. */
  readonly keyStart?: number;
  /** Of a mapping, by key; of a list, by position. */
  readonly inner?: ReadonlyMap<string | number, Node>;
}

/** Turns the events of one document into values, and refuses those that have no place in ours. */
class Reader {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #what: string;
  readonly #refuse: Refuse;
  #next = 0;

  constructor(text: string, events: readonly Event[], what: string, refuse: Refuse) {
    this.#text = text;
    this.#events = events;
    this.#what = what;
    this.#refuse = refuse;
  }

  document(): Node {
    const first = this.#take();
    if (first?.type !== EVENT_ID.DOCUMENT) {
      return { value: null, start: 0 };
    }
    if (first.directives.length > 0) {
      throw this.#refuse(0, `directives such as %YAML have no place in a ${this.#what}`);
    }
    const top = this.#node(this.#take(), 0);
    this.#take();
    if (this.#next < this.#events.length) {
      throw this.#refuse(this.#text.length, `the ${this.#what} has multiple documents`);
    }
    return top;
  }

  #take(): Event | undefined {
    const event = this.#events[this.#next];
    this.#next += 1;
    return event;
  }

  /** @param above where to point for a value that is not written, as in `key:`. */
  #node(event: Event | undefined, above: number): Node {
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        this.#refuseProperties(event);
        return { value: this.#scalar(event), start: startOf(event, above) };
      case EVENT_ID.SEQUENCE:
        this.#refuseProperties(event);
        return this.#list(event.start);
      case EVENT_ID.MAPPING:
        this.#refuseProperties(event);
        return this.#mapping(event.start);
      case EVENT_ID.ALIAS:
        throw this.#refuse(event.anchorStart - 1, `anchors and aliases have no place in a ${this.#what}`);
      default:
        return { value: null, start: above };
    }
  }

  #list(start: number): Node {
    const inner = new Map<number, Node>();
    for (let event = this.#take(); event !== undefined && event.type !== EVENT_ID.POP; event = this.#take()) {
      inner.set(inner.size, this.#node(event, start));
    }
    return { value: [...inner.values()].map(({ value }) => value), start, inner };
  }

  #mapping(start: number): Node {
    const inner = new Map<string, Node>();
    for (let event = this.#take(); event !== undefined && event.type !== EVENT_ID.POP; event = this.#take()) {
      if (event.type !== EVENT_ID.SCALAR) {
        throw this.#refuse(start, 'a key is not text');
      }
      this.#refuseProperties(event);
      const key = getScalarValue(this.#text, event);
      const keyStart = startOf(event, start);
      if (inner.has(key)) {
        throw this.#refuse(keyStart, 'Map keys must be unique');
      }
      inner.set(key, { ...this.#node(this.#take(), keyStart), keyStart });
    }
    const entries = [...inner].map(([key, { value }]) => [key, value] as const);
    return { value: Object.fromEntries(entries), start, inner };
  }

  #scalar(event: ScalarEvent): unknown {
    const text = getScalarValue(this.#text, event);
    if (event.style !== SCALAR_STYLE.PLAIN) {
      return text;
    }
    // The core schema of YAML 1.2, section 10.3.2.
    for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
      const value: unknown = tag.resolve(text, false, tag.tagName);
      if (value !== NOT_RESOLVED) {
        return value;
      }
    }
    return text;
  }

  #refuseProperties({
    anchorStart,
    tagStart,
  }: {
    readonly anchorStart: number;
    readonly tagStart: number;
  }): void {
    if (anchorStart >= 0) {
      throw this.#refuse(anchorStart - 1, `anchors and aliases have no place in a ${this.#what}`);
    }
    if (tagStart >= 0) {
      throw this.#refuse(tagStart, `tags have no place in a ${this.#what}`);
    }
  }
}

/** Of a text in quotes the range of the event begins behind the quote; what is not written has none. */
function startOf({ style, valueStart }: ScalarEvent, above: number): number {
  if (valueStart < 0) {
    return above;
  }
  const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? valueStart - 1 : valueStart;
}

function malformed(where: string, why: string, hint?: string): TcfError {
  return askedWrongly('policy.malformed', `${where}: ${why}`, hint === undefined ? {} : { hint });
}

/**
 * Where the value at `path` begins, or the nearest one above it; with `key`, that key of the mapping found
 * there.
 */
function placeOf(top: Node, path: Path, key: string | undefined): number {
  let node = top;
  for (const step of path) {
    const inner = node.inner?.get(step);
    if (inner === undefined) {
      break;
    }
    node = inner;
  }
  return (key === undefined ? undefined : node.inner?.get(key)?.keyStart) ?? node.start;
}

/** `scopes[0].require.signed.by`; a key with other characters stands in quotes. */
function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') {
        return `[${step}]`;
      }
      const plain = /^[\w-]+$/.test(step) ? step : quoted(step);
      return index === 0 ? plain : `.${plain}`;
    })
    .join('');
}
