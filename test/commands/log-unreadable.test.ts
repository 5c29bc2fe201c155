import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { entryFile, fillLog } from '../support/decision-log.ts';
import { folder, type } from '../support/host.ts';

/* A log in which one entry cannot be read: everything says so, and there is a way out. */

const now = new Date('2026-11-23T12:00:00Z');
let place: ReturnType<typeof folder>;

beforeEach(() => {
  place = folder();
  fillLog(log(), 4, now);
});
afterEach(() => place[Symbol.dispose]());

const log = () => join(place.path, 'home/.local/state/tcf/decisions');
const blockFolder = () => join(log(), '000000');
const entry = (number: number) => entryFile(log(), number);
const tcf = (...args: readonly string[]) => type(args, { cwd: place.path, now });
/** A decision of an image that cannot be read as a reference, which needs no registry. */
const decide = () => {
  writeFileSync(join(place.path, 'policy.yaml'), policy);
  return tcf('verify', 'oci:nowhere', '--policy', 'policy.yaml', '--as', 'a.test/b');
};
const policy = `version: 1
signers: { ann: { issuer: "https://issuer.test", identity: "ann@example.test" } }
scopes: [{ match: a.test, require: { signed: { by: [ann] } } }]
`;

function rewrite(number: number, change: (text: string) => string): void {
  const text = readFileSync(entry(number), 'utf8');
  writeFileSync(entry(number), change(text));
}

/** Whatever lies in the place of entry 1: nothing ends as a fault, and there is a way out. */
const unreadables: readonly (readonly [string, () => void])[] = [
  ['another document', () => rewrite(1, () => '{}')],
  ['half an entry', () => rewrite(1, (text) => text.slice(0, 40))],
  ['nothing', () => rewrite(1, () => '')],
  ['a user that is an object', () => rewrite(1, (text) => text.replace(/"uid":\d+/, '"uid":{}'))],
  ['a user that is a text', () => rewrite(1, (text) => text.replace(/"uid":\d+/, '"uid":"0"'))],
  ['no user', () => rewrite(1, (text) => text.replace(/"uid":\d+,/, ''))],
  ['a time that is a word', () => rewrite(1, (text) => text.replace(/"at":"[^"]+"/, '"at":"yesterday"'))],
  ['a thirteenth month', () => rewrite(1, (text) => text.replace(/2026-1\d-/, '2026-13-'))],
  ['bytes that are not text', () => writeFileSync(entry(1), Buffer.from([0xff, 0xfe, 0x00]))],
  [
    'a folder',
    () => {
      rmSync(entry(1));
      mkdirSync(entry(1));
    },
  ],
  [
    'a link to nowhere',
    () => {
      rmSync(entry(1));
      symlinkSync('/no/such/entry', entry(1));
    },
  ],
];

describe.for(unreadables)('%s in place of an entry', ([, change]) => {
  beforeEach(change);

  test.for([['verify'], ['prune', '--keep', '1'], ['prune', '--before', '2026-12-01']])(
    '%s cannot tell, and names entry and way out',
    async (args) => {
      const ran = await tcf('log', ...args);
      expect(ran).toMatchObject({
        exit: 2,
        err: expect.stringContaining('entry 1 of the log cannot be read'),
      });
      expect(ran.err).toContain('tcf log archive');
      expect(readdirSync(blockFolder())).toHaveLength(4);
    },
  );

  test('show shows the others, and cannot tell', async () => {
    const ran = await tcf('log', 'show');
    expect(ran).toMatchObject({ exit: 2, err: expect.stringContaining('tcf log archive') });
    expect(ran.out.match(/^\d/gm)).toEqual(['0', '2', '3']);
    expect((await tcf('log', 'show', '--json')).out.trim().split('\n')).toHaveLength(3);
  });

  test('doctor says it beside everything else', async () => {
    expect((await tcf('doctor')).out).toMatch(/entry 1 of the log cannot be read[\s\S]*tcf log archive/);
  });

  test('decisions go on being logged, behind it', async () => {
    await decide();
    expect((await tcf('log', 'show', '--last', '1')).out).toMatch(/^4 .* cannot-tell verify/);
  });

  test('archive keeps all of it, and a new log begins', async () => {
    const head = /sha256:\w+/.exec(readFileSync(entry(3), 'utf8'))?.[0] ?? '';
    const { exit, out } = await tcf('log', 'archive');
    expect(exit).toBe(0);
    const path = /^the old log is (\S+);/.exec(out)?.[1] ?? '';
    expect(readdirSync(join(path, '000000'))).toHaveLength(4);
    await decide();
    expect(await tcf('log', 'verify')).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^1 decision /),
    });
    expect(await tcf('log', 'verify', '--head', head)).toMatchObject({ exit: 1 });
  });
});

test('the last entry unreadable: the next one follows its bytes', async () => {
  writeFileSync(entry(3), Buffer.from([0xff, 0xfe]));
  await decide();
  const { previous } = JSON.parse(readFileSync(entry(4), 'utf8'));
  expect(previous).toBe(digestOf(Buffer.from([0xff, 0xfe])));
});

test('a file in place of a folder of entries', async () => {
  writeFileSync(join(blockFolder(), '../000001'), 'x');
  for (const args of [['verify'], ['show'], ['prune', '--keep', '1']]) {
    expect(await tcf('log', ...args)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('tcf log archive'),
    });
  }
  expect(await tcf('log', 'archive')).toMatchObject({ exit: 0 });
});

test('a whole log is not archived: pruning keeps the proof', async () => {
  expect(await tcf('log', 'archive')).toMatchObject({
    exit: 3,
    err: expect.stringContaining('tcf log prune'),
  });
});
