import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { isNode, type Node, nodesOf } from './support/syntax.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

/** The rows of the table whose first heading is `heading`, as cells. */
function table(heading: string): readonly (readonly string[])[] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) {
      break;
    }
    rows.push(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The process comes into it as a value: every other file has what it needs of it as an argument. */
const realHost = 'src/system/process-host.ts';

const listOf = (cell = ''): string[] =>
  cell
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '-' && word !== '');

const packages = new Map(
  table('package').map(([name = '', half = '', , imports]) => [name, { half, imports: listOf(imports) }]),
);
const modules = new Map(
  table('module').flatMap(([names, users = '']) =>
    listOf(names).map((name) => [name, users === 'all' ? [...packages.keys()] : listOf(users)]),
  ),
);
const minted = new Map(table('type').map(([type = '', file]) => [type, listOf(file)]));

interface Source {
  readonly path: string;
  readonly package: string;
  readonly nodes: readonly Node[];
  readonly imports: readonly string[];
}

const sources: readonly Source[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const path = join('src', name);
    const nodes = [
      ...nodesOf(parseAst(readFileSync(join(root, path), 'utf8'), { lang: 'ts' }, path) as unknown as Node),
    ];
    const imports = nodes.flatMap((node) => {
      const named = [
        'ImportDeclaration',
        'ExportNamedDeclaration',
        'ExportAllDeclaration',
        'ImportExpression',
      ].includes(node.type);
      const from = named ? node['source'] : undefined;
      return isNode(from) && typeof from['value'] === 'string' ? [from['value']] : [];
    });
    return { path, package: name.includes('/') ? (name.split('/')[0] ?? '') : '', nodes, imports };
  });

const inPackages = sources.filter((source) => source.package !== '');

test('every folder of src is a package and every package is a folder', () => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map((entry) => entry.name).sort()).toEqual([...packages.keys()].sort());
});

test('the packages form no circle', () => {
  const reaches = (from: string, seen: readonly string[] = []): string[] =>
    (packages.get(from)?.imports ?? []).flatMap((next) =>
      seen.includes(next) ? [next] : [next, ...reaches(next, [...seen, next])],
    );
  for (const name of packages.keys()) {
    expect(reaches(name), name).not.toContain(name);
  }
});

test('no files import each other in a circle, types included', () => {
  const targets = new Map(
    sources.map(({ nodes, path }) => [
      path,
      // One that is loaded late, by a call, is wanted.
      nodes.flatMap(({ source, type }) =>
        type !== 'ImportExpression' && isNode(source) && String(source['value']).startsWith('.')
          ? [join(dirname(path), String(source['value']))]
          : [],
      ),
    ]),
  );
  const done = new Set<string>();
  const circleFrom = (path: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(path)) {
      return [...way.slice(way.indexOf(path)), path];
    }
    if (done.has(path)) {
      return undefined;
    }
    for (const next of targets.get(path) ?? []) {
      const circle = circleFrom(next, [...way, path]);
      if (circle !== undefined) {
        return circle;
      }
    }
    done.add(path);
    return undefined;
  };
  for (const path of targets.keys()) {
    expect(circleFrom(path, [])).toBeUndefined();
  }
});

describe.for(inPackages.map((source) => [source.path, source] as const))('%s', ([, source]) => {
  test('imports only what its package may', () => {
    const wrong = source.imports.filter((name) => !mayImport(source, name));
    expect(wrong).toEqual([]);
  });

  test('reaches the process, the console and the clock only where it may', () => {
    const pure = packages.get(source.package)?.half === 'pure';
    if (source.path === realHost) {
      return;
    }
    const forbidden = pure
      ? ['process', 'console', 'fetch', 'performance', 'setTimeout', 'setInterval']
      : ['process', 'console'];
    const names = source.nodes.filter(
      (node) => node.type === 'Identifier' && forbidden.includes(String(node['name'])),
    );
    expect(names.filter((node) => !isPropertyName(source, node)).map((node) => node['name'])).toEqual([]);
    if (pure) {
      expect(source.nodes.filter(readsClockOrChance).map((node) => node.type)).toEqual([]);
    }
  });

  test('mints no trust that is not its own', () => {
    const casts = source.nodes.flatMap((node) => {
      if (node.type !== 'TSAsExpression' && node.type !== 'TSTypeAssertion') {
        return [];
      }
      const names = [...nodesOf(node['typeAnnotation'] as Node)].flatMap((inner) =>
        inner.type === 'Identifier' ? [String(inner['name'])] : [],
      );
      return names.filter((name) => minted.has(name) && !minted.get(name)?.includes(source.path));
    });
    expect(casts).toEqual([]);
  });
});

