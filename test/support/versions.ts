/*
 * Versions by the grammar of each ecosystem, and neighbours of them, from a seed: the same on every machine.
 */

/** Whole numbers from 0 to `below - 1`; mulberry32. */
export type Dice = (below: number) => number;

function dice(seed: number): Dice {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function pick<T>(roll: Dice, items: readonly T[]): T {
  return items[roll(items.length)] as T;
}

/** Small numbers, some with zeros before them, some beyond 2^53. */
function number(roll: Dice, zeros = true): string {
  const kind = roll(20);
  if (kind === 0) {
    return `${9_007_199_254_740_990n + BigInt(roll(6))}`;
  }
  if (kind === 1 && zeros) {
    return `${'0'.repeat(1 + roll(2))}${roll(12)}`;
  }
  if (kind === 2) {
    return `${20_200_000 + roll(99_999)}`;
  }
  return `${roll(12)}`;
}

function some(roll: Dice, most: number, make: () => string): string {
  return Array.from({ length: roll(most + 1) }, make).join('');
}

const maybe = (roll: Dice, text: () => string, of = 3): string => (roll(of) === 0 ? text() : '');

function pypi(roll: Dice): string {
  const joint = (): string => pick(roll, ['', '', '.', '-', '_']);
  return [
    maybe(roll, () => 'v', 30),
    maybe(roll, () => `${number(roll)}!`, 12),
    number(roll),
    some(roll, 3, () => `.${pick(roll, ['0', number(roll)])}`),
    maybe(
      roll,
      () =>
        `${joint()}${pick(roll, ['a', 'b', 'rc', 'alpha', 'beta', 'c', 'pre', 'preview', 'RC'])}${joint()}${number(roll)}`,
    ),
    maybe(
      roll,
      () => pick(roll, [`.post${number(roll)}`, `-${number(roll)}`, '.post', `-r${number(roll)}`]),
      4,
    ),
    maybe(roll, () => `${joint()}dev${maybe(roll, () => number(roll), 2)}`, 5),
    maybe(
      roll,
      () =>
        `+${pick(roll, ['cpu', 'cu124', 'cu121', 'rocm6.2', '1', '01', 'a.1', 'a_2', 'CU-124', `git${number(roll)}`])}`,
      4,
    ),
  ].join('');
}

function semver(roll: Dice): string {
  const word = (): string => pick(roll, [number(roll, false), 'alpha', 'beta', 'rc', 'x-1', '0a', 'a0']);
  return [
    [number(roll, false), number(roll, false), number(roll, false)].join('.'),
    maybe(roll, () => `-${[word(), ...Array.from({ length: roll(3) }, word)].join('.')}`, 2),
    maybe(roll, () => `+${pick(roll, ['build.1', '001', 'sha.5114f85'])}`, 6),
  ].join('');
}

function golang(roll: Dice): string {
  const short = roll(10);
  if (short === 0) {
    return `v${roll(12)}`;
  }
  if (short === 1) {
    return `v${roll(12)}.${roll(12)}`;
  }
  const pseudo = (): string => `v0.0.0-2023${1000 + roll(200)}10${1000 + roll(3)}-abcdefabcde${roll(10)}`;
  return short === 2
    ? pseudo()
    : `v${semver(roll)}${maybe(roll, () => '+incompatible', 10)}`.replace(/(\+.*)\+.*$/, '$1');
}

function deb(roll: Dice): string {
  const piece = (): string =>
    pick(roll, [
      '.',
      '-',
      '+',
      '~',
      '~~',
      '.~',
      'a',
      'b',
      'rc',
      'dfsg',
      'ubuntu',
      '+deb12u',
      '+b',
      '~bpo',
      'Z',
    ]);
  const upstream = `${number(roll)}${some(roll, 4, () => `${piece().replace('-', '.')}${number(roll)}`)}`;
  return [
    maybe(roll, () => `${roll(4)}:`, 5),
    upstream,
    maybe(
      roll,
      () =>
        `-${pick(roll, ['0', '1', number(roll)])}${some(roll, 2, () => `${piece().replace('-', '.')}${number(roll)}`)}`,
      2,
    ),
  ].join('');
}

function rpm(roll: Dice): string {
  const piece = (): string =>
    pick(roll, ['.', '_', '+', '~', '^', 'a', 'b', 'rc', '.el', '.fc', '~rc', '^git', '..', 'Z']);
  const part = (): string =>
    `${number(roll)}${some(roll, 4, () => `${piece()}${number(roll)}`)}${maybe(roll, piece, 12)}`;
  return `${maybe(roll, () => `${roll(4)}:`, 5)}${part()}-${part()}`;
}

function apk(roll: Dice): string {
  const word = (): string => pick(roll, ['alpha', 'beta', 'pre', 'rc', 'cvs', 'svn', 'git', 'hg', 'p']);
  return [
    number(roll),
    some(roll, 3, () => `.${number(roll)}`),
    maybe(roll, () => pick(roll, ['a', 'b', 'z']), 4),
    some(roll, 2, () => `_${word()}${maybe(roll, () => number(roll), 2)}`),
    maybe(roll, () => `~${pick(roll, ['0a1b', 'abc', '9f'])}`, 8),
    maybe(roll, () => `-r${roll(12)}`, 2),
  ].join('');
}

export type Ordered = 'apk' | 'cargo' | 'deb' | 'golang' | 'npm' | 'pypi' | 'rpm';

const grammars: Readonly<Record<Ordered, (roll: Dice) => string>> = {
  apk,
  cargo: semver,
  deb,
  golang,
  npm: semver,
  pypi,
  rpm,
};

/**
 * Pairs, half of them neighbours: one character of the first is another one in the second, where that is a
 * version still.
 */
export function versionPairs(
  type: Ordered,
  count: number,
  isVersion: (text: string) => boolean,
  seed = 20_261_130,
): readonly (readonly [string, string])[] {
  const roll = dice(seed);
  const make = (): string => {
    for (;;) {
      const text = grammars[type](roll);
      if (isVersion(text)) {
        return text;
      }
    }
  };
  return Array.from({ length: count }, () => {
    const first = make();
    const changed = roll(2) === 0 ? first : neighbour(roll, first);
    return [first, changed !== first && isVersion(changed) ? changed : make()];
  });
}

function neighbour(roll: Dice, text: string): string {
  const at = roll(text.length);
  const other = pick(roll, ['', '0', '1', '9', '.0', 'a', '~', '-1', '.', '+1']);
  return `${text.slice(0, at)}${other}${text.slice(at + roll(2))}`;
}
