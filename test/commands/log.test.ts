import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cannotTell } from '../../src/base/error.ts';
import { formatDecision, parseDecision } from '../../src/report/decision-entry.ts';
import { type } from '../support/host.ts';
import type { TestRegistry } from '../support/registry.ts';
import { openScene, type Scene } from '../support/scene.ts';

let scene: Scene;
let registry: TestRegistry;
let name: string;

beforeAll(async () => {
  scene = await openScene();
  ({ pinned: name, registry } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => rmSync(join(scene.path, 'home'), { recursive: true, force: true }));

const tcf: Scene['tcf'] = (...args) => scene.tcf(...args);
const decide = (image = name) => tcf('verify', image, '--allow-http', '--policy', 'policy.yaml');
const folderOf = () => join(scene.path, 'home/.local/state/tcf/decisions/000000');
const entry = (number: number) => join(folderOf(), `00000${number}.json`);

test('shows each decision with its reason, of every verb', async () => {
  await decide();
  await decide(`${registry.host}/gone:1`);
  await tcf('run', '--allow-http', '--policy', 'policy.yaml', name);
  const { exit, out } = await tcf('log', 'show');
  expect(exit).toBe(0);
  expect(out.split('\n').filter((line) => /^\d/.test(line))).toEqual([
    `0 2026-11-23T12:00:00.000Z deny verify ${name}`,
    `1 2026-11-23T12:00:00.000Z cannot-tell verify ${registry.host}/gone:1`,
    `2 2026-11-23T12:00:00.000Z deny run ${name}`,
  ]);
  expect(out).toMatch(/ {4}signed: /);
  expect(out).toMatch(/ {4}image\.missing: /);
});

test('a clock that is set back behind the last decision brings no expired exception back', async () => {
  const digest = name.split('@')[1];
  const policy = join(scene.path, 'excepted.yaml');
  writeFileSync(
    policy,
    `${readFileSync(join(scene.path, 'policy.yaml'), 'utf8')}exceptions:\n  - { digest: "${digest}", rules: [signed], reason: moving, owner: ada, expires: 2026-11-25 }\n`,
  );
  const at = (day: string) =>
    type(['verify', name, '--allow-http', '--policy', policy], {
      cwd: scene.path,
      env: {},
      now: new Date(`${day}T00:00:00Z`),
    });
  expect((await at('2026-11-20')).exit).toBe(0);
  expect((await at('2026-11-26')).exit).toBe(1);
  for (const _ of [1, 2]) {
    const back = await at('2026-11-20');
    expect(back).toMatchObject({ exit: 1, err: expect.stringContaining('the clock is behind 2026-11-26') });
  }
  expect(await tcf('log', 'verify')).toMatchObject({ exit: 0 });
  // A damaged log stops nothing.
  writeFileSync(entry(3), 'not JSON');
  expect((await at('2026-11-20')).exit).toBe(0);
});

test('shows the last ones, as JSON too', async () => {
  for (let count = 0; count < 3; count += 1) {
    await decide();
  }
  const { out } = await tcf('log', 'show', '--last', '2', '--json');
  const entries = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(entries[0]).toMatchObject({
    format: 'tcf.decision/1',
    verdict: 'deny',
    image: name,
    verb: 'verify',
  });
});

test('an empty log is an unbroken chain of none', async () => {
  expect(await tcf('log', 'verify')).toMatchObject({ exit: 0, out: '0 decisions in an unbroken chain\n' });
  expect(await tcf('log', 'show')).toMatchObject({ exit: 0, out: '' });
});

describe('verify finds', () => {
  beforeEach(async () => {
    for (let count = 0; count < 4; count += 1) {
      await decide();
    }
    expect(await tcf('log', 'verify')).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^4 decisions in an unbroken chain, the last is sha256:[0-9a-f]{64}\n$/),
    });
  });

  test.for<readonly [string, () => void, RegExp]>([
    ['a changed entry', () => rewrite(1, (text) => text.replace('"deny"', '"allow"')), /entry 2: it follows/],
    [
      'a changed first entry',
      () => rewrite(0, (text) => text.replace('"deny"', '"allow"')),
      /entry 1: it follows/,
    ],
    ['a removed entry', () => rmSync(entry(2)), /entry 3: 1 entry before it is gone/],
    [
      'a removed beginning',
      () => {
        for (const number of [0, 1]) {
          rmSync(entry(number));
        }
      },
      /entry 2: 2 entries before it are gone/,
    ],
    [
      'an entry under another number',
      () => rewrite(1, () => readFileSync(entry(2), 'utf8')),
      /it says that it is number 2/,
    ],
  ])('%s', async ([, change, message]) => {
    change();
    const ran = await tcf('log', 'verify');
    expect(ran.exit).toBe(1);
    expect(ran.err).toMatch(message);
  });

  test('a cut end, for who has written the last digest down', async () => {
    const head = /sha256:\w+/.exec((await tcf('log', 'verify')).out)?.[0] ?? '';
    await decide();
    expect(await tcf('log', 'verify', '--head', head)).toMatchObject({ exit: 0 });
    rmSync(entry(4));
    expect(await tcf('log', 'verify', '--head', head)).toMatchObject({ exit: 0 });
    rmSync(entry(3));
    expect(await tcf('log', 'verify')).toMatchObject({ exit: 0 });
    expect(await tcf('log', 'verify', '--head', head)).toMatchObject({ exit: 1 });
  });

  function rewrite(number: number, change: (text: string) => string): void {
    const text = readFileSync(entry(number), 'utf8');
    writeFileSync(entry(number), change(text));
  }
});

test('twenty writers at once lose nothing and leave nothing behind', async () => {
  await Promise.all(Array.from({ length: 20 }, () => decide()));
  expect((await tcf('log', 'verify')).out).toMatch(/^20 decisions/);
  expect(readdirSync(join(folderOf(), '..'))).toEqual(['000000']);
});

test('what a stranger makes long stays an entry that can be read, and the log goes on', async () => {
  const facts = {
    asked: 'x'.repeat(9_000_000),
    tcf: '0',
    uid: 0,
    verb: 'verify',
    at: new Date(0),
    policies: [],
  };
  const error = cannotTell('a.b', `\u009b${'y'.repeat(9_000_000)}`);
  const text = formatDecision({ ...facts, error }, undefined);
  expect(text.length).toBeLessThan(10_000);
  expect(text).not.toMatch(/\u009b/);
  expect(parseDecision(text, 'the entry').reasons[0]).toMatch(/^a\.b: \u009by+…$/);
});

test('a log that cannot be written is a warning, and changes no answer', async () => {
  mkdirSync(join(scene.path, 'home'), { recursive: true });
  writeFileSync(join(scene.path, 'home/.local'), 'a file');
  const ran = await decide();
  expect(ran.exit).toBe(1);
  expect(ran.err).toMatch(/warning: this decision is not in the log/);
});

test('a log that others may write is not written', async () => {
  await decide();
  chmodSync(join(folderOf(), '..'), 0o777);
  expect((await decide()).err).toMatch(/not in the log.*can be written by others/);
});

test.for<readonly [string, readonly string[]]>([
  ['an unknown action', ['log', 'shred']],
  ['a count that is none', ['log', 'show', '--last', 'few']],
  ['a digest that is none', ['log', 'verify', '--head', 'abc']],
])('%s is asked wrongly', async ([, args]) => {
  expect((await tcf(...args)).exit).toBe(3);
});
