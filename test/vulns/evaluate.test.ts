import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { versionOrder } from '../../src/bom/vers.ts';
import { ordersOf } from '../../src/vulns/ecosystems.ts';
import { evaluate, sortedVersions } from '../../src/vulns/evaluate.ts';
import { parseOsv } from '../../src/vulns/osv.ts';
import { isVulnerable, type OsvAffected } from './straightforward.ts';

const semver = versionOrder('npm') as NonNullable<ReturnType<typeof versionOrder>>;

function answerTo(affected: Omit<OsvAffected, 'package'>, ecosystem: string, version: string) {
  const record = parseOsv(
    { id: 'X-1', affected: [{ package: { ecosystem, name: 'p' }, ...affected }] },
    'X-1',
  );
  const [entry] = record.affected;
  if (entry === undefined) {
    throw new Error('the record has no package');
  }
  const orders = ordersOf(ecosystem);
  const answer = evaluate(entry, version, orders);
  // As a database keeps it, with the versions in order, it says the same.
  const kept = { ...entry, ...sortedVersions(entry.versions, orders.ecosystem) };
  expect(evaluate(kept, version, orders)).toEqual(answer);
  return answer;
}

const range = (type: string, ...events: readonly object[]) => ({ ranges: [{ type, events }] });

describe('the examples of the specification, and traps of real databases', () => {
  test.for<[string, Omit<OsvAffected, 'package'>, string, string, string]>([
    ['unfixed', range('SEMVER', { introduced: '0' }), 'npm', '9.9.9', 'affected'],
    ['fixed', range('SEMVER', { introduced: '1.0.0' }, { fixed: '1.0.2' }), 'npm', '1.0.2', 'fixed'],
    [
      'a pre-release of the fix',
      range('SEMVER', { introduced: '1.0.0' }, { fixed: '1.0.2' }),
      'npm',
      '1.0.2-rc.1',
      'affected',
    ],
    ['before it was introduced', range('SEMVER', { introduced: '1.0.0' }), 'npm', '0.9.0', 'not-affected'],
    [
      'last_affected is inclusive',
      range('ECOSYSTEM', { introduced: '0' }, { last_affected: '2.1' }),
      'PyPI',
      '2.1.0',
      'affected',
    ],
    [
      'after last_affected',
      range('ECOSYSTEM', { introduced: '0' }, { last_affected: '2.1' }),
      'PyPI',
      '2.1.1',
      'fixed',
    ],
    [
      'a gap between two lines',
      range(
        'SEMVER',
        { introduced: '0' },
        { fixed: '1.21.9' },
        { introduced: '1.22.0-0' },
        { fixed: '1.22.2' },
      ),
      'Go',
      'go1.22.1',
      'affected',
    ],
    [
      'events out of order',
      range(
        'SEMVER',
        { fixed: '1.22.2' },
        { introduced: '1.22.0-0' },
        { fixed: '1.21.9' },
        { introduced: '0' },
      ),
      'Go',
      'v1.21.9',
      'fixed',
    ],
    [
      'introduced 0, fixed 0',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '0' }),
      'Alpine:v3.19',
      '1.2-r0',
      'fixed',
    ],
    [
      'beyond the limit',
      range('SEMVER', { introduced: '1.0.0' }, { limit: '2.0.0' }),
      'npm',
      '2.0.0',
      'not-affected',
    ],
    [
      'below one of two limits',
      range('SEMVER', { introduced: '1.0.0' }, { limit: '2.0.0' }, { limit: '3.0.0' }),
      'npm',
      '2.5.0',
      'affected',
    ],
    ['the limit *', range('SEMVER', { introduced: '1.0.0' }, { limit: '*' }), 'npm', '7.0.0', 'affected'],
    [
      'listed against the range',
      { versions: ['3.0'], ...range('ECOSYSTEM', { introduced: '0' }, { fixed: '2.0' }) },
      'PyPI',
      '3.0',
      'affected',
    ],
    ['listed in another spelling', { versions: ['1.0.0rc1'] }, 'PyPI', '1.0rc1', 'affected'],
    ['not listed, nothing else said', { versions: ['1.0'] }, 'PyPI', '1.1', 'not-affected'],
    [
      'commits only',
      range('GIT', { introduced: '0' }, { fixed: 'deadbeef' }),
      'PyPI',
      '2.6.0',
      'cannot-tell',
    ],
    [
      'commits and a list',
      { versions: ['2.5.1'], ...range('GIT', { introduced: '0' }) },
      'PyPI',
      '2.6.0',
      'not-affected',
    ],
    ['no versions at all', {}, 'PyPI', '2.6.0', 'cannot-tell'],
    [
      'a version that is none',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '2.0' }),
      'PyPI',
      'main',
      'cannot-tell',
    ],
    [
      'a bound that is none',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: 'trunk/89695' }),
      'PyPI',
      '1.0',
      'cannot-tell',
    ],
    [
      'an order that nobody knows',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '2.0' }),
      'Maven',
      '1.0',
      'cannot-tell',
    ],
    ['a list, without an order', { versions: ['1.0.0'] }, 'NuGet', '1.0', 'cannot-tell'],
    ['on a list, without an order', { versions: ['1.0.0'] }, 'Maven', '1.0.0', 'affected'],
    ['a list, and what is no version', { versions: ['1.0'] }, 'PyPI', 'latest', 'cannot-tell'],
    ['not on a list', { versions: ['1.0'] }, 'PyPI', '1.1', 'not-affected'],
    ['a range without introduced', range('SEMVER', { fixed: '2.0.0' }), 'npm', '3.0.0', 'cannot-tell'],
    [
      'an event of an unknown kind',
      range('SEMVER', { introduced: '0' }, { gone: '2.0.0' }),
      'npm',
      '3.0.0',
      'cannot-tell',
    ],
    [
      'events that are no list',
      { ranges: [{ type: 'SEMVER', events: 7 as never }] },
      'npm',
      '3.0.0',
      'cannot-tell',
    ],
    ['a range of an unknown type', range('FUTURE', { introduced: '0' }), 'npm', '3.0.0', 'cannot-tell'],
    [
      'Debian, a tilde before the fix',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '2.36-9+deb12u4' }),
      'Debian:12',
      '2.36-9+deb12u4~1',
      'affected',
    ],
    [
      'Debian, an epoch',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '1:1.2-1' }),
      'Debian:12',
      '9.9-1',
      'affected',
    ],
    [
      'one of a module stream',
      range('ECOSYSTEM', { introduced: '0' }, { fixed: '1:18.0-1.module_el9+1' }),
      'AlmaLinux:9',
      '1:16.0-1.el9',
      'cannot-tell',
    ],
  ])('%s', ([, affected, ecosystem, version, verdict]) => {
    expect(answerTo(affected, ecosystem, version).verdict).toBe(verdict);
  });

  test('the next fix is named', () => {
    const lines = range(
      'SEMVER',
      { introduced: '0' },
      { fixed: '1.2.3' },
      { introduced: '2.0.0' },
      { fixed: '2.0.1' },
    );
    expect(answerTo(lines, 'npm', '1.0.0').fixedIn).toBe('1.2.3');
    expect(answerTo(lines, 'npm', '2.0.0').fixedIn).toBe('2.0.1');
    expect(answerTo({ versions: ['1.0.0'], ...lines }, 'npm', '1.0.0').fixedIn).toBe('1.2.3');
  });
});

