/** What is known of the folder that a path has reached: which globs fit so far, and how much of each. */
export interface FolderState {
  /** Globs of which only the name of the file is left. */
  readonly files: Uint8Array;
  /** Whether there is one. */
  readonly hasFiles: boolean;
  /** Where the next name may lead; filled as names come. */
  readonly next: Map<string, FolderState>;
  /** Names that some glob spells out here. */
  readonly names: ReadonlySet<string>;
  /** Names that some glob describes here. */
  readonly described: readonly string[];
  /** Places in globs. */
  readonly places: readonly number[];
}

/** Folders that are remembered by their name in one state; a hostile image has a million. */
const maxRemembered = 1024;
const star = 0x2a;
const question = 0x3f;
/** Capitals and small letters are one. */
const fold = (code: number): number => (code >= 0x41 && code <= 0x5a ? code + 0x20 : code);
/** Children of a node of the trie: one for each byte of ASCII; globs have no others. */
const width = 128;

/**
 * Lists of globs, compiled to one automaton over the folders of a path and one trie over the last bytes of
 * its name: a file that no list asks for costs a look at its last byte or two, and allocates nothing.
 *
 * A glob is ASCII and a whole path: `etc/os-release`, `var/lib/dpkg/info/*.list`. `*` stands for any bytes of
 * one name, `?` for one byte, `**` for any number of folders, and at the end for everything below. Capitals
 * make no difference. A list without globs (`undefined`) asks for every file.
 */
export class PathMatcher {
  /** The folder of the image. */
  readonly root: FolderState;
  /** Lists that ask for every file, as bits. */
  readonly #always: number;
  readonly #globs: readonly Glob[];
  /** The parts of all globs one after another. */
  readonly #parts: string[] = [];
  /** The glob of the last part of each, by place; others have none. */
  readonly #fileOf: Map<number, number> = new Map();
  readonly #states: Map<string, FolderState> = new Map();
  /** Of each node its children by byte; node 0 is the root and no child. */
  #trie = new Uint16Array(64 * width);
  #nodes = 1;
  /** Globs that may fit where a name ends so. */
  readonly #ends: number[][] = [];

