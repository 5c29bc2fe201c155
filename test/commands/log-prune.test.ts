import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainEnd } from '../../src/report/decision-entry.ts';
import { fillLog } from '../support/decision-log.ts';
import { type Called, folder, type } from '../support/host.ts';

/* Taking the beginning of the log away, so that what stays can still be proven. */

const now = new Date('2026-11-23T12:00:00Z');
let place: ReturnType<typeof folder>;

beforeEach(() => {
  place = folder();
});
afterEach(() => place[Symbol.dispose]());

const log = () => join(place.path, 'home/.local/state/tcf/decisions');
const pad = (number: number) => String(number).padStart(6, '0');
const fileOf = (number: number) => join(log(), pad(Math.floor(number / 1000)), `${pad(number % 1000)}.json`);
const numbers = () =>
  readdirSync(log())
    .sort()
    .flatMap((block) =>
      readdirSync(join(log(), block))
        .sort()
        .map((name) => Number(block) * 1000 + Number.parseInt(name, 10)),
    );
const tcf = (...args: readonly string[]): Promise<Called> => type(['log', ...args], { cwd: place.path, now });
const text = (number: number) => readFileSync(fileOf(number), 'utf8');

const fill = (count: number) => fillLog(log(), count, now);

test('keeps the latest decisions, and an entry that owns up to the others', async () => {
  fill(10);
  const { digest } = chainEnd(6, text(6));
  const pruned = await tcf('prune', '--keep', '3');
  expect(pruned).toMatchObject({
    exit: 0,
    err: '',
    out: expect.stringMatching(`^took away 7 entries up to ${digest}, the last is sha256:\\w+\n$`),
  });
  expect(numbers()).toEqual([7, 8, 9, 10]);
  const verified = await tcf('verify');
  expect(verified).toMatchObject({
    exit: 0,
    out: expect.stringContaining(
      '3 decisions in an unbroken chain, pruned up to entry 6 at 2026-11-23T12:00:00.000Z, ',
    ),
  });
  expect((await tcf('show')).out).toContain(
    `10 2026-11-23T12:00:00.000Z pruned by user ${process.getuid?.()}, up to entry 6, ${digest}\n`,
  );
  expect(JSON.parse((await tcf('show', '--json', '--last', '1')).out)).toMatchObject({
    format: 'tcf.pruning/1',
  });
});

test('with the clock set back, pruning loses nothing of what the log knows of the time', async () => {
  fill(10);
  const back = new Date(now.getTime() - 30 * 86_400_000);
  const pruned = await type(['log', 'prune', '--keep', '3'], { cwd: place.path, now: back });
  expect(pruned.exit).toBe(0);
  const { at } = JSON.parse(text(9));
  expect(JSON.parse(text(10))).toMatchObject({ at: back.toISOString(), latest: at });
  expect(await tcf('verify')).toMatchObject({ exit: 0, err: '' });
});

test('takes away what is older than a time', async () => {
  fill(10);
  expect(await tcf('prune', '--before', '2026-11-23T08:00:00Z')).toMatchObject({ exit: 0 });
  expect(numbers()).toEqual([6, 7, 8, 9, 10]);
  expect(await tcf('prune', '--before', '2026-11-24')).toMatchObject({ exit: 0 });
  expect(numbers()).toEqual([10, 11]);
  expect(await tcf('verify')).toMatchObject({ exit: 0, out: expect.stringMatching(/^0 decisions/) });
});

test('has nothing to do twice, however often it is asked', async () => {
  fill(5);
  await tcf('prune', '--keep', '3');
  const before = numbers();
  for (let day = 0; day < 5; day += 1) {
    expect((await tcf('prune', '--keep', '3')).out).toMatch(/^took away nothing, the last is /);
  }
  expect(numbers()).toEqual(before);
});

test.for([
  ['more than there are', 5, '9', [0, 1, 2, 3, 4]],
  ['as many as there are', 5, '5', [0, 1, 2, 3, 4]],
] as const)('keeps all where it is to keep %s', async ([, count, keep, left]) => {
  fill(count);
  expect((await tcf('prune', '--keep', keep)).out).toMatch(/^took away nothing/);
  expect(numbers()).toEqual(left);
});

test('an empty log stays empty', async () => {
  expect(await tcf('prune', '--keep', '1')).toMatchObject({ exit: 0, out: 'took away nothing\n' });
  expect(existsSync(log())).toBe(false);
});

test('folders that are empty then go too, and the log goes on', async () => {
  fill(2005);
  await tcf('prune', '--keep', '2');
  expect(readdirSync(log())).toEqual(['000002']);
  expect(numbers()).toEqual([2003, 2004, 2005]);
  await tcf('prune', '--keep', '1');
  expect(numbers()).toEqual([2004, 2005, 2006]);
  expect(await tcf('verify')).toMatchObject({ exit: 0 });
});

