import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareEvr, compareRpmVersions } from '../../src/bom/versions/rpm.ts';
import { readBdb } from '../../src/catalogers/rpm/bdb.ts';
import { BadHeader, parseHeader } from '../../src/catalogers/rpm/header.ts';
import { readNdb } from '../../src/catalogers/rpm/ndb.ts';
import { isReasonFile, reasonsOf } from '../../src/catalogers/rpm/reasons.ts';
import { overlaps, parseRich, rpmResolver } from '../../src/catalogers/rpm/relations.ts';
import { issuerOf } from '../../src/catalogers/rpm/signature.ts';
import { readSqlite } from '../../src/catalogers/rpm/sqlite.ts';
import { supplierOf } from '../../src/catalogers/rpm/vendors.ts';
import { rpm } from '../../src/catalogers/rpm.ts';
import { repositoryAt } from '../../src/catalogers/sources.ts';
import { scanImage } from '../../src/image/scan.ts';
import { bdbOf } from '../support/bdb.ts';
import { memoryImage } from '../support/image.ts';
import { rpmHeader } from '../support/rpm-header.ts';
import { archive, file } from '../support/tar.ts';
import { type Entries, treeOf } from '../support/tree.ts';

const folder = join(import.meta.dirname, '../../fixtures/catalogers/rpm');
const read = (path: string): Buffer => readFileSync(join(folder, path));
const main = (): Buffer => read('write-ahead-log/rootfs/var/lib/rpm/rpmdb.sqlite');
const wal = (): Buffer => read('write-ahead-log/rootfs/var/lib/rpm/rpmdb.sqlite-wal');
const names = (database: Uint8Array, log?: Uint8Array): readonly string[] =>
  rpm
    .catalog(
      treeOf(rpm, {
        'var/lib/rpm/rpmdb.sqlite': database,
        ...(log === undefined ? {} : { 'var/lib/rpm/rpmdb.sqlite-wal': log }),
      }),
    )
    .components.map(({ name }) => name);

test.for([
  ['1.0', '1.0', 0],
  ['1.0', '2.0', -1],
  ['2.0.1a', '2.0.1', 1],
  ['5.5p10', '5.5p1', 1],
  ['10xyz', '10.1xyz', -1],
  ['xyz10', 'xyz10.1', -1],
  ['6.0.rc1', '6.0', 1],
  ['1.05', '1.5', 0],
  ['2_0', '2.0', 0],
  ['a', '1', -1],
  ['1.0~rc1', '1.0', -1],
  ['1.0~rc1~git1', '1.0~rc1', -1],
  ['1.0^', '1.0', 1],
  ['1.0^git1', '1.0.1', -1],
  ['1.0~rc1^git1', '1.0~rc1', 1],
  ['1.0^git1~pre', '1.0^git1', -1],
] as const)('%s against %s', ([a, b, expected]) => {
  expect(compareRpmVersions(a, b)).toBe(expected);
  expect(compareRpmVersions(b, a)).toBe(expected === 0 ? 0 : -expected);
});

test.for([
  ['Fedora Project', '', { name: 'Fedora Project', url: 'https://fedoraproject.org/' }],
  [
    'CentOS',
    'CentOS Buildsys <bugs@centos.org>',
    {
      name: 'CentOS',
      url: 'https://www.centos.org/',
      contacts: [{ name: 'CentOS Buildsys', email: 'bugs@centos.org' }],
    },
  ],
  [
    'SUSE LLC <https://www.suse.com/>',
    'https://www.suse.com/',
    { name: 'SUSE LLC', url: 'https://www.suse.com/' },
  ],
  [
    'Red Hat, Inc.',
    'Red Hat, Inc. <http://bugzilla.redhat.com/bugzilla>',
    { name: 'Red Hat, Inc.', url: 'https://www.redhat.com/' },
  ],
  ['', 'Ann <ann@example.org>', { name: 'Ann', contacts: [{ name: 'Ann', email: 'ann@example.org' }] }],
  ['Acme', 'root at localhost', { name: 'Acme' }],
  ['', '', undefined],
] as const)('VENDOR %j and PACKAGER %j', ([vendor, packager, expected]) => {
  expect(supplierOf(vendor, packager)).toEqual(expected);
});

