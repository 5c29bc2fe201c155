import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareApkVersions, isVersion, satisfiesApk } from '../../src/bom/versions/apk.ts';
import { parseApkRelations } from '../../src/catalogers/apk/relations.ts';
import { apk } from '../../src/catalogers/apk.ts';
import { type Entries, treeOf } from '../support/tree.ts';

const database = 'lib/apk/db/installed';
const system = 'ID=alpine\nVERSION_ID=3.22.1\n';
const record = (name: string, more = '', version = '1.0-r0') => `P:${name}\nV:${version}\nA:x86_64\n${more}`;
const catalog = (entries: Entries, before: Readonly<Record<string, readonly string[]>> = {}) =>
  apk.catalog(treeOf(apk, { 'etc/os-release': system, ...entries }, { before }));
const nameOf = (ref: string) => /\/alpine\/([^@]+)@/.exec(ref)?.[1] ?? ref;

/**
 * Oldest first; each is older than every one behind it. The order is that of apk_version.c, checked with its
 * own 785 cases.
 */
const ascending = [
  '0.9',
  '1.0_alpha',
  '1.0_alpha2',
  '1.0_beta',
  '1.0_pre1',
  '1.0_rc1',
  '1.0_rc1_git20240101',
  '1.0',
  '1.0-r1',
  '1.0-r10',
  '1.0~0abc',
  '1.0_cvs1',
  '1.0_svn1',
  '1.0_git20240101',
  '1.0_p1',
  '1.0a',
  '1.0.01',
  '1.0.09',
  '1.0.1',
  '1.0.10',
  '1.1',
  '1.10',
  '10',
  '20240101000000000000000001',
  '20240101000000000000000002',
];

test('versions are ordered as apk orders them', () => {
  for (const [at, older] of ascending.entries()) {
    expect(compareApkVersions(older, older)).toBe(0);
    for (const newer of ascending.slice(at + 1)) {
      expect(compareApkVersions(older, newer), `${older} < ${newer}`).toBeLessThan(0);
      expect(compareApkVersions(newer, older), `${newer} > ${older}`).toBeGreaterThan(0);
    }
  }
});

test.for([
  ['1.2.3', '~', '1.2', true],
  ['1.2.3-r4', '~', '1.2.3', true],
  ['1.20', '~', '1.2', false],
  ['1.2', '~', '1.2.3', false],
  ['1.2', '=', '1.2', true],
  ['1.2', '>=', '1.2', true],
  ['1.2', '<', '1.2', false],
  ['1.2', '<=', '1.3', true],
  ['1.4', '<=', '1.3', false],
  ['1.3.1', '<~', '1.3', true],
  ['1.4', '>', '1.3', true],
] as const)('%s %s %s: %s', ([version, operator, wanted, expected]) => {
  expect(satisfiesApk(version, operator, wanted)).toBe(expected);
});

test.for([
  '',
  'one',
  'v1',
  '1.',
  '1..2',
  '1.0_foo',
  '1.0_',
  '1.0-r',
  '1.0-1',
  '1.0~',
  '1.0~xyz',
  '1.0ab',
  '1.0 ',
  '1.0\n',
])('%j is not a version', (text) => {
  expect(isVersion(text)).toBe(false);
});

test('dependencies are read with their operators, conflicts and tags', () => {
  expect(parseApkRelations('python3~3.12 so:libc.musl-x86_64.so.1>=1 !old cmd:sh a@edge b><Q1abc=')).toEqual([
    { name: 'python3', operator: '~', version: '3.12', conflict: false },
    { name: 'so:libc.musl-x86_64.so.1', operator: '>=', version: '1', conflict: false },
    { name: 'old', operator: '', version: '', conflict: true },
    { name: 'cmd:sh', operator: '', version: '', conflict: false },
    { name: 'a', operator: '', version: '', conflict: false },
    { name: 'b', operator: '><', version: 'Q1abc=', conflict: false },
  ]);
  expect(parseApkRelations('a>=')).toBeUndefined();
  expect(parseApkRelations('a=one')).toBeUndefined();
  expect(parseApkRelations('=1')).toBeUndefined();
});

