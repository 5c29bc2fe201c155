import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, satisfies } from '../../src/bom/versions/deb.ts';
import { licensesOf } from '../../src/catalogers/dpkg/copyright.ts';
import { parseStanzas } from '../../src/catalogers/dpkg/deb822.ts';
import { parseRelations } from '../../src/catalogers/dpkg/relations.ts';
import { dpkg } from '../../src/catalogers/dpkg.ts';
import { type Entries, treeOf } from '../support/tree.ts';

const system = 'ID=debian\nVERSION_ID="12"\n';
const status = 'var/lib/dpkg/status';
const stanza = (name: string, more = '') =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n${more}`;
const catalog = (entries: Entries, before: Readonly<Record<string, readonly string[]>> = {}) =>
  dpkg.catalog(treeOf(dpkg, { 'etc/os-release': system, ...entries }, { before }));
const names = (entries: Entries) => catalog(entries).components.map(({ name }) => name);

test.for([
  ['installed', 'install ok installed', true],
  ['on hold', 'hold ok installed', true],
  ['wished away and still there', 'deinstall ok installed', true],
  ['unpacked', 'install ok unpacked', true],
  ['half removed', 'deinstall ok half-installed', true],
  ['waiting for a trigger', 'install ok triggers-pending', true],
  ['removed, its configuration kept', 'deinstall ok config-files', false],
  ['purged', 'purge ok not-installed', false],
  ['never seen', 'unknown ok not-installed', false],
  ['wished for and not there', 'install ok not-installed', false],
] as const)('a package that is %s', ([, state, expected]) => {
  const found = catalog({ [status]: stanza('a').replace('install ok installed', state) });
  expect(found.components.length === 1).toBe(expected);
  expect(found.skipped).toEqual([]);
});

test.for([
  ['no state', stanza('a').replace(/Status: .*\n/, ''), 'has a status that is none'],
  ['a state nobody knows', stanza('a').replace('ok installed', 'ok perhaps'), 'has a status that is none'],
  ['no version', stanza('a').replace(/Version: .*\n/, ''), 'has no field version'],
  ['a version with a blank', stanza('a').replace('1.0', '1.0 beta'), 'has a version that is none'],
  ['a name with an escape', stanza('a\u001b[31m'), 'has a name that is none'],
  ['a name that climbs', stanza('../../etc/passwd'), 'has a name that is none'],
  ['a name of a megabyte', stanza('a'.repeat(1_000_000)), 'has a name that is none'],
  [
    'a version of a megabyte',
    stanza('a').replace('1.0', '1'.repeat(1_000_000)),
    'has a version that is none',
  ],
  ['two names', stanza('a', 'package: b\n'), 'has two fields package'],
  ['an architecture with a slash', stanza('a').replace('amd64', 'a/b'), 'has an architecture that is none'],
] as const)('a stanza with %s is skipped, and its neighbours stay', ([, bad, reason]) => {
  const found = catalog({ [status]: [stanza('before'), bad, stanza('after')].join('\n') });
  expect(found.components.map(({ name }) => name)).toEqual(['before', 'after']);
  expect(found.skipped).toContainEqual({ path: status, reason: `the stanza at line 6 ${reason}` });
});

test('whatever bytes stand in one stanza, the others stay', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const bytes = Buffer.concat([
        Buffer.from(`${stanza('before')}\nX: `),
        noise,
        Buffer.from(`\n\n${stanza('after')}`),
      ]);
      expect(names({ [status]: bytes })).toEqual(expect.arrayContaining(['before', 'after']));
    }),
  );
});

test('fields made of blanks, slashes and brackets cost no time', () => {
  const blanks = ' '.repeat(60_000);
  const found = catalog({
    [status]: stanza(
      'a',
      `Depends: b${blanks}x\nMaintainer: x${blanks}<x\nSource: a${blanks}(${'1'.repeat(60_000)}\nHomepage: ${blanks}x\n`,
    ),
    'var/lib/dpkg/info/a.list': `${'/'.repeat(1_000_000)}x\n/etc/a\n`,
    'etc/os-release': `ID=debian\nNAME="${blanks}x`,
  });
  expect(found.components).toHaveLength(1);
  expect(found.owners?.[0]?.owns('etc/a')).toBe(true);
}, 2000);

test('packages that all provide what all need are listed, and their dependencies are said to be missing', () => {
  const crowd = Array.from({ length: 2300 }, (_, at) => stanza(`p${at}`, 'Provides: x\nDepends: x\n'));
  const found = catalog({ [status]: crowd.join('\n') });
  expect(found.components).toHaveLength(2300);
  expect(found.unknownDependencies?.length).toBeGreaterThan(0);
  expect(found.skipped).toContainEqual({ path: status, reason: 'the dependencies of p2299 cannot be read' });
});

test('a database too large to keep is said, not passed over', () => {
  const found = catalog({ [status]: Buffer.alloc(17 * 1024 * 1024, 'x') });
  expect(found.components).toEqual([]);
  expect(found.skipped).toEqual([{ path: status, reason: 'is too large to read' }]);
});