test.for([
  ['https://github.com/lz4/lz4', { type: 'vcs', url: 'https://github.com/lz4/lz4' }],
  ['http://www.github.com/lz4/lz4.git', { type: 'vcs', url: 'https://github.com/lz4/lz4' }],
  ['https://github.com/lz4/lz4/wiki/Home', { type: 'vcs', url: 'https://github.com/lz4/lz4' }],
  ['https://github.com/lz4', undefined],
  ['https://github.com/orgs/lz4', undefined],
  ['https://gitlab.com/group/project', undefined],
  ['https://gitlab.com/group/project/-/releases', { type: 'vcs', url: 'https://gitlab.com/group/project' }],
  ['https://gitlab.com/-/profile', undefined],
  ['https://gitlab.com/group/-/milestones', undefined],
  ['https://sourceware.org/git/glibc.git', { type: 'vcs', url: 'https://sourceware.org/git/glibc.git' }],
  ['https://sourceware.org/git/?p=glibc.git;a=summary', undefined],
  [
    'https://git.kernel.org/pub/scm/linux/kernel/git/dhowells/keyutils.git/tree/',
    { type: 'vcs', url: 'https://git.kernel.org/pub/scm/linux/kernel/git/dhowells/keyutils.git' },
  ],
  ['git://git.savannah.gnu.org/bash.git', { type: 'vcs', url: 'git://git.savannah.gnu.org/bash.git' }],
  ['git://me:secret@example.org/bash.git', undefined],
  ['https://me:secret@example.org/bash.git', undefined],
  ['https://example.org/.git', undefined],
  [
    'https://git.sr.ht/~kennylevinsen/seatd/refs',
    { type: 'vcs', url: 'https://git.sr.ht/~kennylevinsen/seatd' },
  ],
  ['https://sr.ht/~kennylevinsen/seatd', undefined],
  ['https://example.org/digit', undefined],
  ['https://github.com.example.org/lz4/lz4', undefined],
  ['https://lz4.github.io/lz4/', undefined],
] as const)('the repository at %s', ([url, expected]) => {
  expect(repositoryAt(url)).toEqual(expected);
});

test('an epoch comes before everything, and a missing release matches all', () => {
  expect(compareEvr('1:1.0-1', '2.0-1')).toBe(1);
  expect(compareEvr('1.0', '1.0-7')).toBe(0);
  expect(overlaps({ name: 'a', flags: 8, evr: '2' }, { name: 'a', flags: 4, evr: '2' })).toBe(false);
});

test.for([['(a or'], ['(a or b and c)'], ['a)'], ['(a xor b)'], ['('.repeat(1000)]] as const)(
  '%s is no boolean dependency',
  ([text]) => {
    expect(parseRich(text)).toBeUndefined();
  },
);

const system = ['low', 'high', 'flagged', 'plain'].map((name) => ({
  name,
  provides: [
    { name, flags: 8, evr: '1' },
    ...(name === 'low' ? [{ name: 'virtual', flags: 8, evr: '0.5' }] : []),
    ...(name === 'high' ? [{ name: 'virtual', flags: 8, evr: '2' }] : []),
    ...(name === 'flagged' ? [{ name: 'flag', flags: 0, evr: '' }] : []),
    ...(name === 'flagged' || name === 'plain' ? [{ name: 'pair', flags: 0, evr: '' }] : []),
  ],
}));

test.for([
  ['(virtual >= 1 with virtual < 3)', ['high']],
  ['(virtual >= 3 with virtual < 5)', []],
  ['(pair with flag)', ['flagged']],
  ['(pair with (flag or absent))', ['flagged']],
  ['(pair without flag)', ['plain']],
  ['(plain without flag)', ['plain']],
  ['(flagged without flag)', []],
  ['(flag with pair with absent)', []],
  ['((pair without flag) and low)', ['low', 'plain']],
  ['(absent or (pair with flag))', ['flagged']],
  ['(low if absent else high)', ['high']],
  ['(low unless absent)', ['low']],
  ['(low unless high else plain)', ['plain']],
] as const)('%s is satisfied by %j', ([need, expected]) => {
  const asker = { name: 'asker', provides: [], requires: [{ name: need, flags: 0, evr: '' }] };
  const packages = [asker, ...system.map((each) => ({ ...each, requires: [] }))];
  const found = rpmResolver(packages, () => [])(asker) ?? [];
  expect(found.map(({ name }) => name).sort()).toEqual(expected);
});

