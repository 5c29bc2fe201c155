import { expect, test } from 'vitest';
import { formatScanState, formatWaiting } from '../../src/report/progress-line.ts';

const mebibyte = 1024 * 1024;
const half = { layers: 6, ended: 2, read: 600 * mebibyte, total: 1200 * mebibyte, elapsed: 10_000 };

test.for([
  [
    'the whole line',
    half,
    200,
    'reading layer 3 of 6  ━━━━━━━━━━──────────  600 MiB of 1.2 GiB  60 MiB/s  10 s left',
  ],
  [
    'without the end where it does not fit',
    half,
    72,
    'reading layer 3 of 6  ━━━━━━━━━━──────────  600 MiB of 1.2 GiB  60 MiB/s',
  ],
  ['the least', half, 22, 'reading layer 3 of 6'],
  ['cut where even that is too long', half, 10, 'reading la'],
  [
    'no rate in the first second',
    { ...half, elapsed: 900 },
    200,
    'reading layer 3 of 6  ━━━━━━━━━━──────────  600 MiB of 1.2 GiB',
  ],
  [
    'a total that nobody knows',
    { layers: 6, ended: 2, read: 600 * mebibyte, elapsed: 10_000 },
    200,
    'reading layer 3 of 6  600 MiB  60 MiB/s',
  ],
  ['more than was said', { ...half, total: mebibyte }, 200, 'reading layer 3 of 6  600 MiB  60 MiB/s'],
  [
    'minutes',
    { ...half, read: 10 * mebibyte },
    200,
    'reading layer 3 of 6  ────────────────────  10 MiB of 1.2 GiB  1 MiB/s  20 min left',
  ],
  ['the end', { ...half, ended: 6 }, 200, 'read 6 layers, putting the list together'],
  [
    'one layer',
    { layers: 1, ended: 1, read: 1, elapsed: 2000 },
    200,
    'read 1 layer, putting the list together',
  ],
] as const)('%s', ([, state, columns, line]) => {
  expect(formatScanState(state, columns)).toBe(line);
});

test('what is waited for, with the seconds from one on', () => {
  expect(formatWaiting('waiting for the log', 900, 80)).toBe('waiting for the log');
  expect(formatWaiting('waiting for the log', 4200, 80)).toBe('waiting for the log  4 s');
  expect(formatWaiting('waiting for \u001b[2J', 0, 80)).toBe('waiting for \\x1b[2J');
});
