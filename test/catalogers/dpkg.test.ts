import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDebVersions, satisfiesDeb } from '../../src/bom/versions/deb.ts';
import { copyrightLicenses, upstreamSource } from '../../src/catalogers/dpkg/copyright.ts';
import { parseStanzas } from '../../src/catalogers/dpkg/deb822.ts';
import { listScanner } from '../../src/catalogers/dpkg/lists.ts';
import { lz4Reader } from '../../src/catalogers/dpkg/lz4.ts';
import { parseDpkgRelations } from '../../src/catalogers/dpkg/relations.ts';
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
  ['to be removed and still there', 'deinstall ok installed', true],
  ['unpacked', 'install ok unpacked', true],
  ['half removed', 'deinstall ok half-installed', true],
  ['waiting for a trigger', 'install ok triggers-pending', true],
  ['removed, its configuration kept', 'deinstall ok config-files', false],
  ['purged', 'purge ok not-installed', false],
  ['never seen', 'unknown ok not-installed', false],
  ['to be installed and not there', 'install ok not-installed', false],
] as const)('a package that is %s', ([, state, expected]) => {
  const found = catalog({ [status]: stanza('a').replace('install ok installed', state) });
  expect(found.components.length === 1).toBe(expected);
  expect(found.skipped).toEqual([]);
});

test.for([
  ['no state', stanza('a').replace(/Status: .*\n/, ''), 'has an invalid status'],
  ['a state nobody knows', stanza('a').replace('ok installed', 'ok perhaps'), 'has an invalid status'],
  ['no version', stanza('a').replace(/Version: .*\n/, ''), 'has no field version'],
  ['a version with a blank', stanza('a').replace('1.0', '1.0 beta'), 'has an invalid version'],
  ['a name with an escape', stanza('a\u001b[31m'), 'has an invalid name'],
  ['a name that climbs', stanza('../../etc/passwd'), 'has an invalid name'],
  ['a name of a megabyte', stanza('a'.repeat(1_000_000)), 'has an invalid name'],
  ['a version of a megabyte', stanza('a').replace('1.0', '1'.repeat(1_000_000)), 'has an invalid version'],
  ['two names', stanza('a', 'package: b\n'), 'has two fields package'],
  ['an architecture with a slash', stanza('a').replace('amd64', 'a/b'), 'has an invalid architecture'],
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
});

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
  expect(Math.sign(compareDebVersions(a, b))).toBe(order);
  expect(Math.sign(compareDebVersions(b, a))).toBe(order === 0 ? 0 : -order);
});

test('an operator nobody knows is not satisfied', () => {
  expect(satisfiesDeb('1', '!=', '2')).toBe(false);
});

test.for([
  ['nothing', ''],
  ['a missing bracket', 'a (>= 1'],
  ['no name', '(>= 1)'],
  ['an empty alternative', 'a | | b'],
  ['two versions', 'a (>= 1) (<< 2)'],
] as const)('%s in a dependency field', ([name, text]) => {
  expect(parseDpkgRelations(text)).toEqual(name === 'nothing' ? [] : undefined);
});