const version = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom('', '', '-0', '-rc.1'))
  .map(([major, minor, patch, early]) => `${major}.${minor}.${patch}${early}`);
const event = fc.oneof(
  fc.record({ introduced: fc.oneof(version, fc.constant('0')) }),
  fc.record({ fixed: version }),
  fc.record({ last_affected: version }),
  fc.record({ limit: fc.oneof(version, fc.constant('*')) }),
);
const oneRange = fc.record({
  type: fc.constantFrom('SEMVER', 'ECOSYSTEM', 'GIT'),
  events: fc
    .tuple(fc.record({ introduced: fc.oneof(version, fc.constant('0')) }), fc.array(event, { maxLength: 6 }))
    .map(([first, rest]) => [first, ...rest]),
});

test('as the straightforward evaluator says, on generated records', () => {
  fc.assert(
    fc.property(
      fc.record({
        package: fc.constant({ ecosystem: 'npm', name: 'p' }),
        ranges: fc.array(oneRange, { maxLength: 3 }),
        versions: fc.array(version, { maxLength: 4 }),
      }),
      version,
      (affected, asked) => {
        const { verdict } = answerTo(affected, 'npm', asked);
        expect(verdict === 'affected').toBe(isVulnerable([affected], 'p', asked, () => semver));
      },
    ),
    { numRuns: 20_000 },
  );
});
