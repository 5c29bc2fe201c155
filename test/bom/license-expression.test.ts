import { expect, test } from 'vitest';
import { canonicalLicense, isUsable } from '../../src/bom/license-expression.ts';
import { currentIds } from '../../src/bom/license-names.ts';

test.for([
  ['AGPL-3.0', 'AGPL-3.0-only'],
  ['GPL-2.0', 'GPL-2.0-only'],
  ['GPL-2.0+', 'GPL-2.0-or-later'],
  ['GPL-2.0-only+', 'GPL-2.0-or-later'],
  ['LGPL-2.1-or-later', 'LGPL-2.1-or-later'],
  ['GFDL-1.3', 'GFDL-1.3-only'],
  ['GPL-2.0+ WITH Bison-exception-2.2', 'GPL-2.0-or-later WITH Bison-exception-2.2'],
  ['GPL-3.0-with-GCC-exception', 'GPL-3.0-only WITH GCC-exception-3.1'],
  ['Apache-2.0 WITH LLVM-exception', 'Apache-2.0 WITH LLVM-exception'],
  ['Apache-2.0+', 'Apache-2.0+'],
  ['GFDL-1.3-no-invariants-only', 'GFDL-1.3-no-invariants-only'],
  ['LicenseRef-GPL-2.0', 'LicenseRef-GPL-2.0'],
  ['MIT', 'MIT'],
] as const)('%s is %s', ([license, expected]) => {
  expect(canonicalLicense(license)).toBe(expected);
  expect(canonicalLicense(expected)).toBe(expected);
});

test('each withdrawn id means what took its place, wherever it stands', () => {
  expect(currentIds.size).toBeGreaterThan(10);
  for (const [old, current] of currentIds) {
    const seen: string[] = [];
    isUsable(`MIT OR ${old}`, (license) => seen.push(license) < 0);
    expect(seen).toEqual(['MIT', current]);
  }
});
