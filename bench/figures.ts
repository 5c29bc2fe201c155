import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/*
 * Figures of the code base: npm run figures. Files, lines, functions, and exported names that mean two
 * things. A name means two things where two files of src declare and export it; `verb` and `actions` are the
 * form of every file in src/commands.
 */

const root = join(import.meta.dirname, '..');

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly functions: readonly { readonly name: string; readonly lines: number }[];
  readonly exported: readonly string[];
  /** Texts of string and template literals, as messages are made of. */
  readonly texts: readonly string[];
}

export function readSources(folder = 'src'): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .sort()
    .map((name) => readSource(join(folder, name)));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const nodes = [...nodesOf(parseAst(text, { lang: 'ts' }, path) as unknown as Node)];
  const lineOf = (at: number) => text.slice(0, at).split('\n').length;
  const functions = nodes
    .filter(({ type }) => /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type))
    .map((node) => ({ name: nameOf(node) ?? 'anonymous', lines: lineOf(node.end) - lineOf(node.start) + 1 }));
  const exported = nodes.flatMap((node) => (node.type === 'ExportNamedDeclaration' ? declared(node) : []));
  const texts = nodes.flatMap((node) => textIn(node) ?? []);
  return { path, text, functions, exported, texts };
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) {
        yield* nodesOf(child);
      }
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function nameOf(node: Node): string | undefined {
  const { id } = node;
  return isNode(id) && typeof id['name'] === 'string' ? id['name'] : undefined;
}

function textIn({ type, value }: Node): string | undefined {
  if (type === 'Literal' && typeof value === 'string') {
    return value;
  }
  const raw = type === 'TemplateElement' ? (value as { readonly raw?: unknown }).raw : undefined;
  return typeof raw === 'string' ? raw : undefined;
}

/** Names that an export declares itself; re-exports name what is declared elsewhere. */
function declared({ declaration }: Node): readonly string[] {
  if (!isNode(declaration)) {
    return [];
  }
  const declarators = declaration['declarations'];
  const nodes = Array.isArray(declarators) ? declarators.filter(isNode) : [declaration];
  // Overloads and a type beside a value of the same name are one thing.
  return [...new Set(nodes.flatMap((node) => nameOf(node) ?? []))];
}

/** Exported names that more than one file declares, with those files. */
export function namesWithTwoMeanings(sources: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const { exported, path } of sources) {
    for (const name of exported) {
      if (path.startsWith('src/commands/') && ['actions', 'verb'].includes(name)) {
        continue;
      }
      files.set(name, [...(files.get(name) ?? []), path]);
    }
  }
  return new Map([...files].filter(([, paths]) => paths.length > 1).sort());
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function printFigures(): void {
  const sources = readSources();
  const lines = sources.map(({ path, text }) => ({ path, count: text.split('\n').length - 1 }));
  const functions = sources.flatMap(({ functions: own, path }) => own.map((one) => ({ ...one, path })));
  const longest = functions.toSorted((a, b) => b.lines - a.lines).slice(0, 5);
  const largest = lines.toSorted((a, b) => b.count - a.count).slice(0, 5);
  const doubles = namesWithTwoMeanings(sources);
  const rows = [
    ['files of src', sources.length],
    ['lines of src', lines.reduce((sum, { count }) => sum + count, 0)],
    ['median file, lines', median(lines.map(({ count }) => count))],
    ['largest files', largest.map(({ count, path }) => `${relative('src', path)} ${count}`).join(', ')],
    ['functions', functions.length],
    ['median function, lines', median(functions.map(({ lines: count }) => count))],
    [
      'longest functions',
      longest.map((one) => `${one.name} (${relative('src', one.path)}) ${one.lines}`).join(', '),
    ],
    [
      'lines over 110 columns',
      sources.flatMap(({ text }) => text.split('\n')).filter((line) => line.length > 110).length,
    ],
    ['exported names with two meanings', doubles.size],
  ] as const;
  const text = [
    '| figure | value |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
  ];
  process.stdout.write(`${text.join('\n')}\n`);
  for (const [name, paths] of doubles) {
    process.stdout.write(`${name}: ${paths.join(', ')}\n`);
  }
}

if (process.argv[1] === import.meta.filename) {
  printFigures();
}