/**
 * What packages beside `system` may call of `node:fs`: nothing that writes into a file, so that each is whole
 * or not there.
 */
const fsCalls =
  /^(?:access|chmod|close|constants|createReadStream|exists|FileHandle|fstat|lstat|mkdir|open|read|readdir|readFile|readlink|realpath|rename|rm|stat)(?:Sync)?$/;

describe.for(
  inPackages.filter((source) => source.package !== 'system').map((source) => [source.path, source] as const),
)('%s', ([, source]) => {
  test('leaves writing and processes to system', () => {
    const calls = source.nodes.flatMap((node) => {
      const from = node['source'];
      if (!isNode(from) || !/^node:fs(?:\/promises)?$/.test(String(from['value']))) {
        return [];
      }
      return [...nodesOf(node)].flatMap((one) =>
        one.type === 'ImportSpecifier' ? String((one['imported'] as Node)['name']) : [],
      );
    });
    expect(calls.filter((name) => !fsCalls.test(name))).toEqual([]);
    expect(source.imports).not.toContain('node:child_process');
  });
});

test('every module of the table is used and every dependency is in it', () => {
  const used = new Set(
    inPackages.flatMap((source) => source.imports.filter((name) => !name.startsWith('.')).map(packageOf)),
  );
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const outside = [...modules.keys()].filter((name) => !name.startsWith('node:'));
  expect([...outside].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  expect([...outside].filter((name) => !used.has(name))).toEqual([]);
});

function mayImport(source: Source, name: string): boolean {
  if (!name.startsWith('.')) {
    return modules.get(packageOf(name))?.includes(source.package) ?? false;
  }
  const target = relative('src', join(dirname(source.path), name));
  if (target === 'version.ts') {
    return ['app', 'commands', 'system'].includes(source.package);
  }
  const folder = target.split('/')[0] ?? '';
  return folder === source.package || (packages.get(source.package)?.imports.includes(folder) ?? false);
}

function packageOf(name: string): string {
  if (name.startsWith('node:') || builtinModules.includes(name)) {
    return name;
  }
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** `{ process: 1 }` and `x.process` name a property, not the global. */
function isPropertyName(source: Source, identifier: Node): boolean {
  return source.nodes.some(
    (node) =>
      (node.type === 'MemberExpression' && node['property'] === identifier && node['computed'] === false) ||
      ([
        'Property',
        'TSPropertySignature',
        'TSMethodSignature',
        'MethodDefinition',
        'PropertyDefinition',
      ].includes(node.type) &&
        node['key'] === identifier),
  );
}

function readsClockOrChance(node: Node): boolean {
  const callee = node['callee'];
  if (!isNode(callee)) {
    return false;
  }
  const name = callee.type === 'Identifier' ? String(callee['name']) : memberName(callee);
  if (node.type === 'NewExpression') {
    return name === 'Date' && (node['arguments'] as unknown[]).length === 0;
  }
  return (
    node.type === 'CallExpression' &&
    ['Date.now', 'Math.random', 'randomUUID', 'randomBytes', 'crypto.randomUUID'].includes(name)
  );
}

function memberName(node: Node): string {
  const object = node['object'];
  const property = node['property'];
  if (node.type !== 'MemberExpression' || !isNode(object) || !isNode(property)) {
    return '';
  }
  return `${String(object['name'])}.${String(property['name'])}`;
}