describe('edges', () => {
  const edges = (...records: readonly string[]) =>
    Object.fromEntries(
      catalog({ [database]: records.join('\n') }).dependencies.map(({ dependsOn, ref }) => [
        nameOf(ref),
        dependsOn.map(nameOf),
      ]),
    );

  test.for([
    ['a name', record('a', 'D:b\n'), [record('b')], ['b']],
    ['a version that is there', record('a', 'D:b~1\n'), [record('b', '', '1.5-r0')], ['b']],
    ['a version that is not', record('a', 'D:b>2\n'), [record('b')], []],
    ['what is not installed', record('a', 'D:b\n'), [], []],
    ['a conflict', record('a', 'D:!b\n'), [record('b')], []],
    ['a library', record('a', 'D:so:x.so.1\n'), [record('b', 'p:so:x.so.1=1\n')], ['b']],
    ['a library in another version', record('a', 'D:so:x.so.1>2\n'), [record('b', 'p:so:x.so.1=1\n')], []],
    ['a name provided in no version', record('a', 'D:mail>2\n'), [record('b', 'p:mail\n')], ['b']],
    ['the package before a provider', record('a', 'D:b\n'), [record('c', 'p:b\n'), record('b')], ['b']],
    [
      'the provider of the highest priority',
      record('a', 'D:cmd:sh\n'),
      [record('b', 'p:cmd:sh\nk:1\n'), record('c', 'p:cmd:sh\nk:100\n')],
      ['c'],
    ],
    ['what it provides itself', record('a', 'D:/bin/sh\np:/bin/sh\n'), [record('b', 'p:/bin/sh\n')], []],
    ['a checksum', record('a', 'D:b><Q1x=\n'), [record('b', 'C:Q1x=\n')], ['b']],
    ['another checksum', record('a', 'D:b><Q1x=\n'), [record('b', 'C:Q1y=\n')], []],
  ] as const)('%s', ([, one, others, expected]) => {
    expect(edges(one, ...others)['a']).toEqual(expected);
  });
});

test('a file belongs to the package that brought it, also where its directory is a link', () => {
  const rows = 'F:bin\nR:busybox\nF:usr/share\nR:doc\nF:\nR:init\n';
  const entries: Entries = {
    [database]: `${record('busybox', rows)}\n${record('other', 'F:usr/bin\nR:other\n')}`,
    'usr/bin/busybox': '',
    bin: { link: 'usr/bin' },
  };
  const [owner] = catalog(entries).owners ?? [];
  expect(nameOf(owner?.bomRef ?? '')).toBe('busybox');
  const owned = ['usr/bin/busybox', 'usr/share/doc', 'init', 'usr/bin/other', 'bin/busybox'];
  expect(owned.filter((path) => owner?.owns(path))).toEqual(['usr/bin/busybox', 'usr/share/doc', 'init']);
});

test('a package is of the layer that first had this version', () => {
  const before = { [database]: [record('old'), `${record('old')}\n${record('new')}`] };
  const now = `${record('old')}\n${record('new')}\n${record('newest')}`;
  const layers = catalog({ [database]: now }, before).components.map(({ evidence, name }) => [
    name,
    evidence?.occurrences?.[0]?.layer?.index,
  ]);
  expect(layers).toEqual([
    ['old', 0],
    ['new', 1],
    ['newest', 2],
  ]);
});

test('without a distribution there is no purl, and the BOM says so', () => {
  const found = apk.catalog(treeOf(apk, { [database]: record('a') }));
  expect(found.components[0]?.purl).toBeUndefined();
  expect(found.skipped).toEqual([
    { path: 'etc/os-release', reason: 'names no distribution, so its packages have no purl' },
  ]);
});

test('whatever bytes stand in one record, the others stay', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const text = Buffer.concat([
        Buffer.from(`${record('before')}\nP:noise\nX:`),
        Buffer.from(noise.map((byte) => (byte === 10 ? 32 : byte))),
        Buffer.from(`\n\n${record('after')}`),
      ]);
      const names = catalog({ [database]: text }).components.map(({ name }) => name);
      expect(names).toContain('before');
      expect(names).toContain('after');
    }),
  );
});

test('a database of sixteen MiB in one line and one of many records are no work', () => {
  const line = record('a', `D:${'b '.repeat(400_000)}\n`);
  expect(catalog({ [database]: line }).components).toHaveLength(1);
  const many = Array.from({ length: 20_000 }, (_, at) => record(`p${at}`, `D:p${at + 1}\n`)).join('\n');
  expect(catalog({ [database]: many }).components).toHaveLength(20_000);
});

test('packages that all provide what all need are listed, and their dependencies are said to be missing', () => {
  const crowd = Array.from({ length: 2300 }, (_, at) => record(`p${at}`, 'p:x\nD:y\n'));
  const found = catalog({
    [database]: [...crowd, record('q', `D:${'x '.repeat(2300).trim()}\n`)].join('\n'),
  });
  expect(found.components).toHaveLength(2301);
  expect(found.unknownDependencies?.map(nameOf)).toEqual(['q']);
});
