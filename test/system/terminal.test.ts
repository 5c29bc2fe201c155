import { expect, test } from 'vitest';
import { paintSigns, textWidth, wantsColor } from '../../src/system/terminal.ts';

test.for([
  ['a pipe', {}, false, false],
  ['a terminal', { TERM: 'xterm-256color' }, true, true],
  ['a terminal without a name', {}, true, true],
  ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ['NO_COLOR on a terminal', { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR', { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0 on a terminal', { FORCE_COLOR: '0' }, true, false],
  ['both', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
] as const)('%s', ([, env, isTerminal, expected]) => {
  expect(wantsColor(env, isTerminal)).toBe(expected);
});

test('only signs at the beginning of a line are painted', () => {
  const text = 'image: denied\n  ✗ signed: no ✓ here\n  ✓ deny: fine\n! old\n✗no space\n';
  expect(paintSigns(text, { hasColor: false })).toBe(text);
  expect(paintSigns(text, { hasColor: true })).toBe(
    'image: denied\n  \u001b[31m✗\u001b[0m signed: no ✓ here\n  \u001b[32m✓\u001b[0m deny: fine\n\u001b[33m!\u001b[0m old\n✗no space\n',
  );
});

test.for([
  [undefined, 100],
  [80, 80],
  [20, 40],
  [200, 100],
] as const)('%s columns are %d of text', ([columns, expected]) => {
  expect(textWidth({ columns })).toBe(expected);
});