test('what only the log has is there, and a log with a wrong checksum is not believed', () => {
  expect(names(main())).not.toContain('Tcf-App');
  expect(names(main(), wal())).toContain('Tcf-App');
  const forged = wal();
  forged[60] = (forged[60] ?? 0) ^ 1;
  expect(names(main(), forged)).not.toContain('Tcf-App');
});

test('whatever bytes change, the readers end and the parser refuses with its own error', () => {
  const [row] = [...readSqlite(main(), undefined)];
  const header = Buffer.from(row?.blob ?? []);
  fc.assert(
    fc.property(fc.nat(header.length - 1), fc.nat(255), (at, byte) => {
      const bad = Buffer.from(header);
      bad[at] = byte;
      try {
        parseHeader(bad).texts(1117);
      } catch (error) {
        expect(error).toBeInstanceOf(BadHeader);
      }
      const database = main();
      database[(at * 37) % database.length] = byte;
      expect([...readSqlite(database, undefined)].length).toBeLessThan(1000);
    }),
    { numRuns: 100 },
  );
});

test('an ndb database gives its blob, and a broken slot loses itself', () => {
  const file = Buffer.alloc(4096 + 64);
  file.write('RpmP', 0);
  file.writeUInt32LE(1, 12);
  for (let at = 32; at < 4096; at += 16) {
    file.write('Slot', at);
  }
  file.writeUInt32LE(7, 36);
  file.writeUInt32LE(256, 40);
  file.write('BlbS', 4096);
  file.writeUInt32LE(7, 4100);
  file.writeUInt32LE(3, 4108);
  file.write('abc', 4112);
  file.write('Bad!', 48);
  const rows = [...readNdb(file)];
  expect(rows.filter(({ blob }) => blob !== undefined).map(({ where }) => where)).toEqual(['package 7']);
  expect(rows).toContainEqual({ where: 'slot 3', fault: 'is none' });
});

/** Blobs as an ndb database, each in a place of its own. */
function ndbOf(blobs: readonly Uint8Array[]): Buffer {
  const places = blobs.map((_, at) => 4096 + at * 64 * 1024);
  const file = Buffer.alloc(4096 + blobs.length * 64 * 1024);
  file.write('RpmP', 0);
  file.writeUInt32LE(1, 12);
  for (let at = 32; at < 4096; at += 16) {
    file.write('Slot', at);
  }
  for (const [at, blob] of blobs.entries()) {
    const place = places[at] ?? 0;
    file.writeUInt32LE(at + 1, 36 + at * 16);
    file.writeUInt32LE(place / 16, 40 + at * 16);
    file.write('BlbS', place);
    file.writeUInt32LE(at + 1, place + 4);
    file.writeUInt32LE(blob.length, place + 12);
    file.set(blob, place + 16);
  }
  return file;
}

test('whatever happens to one header, its neighbour stays', () => {
  const path = 'sqlite/rootfs/var/lib/rpm/rpmdb.sqlite';
  const blobs = [...readSqlite(read(path), undefined)].flatMap(({ blob }) => blob ?? []);
  const found = (list: readonly Uint8Array[]): readonly string[] =>
    rpm.catalog(treeOf(rpm, { 'var/lib/rpm/Packages.db': ndbOf(list) })).components.map(({ name }) => name);
  const [first, second] = blobs;
  if (first === undefined || second === undefined) {
    throw new Error('the fixture has two packages');
  }
  const [, neighbour] = found([first, second]);
  expect(neighbour).toBeDefined();
  fc.assert(
    fc.property(fc.nat(first.length - 1), fc.nat(255), (at, byte) => {
      const bad = Uint8Array.from(first);
      bad[at] = byte;
      expect(found([bad, second])).toContain(neighbour);
    }),
    { numRuns: 300 },
  );
});

