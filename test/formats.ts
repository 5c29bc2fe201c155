import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDocument } from '../src/bom/check-document.ts';
import { normalizePurl, type PurlParts, parsePurl, toPurl } from '../src/bom/purl.ts';

/*
 * The tests that others wrote for the formats that we read and write, in checkouts beside ours:
 *   npm run test:formats -- purl-spec DIR           https://github.com/package-url/purl-spec
 *   npm run test:formats -- cyclonedx DIR           https://github.com/CycloneDX/specification
 * Prints each difference and a count; exit code 1 where there is one.
 */

interface PurlTest {
  readonly description: string;
  readonly test_type: string;
  readonly input: string | Readonly<Record<string, unknown>>;
  readonly expected_output: unknown;
  readonly expected_failure: boolean;
}

/** The members that are there, in one order. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.entries(value)
    .filter(([, member]) => member !== null && member !== undefined && JSON.stringify(member) !== '{}')
    .map(([key, member]) => [key, comparable(member)])
    .sort();
}

function answerTo({ input, test_type: type }: PurlTest): unknown {
  if (typeof input !== 'string') {
    return toPurl(
      Object.fromEntries(Object.entries(input).filter(([, part]) => part !== null)) as unknown as PurlParts,
    );
  }
  if (type === 'parse') {
    return parsePurl(input);
  }
  const text = normalizePurl(input);
  if (text === undefined) {
    throw new Error('unreadable');
  }
  return text;
}

function isAsExpected(each: PurlTest): boolean {
  try {
    const answer = answerTo(each);
    return (
      !each.expected_failure &&
      JSON.stringify(comparable(answer)) === JSON.stringify(comparable(each.expected_output))
    );
  } catch {
    return each.expected_failure;
  }
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** What differs, one line each, and how many were asked. */
const suites: Readonly<
  Record<string, (folder: string) => readonly [differences: readonly string[], count: number]>
> = {
  'purl-spec': (folder) => {
    const tests = filesBelow(join(folder, 'tests')).flatMap(
      (file) => (readJson(file) as { readonly tests: readonly PurlTest[] }).tests,
    );
    const wrong = tests.filter((each) => !isAsExpected(each));
    return [
      wrong.map((each) => `${each.test_type} ${JSON.stringify(each.input)}: ${each.description}`),
      tests.length,
    ];
  },
  cyclonedx: (folder) => {
    const files = filesBelow(join(folder, 'tools/src/test/resources')).filter((file) =>
      /\/1\.[2-7]\/(?:in)?valid[^/]*\.json$/.test(file),
    );
    const wrong = files.filter((file) => {
      const isSound = checkDocument(readJson(file)).every(({ level }) => level !== 'error');
      return isSound === /\/invalid[^/]*$/.test(file);
    });
    return [wrong, files.length];
  },
};

const [name = '', folder = ''] = process.argv.slice(2);
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (suite === undefined || folder === '') {
  process.stderr.write(`usage: test:formats -- ${Object.keys(suites).join('|')} DIR\n`);
  process.exit(3);
}
const [differences, count] = suite(folder);
process.stdout.write(
  `${[...differences, `${count - differences.length} of ${count} as ${name} says`].join('\n')}\n`,
);
process.exitCode = differences.length === 0 && count > 0 ? 0 : 1;
