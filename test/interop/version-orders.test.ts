import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { isInRange, parseVers } from '../../src/bom/vers.ts';
import { compareApkVersions as compareApk, isVersion as isApk } from '../../src/bom/versions/apk.ts';
import { compareDebVersions as compareDeb } from '../../src/bom/versions/deb.ts';
import { comparePep440, isPep440 } from '../../src/bom/versions/pep440.ts';
import { compareEvr } from '../../src/bom/versions/rpm.ts';
import { compareGo, compareSemver, isGoVersion, isSemver } from '../../src/bom/versions/semver.ts';
import { type Ordered, versionPairs } from '../support/versions.ts';

/*
 * The order and the ranges of each ecosystem beside its own tool: 20,000 pairs each, half of them neighbours.
 */

const folder = '/var/tmp/tcf-interop/versions';
const count = 20_000;
const operators = ['<', '<=', '=', '!=', '>=', '>'] as const;
type Operator = (typeof operators)[number];

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  execFileSync('bash', [join(import.meta.dirname, 'version-tools.sh'), folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}, 1_200_000);

interface Asked {
  readonly one: string;
  readonly operator: Operator;
  readonly two: string;
}

function askedOf(type: Ordered, isVersion: (text: string) => boolean): readonly Asked[] {
  return versionPairs(type, count, isVersion).map(([one, two], at) => ({
    one,
    operator: operators[at % operators.length] ?? '=',
    two,
  }));
}

/** What a program prints, a line for each line of its input. */
function linesOf(
  file: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  const ran = spawnSync(file, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, ...env },
  });
  expect(ran.status, ran.stderr).toBe(0);
  return ran.stdout.trimEnd().split('\n');
}

function holdsOf(sign: number, operator: Operator): boolean {
  return {
    '<': sign < 0,
    '<=': sign <= 0,
    '=': sign === 0,
    '!=': sign !== 0,
    '>=': sign >= 0,
    '>': sign > 0,
  }[operator];
}

/** Ours, in the words of the tools: the sign of the order, and whether the range holds the version. */
function oursOf(
  type: Ordered,
  { one, operator, two }: Asked,
  compare: (a: string, b: string) => number,
): string {
  const sign = Math.sign(compare(one, two));
  return `${sign === 0 ? 0 : sign} ${inRange(type, operator, two, one)}`;
}

function inRange(type: Ordered, operator: Operator, bound: string, version: string): string {
  try {
    return String(isInRange(parseVers(`vers:${type}/${operator}${encodeURIComponent(bound)}`), version));
  } catch {
    return 'refused';
  }
}

function differences(
  type: Ordered,
  asked: readonly Asked[],
  compare: (a: string, b: string) => number,
  theirs: readonly string[],
): readonly string[] {
  expect(theirs).toHaveLength(asked.length);
  return asked.flatMap((each, at) => {
    const ours = oursOf(type, each, compare);
    return ours === theirs[at]
      ? []
      : [`${each.one} ${each.operator} ${each.two}: ${ours}, not ${theirs[at]}`];
  });
}

/** For tools that only order: `-1`, `0`, `1`. */
function withRange(asked: readonly Asked[], signs: readonly string[]): readonly string[] {
  return asked.map(({ operator }, at) => `${signs[at]} ${holdsOf(Number(signs[at]), operator)}`);
}

const tabbed = (asked: readonly Asked[], operator: (one: Operator) => string): string =>
  `${asked.map(({ one, operator: op, two }) => [one, operator(op), two].join('\t')).join('\n')}\n`;
const pairs = (asked: readonly Asked[]): string =>
  `${asked.map(({ one, two }) => `${one}\t${two}`).join('\n')}\n`;

test('pypi: as packaging orders and specifies', () => {
  const asked = askedOf('pypi', isPep440);
  const theirs = linesOf(
    'python3',
    [join(import.meta.dirname, 'version-orders.py')],
    tabbed(asked, (operator) => (operator === '=' ? '==' : operator)),
    { PYTHONPATH: join(folder, 'python') },
  );
  expect(differences('pypi', asked, comparePep440, theirs)).toEqual([]);
  // The tool has been asked about what makes the difference.
  expect(theirs.filter((line) => line.endsWith('refused')).length).toBeGreaterThan(100);
  expect(asked.filter(({ one, operator }) => operator === '<=' && one.includes('+')).length).toBeGreaterThan(
    100,
  );
});

test.for(['npm', 'cargo'] as const)('%s: as semver of npm orders and satisfies', (type) => {
  // A number beyond 2^53 is no version to it, and Semantic Versioning has no such limit.
  const asked = askedOf(type, (text) => isSemver(text) && !/\d{16}/.test(text));
  const theirs = linesOf(
    'node',
    [join(import.meta.dirname, 'version-orders.cjs'), join(folder, 'npm/node_modules/semver')],
    tabbed(asked, (operator) => operator),
  );
  expect(differences(type, asked, compareSemver, theirs)).toEqual([]);
});

test('golang: as golang.org/x/mod orders', () => {
  const asked = askedOf('golang', (text) => text.startsWith('v') && isGoVersion(text));
  const theirs = withRange(asked, linesOf(join(folder, 'go-order'), [], pairs(asked)));
  expect(differences('golang', asked, compareGo, theirs)).toEqual([]);
});

test('rpm: as rpm orders', () => {
  const asked = askedOf('rpm', (text) => /^(?:\d+:)?[\w.+~^]+-[\w.+~^]+$/.test(text));
  const file = join(folder, 'rpm.txt');
  writeFileSync(file, pairs(asked));
  const program = `for line in io.lines("${file}") do local a, b = line:match("^(.-)\\t(.*)$"); print(rpm.vercmp(a, b) .. "\\n") end`;
  const theirs = withRange(asked, linesOf('rpm', ['--eval', `%{lua: ${program}}`], ''));
  expect(differences('rpm', asked, compareEvr, theirs)).toEqual([]);
});

test('deb: as dpkg --compare-versions orders', () => {
  const asked = askedOf('deb', (text) => /^(?:\d+:)?\d[A-Za-z0-9.+~]*(?:-[A-Za-z0-9.+~]+)?$/.test(text));
  const program =
    'while IFS=$\'\\t\' read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done';
  const theirs = withRange(asked, linesOf('bash', ['-c', program], pairs(asked)));
  expect(differences('deb', asked, compareDeb, theirs)).toEqual([]);
}, 1_200_000);

test('apk: as apk version -t orders', () => {
  const asked = askedOf('apk', isApk);
  const apk = join(folder, 'alpine');
  expect(existsSync(join(apk, 'sbin/apk'))).toBe(true);
  const program =
    'while IFS=$\'\\t\' read -r a b; do "$0"/lib/ld-musl-*.so.1 --library-path "$0/lib" "$0/sbin/apk" version -t "$a" "$b"; done';
  const signs = linesOf('bash', ['-c', program, apk], pairs(asked)).map(
    (line) => ({ '<': '-1', '=': '0', '>': '1' })[line] ?? line,
  );
  expect(differences('apk', asked, compareApk, withRange(asked, signs))).toEqual([]);
}, 1_200_000);