test.for<readonly [string, () => readonly [Buffer, Buffer | undefined]]>([
  ['a database alone', () => [read('sqlite/rootfs/var/lib/rpm/rpmdb.sqlite'), undefined]],
  ['a database and its write-ahead log', () => [main(), wal()]],
])('reads the rows of %s that SQLite itself reads', ([, files]) => {
  const [database, log] = files();
  const place = mkdtempSync(join(tmpdir(), 'tcf-sqlite-'));
  try {
    writeFileSync(join(place, 'rpmdb.sqlite'), database);
    if (log !== undefined) {
      writeFileSync(join(place, 'rpmdb.sqlite-wal'), log);
    }
    const sqlite = new DatabaseSync(join(place, 'rpmdb.sqlite'));
    const expected = sqlite
      .prepare('SELECT blob FROM Packages')
      .all()
      .map((row) => Buffer.from(row['blob'] as Uint8Array).toString('hex'));
    sqlite.close();
    const ours = [...readSqlite(database, log)].map(({ blob }) => Buffer.from(blob ?? []).toString('hex'));
    expect(ours.sort()).toEqual(expected.sort());
    expect(ours.length).toBeGreaterThan(0);
  } finally {
    rmSync(place, { recursive: true });
  }
});

const headers = (): readonly Uint8Array[] =>
  [...readSqlite(read('sqlite/rootfs/var/lib/rpm/rpmdb.sqlite'), undefined)].flatMap(
    ({ blob }) => blob ?? [],
  );
const asPackages = (file: Uint8Array) => {
  const { components, skipped } = rpm.catalog(treeOf(rpm, { 'var/lib/rpm/Packages': file }));
  return {
    names: components.map(({ name }) => name),
    reasons: skipped.map(({ reason }) => reason).filter((reason) => !reason.startsWith('names no')),
  };
};

test.for([
  ['of this machine', {}],
  ['of a big-endian machine', { order: 'big' }],
  ['of CentOS 5', { hashPage: 2 }],
  ['with large pages', { pageSize: 65536 }],
] as const)('a Berkeley DB database %s has what was put in', ([, options]) => {
  const blobs = [...headers(), Buffer.from('short')];
  const rows = [...readBdb(bdbOf(blobs, options).file)];
  expect(rows.map(({ blob }) => Buffer.from(blob ?? []).toString('latin1'))).toEqual(
    blobs.map((blob) => Buffer.from(blob).toString('latin1')),
  );
  expect(asPackages(bdbOf(headers(), options).file)).toEqual({ names: namesOf(headers()), reasons: [] });
});

const namesOf = (blobs: readonly Uint8Array[]): readonly string[] =>
  blobs.map((blob) => parseHeader(blob).text(1000) ?? '').filter((name) => name !== 'gpg-pubkey');

type Bdb = ReturnType<typeof bdbOf>;
const pageOf = ({ file, pageSize }: Bdb, page: number | undefined): Buffer =>
  file.subarray((page ?? 0) * pageSize, ((page ?? 0) + 1) * pageSize);

