import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isForEverybody, whoElseWrites, whoElseWritesBelow } from '../../src/system/owners.ts';
import { folder } from '../support/host.ts';

let place: ReturnType<typeof folder>;
const uid = process.getuid?.() ?? 0;
const at = (...parts: readonly string[]) => join(place.path, ...parts);
beforeEach(() => {
  place = folder();
  mkdirSync(at('a/b'), { recursive: true });
  mkdirSync(at('other'));
  writeFileSync(at('a/b/file'), '');
  writeFileSync(at('other/file'), '');
});
afterEach(() => place[Symbol.dispose]());

test("a file of the user, below folders of the user and of root, is nobody else's", () => {
  expect(whoElseWrites(at('a/b/file'), uid)).toBeUndefined();
  expect(whoElseWrites(at('a/b/nothing/there'), uid)).toBeUndefined();
  expect(whoElseWritesBelow(at('a'), uid)).toBeUndefined();
});

test.for<readonly [string, string]>([
  ['the file', 'a/b/file'],
  ['its folder', 'a/b'],
  ['a folder above', 'a'],
])('others may write %s', ([, path]) => {
  for (const mode of [0o777, 0o770, 0o707]) {
    chmodSync(at(path), mode);
    expect(whoElseWrites(at('a/b/file'), uid)).toMatch(/^others may write /);
  }
  // What is in a sticky folder is moved by its owner alone.
  if (path !== 'a/b/file') {
    chmodSync(at(path), 0o1777);
    expect(whoElseWrites(at('a/b/file'), uid)).toBeUndefined();
  }
});

describe('links', () => {
  test.for<readonly [string, string]>([
    ['to a file whose folder others may write', 'other/file'],
    ['out of a folder and into another', '../other/file'],
  ])('%s', ([, target]) => {
    symlinkSync(target.startsWith('..') ? target : at(target), at('a/link'));
    expect(whoElseWrites(at('a/link'), uid)).toBeUndefined();
    chmodSync(at('other'), 0o777);
    expect(whoElseWrites(at('a/link'), uid)).toMatch(/others may write .*other/);
  });

  test('in the middle of a path', () => {
    symlinkSync(at('other'), at('a/folder'));
    chmodSync(at('other'), 0o777);
    expect(whoElseWrites(at('a/folder/file'), uid)).toMatch(/others may write .*other/);
  });

  test('without an end', () => {
    symlinkSync(at('a/y'), at('a/x'));
    symlinkSync(at('a/x'), at('a/y'));
    expect(whoElseWrites(at('a/x'), uid)).toMatch(/loop of links/);
  });
});

test("a file of somebody else is not root's alone", () => {
  if (uid === 0) {
    expect(whoElseWrites('/proc/self/status', 1)).toBeUndefined();
  } else {
    expect(whoElseWrites(at('a'), 0)).toMatch(/belongs to user/);
  }
});

test('all that is in a folder counts, up to a limit', () => {
  writeFileSync(at('a/b/part'), '');
  chmodSync(at('a/b/part'), 0o666);
  expect(whoElseWritesBelow(at('a'), uid)).toMatch(/others may write .*part/);
  chmodSync(at('a/b/part'), 0o644);
  expect(whoElseWritesBelow(at('a'), uid, 2)).toMatch(/more than 2 entries/);
});

test('what everybody can read is open on the whole way', () => {
  chmodSync(place.path, 0o755);
  chmodSync(at('a'), 0o755);
  chmodSync(at('a/b'), 0o755);
  chmodSync(at('a/b/file'), 0o644);
  expect(isForEverybody(at('a/b/file'))).toBe(true);
  chmodSync(at('a'), 0o700);
  expect(isForEverybody(at('a/b/file'))).toBe(false);
  chmodSync(at('a'), 0o711);
  expect(isForEverybody(at('a/b/file'))).toBe(true);
  chmodSync(at('a/b/file'), 0o600);
  expect(isForEverybody(at('a/b/file'))).toBe(false);
  expect(isForEverybody(at('nothing'))).toBe(false);
});
