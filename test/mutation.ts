import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/*
 * Takes every check out of a package, one at a time, and runs the tests of the package: a check without a
 * case that only it stops could go unnoticed.
 *
 *     npm run test:mutation [-- PATH ...]    files or folders of one package; src/attest where none is given
 *
 * Prints for each check the test that stops what it would have let in, or `survives`; exits with 1 if
 * anything does. What the type checker refuses cannot get lost unseen: it is a check for the types alone.
 */

const root = join(import.meta.dirname, '..');
const workers = availableParallelism();
/** Milliseconds: a mutant that loops for ever is a dead one. */
const limit = 600_000;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Change {
  readonly at: Pick<Node, 'start' | 'end'>;
  readonly by: string;
  readonly what: string;
}

interface Mutant {
  readonly file: string;
  /** `src/attest/dsse.ts:84 does not refuse: throw ...` */
  readonly title: string;
  readonly text: string;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
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

/** What the node reads as when the check in it is gone; nothing for what is no check. */
function* changesOf(node: Node): Generator<Change> {
  const part = (name: string) => (isNode(node[name]) ? [node[name]] : []);
  switch (node.type) {
    case 'ThrowStatement':
      yield { at: node, by: ';', what: 'does not refuse' };
      break;
    case 'ExpressionStatement':
      if (part('expression')[0]?.type === 'CallExpression') {
        yield { at: node, by: ';', what: 'does not check' };
      }
      break;
    case 'IfStatement':
      if (part('alternate').length === 0 && part('consequent').some(isReturn)) {
        yield { at: node, by: ';', what: 'does not stop there' };
      }
      break;
    case 'LogicalExpression': {
      const gone = { '||': ['false', 'drops one case'], '&&': ['true', 'drops one condition'] } as const;
      const [by, what] = gone[String(node['operator']) as '||' | '&&'] ?? [];
      if (by === undefined) {
        break;
      }
      for (const at of [...part('left'), ...part('right')]) {
        yield { at, by, what };
      }
      break;
    }
    case 'Literal': {
      const [, open, pattern = '', close] = /^\/(\^?)(.*?)(\$?)\/[a-z]*$/s.exec(String(node['raw'])) ?? [];
      const { start } = node;
      if (open === '^') {
        yield { at: { start: start + 1, end: start + 2 }, by: '', what: 'takes what ends so' };
      }
      const end = start + 1 + (open?.length ?? 0) + pattern.length;
      if (close === '$') {
        yield { at: { start: end, end: end + 1 }, by: '', what: 'takes what begins so' };
      }
      break;
    }
  }
}

function isReturn(statement: Node): boolean {
  if (statement.type === 'ReturnStatement') {
    return true;
  }
  const body = statement.type === 'BlockStatement' ? statement['body'] : [];
  return Array.isArray(body) && body.length === 1 && isReturn(body[0]);
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  return [...nodesOf(program)].flatMap((node) =>
    [...changesOf(node)].map(({ at, by, what }) => {
      const line = source.slice(0, at.start).split('\n').length;
      const { start, end } = node.type === 'Literal' ? node : at;
      const subject = source.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 90);
      return {
        file,
        title: `${file}:${line} ${what}: ${subject}`,
        text: source.slice(0, at.start) + by + source.slice(at.end),
      };
    }),
  );
}

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** A copy of what the tests need, in which files may be changed. */
function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcf-mutation-'));
  for (const name of [
    'src',
    'test',
    'fixtures',
    'policies',
    'docs',
    'bench',
    'toolchain',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
    }[];
  }[];
}

interface Run {
  readonly passed: boolean;
  /** The first test that failed: its file, and its name. */
  readonly stopper?: { readonly file: string; readonly name: string };
  /** Milliseconds by test file. */
  readonly took: ReadonlyMap<string, number>;
}

/** Runs test files in this order, up to the first failure. */
async function run(folder: string, tests: readonly string[]): Promise<Run> {
  const output = join(folder, 'report.json');
  rmSync(output, { force: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    const args = ['--config', 'test/mutation.config.ts', '--reporter=json', `--outputFile=${output}`];
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args, ...tests], {
      cwd: folder,
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
      stdio: 'ignore',
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code === null) {
    return { passed: false, took: new Map() };
  }
  const report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  const results = report.testResults.map((result) => ({
    ...result,
    file: result.name.slice(folder.length + 1),
  }));
  const [stopper] = results.flatMap(({ file, message, assertionResults }) => {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed === undefined && message === '') {
      return [];
    }
    return [{ file, name: failed?.fullName ?? 'does not load' }];
  });
  return {
    passed: code === 0,
    ...(stopper === undefined ? {} : { stopper }),
    took: new Map(results.map(({ file, startTime, endTime }) => [file, endTime - startTime])),
  };
}

/** Whether the tree still has the types that it says. */
function hasTypes(folder: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], {
      cwd: folder,
      stdio: 'ignore',
      timeout: limit,
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });
}

const paths = process.argv.length > 2 ? process.argv.slice(2) : ['src/attest'];
const files = paths.flatMap((path) => (path.endsWith('.ts') ? [path] : filesIn(path, '.ts')));
const [part = '', ...others] = new Set(files.map((file) => file.split('/')[1] ?? ''));
if (part === '' || others.length > 0) {
  throw new Error('give paths of one package');
}

const mutants = files.flatMap(mutantsOf);
/** Without the property tests that change any byte: a check needs a case, not a chance. */
const tests = filesIn(`test/${part}`, '.test.ts').filter((name) => !name.includes('/tamper'));
const queue = mutants.values();
/** By file under test: which test files have stopped mutants of it. */
const stoppers = new Map<string, Set<string>>(files.map((file) => [file, new Set()]));
const begin = Date.now();
let survivors = 0;

function whatStopped(stopper: Run['stopper']): string {
  return stopper === undefined ? 'its never ending' : `${stopper.file}: ${stopper.name}`;
}

async function work(folder: string, quick: readonly string[]): Promise<void> {
  for (const { file, text, title } of queue) {
    const known = stoppers.get(file) ?? new Set();
    const original = readFileSync(join(folder, file));
    writeFileSync(join(folder, file), text);
    const { passed, stopper } = await run(
      folder,
      quick.toSorted((a, b) => Number(known.has(b)) - Number(known.has(a))),
    );
    const isTyped = passed && (await hasTypes(folder));
    writeFileSync(join(folder, file), original);
    if (isTyped) {
      survivors += 1;
    } else if (stopper !== undefined) {
      known.add(stopper.file);
    }
    process.stdout.write(
      isTyped
        ? `survives ${title}\n`
        : `stopped  ${title}\n      by ${passed ? 'the type checker' : whatStopped(stopper)}\n`,
    );
  }
}

const folders = Array.from({ length: workers }, copyTree);
try {
  const { passed, stopper, took } = await run(folders[0] ?? '', tests);
  if (!passed) {
    throw new Error(`a test fails before anything was changed: ${stopper?.file} ${stopper?.name}`);
  }
  if (!(await hasTypes(folders[0] ?? ''))) {
    throw new Error('the types are wrong before anything was changed');
  }
  const quick = tests.toSorted((a, b) => (took.get(a) ?? 0) - (took.get(b) ?? 0));
  await Promise.all(folders.map((folder) => work(folder, quick)));
} finally {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
}
const minutes = ((Date.now() - begin) / 60_000).toFixed(0);
process.stdout.write(
  `${mutants.length - survivors} of ${mutants.length} checks have a case that stops what they would let in (${minutes} minutes)\n`,
);
process.exitCode = survivors === 0 ? 0 : 1;