test.for([
  ['of the GPL alone', '/usr/share/common-licenses/GPL-2', [{ acknowledgement: 'declared', name: 'GPL-2' }]],
  [
    'of the GPL or later, in words that are not the notice',
    'either version 2, or (at your option) any later version. See /usr/share/common-licenses/GPL-2.',
    [{ acknowledgement: 'declared', name: 'GPL-2' }],
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
  expect(copyrightLicenses(text, 'a')).toEqual(expected);
});

const dep5 = (source: string) =>
  `Format: https://www.debian.org/doc/\nSource: ${source}\n\nFiles: *\nLicense: MIT\n`;
const sourceAt = (url: string) => ({
  type: 'source-distribution',
  url,
  comment: 'of upstream, as the copyright file says',
});

test.for([
  ['an address', dep5('https://ftp.gnu.org/gnu/gzip'), sourceAt('https://ftp.gnu.org/gnu/gzip')],
  ['a repository', dep5('https://github.com/lz4/lz4'), { type: 'vcs', url: 'https://github.com/lz4/lz4' }],
  [
    'a page of a repository',
    dep5('https://github.com/linux-pam/linux-pam/releases'),
    { type: 'vcs', url: 'https://github.com/linux-pam/linux-pam' },
  ],
  ['an address in a sentence', dep5('\n It comes from (ftp://x.org/a).'), sourceAt('ftp://x.org/a')],
  ['words without one', dep5('It was downloaded from now non-existing pages'), undefined],
  ['a password', dep5('https://me:secret@x.org/a'), undefined],
  ['no source', 'Format: x\n\nFiles: *\nSource: https://x.org\n', undefined],
  [
    'prose',
    'This is foo.\nIt was downloaded from <http://www.x.org/foo>.\n',
    sourceAt('http://www.x.org/foo'),
  ],
  [
    'prose with a colon',
    'Original sources were obtained from:\nhttps://github.com/besser82/libxcrypt\n',
    { type: 'vcs', url: 'https://github.com/besser82/libxcrypt' },
  ],
  [
    'a licence that names a place',
    'This is foo.\nLicense:\n A copy can be obtained from https://x.org\n',
    undefined,
  ],
] as const)('a copyright file with %s tells where the source came from', ([, text, expected]) => {
  expect(upstreamSource(text)).toEqual(expected);
});

test('a copyright file without a known licence is the licence itself, by the digest of its bytes', () => {
  const text = 'All rights reserved.\n';
  const { components } = catalog({
    [status]: stanza('a'),
    'usr/share/doc/a/copyright': text,
  });
  const sha256 = createHash('sha256').update(text).digest('hex');
  const expression = `LicenseRef-tcf-${sha256.slice(0, 16)}`;
  expect(components[0]?.licenses).toEqual([
    { acknowledgement: 'declared', expression },
    { acknowledgement: 'concluded', expression },
  ]);
  expect(components[0]?.properties).toEqual([
    { name: 'tcf:license:text', value: `${expression}: SHA-256 ${sha256} of usr/share/doc/a/copyright` },
  ]);
});

test.for([
  ['', 'pkg:deb/debian/a@1.0?arch=source&distro=debian-12'],
  ['Source: b\n', 'pkg:deb/debian/b@1.0?arch=source&distro=debian-12'],
  ['Source: b (2:1-1)\n', 'pkg:deb/debian/b@2:1-1?arch=source&distro=debian-12'],
])('%j leads to the source package', ([fields, url]) => {
  const { components } = catalog({ [status]: stanza('a', fields) });
  expect(components[0]?.externalReferences).toContainEqual({ type: 'source-distribution', url });
});

test('folded lines keep their breaks, and a tab folds like a blank', () => {
  const [only] = parseStanzas('A: one\n two\n\tthree\r\nb: four\n');
  expect([...(only?.fields ?? [])]).toEqual([
    ['a', 'one\ntwo\nthree'],
    ['b', 'four'],
  ]);
});

const list = 'var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages';
const sources = { 'etc/apt/sources.list': 'deb http://deb.debian.org/debian/ bookworm main\n' };
const sum = 'ab'.repeat(32);
const listed = (name: string, more = `SHA256: ${sum}\n`, version = '1.0') =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nDescription: x\n goes on\nFilename: pool/main/${name}_1%2b_amd64.deb\n${more}`;
const archiveOf = (entries: Entries) => {
  const { components, skipped } = catalog({ [status]: stanza('a'), ...entries });
  const [{ hashes = [], externalReferences = [] } = {}] = components;
  return {
    hash: hashes.map(({ value, subject }) => `${value} of ${subject}`)[0],
    urls: externalReferences.filter(({ type }) => type === 'distribution').map(({ url }) => url),
    skipped: skipped.map(({ reason }) => reason),
  };
};
const known = { hash: `${sum} of deb archive`, skipped: [] };

test.for([
  [
    'in its list',
    { ...sources, [list]: listed('a') },
    { ...known, urls: ['http://deb.debian.org/debian/pool/main/a_1%252b_amd64.deb'] },
  ],
  ['in a list of no source', { [list]: listed('a') }, { ...known, urls: [] }],
  [
    'in a source with a password',
    {
      [list]: listed('a'),
      'etc/apt/sources.list.d/x.sources':
        'Types: deb\nURIs: https://me:secret@deb.debian.org/debian\nSuites: bookworm\n',
    },
    { ...known, urls: ['https://deb.debian.org/debian/pool/main/a_1%252b_amd64.deb'] },
  ],
  [
    'in a repository without dists',
    {
      'etc/apt/sources.list.d/cuda.list': 'deb [signed-by=/x.gpg] https://host/repos/debian12/x86_64/ /\n',
      'var/lib/apt/lists/host_repos_debian12_x86%5f64_Packages': listed('a').replace('pool/main/', './'),
    },
    { ...known, urls: ['https://host/repos/debian12/x86_64/a_1%252b_amd64.deb'] },
  ],
  [
    'that climbs out of its repository',
    { ...sources, [list]: listed('a').replace('pool/', '../') },
    { ...known, urls: [] },
  ],
  [
    'in another version',
    { ...sources, [list]: listed('a', `SHA256: ${sum}\n`, '1.1') },
    { hash: undefined, urls: [], skipped: [] },
  ],
  [
    'of another architecture',
    { [list]: listed('a').replace('amd64\n', 'arm64\n') },
    { hash: undefined, urls: [], skipped: [] },
  ],
  ['without checksum', { [list]: listed('a', '') }, { hash: undefined, urls: [], skipped: [] }],
  [
    'with a checksum that is none',
    { [list]: listed('a', 'SHA256: abc\n') },
    { hash: undefined, urls: [], skipped: [] },
  ],
  [
    'whose line never ends',
    { [list]: `${'x'.repeat(1_000_000)}${listed('a')}\n\n${listed('a')}` },
    { ...known, urls: [] },
  ],
  [
    'on which two lists disagree',
    {
      [list]: listed('a'),
      [`${list.replace('main', 'other')}`]: listed('a', `SHA256: ${'cd'.repeat(32)}\n`),
    },
    { hash: undefined, urls: [], skipped: [] },
  ],
  [
    'on which two lists agree',
    { [list]: listed('a'), [`${list.replace('main', 'other')}`]: listed('a') },
    { ...known, urls: [] },
  ],
] as const)('an archive %s', ([, entries, expected]) => {
  expect(archiveOf(entries)).toEqual(expected);
});

/** What a scanner sees in chunks of `size` bytes. */
const seen = (path: string, bytes: Buffer, size: number) => {
  const scanner = listScanner(path);
  for (let at = 0; at < bytes.length; at += size) {
    scanner.push(bytes.subarray(at, at + size));
  }
  return scanner.end() as { readonly packages: string; readonly fault?: string };
};

test('a list is the same however it is cut', () => {
  const text = Buffer.from(['a', 'b', 'c'].map((name) => listed(name)).join('\n'));
  const whole = seen(list, text, text.length);
  expect(whole.packages.split('\n')).toHaveLength(4);
  for (const size of [1, 7, 64]) {
    expect(seen(list, text, size)).toEqual(whole);
  }
});

test('of a list without end some is kept, and that is said', () => {
  const text = Buffer.from(`${listed('a'.repeat(4000))}\n`.repeat(4000));
  const { packages, fault } = seen(list, text, 65536);
  expect(packages.length).toBeLessThan(25 * 1024 * 1024);
  expect(fault).toBe('names more packages than are kept');
});

/** An LZ4 frame of the blocks; `undefined` is its end. */
const frame = (blocks: readonly Buffer[], flags = 0x60): Buffer =>
  Buffer.concat([
    Buffer.of(0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0),
    ...blocks.flatMap((block) => [long(block.length), block]),
    long(0),
  ]);
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
/** `abcd`, then the four bytes before that place again, twelve times in all, then `x`. */
const repeating = Buffer.concat([
  Buffer.of(0x4f),
  Buffer.from('abcd'),
  Buffer.of(4, 0, 29, 0x10),
  Buffer.from('x'),
]);
const plain = `${'abcd'.repeat(13)}x`;
const unpacked = (bytes: Uint8Array, size = 1 << 20): string | undefined => {
  const parts: Buffer[] = [];
  const reader = lz4Reader((chunk) => parts.push(Buffer.from(chunk)));
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.subarray(at, at + size));
  }
  return reader.isWhole() ? Buffer.concat(parts).toString() : undefined;
};
const literals = (text: string): Buffer => Buffer.concat([Buffer.of(text.length << 4), Buffer.from(text)]);
const stored = (text: string): Buffer =>
  Buffer.concat([long((0x8000_0000 | text.length) >>> 0), Buffer.from(text)]);

test.for([
  ['literals', frame([literals('hello')]), 'hello'],
  ['a match that overlaps itself', frame([repeating]), plain],
  [
    'a block that was not compressed',
    Buffer.concat([frame([]).subarray(0, 7), stored('hello'), long(0)]),
    'hello',
  ],
  [
    'a match into the block before',
    frame([literals('abcd'), Buffer.concat([Buffer.of(0, 4, 0, 0x10), Buffer.from('x')])], 0x40),
    'abcdabcdx',
  ],
  ['two frames', Buffer.concat([frame([literals('one')]), frame([literals('two')])]), 'onetwo'],
  ['nothing', Buffer.alloc(0), undefined],
  ['text', Buffer.from('Package: a\n'), undefined],
  ['no end', frame([literals('hello')]).subarray(0, -4), undefined],
  ['half a block', frame([literals('hello')]).subarray(0, -6), undefined],
  ['a version that is none', frame([literals('hello')], 0xa0), undefined],
  ['a match before the beginning', frame([Buffer.of(0x10, 0x61, 2, 0, 0x10, 0x78)]), undefined],
  ['a match of no distance', frame([Buffer.of(0x10, 0x61, 0, 0, 0x10, 0x78)]), undefined],
  ['a match as the last thing', frame([Buffer.of(0x10, 0x61, 1, 0)]), undefined],
  ['literals beyond the block', frame([Buffer.of(0x50, 0x61)]), undefined],
  ['a length without end', frame([Buffer.of(0xf0, 255, 255)]), undefined],
  [
    'more than a block may hold',
    frame([Buffer.concat([Buffer.of(0x1f, 0x61, 1, 0), Buffer.alloc(300, 255), Buffer.of(0, 0x10, 0x78)])]),
    undefined,
  ],
  ['a block larger than the frame says', frame([Buffer.alloc(65_537)]), undefined],
] as const)('LZ4 with %s', ([, bytes, expected]) => {
  expect(unpacked(bytes)).toBe(expected);
  expect(unpacked(bytes, 1)).toBe(expected);
});

test('LZ4 that makes much of little ends', () => {
  const block = Buffer.concat([
    Buffer.of(0x1f, 0x61, 1, 0),
    Buffer.alloc(256, 255),
    Buffer.of(0, 0x10, 0x78),
  ]);
  let written = 0;
  const reader = lz4Reader((chunk) => {
    written += chunk.length;
  });
  const bomb = frame(Array.from({ length: 1000 }, () => block));
  for (let at = 0; at < 10; at += 1) {
    reader.push(bomb);
  }
  expect(written).toBeLessThanOrEqual(256 * 1024 * 1024);
  expect(reader.isWhole()).toBe(false);
});

test('a packed list says what a plain one says, and one cut off says so', () => {
  const packed = frame([
    literals('Package: a\nV'),
    literals('ersion: 1.0\n'),
    literals('Architectur'),
    literals('e: amd64\n'),
    ...(`SHA256: ${sum}\nFilename: a.deb\n`.match(/[\s\S]{1,14}/g) ?? []).map(literals),
  ]);
  expect(archiveOf({ [`${list}.lz4`]: packed })).toEqual({ ...known, urls: [] });
  expect(archiveOf({ [`${list}.lz4`]: packed.subarray(0, -4) }).skipped).toEqual(['is not a whole LZ4 file']);
});

test.for([
  ['asked for', 'Package: b\nArchitecture: amd64\nAuto-Installed: 1\n', 'false'],
  ['brought by another', 'Package: a\nArchitecture: amd64\nAuto-Installed: 1\n', 'true'],
  ['brought by another, then asked for', 'Package: a\nArchitecture: amd64\nAuto-Installed: 0\n', 'false'],
  ['brought for another architecture', 'Package: a\nArchitecture: i386\nAuto-Installed: 1\n', 'false'],
] as const)('a package that was %s', ([, states, expected]) => {
  const [found] = catalog({ [status]: stanza('a'), 'var/lib/apt/extended_states': states }).components;
  expect(found?.properties).toEqual([{ name: 'tcf:dpkg:auto-installed', value: expected }]);
});

test('a package for all architectures is recorded under the native one', () => {
  const entries = {
    [status]: stanza('a').replace('amd64', 'all'),
    'var/lib/apt/extended_states': 'Package: a\nArchitecture: amd64\nAuto-Installed: 1\n',
  };
  expect(catalog(entries).components[0]?.properties?.[0]?.value).toBe('true');
});

test('where apt keeps no record nothing is said', () => {
  expect(catalog({ [status]: stanza('a') }).components[0]).not.toHaveProperty('properties');
});

test('the status of yesterday is no database, and standing alone it is told', () => {
  expect(names({ [status]: stanza('a'), [`${status}-old`]: stanza('b') })).toEqual(['a']);
  const { components, skipped } = catalog({ [`${status}-old`]: stanza('b') });
  expect(components).toEqual([]);
  expect(skipped).toEqual([{ path: `${status}-old`, reason: `is there without ${status}, and is not read` }]);
});

test('more files than are read make the SBOM say so, and lose no package', () => {
  const { components, skipped } = catalog({
    [status]: stanza('a'),
    'var/lib/dpkg/info/a.list': '/b\n'.repeat(2_000_001),
  });
  expect(components).toHaveLength(1);
  expect(skipped).toEqual([
    { path: 'var/lib/dpkg/info', reason: 'lists more than 2000000 files; the owners of some are not known' },
  ]);
});

const gplNotice = `This program is free software; you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation; either version 2 of the License, or (at
your option) any later version.

This program is distributed in the hope that it will be useful, but
WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU
General Public License for more details.

You should have received a copy of the GNU General Public License along
with this program; if not, write to the Free Software Foundation, Inc.,
51 Franklin Street, Fifth Floor, Boston, MA 02110-1301, USA.

On Debian systems, the complete text of the GNU General Public License
can be found in \`/usr/share/common-licenses/GPL-2'.
`;
const apacheNotice = `License:

   Licensed under the Apache License, Version 2.0 (the "License");
   you may not use this file except in compliance with the License.
   You may obtain a copy of the License at

       http://www.apache.org/licenses/LICENSE-2.0

   Unless required by applicable law or agreed to in writing, software
   distributed under the License is distributed on an "AS IS" BASIS,
   WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
   See the License for the specific language governing permissions and
   limitations under the License.

On Debian systems, the full text of the Apache License can be found in the
file \`/usr/share/common-licenses/Apache-2.0'.
`;
const opening = `This package was debianized by Ann <ann@example.org> on
Tue, 14 Dec 2004 12:45:14 +0100.

It was downloaded from https://example.org/a.tar.gz

Copyright (C) 2004-2010 Ann

`;
const concludedIn = (text: string) =>
  copyrightLicenses(text, 'a').flatMap((license) =>
    license.acknowledgement === 'concluded' && 'expression' in license ? [license.expression] : [],
  );

/**
 * A conclusion needs one text and nothing else: CPython and Kerberos name the GPL in one place of fifty
 * kilobytes.
 */
test.for([
  ['the notice of the GPL', gplNotice, ['GPL-2.0-or-later']],
  ['the notice after how the package came to be', opening + gplNotice, ['GPL-2.0-or-later']],
  ['the notice in a comment', gplNotice.replaceAll(/^/gm, ' * '), ['GPL-2.0-or-later']],
  ['the notice of Apache', opening + apacheNotice, ['Apache-2.0']],
  ['the notice of another version than the reference', gplNotice.replace('GPL-2', 'GPL-3'), []],
  ['the notice, and MIT', `${gplNotice}\nPermission is hereby granted, free of charge, to any person`, []],
  ['the notice, and BSD', `${gplNotice}\nRedistribution and use in source and binary forms`, []],
  [
    'the notice, and an exception',
    `${gplNotice}\nAs a special exception, you may link this program with OpenSSL.`,
    [],
  ],
  ['the notice, and another file', `${gplNotice}\nThe file a.c is in the public domain.`, []],
  ['the notice, and a name', `${gplNotice}\nThe manual is under the FooBar license.`, []],
  ['the notice of one file', `a.c is licensed as follows:\n${gplNotice}`, []],
  ['the notice without "or later"', gplNotice.replace(', or (at\nyour option) any later version', ''), []],
  ['two notices', gplNotice + apacheNotice, []],
  ['a mention', 'The file a.c is under the GPL, see /usr/share/common-licenses/GPL-2.', []],
  ['a mention of Apache', 'b.c is under Apache 2, see /usr/share/common-licenses/Apache-2.0.', []],
  ['two references without notice', '/usr/share/common-licenses/Artistic /usr/share/common-licenses/BSD', []],
] as const)('of %s in prose this is concluded', ([, text, expected]) => {
  expect(concludedIn(text)).toEqual(expected);
});
