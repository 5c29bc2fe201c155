import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutantsOf, traced } from './checks.ts';
import { copyTree, filesIn, hasTypes, type Run, run, runTraced, textOf } from './tree.ts';

/*
 * Takes every check out of a package, one at a time, and runs tests: a check without a case that only it
 * stops could go unnoticed.
 *
 *     npm run test:mutation [-- PATH ...]    files or folders of one package; src/attest where none is given
 *
 * The tests of the package come first. Where they pass, so do the tests of the other packages that enter the
 * function around the check; which ones do is recorded once. Prints for each check the test that stops what
 * it would have let in, or `survives`; exits with 1 if anything does. What the type checker refuses cannot
 * get lost unseen: it is a check for the types alone.
 */

const paths = process.argv.length > 2 ? process.argv.slice(2) : ['src/attest'];
const files = paths.flatMap((path) => (path.endsWith('.ts') ? [path] : filesIn(path, '.ts')));
const [part = '', ...others] = new Set(files.map((file) => file.split('/')[1] ?? ''));
if (part === '' || others.length > 0) {
  throw new Error('give paths of one package');
}

const begin = Date.now();
const mutants = files.flatMap((file) => mutantsOf(file, textOf(file)));
/** Test files by the file under test of which they have stopped a mutant: they are asked first. */
const known = new Map<string, Set<string>>(files.map((file) => [file, new Set()]));

/**
 * The test files of packages, without the property tests that change any byte: a check needs a case, not a
 * chance. Tests that read the sources as text are in no package.
 */
function testsOf(packages: readonly string[]): readonly string[] {
  return packages
    .flatMap((name) => filesIn(`test/${name}`, '.test.ts'))
    .filter((name) => !name.includes('/tamper'));
}

const otherPackages = [...new Set(filesIn('src', '.ts').map((file) => file.split('/')[1] ?? ''))].filter(
  (name) => name !== part && !name.endsWith('.ts'),
);

function tell({ title }: Mutant, { passed, stoppers: [stopper] }: Run): void {
  const what = stopper === undefined ? 'its never ending' : `${stopper.file}: ${stopper.name}`;
  process.stdout.write(`stopped  ${title}\n      by ${passed ? 'the type checker' : what}\n`);
}

/** The mutants that no test and no type stops. `testsFor` names the test files that can, quick ones first. */
async function survivorsOf(
  folders: readonly string[],
  asked: readonly Mutant[],
  testsFor: (mutant: Mutant) => readonly string[],
  types: 'checks types' | 'types are known',
): Promise<readonly Mutant[]> {
  const survivors: Mutant[] = [];
  const queue = asked.values();
  const work = async (folder: string): Promise<void> => {
    for (const mutant of queue) {
      const first = known.get(mutant.file) ?? new Set();
      const tests = testsFor(mutant).toSorted((a, b) => Number(first.has(b)) - Number(first.has(a)));
      if (tests.length === 0) {
        survivors.push(mutant);
        continue;
      }
      const path = join(folder, mutant.file);
      const original = readFileSync(path);
      writeFileSync(path, mutant.text);
      const result = await run(folder, tests);
      const survives = result.passed && (types === 'types are known' || (await hasTypes(folder)));
      writeFileSync(path, original);
      if (survives) {
        survivors.push(mutant);
        continue;
      }
      for (const { file } of result.stoppers) {
        first.add(file);
      }
      tell(mutant, result);
    }
  };
  await Promise.all(folders.map(work));
  return survivors;
}

const quickFirst = (tests: Iterable<string>, took: ReadonlyMap<string, number>): readonly string[] =>
  [...tests].toSorted((a, b) => (took.get(a) ?? 0) - (took.get(b) ?? 0));

/** What the tests of the package itself do not stop. */
async function askOwnTests(folders: readonly string[]): Promise<readonly Mutant[]> {
  const [folder = ''] = folders;
  const tests = testsOf([part]);
  const { passed, stoppers, took } = await run(folder, tests);
  if (!passed) {
    throw new Error(`a test fails before anything was changed: ${stoppers[0]?.file} ${stoppers[0]?.name}`);
  }
  if (!(await hasTypes(folder))) {
    throw new Error('the types are wrong before anything was changed');
  }
  const quick = quickFirst(tests, took);
  return await survivorsOf(folders, mutants, () => quick, 'checks types');
}

/** What no test of another package stops either. */
async function askOtherTests(
  folders: readonly string[],
  left: readonly Mutant[],
): Promise<readonly Mutant[]> {
  const { entered, took } = await traceOtherTests(folders, new Set(left.map(({ file }) => file)));
  const reach = ({ file, within }: Mutant) =>
    within === undefined
      ? new Set([...entered].flatMap(([id, tests]) => (id.startsWith(`${file}#`) ? [...tests] : [])))
      : (entered.get(within) ?? []);
  return await survivorsOf(folders, left, (mutant) => quickFirst(reach(mutant), took), 'types are known');
}

/**
 * Which test files enter which functions of these files. A test that fails without a change is told and left
 * out.
 */
async function traceOtherTests(
  folders: readonly string[],
  sources: ReadonlySet<string>,
): Promise<{
  readonly entered: ReadonlyMap<string, ReadonlySet<string>>;
  readonly took: ReadonlyMap<string, number>;
}> {
  const tests = testsOf(otherPackages);
  const runs = await Promise.all(
    folders.map(async (folder, place) => {
      for (const file of sources) {
        writeFileSync(join(folder, file), traced(file, textOf(file)));
      }
      const share = tests.filter((_, at) => at % folders.length === place);
      const result = await runTraced(folder, share);
      for (const file of sources) {
        writeFileSync(join(folder, file), textOf(file));
      }
      return result;
    }),
  );
  const broken = new Set(runs.flatMap(({ stoppers }) => stoppers.map(({ file }) => file)));
  for (const { file, name } of runs.flatMap(({ stoppers }) => stoppers)) {
    process.stdout.write(`not asked: ${file} fails before anything was changed: ${name}\n`);
  }
  const ids = new Set(runs.flatMap(({ entered }) => [...entered.keys()]));
  return {
    took: new Map(runs.flatMap((one) => [...one.took])),
    entered: new Map(
      [...ids].map((id) => [
        id,
        new Set(
          runs.flatMap(({ entered }) => [...(entered.get(id) ?? [])]).filter((file) => !broken.has(file)),
        ),
      ]),
    ),
  };
}

const folders = Array.from({ length: availableParallelism() }, copyTree);
try {
  const left = await askOwnTests(folders);
  process.stdout.write(`\n${left.length} of ${mutants.length} are left for tests of other packages\n\n`);
  const survivors = left.length === 0 ? [] : await askOtherTests(folders, left);
  for (const { title } of survivors) {
    process.stdout.write(`survives ${title}\n`);
  }
  const stopped = mutants.length - survivors.length;
  const elsewhere = left.length - survivors.length;
  const minutes = ((Date.now() - begin) / 60_000).toFixed(0);
  process.stdout.write(
    `${stopped} of ${mutants.length} checks have a case that stops what they would let in, ${elsewhere} of these in another package (${minutes} minutes)\n`,
  );
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
}