  /** At most 30 lists. */
  constructor(lists: readonly (readonly string[] | undefined)[]) {
    this.#always = lists.reduce((bits, list, at) => (list === undefined ? bits | (1 << at) : bits), 0);
    this.#globs = lists.flatMap((list = [], at) => list.map((text) => readGlob(text, 1 << at)));
    const starts: number[] = [];
    for (const [at, { name, folders }] of this.#globs.entries()) {
      starts.push(this.#parts.length);
      this.#parts.push(...folders, name);
      this.#fileOf.set(this.#parts.length - 1, at);
      this.#addEnd(name, at);
    }
    this.root = this.#stateOf(starts);
  }

  /** The state below a folder of this name: bytes as latin1. */
  enter(state: FolderState, name: string): FolderState {
    const known = state.next.get(name);
    if (known !== undefined) {
      return known;
    }
    const folded = name.toLowerCase();
    const isSpelled = state.names.has(folded) || state.described.some((part) => fitsName(part, folded));
    // Whatever nobody speaks of leads to one state, and is looked up under a name that no folder has.
    const key = isSpelled ? name : '/';
    const next = state.next.get(key) ?? this.#stateOf(this.#placesBelow(state, isSpelled ? folded : '/'));
    if (state.next.size < maxRemembered) {
      state.next.set(key, next);
    }
    return next;
  }

  /** The state below a path of folders. */
  folder(path: string): FolderState {
    return path === ''
      ? this.root
      : path.split('/').reduce((state, name) => this.enter(state, name), this.root);
  }

  /**
   * The lists that may ask for a file, as bits.
   *
   * @param path ends with its name, which starts at `from`; bytes as latin1.
   */
  file(state: FolderState, path: string, from = 0): number {
    let bits = this.#always;
    if (!state.hasFiles) {
      return bits;
    }
    let node = 0;
    for (let at = path.length - 1; ; at -= 1) {
      for (const glob of this.#ends[node] ?? none) {
        const { bit, first, isEnd, name } = this.#globs[glob] as Glob;
        const mayFit = state.files[glob] === 1 && (first < 0 || first === fold(path.charCodeAt(from)));
        if (mayFit && (isEnd || fitsName(name, path, 0, from))) {
          bits |= bit;
        }
      }
      const code = at < from ? width : fold(path.charCodeAt(at));
      node = code < width ? (this.#trie[node * width + code] ?? 0) : 0;
      if (node === 0) {
        return bits;
      }
    }
  }

  /** A glob is found by the literal bytes that its last name ends with. */
  #addEnd(name: string, glob: number): void {
    let node = 0;
    for (let at = name.length - 1; at >= 0; at -= 1) {
      const code = name.charCodeAt(at);
      if (code === star || code === question) {
        break;
      }
      node = this.#child(node, code);
    }
    this.#ends[node] = [...(this.#ends[node] ?? []), glob];
  }

  #child(node: number, code: number): number {
    const known = this.#trie[node * width + code] ?? 0;
    if (known !== 0) {
      return known;
    }
    const made = this.#nodes;
    this.#nodes += 1;
    if (this.#nodes * width > this.#trie.length) {
      const larger = new Uint16Array(2 * this.#trie.length);
      larger.set(this.#trie);
      this.#trie = larger;
    }
    this.#trie[node * width + code] = made;
    return made;
  }

  #placesBelow({ places }: FolderState, name: string): readonly number[] {
    return places.flatMap((place) => {
      const part = this.#parts[place] ?? '';
      if (part === '**') {
        return [place];
      }
      return !this.#fileOf.has(place) && fitsName(part, name) ? [place + 1] : [];
    });
  }

  #stateOf(reached: readonly number[]): FolderState {
    const places = new Set<number>();
    for (const place of reached) {
      let at = place;
      // `**` may be no folder at all.
      for (places.add(at); this.#parts[at] === '**'; places.add(at)) {
        at += 1;
      }
    }
    const ordered = [...places].sort((a, b) => a - b);
    const key = ordered.join(' ');
    const known = this.#states.get(key);
    if (known !== undefined) {
      return known;
    }
    const files = new Uint8Array(this.#globs.length);
    const parts = new Set<string>();
    for (const place of ordered) {
      const glob = this.#fileOf.get(place);
      if (glob === undefined) {
        parts.add(this.#parts[place] ?? '');
      } else {
        files[glob] = 1;
      }
    }
    // `*` fits every name, so that it makes none of them special.
    const special = [...parts].filter((part) => part !== '**' && part !== '*');
    const state: FolderState = {
      files,
      hasFiles: files.includes(1),
      next: new Map(),
      names: new Set(special.filter((part) => !isDescription(part))),
      described: special.filter(isDescription),
      places: ordered,
    };
    this.#states.set(key, state);
    return state;
  }
}

interface Glob {
  /** Of its list. */
  readonly bit: number;
  readonly folders: readonly string[];
  readonly name: string;
  /** The first byte of a name that fits; -1: any. */
  readonly first: number;
  /** Whether a name fits that ends as the literal bytes at its end say. */
  readonly isEnd: boolean;
}

const none: readonly number[] = [];

function readGlob(text: string, bit: number): Glob {
  const parts = text.toLowerCase().split('/');
  const last = parts.at(-1) ?? '';
  const [folders, name] = last === '**' ? [parts, '*'] : [parts.slice(0, -1), last];
  const isSound = /^[\x21-\x7e]+$/.test(text) && !parts.includes('') && !name.includes('**');
  if (!isSound) {
    throw new RangeError(`not a glob: ${text}`);
  }
  const isEnd = name.startsWith('*') && !/[*?]/.test(name.slice(1));
  const first = /^[*?]/.test(name) ? -1 : name.charCodeAt(0);
  return { bit, folders, name, first, isEnd };
}

function isDescription(part: string): boolean {
  return part.includes('*') || part.includes('?');
}

/** Whether one name fits one part of a glob, which is lower case. */
function fitsName(part: string, name: string, partAt = 0, nameAt = 0): boolean {
  for (let at = nameAt, to = partAt; ; at += 1, to += 1) {
    if (to === part.length) {
      return at === name.length;
    }
    const code = part.charCodeAt(to);
    if (code === star) {
      const next = part.charCodeAt(to + 1);
      const isAny = Number.isNaN(next) || next === star || next === question;
      for (let rest = at; rest <= name.length; rest += 1) {
        // Most places are out of the question by their first byte.
        const mayFit = isAny || fold(name.charCodeAt(rest)) === next;
        if (mayFit && fitsName(part, name, to + 1, rest)) {
          return true;
        }
      }
      return false;
    }
    if (at === name.length || (code !== question && fold(name.charCodeAt(at)) !== code)) {
      return false;
    }
  }
}
