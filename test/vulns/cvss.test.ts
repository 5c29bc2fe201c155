import { expect, test } from 'vitest';
import { scoreOf, severityOf } from '../../src/vulns/cvss.ts';

/* Scores as FIRST publishes them in the examples of each specification. */

test.for<[string, number | undefined]>([
  ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N', 0],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
  ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1],
  ['CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
  ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ['AV:N/AC:L/Au:N/C:N/I:N/A:C', 7.8],
  ['(AV:N/AC:L/Au:N/C:C/I:C/A:C)', 10],
  ['AV:L/AC:H/Au:N/C:C/I:C/A:C', 6.2],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H', undefined],
  ['CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', undefined],
  ['CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', undefined],
  ['CVSS:5.0/AV:N', undefined],
  ['', undefined],
])('%s', ([vector, score]) => {
  expect(scoreOf(vector)).toBe(score);
});

test('threat and environment are about other places', () => {
  const base = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H';
  expect(scoreOf(`${base}/E:U/RL:O/RC:U`)).toBe(9.8);
});

test('the newest CVSS that can be read, then a word, then nothing', () => {
  const v3 = { type: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N' } as const;
  const v4 = {
    type: 'CVSS_V4',
    value: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
  } as const;
  expect(severityOf([v3, v4])).toMatchObject({ level: 'critical', score: 9.3 });
  expect(severityOf([v3, { type: 'CVSS_V4', value: 'broken' }])).toMatchObject({ level: 'low', score: 3.1 });
  expect(severityOf([{ type: 'word', value: 'MODERATE' }])).toEqual({ level: 'medium', from: 'MODERATE' });
  expect(severityOf([{ type: 'word', value: 'constructor' }])).toEqual({ level: 'unknown' });
});