test('whoever wrote down the last digest that went, or a later one, finds it; an earlier one is gone', async () => {
  fill(10);
  const digest = (number: number) => chainEnd(number, text(number)).digest;
  const [gone, last, kept] = [digest(5), digest(6), digest(8)];
  await tcf('prune', '--keep', '3');
  expect(await tcf('verify', '--head', last)).toMatchObject({ exit: 0 });
  expect(await tcf('verify', '--head', kept)).toMatchObject({ exit: 0 });
  expect(await tcf('verify', '--head', gone)).toMatchObject({ exit: 1 });
});

describe('killed in the middle', () => {
  test('is a chain that can be proven after each single removal, and the next time goes on', async () => {
    fill(10);
    cpSync(log(), join(place.path, 'before'), { recursive: true });
    await tcf('prune', '--keep', '3');
    const after = text(10);
    for (let left = 0; left <= 7; left += 1) {
      rmSync(log(), { recursive: true });
      cpSync(join(place.path, 'before'), log(), { recursive: true });
      writeFileSync(fileOf(10), after, { mode: 0o600 });
      for (let number = 0; number < left; number += 1) {
        rmSync(fileOf(number));
      }
      expect(await tcf('verify')).toMatchObject({ exit: 0 });
      expect(await tcf('prune', '--keep', '3')).toMatchObject({ exit: 0 });
      expect(numbers()).toEqual([7, 8, 9, 10]);
    }
  });

  test('a hole among what was to go is still a hole', async () => {
    fill(10);
    const entries = [0, 1, 2, 3, 4].map(text);
    await tcf('prune', '--keep', '3');
    for (const number of [2, 4]) {
      writeFileSync(fileOf(number), entries[number] ?? '', { mode: 0o600 });
    }
    expect(await tcf('verify')).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/before it (is|are) gone/),
    });
  });
});

describe('finds out', () => {
  const rewrite = (number: number, change: (text: string) => string) =>
    writeFileSync(fileOf(number), change(text(number)));

  test.for<readonly [string, () => void, RegExp]>([
    [
      'that more is gone than anybody owned up to',
      () => rmSync(fileOf(7)),
      /entry 8: 8 entries before it are gone/,
    ],
    [
      'an entry that owns up to another beginning',
      () => rewrite(10, (entry) => entry.replace(/"digest":"sha256:..../, '"digest":"sha256:0000')),
      /entry 10: it says that entry 6 was sha256:0000/,
    ],
    [
      'an entry that owns up to less',
      () => rewrite(10, (entry) => entry.replace('"sequence":6', '"sequence":5')),
      /entry 7: 7 entries before it are gone/,
    ],
    [
      'an entry that owns up to what is still to come',
      () => rewrite(10, (entry) => entry.replace('"sequence":6', '"sequence":99')),
      /entry 7: 7 entries before it are gone/,
    ],
    ['a changed first entry', () => rewrite(7, (entry) => entry.replace('i7', 'i6')), /entry 8: it follows/],
    [
      'a first entry that follows another one',
      () => rewrite(7, (entry) => entry.replace(/"previous":"sha256:..../, '"previous":"sha256:0000')),
      /entry 8: it follows/,
    ],
    [
      'a first entry that follows nothing',
      () => rewrite(7, (entry) => entry.replace(/"previous":"[^"]+",/, '')),
      /entry 7: it follows nothing/,
    ],
  ])('%s, and takes nothing more away', async ([, change, message]) => {
    fill(10);
    await tcf('prune', '--keep', '3');
    change();
    const left = numbers();
    expect(await tcf('verify')).toMatchObject({ exit: 1, err: expect.stringMatching(message) });
    const pruned = await tcf('prune', '--keep', '1');
    expect(pruned).toMatchObject({ exit: 1, err: expect.stringContaining('nothing was taken away') });
    expect(numbers()).toEqual(left);
  });
});

test.for<readonly [string, readonly string[]]>([
  ['nothing to keep', ['prune']],
  ['two things to keep', ['prune', '--keep', '1', '--before', '2026-01-01']],
  ['a count that is none', ['prune', '--keep', '0']],
  ['a date that is none', ['prune', '--before', 'yesterday']],
  ['a day that is none', ['prune', '--before', '2026-13-01']],
])('%s is asked wrongly', async ([, args]) => {
  fill(2);
  expect(await tcf(...args)).toMatchObject({ exit: 3 });
  expect(numbers()).toEqual([0, 1]);
});
