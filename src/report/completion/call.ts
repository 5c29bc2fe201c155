/** A call that a shell completes: `tcf`, `tcf verify`, `tcf log show`. */
export interface CompletedCall {
  readonly path: string;
  readonly options: readonly CompletedOption[];
  /** The verbs or actions that may follow, or the values of its first argument. */
  readonly words: readonly CompletedWord[];
  /** What its other words name; files where this is missing. */
  readonly names?: NameKind;
}

/**
 * Names that only the machine knows, as the hidden verb `completion-names` prints them: `images` that verbs
 * read, `signed-images` as verbs name them that ask who signed them, `registry-images` that have a name in a
 * registry, `profiles` of `tcf up`, `containers` that it made.
 */
export const nameKinds = ['images', 'signed-images', 'registry-images', 'profiles', 'containers'] as const;

export type NameKind = (typeof nameKinds)[number];

/** The call that prints them. Whatever goes wrong there is no word on the line that somebody types. */
export const namesCall = 'command tcf completion-names';

export interface CompletedWord {
  readonly name: string;
  readonly summary: string;
}

export interface CompletedOption {
  /** With their hyphens: `-o`, `--output`. */
  readonly names: readonly string[];
  readonly summary: string;
  /** What comes after it; nothing does where this is missing. */
  readonly value?: CompletedValue;
}

/** `text`: what only the user knows. A list: one of these. */
export type CompletedValue = 'file' | 'image' | 'text' | readonly string[];

/**
 * `<file>` and `<token|file>` are a file, `<auto|api|tag>` is one of three, `<seconds>` a text. `name` stands
 * between the signs.
 */
export function toCompletedValue(name: string): CompletedValue {
  const kinds = name.split(/\||-or-/);
  if (kinds.some((kind) => fileKinds.has(kind))) {
    return 'file';
  }
  if (name === 'image') {
    return 'image';
  }
  return kinds.length > 1 && kinds.every((kind) => /^[\w.-]+$/.test(kind)) ? kinds : 'text';
}

const fileKinds: ReadonlySet<string> = new Set(['file', 'folder', 'path', 'sbom', 'socket']);

/** One word for bash and zsh. */
export function shellText(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The lines of a `case` that knows, for each call, what the value of an option is. */
export function valueCases(
  calls: readonly CompletedCall[],
  say: (value: CompletedValue) => string,
): readonly string[] {
  const lines = calls.flatMap((call) =>
    call.options.flatMap(({ names, value }) =>
      value === undefined
        ? []
        : [[say(value), names.map((name) => shellText(`${call.path} ${name}`))] as const],
    ),
  );
  const grouped = Map.groupBy(lines, ([said]) => said);
  return [...grouped].map(
    ([said, same]) => `    ${same.flatMap(([, names]) => names).join('|')}) ${said} ;;`,
  );
}

/** The calls whose words name something of this machine, by what that is. */
function callsByNames(calls: readonly CompletedCall[]): ReadonlyMap<NameKind, readonly CompletedCall[]> {
  const naming = calls.flatMap((call) => (call.names === undefined ? [] : [[call.names, call] as const]));
  return new Map(
    nameKinds.map((kind) => [kind, naming.filter(([names]) => names === kind).map(([, call]) => call)]),
  );
}

/**
 * The lines of a `case` that knows what the words of a call name: `'tcf up') _tcf_names profiles; return ;;`.
 */
export function nameCases(calls: readonly CompletedCall[]): readonly string[] {
  return [...callsByNames(calls)].map(
    ([kind, naming]) =>
      `    ${naming.map(({ path }) => shellText(path)).join('|')}) _tcf_names ${kind}; return ;;`,
  );
}

/** The calls that have a word before them: `'tcf log'|'tcf log show'`. */
export function laterCalls(calls: readonly CompletedCall[]): string {
  return calls
    .filter(({ path }) => path.includes(' '))
    .map(({ path }) => shellText(path))
    .join('|');
}
