import { expect, test } from 'vitest';
import { currentIds, licenseNames } from '../../src/bom/license-names.ts';
import {
  agreedLicenses,
  combineLicenses,
  isSpdxExpression,
  type LicenseKind,
  toLicenses,
  toSpdx,
} from '../../src/bom/licenses.ts';

test.for<readonly [string, LicenseKind, string]>([
  ['MIT', 'spdx', 'MIT'],
  ['mit', 'python', 'MIT'],
  ['apache-2.0 or mit', 'python', 'Apache-2.0 OR MIT'],
  ['(MIT AND ISC) OR 0BSD', 'spdx', '(MIT AND ISC) OR 0BSD'],
  ['GPL-2.0-only WITH Classpath-exception-2.0', 'spdx', 'GPL-2.0-only WITH Classpath-exception-2.0'],
  ['LicenseRef-NVIDIA-CUDA-EULA', 'spdx', 'LicenseRef-NVIDIA-CUDA-EULA'],
  ['GPL-2.0', 'spdx', 'GPL-2.0-only'],
  ['GPL-2.0+', 'spdx', 'GPL-2.0-or-later'],
  ['LGPL-2.1', 'apk', 'LGPL-2.1-only'],
  ['AGPL-3.0', 'python', 'AGPL-3.0-only'],
  ['GPL-2.0-with-classpath-exception', 'spdx', 'GPL-2.0-only WITH Classpath-exception-2.0'],
  ['GPL-1+', 'debian', 'GPL-1.0-or-later'],
  ['GPL-2', 'debian', 'GPL-2.0-only'],
  ['GPL-2+', 'debian', 'GPL-2.0-or-later'],
  ['GPL-3+', 'debian', 'GPL-3.0-or-later'],
  ['LGPL-2', 'debian', 'LGPL-2.0-only'],
  ['LGPL-2.1+', 'debian', 'LGPL-2.1-or-later'],
  ['GFDL-1.3+', 'debian', 'GFDL-1.3-or-later'],
  ['GFDL-NIV-1.3+', 'debian', 'GFDL-1.3-no-invariants-or-later'],
  ['Expat', 'debian', 'MIT'],
  ['BSD-3-clause', 'debian', 'BSD-3-Clause'],
  ['GPL-2+ or Expat', 'debian', 'GPL-2.0-or-later OR MIT'],
  ['GPLv2', 'rpm', 'GPL-2.0-only'],
  ['GPLv3+', 'rpm', 'GPL-3.0-or-later'],
  ['ASL 2.0', 'rpm', 'Apache-2.0'],
  ['GPLv2+ and (MIT or ASL 2.0)', 'rpm', 'GPL-2.0-or-later AND (MIT OR Apache-2.0)'],
  [
    'GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT',
    'rpm',
    'GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT',
  ],
  ['MIT License', 'python', 'MIT'],
  ['The MIT License (MIT)', 'python', 'MIT'],
  ['Apache Software License', 'python', 'Apache-2.0'],
  ['Apache License,\n  Version 2.0', 'python', 'Apache-2.0'],
  ['3-Clause BSD License', 'python', 'BSD-3-Clause'],
  ['GPL v2 or later', 'python', 'GPL-2.0-or-later'],
  ['License :: OSI Approved :: MIT License', 'classifier', 'MIT'],
  [
    'License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)',
    'classifier',
    'GPL-3.0-or-later',
  ],
  ['License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)', 'classifier', 'LGPL-3.0-only'],
  ['License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)', 'classifier', 'MPL-2.0'],
])('%s (%s) is %s', ([text, kind, expression]) => {
  expect(toSpdx(text, kind)).toBe(expression);
  expect(toLicenses(text, kind).at(-1)).toEqual({ acknowledgement: 'concluded', expression });
});

test.for<readonly [string, LicenseKind, string]>([
  ['one of several', 'python', 'BSD'],
  ['one of several in a classifier', 'classifier', 'License :: OSI Approved :: BSD License'],
  ['GNU without a version', 'debian', 'GPL'],
  [
    'GNU without a version in a classifier',
    'classifier',
    'License :: OSI Approved :: GNU General Public License (GPL)',
  ],
  ['2.0 or 2.1', 'rpm', 'LGPLv2+'],
  ['a version that never was', 'debian', 'GPL-7+'],
  ['no licence at all', 'debian', 'public-domain'],
  ['an exception without a name', 'rpm', 'GPLv2 with exceptions'],
  ['one part not known', 'rpm', 'MIT and Copyright only'],
  ['Perl', 'debian', 'GPL-1+ or Artistic'],
  ['a comma that changes the order', 'debian', 'GPL-2+ or MIT, and ISC'],
  ['words without operators', 'apk', 'MIT ISC'],
  ['withdrawn without successor', 'spdx', 'Net-SNMP'],
  ['an open bracket', 'spdx', '(MIT'],
  ['an operator too many', 'spdx', 'MIT OR'],
  ['an exception for a licence', 'spdx', 'Classpath-exception-2.0'],
  ['a free name where SPDX is due', 'spdx', 'MIT License'],
  ['a proprietary one', 'classifier', 'License :: Other/Proprietary License'],
])('declared and not concluded: %s (%s)', ([, kind, text]) => {
  expect(toLicenses(text, kind)).toEqual([{ acknowledgement: 'declared', name: text }]);
});