test('without os-release nobody knows the namespace of a purl', () => {
  const found = dpkg.catalog(treeOf(dpkg, { [status]: stanza('a') }));
  expect(found.components[0]).not.toHaveProperty('purl');
  expect(found.skipped).toEqual([
    { path: 'etc/os-release', reason: 'names no distribution, so its packages have no purl' },
  ]);
});

test('a package is of the layer that first had this version, not of the last that touched the database', () => {
  const old = stanza('a').replace('1.0', '0.9');
  const found = catalog(
    { [status]: [stanza('a'), stanza('b'), stanza('c')].join('\n') },
    { [status]: [old, [stanza('a'), stanza('b')].join('\n')] },
  );
  const layers = found.components.map(({ name, evidence }) => [
    name,
    evidence?.occurrences?.[0]?.layer?.index,
  ]);
  expect(layers).toEqual([
    ['a', 1],
    ['b', 1],
    ['c', 2],
  ]);
});

test('files belong to packages where the links of the image lead', () => {
  const found = catalog({
    [status]: [stanza('libc6'), stanza('python3'), stanza('python3.11-minimal'), stanza('dash')].join('\n'),
    lib: { link: 'usr/lib' },
    bin: { link: 'usr/bin' },
    'usr/lib/libc.so.6': '',
    'usr/bin/python3.11': '',
    'var/lib/dpkg/info/libc6:amd64.list': '/.\n/lib\n/lib/libc.so.6\n',
    'var/lib/dpkg/info/python3.list': '/usr\n/usr/bin\n/usr/bin/python3\n',
    'var/lib/dpkg/info/python3.11-minimal.list': '/usr/bin/python3.11\n',
    'var/lib/dpkg/info/dash.list': '/bin/sh\n',
    'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\nbash\n',
  });
  const ownersOf = (path: string) =>
    (found.owners ?? [])
      .filter(({ owns }) => owns(path))
      .map(({ bomRef }) => /debian\/(.*?)@/.exec(bomRef)?.[1]);
  expect(ownersOf('usr/lib/libc.so.6')).toEqual(['libc6']);
  expect(ownersOf('usr/bin/python3')).toEqual(['python3']);
  expect(ownersOf('usr/bin/python3.11')).toEqual(['python3.11-minimal']);
  expect(ownersOf('usr/bin')).toEqual([]);
  expect(ownersOf('usr/bin/sh')).toEqual([]);
  expect(ownersOf('usr/bin/sh.distrib')).toEqual(['dash']);
  expect(ownersOf('usr/lib/libc.so')).toEqual([]);
});

test.for([
  ['1.0', '1.0', 0],
  ['1.0~rc1', '1.0', -1],
  ['1.0~~', '1.0~', -1],
  ['1.0', '1.0-1', -1],
  ['1.0-1', '1.0-1+b1', -1],
  ['9', '10', -1],
  ['1:1', '2', 1],
  ['0:1', '1', 0],
  ['1.01', '1.1', 0],
  ['1.a', '1.+', -1],
  ['99999999999999999999', '100000000000000000000', -1],
] as const)('%s against %s', ([a, b, order]) => {
  expect(Math.sign(compareVersions(a, b))).toBe(order);
  expect(Math.sign(compareVersions(b, a))).toBe(order === 0 ? 0 : -order);
});

test('an operator nobody knows is not satisfied', () => {
  expect(satisfies('1', '!=', '2')).toBe(false);
});

test.for([
  ['nothing', ''],
  ['a missing bracket', 'a (>= 1'],
  ['no name', '(>= 1)'],
  ['an empty alternative', 'a | | b'],
  ['two versions', 'a (>= 1) (<< 2)'],
] as const)('%s in a dependency field', ([name, text]) => {
  expect(parseRelations(text)).toEqual(name === 'nothing' ? [] : undefined);
});

test.for([
  ['of the GPL alone', '/usr/share/common-licenses/GPL-2', [{ acknowledgement: 'declared', name: 'GPL-2' }]],
  [
    'of the GPL or later',
    'either version 2, or (at your option) any later version. See /usr/share/common-licenses/GPL-2.',
    [
      { acknowledgement: 'declared', name: 'GPL-2+' },
      { acknowledgement: 'concluded', expression: 'GPL-2.0-or-later' },
    ],
  ],
  [
    'of two with a later version of one of them',
    'any later version /usr/share/common-licenses/GPL-2 /usr/share/common-licenses/LGPL-2.1',
    [
      { acknowledgement: 'declared', name: 'GPL-2' },
      { acknowledgement: 'declared', name: 'LGPL-2.1' },
    ],
  ],
  ['of none', 'All rights reserved.', []],
] as const)('a copyright file that speaks %s', ([, text, expected]) => {
  expect(licensesOf(text, 'a')).toEqual(expected);
});

test('folded lines keep their breaks, and a tab folds like a blank', () => {
  const [only] = parseStanzas('A: one\n two\n\tthree\r\nb: four\n');
  expect([...(only?.fields ?? [])]).toEqual([
    ['a', 'one\ntwo\nthree'],
    ['b', 'four'],
  ]);
});
