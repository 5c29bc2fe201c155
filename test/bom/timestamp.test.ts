import { expect, test } from 'vitest';
import { toTimestamp } from '../../src/bom/timestamp.ts';

test.for([
  ['an image in UTC', '2026-11-20T10:00:00Z', undefined, '2026-11-20T10:00:00Z'],
  ['nanoseconds', '2026-11-20T10:00:00.999999999Z', undefined, '2026-11-20T10:00:00Z'],
  ['another offset', '2026-11-20T01:30:00+02:00', undefined, '2026-11-19T23:30:00Z'],
  ['no time at all, as Go writes it', '0001-01-01T00:00:00Z', undefined, '0001-01-01T00:00:00Z'],
  ['a time before the first year', '0000-01-01T00:00:00+01:00', undefined, '1970-01-01T00:00:00Z'],
  ['lower case', '2026-11-20t10:00:00z', undefined, '2026-11-20T10:00:00Z'],
  ['nothing known', undefined, undefined, '1970-01-01T00:00:00Z'],
  ['an image that writes nonsense', 'yesterday', undefined, '1970-01-01T00:00:00Z'],
  ['a time without an offset', '2026-11-20T10:00:00', undefined, '1970-01-01T00:00:00Z'],
  ['a day that is none', '2026-13-40T10:00:00Z', undefined, '1970-01-01T00:00:00Z'],
  ['SOURCE_DATE_EPOCH before the image', '2026-11-20T10:00:00Z', '1700000000', '2023-11-14T22:13:20Z'],
  ['SOURCE_DATE_EPOCH 0', undefined, '0', '1970-01-01T00:00:00Z'],
  ['an empty SOURCE_DATE_EPOCH', '2026-11-20T10:00:00Z', '', '2026-11-20T10:00:00Z'],
] as const)('%s', ([, created, epoch, timestamp]) => {
  expect(toTimestamp(created, epoch)).toBe(timestamp);
});

test.for(['-1', '1.5', '1e9', 'now', ' 1', '999999999999'])('SOURCE_DATE_EPOCH=%s is refused', (epoch) => {
  expect(() => toTimestamp(undefined, epoch)).toThrow(
    expect.objectContaining({ exit: 3, code: 'sbom.source-date-epoch' }),
  );
});