test('what is SPDX already is declared as an expression, what is not as it was written', () => {
  expect(toLicenses('mit OR isc', 'python')).toEqual([
    { acknowledgement: 'declared', expression: 'MIT OR ISC' },
    { acknowledgement: 'concluded', expression: 'MIT OR ISC' },
  ]);
  expect(toLicenses('GPL-2.0+', 'spdx')[0]).toEqual({ acknowledgement: 'declared', name: 'GPL-2.0+' });
});

test.for(['', '   ', '\n'])('nothing said (%j) is no licence', (text) => {
  expect(toLicenses(text, 'python')).toEqual([]);
});

test('a whole licence text is named by its first line', () => {
  const text = `Copyright (c) 2026 ${'x'.repeat(300)}\n\nPermission is hereby granted ${'y'.repeat(100_000)}`;
  const [license, ...more] = toLicenses(text, 'python');
  expect(more).toEqual([]);
  expect(license).toMatchObject({
    acknowledgement: 'declared',
    name: expect.stringMatching(/^Copyright.{0,200}…$/),
  });
});

test.for([
  ['brackets', '('.repeat(5000)],
  ['operators', 'MIT AND '.repeat(600)],
  ['blanks', `MIT${' '.repeat(100_000)}OR`],
  ['a word', 'x'.repeat(1_000_000)],
] as const)('too much of it is a name: %s', ([, text]) => {
  expect(toSpdx(text, 'rpm')).toBeUndefined();
  expect(isSpdxExpression(text)).toBe(false);
});

test('several statements are joined where all of them map', () => {
  expect(combineLicenses(['GPL-2+', 'Expat', 'Expat', 'ISC or MIT'], 'debian').at(-1)).toEqual({
    acknowledgement: 'concluded',
    expression: 'GPL-2.0-or-later AND MIT AND (ISC OR MIT)',
  });
  expect(combineLicenses(['MIT', 'ISC'], 'debian')).toEqual([
    { acknowledgement: 'declared', expression: 'MIT AND ISC' },
    { acknowledgement: 'concluded', expression: 'MIT AND ISC' },
  ]);
});

test('one that does not map leaves all of them declared', () => {
  expect(combineLicenses(['Expat', 'permissive', 'ISC'], 'debian')).toEqual([
    { acknowledgement: 'declared', name: 'Expat' },
    { acknowledgement: 'declared', name: 'permissive' },
    { acknowledgement: 'declared', expression: 'ISC' },
  ]);
});

test.for([...licenseNames, ...currentIds])('the table is right about %s', ([name, expression]) => {
  expect(isSpdxExpression(expression)).toBe(true);
  if (licenseNames.has(name)) {
    expect(name).toBe(name.toLowerCase().replace(/\s+/g, ' '));
  }
});

test.for([
  ['a name that is not on the list', ['permissive'], 'LicenseRef-debian-bash-permissive'],
  ['a part of an expression', ['GPL-2+ or Artistic'], 'GPL-2.0-or-later OR LicenseRef-debian-bash-Artistic'],
  [
    'a comma, which binds less than the words',
    ['GPL-1+ or Artistic, and Expat'],
    '(GPL-1.0-or-later OR LicenseRef-debian-bash-Artistic) AND MIT',
  ],
  ['a comma that may mean anything', ['GPL-2, Artistic'], 'LicenseRef-debian-bash-GPL-2-Artistic'],
  [
    'an exception that SPDX does not name so',
    ['GPL-3+ with Bison exception'],
    'LicenseRef-debian-bash-GPL-3-plus-with-Bison-exception',
  ],
  ['several statements', ['GPL-2+', 'odd/one'], 'GPL-2.0-or-later AND LicenseRef-debian-bash-odd-one'],
  ['a name of signs alone', ['***'], 'LicenseRef-debian-bash-unnamed'],
  ['unbalanced brackets', ['(GPL-2+'], 'LicenseRef-debian-bash-GPL-2-plus'],
] as const)('within a scope every statement is concluded: %s', ([, texts, expected]) => {
  const licenses = combineLicenses(texts, 'debian', 'debian-bash');
  expect(licenses.at(-1)).toEqual({ acknowledgement: 'concluded', expression: expected });
  expect(isSpdxExpression(expected)).toBe(true);
});

test('within a scope a licence text in the wrong field is not a name', () => {
  const licenses = combineLicenses(['Permission is hereby granted '.repeat(20)], 'debian', 'debian-bash');
  expect(licenses.map(({ acknowledgement }) => acknowledgement)).toEqual(['declared']);
});

test('several fields of a package: what they agree on stands, what they do not is declared', () => {
  const [mit, alike, gpl] = [
    toLicenses('MIT', 'spdx'),
    toLicenses('mit license', 'python'),
    toLicenses('GPL-3.0-only', 'spdx'),
  ];
  expect(agreedLicenses([mit, []])).toEqual(mit);
  expect(agreedLicenses([mit, alike])).toEqual(mit);
  expect(agreedLicenses([])).toEqual([]);
  expect(agreedLicenses([mit, gpl])).toEqual([
    { acknowledgement: 'declared', expression: 'MIT' },
    { acknowledgement: 'declared', expression: 'GPL-3.0-only' },
  ]);
});
