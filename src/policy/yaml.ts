import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';

/** A policy is a page or two; the largest that lists every image of a registry by name stays under 100 KiB. */
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
 * Reads YAML 1.2 (JSON is a part of it) as one meaning or none. Refused is what lets two readers see two policies: duplicate
 * keys, directives, tags, several documents, warnings; and anchors, aliases and merge keys, with which ten lines become gigabytes.
 *
 * @throws TcfError `policy.malformed` (exit 3) with line and column.
 */
export function parseStrictYaml(text: string, name: string, what = 'policy'): YamlDocument {
  if (text.length > maxCharacters) {
    throw malformed(printable(name), `the ${what} is longer than ${maxCharacters} characters`);
  }
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${printable(name)}:${line}:${col}`;
  };
  const directive = text.search(/^%/m);
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    // The library compares each key with all before it; `twin` does not.
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw malformed(at(problem.pos[0]), printable(problem.message));
  if (directive >= 0) throw malformed(at(directive), `directives such as %YAML have no place in a ${what}`);
  visit(document, {
    Node(_, node) {
      const start = at(node.range?.[0] ?? 0);
      if (isAlias(node) || node.anchor !== undefined)
        throw malformed(start, `anchors and aliases have no place in a ${what}`);
      if ('tag' in node && node.tag !== undefined) throw malformed(start, `tags have no place in a ${what}`);
      const second = isMap(node) ? twin(node) : undefined;
      if (second !== undefined) throw malformed(at(second.range?.[0] ?? 0), 'Map keys must be unique');
    },
  });
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    wrong: (path, why, { key, hint } = {}) => {
      const node = closest(document.contents, path, key);
      return malformed(at(node?.range?.[0] ?? 0), `${formatPath(path)} ${why}`.trim(), hint);
    },
  };
}

/** The first key that stands a second time. */
function twin({ items }: YAMLMap): Scalar | undefined {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) return key;
    seen.add(key.value);
  }
  return undefined;
}

function malformed(where: string, why: string, hint?: string): TcfError {
  return askedWrongly('policy.malformed', `${where}: ${why}`, hint === undefined ? {} : { hint });
}

/** The node at `path`, or the nearest one above it; with `key`, that key of the map found there. */
function closest(top: unknown, path: Path, key: string | undefined): Node | undefined {
  let node = isNode(top) ? top : undefined;
  for (const step of path) {
    const inner =
      isMap(node) || (node !== undefined && 'get' in node) ? node.get(step as never, true) : undefined;
    if (!isNode(inner)) break;
    node = inner;
  }
  if (key === undefined || !isMap(node)) return node;
  const found = node.items
    .map((pair) => pair.key)
    .find((candidate) => isScalar(candidate) && candidate.value === key);
  return isNode(found) ? found : node;
}

/** `scopes[0].require.signed.by`; a key with other characters stands in quotes. */
function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const plain = /^[\w-]+$/.test(step) ? step : quoted(step);
      return index === 0 ? plain : `.${plain}`;
    })
    .join('');
}