test.for<readonly [string, (made: Bdb) => unknown, string]>([
  ['text', ({ file }) => file.fill('anything'), 'is not a Berkeley DB hash database'],
  ['a b-tree', ({ file }) => file.writeUInt32LE(0x0005_3162, 12), 'is not a Berkeley DB hash database'],
  [
    'a page size that is no power of two',
    ({ file }) => file.writeUInt32LE(513, 20),
    'has an invalid page size',
  ],
  ['a page size of 2 GiB', ({ file }) => file.writeUInt32LE(2 ** 31, 20), 'has an invalid page size'],
  ['encryption', ({ file }) => file.writeUInt8(1, 24), 'is encrypted, summed or divided'],
  ['checksums', ({ file }) => file.writeUInt8(1, 26), 'is encrypted, summed or divided'],
  ['more pages than it has', ({ file }) => file.writeUInt32LE(9999, 32), 'is cut off'],
  ['more records than it has', ({ file }) => file.writeUInt32LE(9, 88), 'states 9 records and has 3'],
  [
    'an odd number of items',
    (made) => pageOf(made, made.hashPages[0]).writeUInt16LE(3, 20),
    'has a broken index',
  ],
  [
    'more items than room',
    (made) => pageOf(made, made.hashPages[0]).writeUInt16LE(65534, 20),
    'has a broken index',
  ],
  [
    'an item in the index itself',
    (made) => pageOf(made, made.hashPages[0]).writeUInt16LE(27, 26),
    'has a broken index',
  ],
  [
    'two items in one place',
    (made) => pageOf(made, made.hashPages[0]).copyWithin(28, 26, 28),
    'has a broken index',
  ],
  ['a value of 4 GiB', (made) => offPageItem(made).writeUInt32LE(2 ** 32 - 1, 8), 'is too large'],
  ['a value of no kind', (made) => offPageItem(made).writeUInt8(9, 0), 'of a kind that rpm does not write'],
  ['a value on page 0', (made) => offPageItem(made).writeUInt32LE(0, 4), 'has a broken chain'],
  ['a value beyond the file', (made) => offPageItem(made).writeUInt32LE(9999, 4), 'has a broken chain'],
  ['a value longer than its chain', (made) => offPageItem(made).writeUInt32LE(60_000, 8), 'is too large'],
  ['a value shorter than its chain', (made) => offPageItem(made).writeUInt32LE(1, 8), 'has another length'],
  [
    'a chain that leads to itself',
    (made) => chainPage(made).writeUInt32LE(made.chains[0]?.[0] ?? 0, 16),
    'has a broken chain',
  ],
  [
    'a chain into a hash page',
    (made) => chainPage(made).writeUInt32LE(made.hashPages[0] ?? 0, 16),
    'has a broken chain',
  ],
  [
    'an overflow page larger than a page',
    (made) => chainPage(made).writeUInt16LE(65535, 22),
    'has a broken chain',
  ],
  ['an empty overflow page', (made) => chainPage(made).writeUInt16LE(0, 22), 'has a broken chain'],
])('a Berkeley DB database with %s says so', ([, damage, reason]) => {
  const made = bdbOf(headers());
  damage(made);
  const { names, reasons } = asPackages(made.file);
  expect(reasons.join('\n')).toContain(reason);
  expect(names.length).toBeLessThanOrEqual(2);
});

/** Where the first package's value is said to lie: the second value of the first hash page. */
function offPageItem(made: Bdb): Buffer {
  const page = pageOf(made, made.hashPages[0]);
  return page.subarray(page.readUInt16LE(26 + 6), page.readUInt16LE(26 + 4));
}

function chainPage(made: Bdb): Buffer {
  return pageOf(made, made.chains[0]?.[0]);
}

test('two values may not share overflow pages, whatever they say', () => {
  const made = bdbOf([...headers(), ...headers()]);
  const second = made.hashPages[1];
  const target = offPageItem(made).readUInt32LE(4);
  const page = pageOf(made, second);
  for (const at of [2, 6]) {
    page.writeUInt32LE(target, page.readUInt16LE(26 + at) + 4);
  }
  expect(asPackages(made.file).reasons.filter((reason) => reason.includes('broken chain'))).toHaveLength(2);
});

