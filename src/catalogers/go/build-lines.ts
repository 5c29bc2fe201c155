import { compact } from '../../base/compact.ts';

/** A module that was linked. */
export interface GoModule {
  readonly path: string;
  readonly version?: string;
  /** `h1:` and base64: of the tree of the module, as in go.sum. */
  readonly sum?: string;
  readonly replaces?: string;
}

/** What the lines of `go version -m` say of a program. */
export interface GoBuild {
  /** Of the package `main`. */
  readonly program?: string;
  readonly main?: GoModule;
  readonly modules: readonly GoModule[];
  readonly settings: ReadonlyMap<string, string>;
  /** Lines that are not as they should be. */
  readonly broken: number;
}

/** The lines of runtime/debug.BuildInfo, without those of modules whose names or versions are none. */
export function readBuildLines(text: string): GoBuild {
  const modules: GoModule[] = [];
  const settings = new Map<string, string>();
  let program: string | undefined;
  let main: GoModule | undefined;
  let broken = 0;
  let last: 'dep' | 'mod' | undefined;
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.split('\t');
    const [first = ''] = words;
    if (kind === 'path') {
      program = isWord(first) ? first : undefined;
    } else if (kind === 'build') {
      const [, key, value = ''] = /^([\w.-]+)=([ -~]*)$/.exec(first) ?? [];
      if (key !== undefined) {
        settings.set(key, value);
      }
    } else if (kind === 'mod' || kind === 'dep') {
      const found = moduleOf(words);
      last = found === undefined ? undefined : kind;
      if (found === undefined) {
        broken += 1;
      } else if (kind === 'mod') {
        main = found;
      } else {
        modules.push(found);
      }
    } else if (kind === '=>') {
      const module = last === 'dep' ? modules.pop() : undefined;
      const replaced = last === 'mod' ? main : module;
      const found = replaced === undefined ? undefined : replacement(replaced, words);
      if (found === undefined) {
        broken += 1;
      } else if (last === 'mod') {
        main = found;
      } else {
        modules.push(found);
      }
      last = undefined;
    }
  }
  return compact({
    modules,
    settings,
    broken,
    program,
    main,
  });
}

function moduleOf([path = '', version = '', sum = '']: readonly string[]): GoModule | undefined {
  if (!isWord(path) || !/^[!-~]{0,256}$/.test(version)) {
    return undefined;
  }
  return {
    path,
    // `(devel)` is what Go says where it knows none.
    ...(/^[^(]/.test(version) ? { version } : {}),
    ...(/^h1:[A-Za-z0-9+/]{43}=$/.test(sum) ? { sum } : {}),
  };
}

/**
 * A directory in place of a module has no version: what was linked has the name of the module, and is not
 * what is published as it.
 */
function replacement({ path }: GoModule, words: readonly string[]): GoModule | undefined {
  const found = moduleOf(words);
  if (found === undefined) {
    return undefined;
  }
  if (/^\.{0,2}\//.test(found.path)) {
    return { path, replaces: `${path} by ${found.path}` };
  }
  return found.path === path ? found : { ...found, replaces: path };
}

function isWord(text: string): boolean {
  return /^[!-~]{1,512}$/.test(text);
}
