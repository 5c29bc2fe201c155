import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readNewest, writeNext } from '../../../src/sigstore/trust/generations.ts';
import { folder } from '../../support/host.ts';

let place: ReturnType<typeof folder>;
let path: string;

beforeEach(() => {
  place = folder();
  path = join(place.path, 'deep/slot');
});
afterEach(() => place[Symbol.dispose]());

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const read = async () => {
  const newest = await readNewest(path, 1000, 'it');
  return newest === undefined ? undefined : [newest.number, Buffer.from(newest.bytes).toString()];
};

test.for([
  ['owner', 0o700, 0o600],
  ['everyone', 0o755, 0o644],
] as const)('what the %s may read, nobody else writes', async ([readers, folderMode, fileMode]) => {
  const deep = join(path, 'a');
  await writeNext(deep, 0, bytes('x'), readers);
  const modeOf = (at: string) => statSync(at).mode & 0o777;
  const masked = (mode: number) => mode & ~process.umask();
  expect([modeOf(deep), modeOf(join(deep, '1.json'))]).toEqual([masked(folderMode), masked(fileMode)]);
});

test('the newest generation counts, and those before the last are cleared away', async () => {
  expect(await read()).toBeUndefined();
  for (const [before, text] of ['one', 'two', 'three'].entries()) {
    expect(await writeNext(path, before, bytes(text))).toBe(true);
    expect(await read()).toEqual([before + 1, text]);
  }
  expect(readdirSync(path)).toEqual(['2.json', '3.json']);
});

test('numbers are compared as numbers', async () => {
  mkdirSync(path, { recursive: true });
  for (const number of [9, 10]) {
    writeFileSync(join(path, `${number}.json`), `${number}`);
  }
  expect(await read()).toEqual([10, '10']);
});

test('one of many writers of the same generation succeeds', async () => {
  const written = await Promise.all(
    Array.from({ length: 10 }, (_, index) => writeNext(path, 0, bytes(`${index}`))),
  );
  expect(written.filter(Boolean)).toHaveLength(1);
  expect(await read()).toEqual([1, String(written.indexOf(true))]);
});

test('a writer that comes far too late changes nothing that anybody reads', async () => {
  for (let before = 0; before < 4; before += 1) {
    await writeNext(path, before, bytes(`${before}`));
  }
  expect(await writeNext(path, 1, bytes('late'))).toBe(false);
  expect(await read()).toEqual([4, '3']);
});

test('what a killed writer left behind is not read, and goes when it is old', async () => {
  await writeNext(path, 0, bytes('whole'));
  for (const name of ['.old.tmp', '.new.tmp']) {
    writeFileSync(join(path, name), 'ha');
  }
  utimesSync(join(path, '.old.tmp'), 0, 0);
  expect(await read()).toEqual([1, 'whole']);
  await writeNext(path, 1, bytes('next'));
  expect(readdirSync(path).sort()).toEqual(['.new.tmp', '1.json', '2.json']);
});

test.for([
  ['the folder', () => path],
  ['the file', () => join(path, '1.json')],
] as const)('%s that others may write to is refused (A-108)', async ([, what]) => {
  await writeNext(path, 0, bytes('mine'));
  chmodSync(what(), 0o777);
  await expect(read()).rejects.toMatchObject({ code: 'trust.unsafe', exit: 2 });
});

test('more than the limit is not read', async () => {
  await writeNext(path, 0, bytes('x'.repeat(1001)));
  await expect(read()).rejects.toMatchObject({ code: 'bytes.too-large' });
});

test('a place that cannot be written to is named', async () => {
  writeFileSync(join(place.path, 'deep'), '');
  await expect(writeNext(path, 0, bytes('x'))).rejects.toMatchObject({ code: 'file.unwritable', exit: 3 });
  await expect(read()).rejects.toMatchObject({ code: 'trust.unreadable', exit: 2 });
});