test('whatever happens to one page of a Berkeley DB database, what lies in others stays', () => {
  const [one, two] = headers();
  if (one === undefined || two === undefined) {
    throw new Error('the fixture has two packages');
  }
  const made = bdbOf([one, one, two]);
  const [, name] = namesOf([one, two]);
  const [page = 0] = made.hashPages;
  const [start, end] = [page * made.pageSize, (page + 1) * made.pageSize];
  fc.assert(
    fc.property(fc.integer({ min: start, max: end - 1 }), fc.nat(255), (at, byte) => {
      const bad = Buffer.from(made.file);
      bad[at] = byte;
      // A lying item may point into the chain of the last package: then the first who asks has it, and the
      // loss is said.
      const { names, reasons } = asPackages(bad);
      expect(names.includes(name ?? '') || reasons.length > 0).toBe(true);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.nat(made.file.length - 1), fc.nat(255), (at, byte) => {
      const bad = Buffer.from(made.file);
      bad[at] = byte;
      expect([...readBdb(bad)].length).toBeLessThan(10);
    }),
    { numRuns: 300 },
  );
});

const key = '0123456789abcdef';
const fingerprint = `04${'00'.repeat(12)}${key}`;
/** A signature of version 4 with the subpackets of its two areas. */
const version4 = (hashed: string, unhashed: string): string =>
  `04000108${length(hashed)}${hashed}${length(unhashed)}${unhashed}abcd0000`;
const length = (hex: string): string => (hex.length / 2).toString(16).padStart(4, '0');
const oldForm = (body: string): string => `89${length(body)}${body}`;

test.for([
  ['version 3', oldForm(`03050000000000${key}010800`), key],
  ['its fingerprint', oldForm(version4(`1621${fingerprint}`, '')), key],
  ['its id, unhashed', oldForm(version4('', `0910${key}`)), key],
  ['the fingerprint before another id', oldForm(version4(`0910ffffffffffffffff1621${fingerprint}`, '')), key],
  ['a hashed id before an unhashed one', oldForm(version4(`0910${key}`, '0910ffffffffffffffff')), key],
  [
    'the new form',
    `c2${(version4(`0910${key}`, '').length / 2).toString(16)}${version4(`0910${key}`, '')}`,
    key,
  ],
  [
    'a length of one byte',
    `88${(version4(`0910${key}`, '').length / 2).toString(16)}${version4(`0910${key}`, '')}`,
    key,
  ],
  ['nothing', '', undefined],
  ['no issuer', oldForm(version4('0502aabbccdd', '')), undefined],
  ['a version that is none', oldForm(`07${version4(`0910${key}`, '').slice(2)}`), undefined],
  ['a version 3 that is cut off', oldForm('0305000000'), undefined],
  ['a subpacket of no length', oldForm(version4(`000910${key}`, '')), undefined],
  ['a subpacket longer than the area', oldForm(version4(`ff7fffffff10${key}`, '')), undefined],
  ['an area longer than the packet', '89000804000108ffff0000', undefined],
  ['another packet', `99${oldForm(version4(`0910${key}`, '')).slice(2)}`, undefined],
  ['a length of no end', '8b04', undefined],
  ['66 KiB', oldForm(version4(`0910${key}`, '')) + '00'.repeat(66 * 1024), undefined],
] as const)('a signature with %s', ([, hex, expected]) => {
  expect(issuerOf(Buffer.from(hex, 'hex'))).toBe(expected);
});

const reasonTree = { name: 'reasons', contentLimit: 1 << 20, wants: isReasonFile, catalog: rpm.catalog };
const asked = (entries: Entries, name: string, evr = '1-1') => {
  const skipped: { readonly path: string; readonly reason: string }[] = [];
  const reason = reasonsOf(treeOf(reasonTree, entries), skipped)(name, 'noarch', evr);
  return { reason, skipped: skipped.map((each) => each.reason) };
};

/**
 * A history of dnf 4: items of transactions as `[transaction, name, evr without epoch, repository, action,
 * reason]`.
 */
function historyOf(items: readonly (readonly [number, string, string, string, number, number])[]): Buffer {
  const place = mkdtempSync(join(tmpdir(), 'tcf-dnf-'));
  try {
    const database = new DatabaseSync(join(place, 'history.sqlite'));
    database.exec(`PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;
      CREATE TABLE trans (id INTEGER PRIMARY KEY, a, b, c, d, e, f, cmdline TEXT, state INTEGER);
      CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT);
      CREATE TABLE rpm (item_id INTEGER UNIQUE, name TEXT, epoch INTEGER, version TEXT, release TEXT, arch TEXT);
      CREATE TABLE trans_item (id INTEGER PRIMARY KEY, trans_id INTEGER, item_id INTEGER, repo_id INTEGER,
        action INTEGER, reason INTEGER, state INTEGER);
      INSERT INTO trans VALUES (1,0,0,0,0,0,0,'x',1), (2,0,0,0,0,0,0,'x',1), (3,0,0,0,0,0,0,'x',2);`);
    for (const [at, [transaction, name, evr, repository, action, reason]] of items.entries()) {
      const [version = '', release = ''] = evr.split('-');
      database.prepare('INSERT INTO repo VALUES (?, ?)').run(at, repository);
      database.prepare('INSERT INTO rpm VALUES (?, ?, 0, ?, ?, ?)').run(at, name, version, release, 'noarch');
      database
        .prepare('INSERT INTO trans_item VALUES (NULL, ?, ?, ?, ?, ?, 1)')
        .run(transaction, at, at, action, reason);
    }
    database.close();
    return readFileSync(join(place, 'history.sqlite'));
  } finally {
    rmSync(place, { recursive: true });
  }
}

test.for([
  ['was asked for', [[1, 'a', '1-1', 'main', 1, 2]], { reason: 'user', repository: 'main' }],
  ['came with another', [[1, 'a', '1-1', 'main', 1, 1]], { reason: 'dependency', repository: 'main' }],
  [
    'was asked for later',
    [
      [1, 'a', '1-1', 'main', 1, 1],
      [2, 'a', '1-1', 'main', 11, 2],
    ],
    { reason: 'user', repository: 'main' },
  ],
  [
    'was upgraded',
    [
      [1, 'a', '0-1', 'main', 1, 2],
      [2, 'a', '0-1', 'main', 7, 1],
      [2, 'a', '1-1', 'updates', 6, 2],
    ],
    { reason: 'user', repository: 'updates' },
  ],
  ['was upgraded by rpm', [[1, 'a', '0-1', 'main', 1, 2]], { reason: 'user' }],
  [
    'was removed and brought back by rpm',
    [
      [1, 'a', '1-1', 'main', 1, 2],
      [2, 'a', '1-1', '@System', 8, 2],
    ],
    {},
  ],
  ['came in a transaction that failed', [[3, 'a', '1-1', 'main', 1, 2]], {}],
  ['has a reason nobody knows', [[1, 'a', '1-1', 'main', 1, 77]], { repository: 'main' }],
  [
    'came from an address with a password',
    [[1, 'a', '1-1', 'https://me:secret@host/', 1, 2]],
    { reason: 'user' },
  ],
  ['is another', [[1, 'b', '1-1', 'main', 1, 2]], {}],
] as const)('dnf 4 knows why a package is there that %s', ([, items, expected]) => {
  const entries = { 'var/lib/dnf/history.sqlite': historyOf(items) };
  expect(asked(entries, 'a')).toEqual({ reason: expected, skipped: [] });
});

test('a history that is no database is said once, and loses no package', () => {
  const { reason, skipped } = asked({ 'var/lib/dnf/history.sqlite': 'text' }, 'a');
  expect(reason).toEqual({});
  expect(skipped).toEqual(['the file is not an SQLite database']);
  expect(asked({ 'var/lib/dnf/history.sqlite': Buffer.alloc(2 << 20) }, 'a').skipped).toEqual([
    'is too large to read',
  ]);
});

test.for([
  ['a package', 'a', '1-1', { reason: 'user', repository: 'fedora' }],
  ['one with an epoch', 'b', '2:1-1', { reason: 'external-user', repository: 'updates' }],
  ['one without repository', 'c', '1-1', { reason: 'weak-dependency' }],
  ['a reason nobody knows', 'd', '1-1', {}],
  ['nothing', 'e', '1-1', {}],
] as const)('dnf 5 records %s', ([, name, evr, expected]) => {
  const entries = {
    'usr/lib/sysimage/libdnf5/packages.toml':
      'version = "1.0"\n[packages]\n"a.noarch" = {reason="User"}\n"b.noarch" = { reason = "External User" }\n"c.noarch" = {reason="Weak Dependency"}\n"d.noarch" = {reason="Whim"}\nbroken\n',
    'usr/lib/sysimage/libdnf5/nevras.toml':
      'version = "1.0"\n[nevras]\n"a-1-1.noarch" = {from_repo="fedora"}\n"b-2:1-1.noarch" = {from_repo="updates"}\n"c-1-1.noarch" = {from_repo=""}\n',
    'var/lib/dnf/history.sqlite': 'of the dnf before, and not read',
  };
  expect(asked(entries, name, evr)).toEqual({ reason: expected, skipped: ['line 7 is of no known form'] });
});

const many = (count: number, text: string): readonly string[] => Array.from({ length: count }, () => text);
const named = (name: string, more: Readonly<Record<number, readonly string[]>> = {}): Buffer =>
  rpmHeader({ 1000: name, 1001: '1', 1002: '1', ...more });

test.for([
  [
    'names more relations than a thousand systems',
    [
      named('a', { 1047: many(999_999, 'x') }),
      named('b', { 1049: many(999_999, 'x') }),
      named('c', { 1049: ['x', 'y', 'z'] }),
    ],
    'c',
  ],
  [
    'compares every package with every other',
    [
      ...many(3, '').map((_, at) => named(`p${at}`, { 1047: many(2000, 'x') })),
      named('c', { 1049: many(2000, 'x') }),
    ],
    'c',
  ],
] as const)(
  'a database that %s has its packages, and says that dependencies are missing',
  ([, blobs, name]) => {
    const found = rpm.catalog(treeOf(rpm, { 'var/lib/rpm/Packages': bdbOf(blobs, { pageSize: 4096 }).file }));
    expect(found.components).toHaveLength(blobs.length);
    expect(found.unknownDependencies).toContain(`rpm:${name}-1-1.`);
    expect(found.skipped.map(({ reason }) => reason)).toContain(`the dependencies of ${name} cannot be read`);
  },
);

test('a manifest of a million lines ends where it is said', () => {
  const path = 'var/lib/rpmmanifest/container-manifest-2';
  const found = rpm.catalog(treeOf(rpm, { [path]: '\n'.repeat(1_000_000) }));
  expect(found.skipped).toContainEqual({ path, reason: 'is not read after line 200000' });
});

test('each package is of the layer that brought it, however large the databases are that every layer wrote anew', async () => {
  const filler = named('filler', { 1005: ['x'.repeat(18 * 1024 * 1024)] });
  const layers = [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']].map((list) =>
    archive(
      file(
        'var/lib/rpm/Packages',
        bdbOf([filler, ...list.map((name) => named(name))], { pageSize: 65536 }).file,
      ),
    ),
  );
  const scanned = await scanImage(memoryImage({ layers }), [rpm]);
  const { components } = rpm.catalog(scanned.treeFor(rpm));
  expect(components.map(({ name, evidence }) => [name, evidence?.occurrences?.[0]?.layer?.index])).toEqual([
    ['filler', 0],
    ['a', 0],
    ['b', 1],
    ['c', 2],
    ['d', 3],
  ]);
});

test('of a replaced database its packages are kept, and nothing of one that pretends to be a summary', () => {
  const path = 'var/lib/rpm/Packages';
  const kept = rpm.summarize?.(path, bdbOf([named('a'), named('b')]).file) ?? new Uint8Array(0);
  expect(Buffer.from(kept).toString().split('\n').slice(1)).toEqual(['a-1-1.', 'b-1-1.']);
  expect(
    Buffer.from(rpm.summarize?.(path, kept) ?? [])
      .toString()
      .split('\n'),
  ).toHaveLength(1);
  expect(rpm.summarize?.('var/lib/rpm/rpmdb.sqlite-wal', kept)).toHaveLength(0);
  expect(rpm.summarize?.('etc/os-release', kept)).toBeUndefined();
});

test.for([
  [
    'a stream of a module',
    'nodejs:12:8030020201124152102:229f0a1c',
    'rpmmod=nodejs:12:8030020201124152102:229f0a1c',
  ],
  ['no module', '', undefined],
  ['a label that is for a terminal', 'a:1\u001b[2J', undefined],
  ['a label that is another qualifier', 'a&upstream=b', undefined],
] as const)('the purl of a package of %s', ([, label, expected]) => {
  const header = rpmHeader({ 1000: 'npm', 1001: '1', 1002: '1', 5096: label });
  const { components } = rpm.catalog(
    treeOf(rpm, {
      'etc/os-release': 'ID=centos\nVERSION_ID=8\n',
      'var/lib/rpm/Packages': bdbOf([header], { pageSize: 4096 }).file,
    }),
  );
  const said = components.map(({ purl = '' }) => /rpmmod=[^&]*/.exec(purl)?.[0]);
  expect(said).toEqual([expected]);
});
