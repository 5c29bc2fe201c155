import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

// Takes every check out of a room, one at a time, and runs the tests: a check without a case that only it stops is one that could go unnoticed.
// usage: npm run test:mutation [-- PART_OF_A_PATH]     prints each survivor, and exits with 1 if there is one

const root = join(import.meta.dirname, '..');
const room = 'src/attest';
/** The room's own tests first; what they let through may still be caught where bundles are found, read and decided on. */
const suites = [['test/attest'], ['test/sigstore', 'test/commands', 'test/policy']];
const workers = 2;
/** Milliseconds: a mutant that loops for ever is a dead one. */
const patience = 240_000;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly text: string;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesOf(child);
  }
}

/** The statement as it reads when its check is gone; `undefined` for what is no check. */
function* changesOf(
  node: Node,
): Generator<{ readonly at: Node; readonly by: string; readonly what: string }> {
  if (node.type === 'ThrowStatement') yield { at: node, by: ';', what: 'does not refuse' };
  const call = node['expression'];
  if (node.type === 'ExpressionStatement' && isNode(call) && call.type === 'CallExpression')
    yield { at: node, by: ';', what: 'does not check' };
  const condition = node['test'];
  if (node.type !== 'IfStatement' || !isNode(condition)) return;
  for (const part of nodesOf(condition)) {
    if (part.type !== 'LogicalExpression') continue;
    for (const side of [part['left'], part['right']]) {
      if (!isNode(side)) continue;
      if (part['operator'] === '||') yield { at: side, by: 'false', what: 'drops one case' };
      if (part['operator'] === '&&') yield { at: side, by: 'true', what: 'drops one exception' };
    }
  }
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  return [...nodesOf(program)].flatMap((node) =>
    [...changesOf(node)].map(({ at, by, what }) => ({
      file,
      line: source.slice(0, at.start).split('\n').length,
      what: `${what}: ${source.slice(at.start, at.end).replaceAll(/\s+/g, ' ').slice(0, 90)}`,
      text: source.slice(0, at.start) + by + source.slice(at.end),
    })),
  );
}

/** A copy of what the tests need, in which files may be changed. */
function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcf-mutation-'));
  for (const name of ['src', 'test', 'fixtures', 'policies', 'docs', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  cpSync(join(root, 'vitest.config.ts'), join(folder, 'vitest.config.ts'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function passes(folder: string, suite: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--bail', '1', ...suite];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', timeout: patience });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });
}

async function survives(folder: string, { file, text }: Mutant): Promise<boolean> {
  const original = readFileSync(join(folder, file));
  writeFileSync(join(folder, file), text);
  try {
    for (const suite of suites) if (!(await passes(folder, suite))) return false;
    return true;
  } finally {
    writeFileSync(join(folder, file), original);
  }
}

const only = process.argv[2] ?? '';
const mutants = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && `${room}/${name}`.includes(only))
  .flatMap((name) => mutantsOf(`${room}/${name}`));
const survivors: Mutant[] = [];
const queue = mutants.values();

async function work(): Promise<void> {
  const folder = copyTree();
  try {
    if (!(await passes(folder, suites.flat()))) throw new Error('the tests fail before anything was changed');
    for (const mutant of queue) {
      if (!(await survives(folder, mutant))) continue;
      survivors.push(mutant);
      process.stdout.write(`survives ${mutant.file}:${mutant.line} ${mutant.what}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await Promise.all(Array.from({ length: workers }, work));
process.stdout.write(
  `${mutants.length - survivors.length} of ${mutants.length} checks have a case that stops\n`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;
