import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogers } from '../../src/catalogers/index.ts';
import { Interests } from '../../src/image/interests.ts';
import { latin1ToText } from '../../src/image/names.ts';
import { PathMatcher } from '../../src/image/path-matcher.ts';
import { runs } from '../support/runs.ts';

describe('globs', () => {
  test.for([
    ['etc/os-release', 'etc/os-release', true],
    ['etc/os-release', 'x/etc/os-release', false],
    ['etc/os-release', 'etc/os-release/x', false],
    ['etc/os-release', 'os-release', false],
    ['**/*.jar', 'a.jar', true],
    ['**/*.jar', 'a/b/c.jar', true],
    ['**/*.jar', '.jar', true],
    ['**/*.jar', 'a.jar/b', false],
    ['**/*.jar', 'a.JAR', true],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/c', false],
    ['a/*/c', 'a/b/b/c', false],
    ['a/**/c', 'a/c', true],
    ['a/**/c', 'a/b/b/c', true],
    ['a/**/c', 'b/a/c', false],
    ['**/a/**/b/**', 'x/a/y/b/z/c', true],
    ['**/a/**/b/**', 'a/b/c', true],
    ['**/a/**/b/**', 'a/b', false],
    ['**/a/**/b/**', 'b/a/c', false],
    ['**/lib*.so*', 'x/libz.so.1', true],
    ['**/lib*.so*', 'x/libz.a', false],
    ['**/x*y*z', 'x1y2z', true],
    ['**/x*y*z', 'xz', false],
    ['**/???/k', 'abc/k', true],
    ['**/???/k', 'abcd/k', false],
    ['**/record', 'a/xrecord', false],
  ] as const)('%s %s', ([glob, path, isIn]) => {
    const matcher = new PathMatcher([[], [glob]]);
    const slash = path.lastIndexOf('/');
    const folder = matcher.folder(path.slice(0, Math.max(0, slash)));
    expect(matcher.file(folder, path, slash + 1)).toBe(isIn ? 2 : 0);
  });

  test.for(['', 'a//b', '/a', 'a/', 'a/**b', 'é'])('not a glob: %j', (glob) => {
    expect(() => new PathMatcher([[glob]])).toThrow('not a glob');
  });

  test('a list that is not there asks for every file', () => {
    const matcher = new PathMatcher([['a'], undefined]);
    expect(matcher.file(matcher.enter(matcher.root, 'x'), 'y')).toBe(2);
  });

  test('a folder with a million children does not fill the memory', () => {
    const matcher = new PathMatcher([['**/archive-v*/**']]);
    for (let at = 0; at < 100_000; at += 1) {
      matcher.enter(matcher.root, `archive-v${at}`);
      matcher.enter(matcher.root, `other-${at}`);
    }
    expect(matcher.root.next.size).toBeLessThanOrEqual(1024);
  });
});

const interests = new Interests(catalogers);
const heads = [
  '',
  'text\n',
  '\x7fELF\x02\x01\x01',
  'MZ',
  'BC\xc0\xde',
  '\xcf\xfa\xed\xfe\x07\x00\x00\x01',
  '\xca\xfe\xba\xbe\x00\x00\x00\x02',
].map((head) => Buffer.from(head.padEnd(64, '\0'), 'latin1'));
heads[3]?.writeUInt32LE(64, 60);

/** Catalogers that say yes to a path without having been asked, which must be none. */
function missed(path: string): readonly string[] {
  const slash = path.lastIndexOf('/');
  const folder = interests.folder(path.slice(0, Math.max(0, slash)));
  const mayWant = interests.mayWant(folder, path, slash + 1);
  const mayScan = interests.mayScan(folder, path, slash + 1);
  const text = latin1ToText(path);
  return catalogers.flatMap((cataloger, at) => {
    const bit = 1 << at;
    const isWanted = (mayWant & bit) === 0 && cataloger.wants(text);
    const unseen = heads.filter((head) => {
      const isAsked = (interests.scanning(mayScan, head) & bit) !== 0;
      return !isAsked && cataloger.scan?.(text, head) !== undefined;
    });
    return isWanted || unseen.length > 0 ? [`${cataloger.name}: ${path}`] : [];
  });
}

describe('what catalogers declare', () => {
  test('each of them does', () => {
    const open = catalogers.filter(
      ({ scan, scanned, wantedAt }) =>
        wantedAt === undefined || (scan !== undefined && scanned === undefined),
    );
    expect(open.map(({ name }) => name)).toEqual([]);
    expect(interests.areOpen).toBe(false);
  });

  test('holds for the paths of all fixtures', () => {
    const root = join(import.meta.dirname, '../../fixtures/catalogers');
    const paths = readdirSync(root, { recursive: true, encoding: 'latin1' }).flatMap((path) => {
      const at = path.indexOf('/rootfs/');
      return at < 0 ? [] : [path.slice(at + '/rootfs/'.length)];
    });
    expect(paths.length).toBeGreaterThan(100);
    expect(paths.flatMap(missed)).toEqual([]);
  });

  test('holds for paths made of what is asked for, and of hostile names', () => {
    const globs = catalogers.flatMap(({ scanned, wantedAt = [] }) => [...wantedAt, ...(scanned?.at ?? [])]);
    const words = [...new Set(globs.flatMap((glob) => glob.split('/')))].filter((part) => part !== '**');
    const filling = fc.constantFrom(
      '',
      'x',
      '1',
      'cpython-312',
      'A'.repeat(52),
      '\xff',
      '\xc3\xa4',
      '\n',
      '..',
      '.',
      '*',
    );
    const part = fc.tuple(fc.constantFrom(...words), filling, fc.boolean()).map(([word, fill, isUpper]) => {
      const name = word.replaceAll('*', fill).replaceAll('?', 'a');
      return isUpper ? name.toUpperCase() : name;
    });
    const loose = fc.constantFrom(
      'usr',
      'lib',
      'lib64',
      'python3.12',
      'site-packages',
      'node_modules',
      '\xff',
      'a'.repeat(64),
    );
    const path = fc
      .array(fc.oneof(part, part, loose), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(path, (one) => {
        expect(missed(one)).toEqual([]);
      }),
      { numRuns: runs(3000) },
    );
    const ofGlob = fc
      .tuple(
        fc.constantFrom(...globs),
        filling,
        fc.constantFrom('', 'a/', 'a/b/', 'usr/lib/python3/'),
        fc.constantFrom('', 'x', '.'),
      )
      .map(
        ([glob, fill, folders, more]) =>
          `${glob.replaceAll('**/', folders).replaceAll('**', `${folders}f`).replaceAll('*', fill).replaceAll('?', 'b')}${more}`,
      );
    fc.assert(
      fc.property(ofGlob, (one) => {
        expect(missed(one)).toEqual([]);
      }),
      { numRuns: runs(3000) },
    );
  });
});
