import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSON_SCHEMA, load } from 'js-yaml';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { versionOrder } from '../../src/bom/vers.ts';
import { compareSemver } from '../../src/bom/versions/semver.ts';
import type { AdvisoryRecord } from '../../src/vulns/advisory.ts';
import { ordersOf } from '../../src/vulns/ecosystems.ts';
import { evaluate } from '../../src/vulns/evaluate.ts';
import { parseOsv } from '../../src/vulns/osv.ts';
import { parseRustsec } from '../../src/vulns/rustsec.ts';
import { isVulnerable, type OsvRecord } from './straightforward.ts';

/*
 * Every record of golang/vulndb, pypa/advisory-database and rustsec/advisory-db. The folder holds checkouts
 * under the names of the repositories; their texts are not ours to keep.
 */

const folder = process.env['TCF_ADVISORIES'];
const semver = versionOrder('npm') as NonNullable<ReturnType<typeof versionOrder>>;

function filesBelow(name: string, pattern: RegExp): readonly string[] {
  return readdirSync(join(folder ?? '', name), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path))
    .map((path) => join(folder ?? '', name, path));
}

/** What the record names, and the nearest versions around it. */
function around(versions: readonly string[]): readonly string[] {
  return [
    ...new Set(
      versions.flatMap((text) => {
        const next = text.replace(/\d+$/, (digits) => String(Number(digits) + 1));
        const before = text.replace(/[1-9]\d*$/, (digits) => String(Number(digits) - 1));
        return [text, next, before, `${text}-rc.1`, `${text}rc1`, `${text}.post1`];
      }),
    ),
  ];
}

/** First, last and some between: a package of a nightly build has thousands. */
function sample(versions: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.floor(versions.length / 8));
  return versions.filter((_, at) => at % step === 0 || at === versions.length - 1);
}

function compareAll(record: OsvRecord, parsed: AdvisoryRecord): number {
  let count = 0;
  for (const [at, entry] of (record.affected ?? []).entries()) {
    const { ecosystem, name } = entry.package;
    const orders = ordersOf(ecosystem);
    const own = parsed.affected[at];
    const bounds = (entry.ranges ?? []).flatMap(({ events, type }) =>
      type === 'GIT' ? [] : events.flatMap((event) => Object.values(event) as string[]),
    );
    for (const version of around([...bounds, ...sample(entry.versions ?? [])])) {
      const answer = own === undefined ? undefined : evaluate(own, version, orders);
      const said = isVulnerable([entry], name, version, (type) =>
        type === 'SEMVER' ? orders.semver : orders.ecosystem,
      );
      if ((answer?.verdict === 'affected') !== said) {
        throw new Error(
          `${record.id} ${name} ${version}: ${answer?.verdict} (${answer?.why}), the evaluator says ${said}`,
        );
      }
      count += 1;
    }
  }
  return count;
}

describe.skipIf(folder === undefined)('records of other people', () => {
  test('golang/vulndb', () => {
    const files = filesBelow('vulndb/data/osv', /\.json$/);
    let versions = 0;
    for (const file of files) {
      const record = JSON.parse(readFileSync(file, 'utf8'));
      versions += compareAll(record, parseOsv(record, file));
    }
    expect(files.length).toBeGreaterThan(4000);
    expect(versions).toBeGreaterThan(files.length);
  }, 300_000);

  test('pypa/advisory-database', () => {
    const files = filesBelow('advisory-database/vulns', /\.yaml$/);
    let versions = 0;
    for (const file of files) {
      const record = load(readFileSync(file, 'utf8'), { schema: JSON_SCHEMA }) as OsvRecord;
      versions += compareAll(record, parseOsv(record, file));
    }
    expect(files.length).toBeGreaterThan(2000);
    expect(versions).toBeGreaterThan(files.length);
  }, 300_000);

  test('rustsec/advisory-db, by the words of its requirements', () => {
    const files = filesBelow('advisory-db', /^(?:crates|rust)\/.*RUSTSEC-\d+-\d+\.md$/);
    let versions = 0;
    for (const file of files) {
      const toml = /^```toml\n(.*?)^```/ms.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
      const value = parseToml(toml) as {
        readonly versions?: { readonly patched?: string[]; readonly unaffected?: string[] };
      };
      const [entry] = parseRustsec(value, file).affected;
      const good = [...(value.versions?.patched ?? []), ...(value.versions?.unaffected ?? [])];
      const named = good.flatMap((text) => text.match(/\d+(?:\.\d+)*(?:-[\w.]+)?/g) ?? []).map(padded);
      for (const version of around(['0.0.1', '99.0.0', ...named]).filter(semver.isVersion)) {
        const isAffected = !good.some((text) =>
          text.split(',').every((piece) => satisfies(version, piece.trim())),
        );
        const answer =
          entry === undefined ? undefined : evaluate(entry, version, { ecosystem: semver, semver });
        expect([file, version, answer?.verdict === 'affected']).toEqual([file, version, isAffected]);
        versions += 1;
      }
    }
    expect(files.length).toBeGreaterThan(1000);
    expect(versions).toBeGreaterThan(files.length);
  }, 300_000);
});

function padded(version: string): string {
  const [plain = '', early] = version.split(/-(.*)/s);
  const numbers = [...plain.split('.'), '0', '0'].slice(0, 3).join('.');
  return early === undefined ? numbers : `${numbers}-${early}`;
}

/** One comparator, with pre-releases in the plain order, as the crate `rustsec` does. */
function satisfies(version: string, piece: string): boolean {
  const [, operator = '', text = ''] = /^([<>=~^]*)\s*(.*)$/.exec(piece) ?? [];
  if (text === '*') {
    return true;
  }
  const order = compareSemver(version, padded(text));
  const [major = '0', minor, patch] = text.split('-')[0]?.split('.') ?? [];
  const end = (...numbers: readonly (number | string)[]): boolean =>
    compareSemver(version, `${numbers.join('.')}-0`) < 0;
  switch (operator) {
    case '>=':
      return order >= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '~':
      return (
        order >= 0 && (minor === undefined ? end(Number(major) + 1, 0, 0) : end(major, Number(minor) + 1, 0))
      );
    default:
      if (Number(major) > 0 || minor === undefined) {
        return order >= 0 && end(Number(major) + 1, 0, 0);
      }
      return (
        order >= 0 &&
        (Number(minor) > 0 || patch === undefined
          ? end(0, Number(minor) + 1, 0)
          : end(0, 0, Number(patch) + 1))
      );
  }
}
