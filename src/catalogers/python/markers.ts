import { normalName } from './metadata.ts';
import { satisfiesVersion } from './versions.ts';

/** An environment marker of PEP 508, as a tree. */
export type Marker =
  | { readonly all: readonly Marker[] }
  | { readonly any: readonly Marker[] }
  | { readonly left: Operand; readonly operator: string; readonly right: Operand };

type Operand = { readonly variable: string } | { readonly text: string };

/** Values of the marker variables, `python_version` and the like; `extra` is asked for separately. */
export type MarkerEnvironment = Readonly<Record<string, string>>;

const variables: ReadonlySet<string> = new Set([
  'extra',
  'implementation_name',
  'implementation_version',
  'os_name',
  'platform_machine',
  'platform_python_implementation',
  'platform_release',
  'platform_system',
  'platform_version',
  'python_full_version',
  'python_version',
  'sys_platform',
]);
/** As packaging.markers still takes them. */
const oldNames: ReadonlyMap<string, string> = new Map([
  ['os.name', 'os_name'],
  ['sys.platform', 'sys_platform'],
  ['platform.machine', 'platform_machine'],
  ['platform.version', 'platform_version'],
  ['platform.python_implementation', 'platform_python_implementation'],
  ['python_implementation', 'platform_python_implementation'],
]);

/** Real markers nest three deep; each level is a call. */
const maxDepth = 40;
const token =
  /\s*(?:(\(|\))|('[^']*'|"[^"]*")|(===|==|~=|!=|<=|>=|<|>)|(not\s+in\b|in\b|and\b|or\b)|([A-Za-z_][A-Za-z0-9_.]*))/y;

/** Reads a marker; `undefined` where it is none. */
export function parseMarker(text: string): Marker | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined) {
    return undefined;
  }
  let at = 0;
  const take = (): string | undefined => tokens[at++];

  const operand = (): Operand | undefined => {
    const word = take() ?? '';
    if (/^['"]/.test(word)) {
      return { text: word.slice(1, -1) };
    }
    const variable = oldNames.get(word) ?? word;
    return variables.has(variable) ? { variable } : undefined;
  };
  const comparison = (depth: number): Marker | undefined => {
    if (tokens[at] === '(') {
      at += 1;
      const inner = depth > maxDepth ? undefined : either(depth + 1);
      return take() === ')' ? inner : undefined;
    }
    const left = operand();
    const operator = take()?.replace(/\s+/g, ' ') ?? '';
    const right = operand();
    if (left === undefined || right === undefined) {
      return undefined;
    }
    return /^(?:[=~!<>]{1,3}|in|not in)$/.test(operator) ? { left, operator, right } : undefined;
  };
  const chain = (word: string, part: () => Marker | undefined): readonly Marker[] | undefined => {
    const parts: Marker[] = [];
    do {
      const next = part();
      if (next === undefined) {
        return undefined;
      }
      parts.push(next);
    } while (tokens[at] === word && take() !== undefined);
    return parts;
  };
  const both = (depth: number): Marker | undefined => {
    const all = chain('and', () => comparison(depth));
    return all === undefined ? undefined : { all };
  };
  const either = (depth: number): Marker | undefined => {
    const any = chain('or', () => both(depth));
    return any === undefined ? undefined : { any };
  };
  const marker = either(0);
  return at === tokens.length ? marker : undefined;
}

function tokensOf(text: string): readonly string[] | undefined {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  for (let at = 0; at < trimmed.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(trimmed);
    if (found === null) {
      return undefined;
    }
    tokens.push(found[0].trim());
  }
  return tokens;
}

/** Whether a marker holds in an environment, with one extra asked for or, with an empty text, none. */
export function holds(marker: Marker, environment: MarkerEnvironment, extra: string): boolean {
  if ('all' in marker) {
    return marker.all.every((part) => holds(part, environment, extra));
  }
  if ('any' in marker) {
    return marker.any.some((part) => holds(part, environment, extra));
  }
  const { left, operator, right } = marker;
  const aboutExtra = [left, right].some((side) => 'variable' in side && side.variable === 'extra');
  const value = (side: Operand): string => {
    const read = (name: string) => (name === 'extra' ? extra : (environment[name] ?? ''));
    const plain = 'text' in side ? side.text : read(side.variable);
    return aboutExtra ? normalName(plain) : plain;
  };
  return compare(value(left), operator, value(right));
}

/** By version where both sides are one (PEP 440), else as text, as PEP 508 says. */
function compare(left: string, operator: string, right: string): boolean {
  if (operator === 'in') {
    return right.includes(left);
  }
  if (operator === 'not in') {
    return !right.includes(left);
  }
  const byVersion = operator === '===' ? undefined : satisfiesVersion(left, operator, right);
  if (byVersion !== undefined) {
    return byVersion;
  }
  switch (operator) {
    case '===':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return operator === '>=' && left >= right;
  }
}
