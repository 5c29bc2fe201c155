import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFile, createFileSync, removeFileOf, replaceFile } from '../../src/system/atomic.ts';
import { fileExists, writeUserFile } from '../../src/system/files.ts';
import { folder, testHost } from '../support/host.ts';

test('an output replaces a regular file and keeps its permissions', async () => {
  using place = folder();
  const path = join(place.path, 'sbom.json');
  writeFileSync(path, 'old', { mode: 0o600 });
  await writeUserFile(testHost({ cwd: place.path }), 'sbom.json', 'new');
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o600]);
  expect(readdirSync(place.path)).toEqual(['sbom.json']);
});

test('an output goes through a link and leaves the link', async () => {
  using place = folder();
  mkdirSync(join(place.path, 'there'));
  symlinkSync('there/sbom.json', join(place.path, 'one'));
  symlinkSync('one', join(place.path, 'two'));
  await writeUserFile(testHost({ cwd: place.path }), 'two', 'new');
  expect(lstatSync(join(place.path, 'two')).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(place.path, 'one')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(place.path, 'there/sbom.json'), 'utf8')).toBe('new');
});

test.for([['/dev/null'], ['link to /dev/null']])('an output to %s leaves the device', async ([name]) => {
  using place = folder();
  const path = name === '/dev/null' ? '/dev/null' : join(place.path, 'null');
  if (path !== '/dev/null') {
    symlinkSync('/dev/null', path);
  }
  await writeUserFile(testHost({ cwd: place.path }), path, 'gone');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('an output to a FIFO is read by whoever waits there', async () => {
  using place = folder();
  const path = join(place.path, 'pipe');
  execFileSync('mkfifo', [path]);
  const text = 'x'.repeat(300_000);
  const [read] = await Promise.all([
    import('node:fs/promises').then(({ readFile }) => readFile(path, 'utf8')),
    writeUserFile(testHost({ cwd: place.path }), path, text),
  ]);
  expect(read).toBe(text);
  expect(lstatSync(path).isFIFO()).toBe(true);
});

test.for([
  ['a folder', (path: string) => mkdirSync(path)],
  ['a link to itself', (path: string) => symlinkSync(path, path)],
] as const)('an output to %s is refused', async ([, make]) => {
  using place = folder();
  make(join(place.path, 'out'));
  await expect(writeUserFile(testHost({ cwd: place.path }), 'out', 'new')).rejects.toMatchObject({
    code: 'file.unwritable',
    exit: 3,
  });
  expect(readdirSync(place.path)).toEqual(['out']);
});

test('what stands there is not replaced where that was asked', async () => {
  using place = folder();
  symlinkSync('nothing', join(place.path, 'key'));
  const written = writeUserFile(testHost({ cwd: place.path }), 'key', 'new', { exclusive: true });
  await expect(written).rejects.toMatchObject({ code: 'file.exists', exit: 3 });
  expect(readdirSync(place.path)).toEqual(['key']);
});

test('of many who create a file exactly one does', async () => {
  using place = folder();
  const path = join(place.path, 'entry');
  const made = await Promise.all(Array.from({ length: 20 }, (_, at) => createFile(path, String(at))));
  expect(made.filter((isFirst) => isFirst)).toHaveLength(1);
  expect(createFileSync(path, 'late', 0o600)).toBe(false);
  expect(readdirSync(place.path)).toEqual(['entry']);
});

test('a stream that breaks leaves the old file', async () => {
  using place = folder();
  const path = join(place.path, 'blob');
  writeFileSync(path, 'old');
  const broken = async function* () {
    yield Buffer.from('half');
    throw new Error('the connection broke');
  };
  await expect(replaceFile(path, broken())).rejects.toThrow('the connection broke');
  expect([readFileSync(path, 'utf8'), readdirSync(place.path)]).toEqual(['old', ['blob']]);
});

test('a file is taken away by its content, and another one in its place stays', () => {
  using place = folder();
  const path = join(place.path, 'lock');
  writeFileSync(path, 'mine');
  removeFileOf(path, 'old');
  expect(readFileSync(path, 'utf8')).toBe('mine');
  removeFileOf(path, 'mine');
  removeFileOf(path, 'mine');
  expect(readdirSync(place.path)).toEqual([]);
});

test('nothing lies below a file: a mount of a single file is no folder with a cache in it', () => {
  using place = folder();
  writeFileSync(join(place.path, 'kernel.py'), '');
  const host = testHost({ cwd: place.path });
  expect(fileExists(host, 'kernel.py')).toBe(true);
  expect(fileExists(host, 'kernel.py/.triton/cache')).toBe(false);
});
