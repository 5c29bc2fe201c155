import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BadHeader, parseHeader } from '../../src/catalogers/rpm/header.ts';
import { readNdb } from '../../src/catalogers/rpm/ndb.ts';
import { overlaps, parseRich } from '../../src/catalogers/rpm/relations.ts';
import { readSqlite } from '../../src/catalogers/rpm/sqlite.ts';
import { compareEvr, compareRpmVersions } from '../../src/catalogers/rpm/version.ts';
import { rpm } from '../../src/catalogers/rpm.ts';
import { treeOf } from '../support/tree.ts';

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
  for (let at = 32; at < 4096; at += 16) file.write('Slot', at);
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
  for (let at = 32; at < 4096; at += 16) file.write('Slot', at);
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
  if (first === undefined || second === undefined) throw new Error('the fixture has two packages');
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
    if (log !== undefined) writeFileSync(join(place, 'rpmdb.sqlite-wal'), log);
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

test('a database of a kind that is not read makes the SBOM say so', () => {
  const { components, skipped } = rpm.catalog(treeOf(rpm, { 'var/lib/rpm/Packages': 'anything' }));
  expect(components).toEqual([]);
  expect(skipped).toEqual([
    { path: 'var/lib/rpm/Packages', reason: 'is a Berkeley DB database, which tcf does not read' },
  ]);
});
