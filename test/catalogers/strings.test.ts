import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hunt, stringFinder } from '../../src/catalogers/strings.ts';

const commit = 'f6ded0be897e2878612dd903f7e8bb85448269e5';

function offsets(
  bytes: Uint8Array,
  cuts: readonly number[],
  hunt: Partial<Hunt> = {},
): { readonly found: readonly number[]; readonly texts: readonly string[]; readonly truncated: boolean } {
  const found: number[] = [];
  const texts: string[] = [];
  const finder = stringFinder({
    anchors: ['LLVM'],
    commits: true,
    onHit: ({ text, at, offset }) => {
      found.push(offset);
      texts.push(text.slice(at, at + 40));
    },
    ...hunt,
  });
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    finder.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  finder.push(bytes.subarray(from));
  const { truncated, size } = finder.end();
  expect(size).toBe(bytes.length);
  return { found, texts, truncated };
}

test('finds are the same wherever the stream is cut', () => {
  const bytes = Buffer.alloc(1200, '.');
  bytes.write('LLVM22.0.0', 100, 'latin1');
  bytes.write(commit, 500, 'latin1');
  bytes.write('LLVM', 1196, 'latin1');
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      expect(offsets(bytes, cuts).found.toSorted((a, b) => a - b)).toEqual([100, 500, 1196]);
    }),
  );
});

test('finds at any place around the border of a block, each once', () => {
  const block = 256 * 1024;
  fc.assert(
    fc.property(fc.integer({ min: -1200, max: 600 }), fc.integer({ min: 1, max: 300_000 }), (shift, cut) => {
      const bytes = Buffer.alloc(block * 2 + 700, 0xcc);
      bytes.write(commit, block + shift, 'latin1');
      bytes.write('LLVM', block + shift + 60, 'latin1');
      const { found } = offsets(bytes, [cut]);
      expect(found.toSorted((a, b) => a - b)).toEqual([block + shift, block + shift + 60]);
    }),
    { numRuns: 60 },
  );
});

test.for([
  ['39 digits', commit.slice(1)],
  ['41 digits', `${commit}0`],
  ['upper case', commit.toUpperCase()],
  ['a table of digits', '0001020304050607080910111213141516171819202122232425262728'],
] as const)('%s are no commit', ([, word]) => {
  for (let shift = 0; shift < 45; shift += 1) {
    const bytes = Buffer.concat([Buffer.alloc(100 + shift), Buffer.from(word), Buffer.alloc(100)]);
    expect(offsets(bytes, []).found).toEqual([]);
  }
});

test('what follows an anchor decides before a hit is built', () => {
  const bytes = Buffer.from('....LLVM10FuncOp....LLVM14.0.6\0');
  expect(offsets(bytes, [], { followedBy: /^\d\d\./, commits: false }).texts).toEqual(['LLVM14.0.6\0']);
});

test('a file made of anchors is given up and said to be', () => {
  const bytes = Buffer.from('LLVM'.repeat(30_000));
  const { found, truncated } = offsets(bytes, []);
  expect(truncated).toBe(true);
  expect(found.length).toBeLessThan(30_000);
});

test('an empty file has nothing', () => {
  expect(offsets(Buffer.alloc(0), []).found).toEqual([]);
});
