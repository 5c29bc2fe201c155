import { isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';
import { expect, test } from 'vitest';
import { isSpdxExpression } from '../../src/bom/licenses.ts';
import { recentLicenses } from '../../src/bom/recent-licenses.ts';

test('every recent id is on the list of today, and the well-known ones are not recent', () => {
  expect([...recentLicenses].filter((id) => !isSupportedSpdxId(id))).toEqual([]);
  expect(recentLicenses.size).toBeGreaterThan(80);
  for (const id of ['Apache-2.0', 'GPL-2.0-or-later', 'MIT', 'Latex2e']) {
    expect(recentLicenses.has(id)).toBe(false);
  }
});

test('an expression takes them all', () => {
  expect([...recentLicenses].filter((id) => !isSpdxExpression(id))).toEqual([]);
});
