import { jsonMutants } from './mutate-json.ts';
import { below, pick, type Random } from './random.ts';

/** Texts that readers of text trip over. */
const words = [
  '',
  '\0',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '/',
  '..',
  '../../etc/passwd',
  ':',
  '@',
  '%',
  '%00',
  '%zz',
  '=',
  ',',
  ';',
  '#',
  '?',
  '&',
  '*',
  '-',
  '--',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '<',
  '>',
  '|',
  '~',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '00',
  '1e999',
  '9007199254740993',
  '18446744073709551616',
  '\u0130',
  '\ud83d\ude00',
  '\u202e',
  '\ufeff',
  'sha256:',
  '\u001b[31m',
] as const;

/** Numbers at the edges of what binary formats hold. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;

/**
 * No mutant is longer: what readers do with megabytes is for `bench`, and what they refuse by size is tested
 * elsewhere.
 */
const longest = 262_144;

type Change = (bytes: Buffer, random: Random, others: readonly Uint8Array[]) => Buffer;

const splice = (bytes: Buffer, at: number, gone: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);

const changes: readonly Change[] = [
  // One bit, one byte.
  (bytes, random) => {
    const at = below(random, bytes.length);
    return splice(bytes, at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << below(random, 8))));
  },
  (bytes, random) => splice(bytes, below(random, bytes.length), 1, Uint8Array.of(below(random, 256))),
  // A number of one, two, four or eight bytes in either order.
  (bytes, random) => {
    const number = Buffer.alloc(pick(random, [1, 2, 4, 8]));
    const edge = BigInt(pick(random, edges)) & ((1n << BigInt(8 * number.length)) - 1n);
    for (let index = 0; index < number.length; index += 1) {
      number[index] = Number((edge >> BigInt(8 * index)) & 0xffn);
    }
    if (random() < 0.5) {
      number.reverse();
    }
    return splice(bytes, below(random, bytes.length), number.length, number);
  },
  // A word put in, or in place of as much.
  (bytes, random) => {
    const word = Buffer.from(pick(random, words));
    return splice(bytes, below(random, bytes.length + 1), random() < 0.5 ? 0 : word.length, word);
  },
  // A piece gone, twice, many times, or somewhere else.
  (bytes, random) => splice(bytes, below(random, bytes.length), 1 + below(random, 32), Buffer.alloc(0)),
  (bytes, random) => splice(bytes, below(random, bytes.length), below(random, bytes.length), Buffer.alloc(0)),
  (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  (bytes, random) => {
    const at = below(random, bytes.length);
    const piece = bytes.subarray(at, at + 1 + below(random, 64));
    const times = pick(random, [1, 2, 10, 100, 1000]);
    return splice(bytes, at, 0, Buffer.concat(Array<Buffer>(times).fill(piece)));
  },
  (bytes, random) => {
    const at = below(random, bytes.length);
    const piece = bytes.subarray(at, at + 1 + below(random, 200));
    return splice(bytes, below(random, bytes.length), below(random, piece.length + 1), piece);
  },
  // Lines in another order.
  (bytes, random) => {
    const lines = bytes.toString('latin1').split('\n');
    const [line = ''] = lines.splice(below(random, lines.length), 1);
    lines.splice(below(random, lines.length + 1), 0, ...(random() < 0.3 ? [] : [line, line]));
    return Buffer.from(lines.join('\n'), 'latin1');
  },
  // A number in digits with another value.
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/\d+/g)];
    const number = numbers.length === 0 ? undefined : pick(random, numbers);
    if (number === undefined) {
      return bytes;
    }
    const value = pick(random, ['0', '-1', '1', '4294967296', '9007199254740993', '1e9', '9'.repeat(400)]);
    return Buffer.from(
      text.slice(0, number.index) + value + text.slice(number.index + number[0].length),
      'latin1',
    );
  },
  // The head of one seed and the tail of another.
  (bytes, random, others) => {
    const other = pick(random, others);
    return Buffer.concat([
      bytes.subarray(0, below(random, bytes.length)),
      other.subarray(below(random, other.length)),
    ]);
  },
];

/**
 * Other bytes that look like `bytes`, by one to four changes; by the structure of the document where it is
 * JSON.
 */
export function mutant(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const shaped = random() < 0.5 ? jsonMutants(bytes, random) : undefined;
  let result: Buffer = Buffer.from(shaped ?? bytes);
  if (shaped !== undefined && random() < 0.8) {
    return result;
  }
  for (let left = 1 + below(random, 4); left > 0; left -= 1) {
    if (result.length === 0) {
      break;
    }
    result = pick(random, changes)(result, random, others).subarray(0, longest);
  }
  return result;
}
