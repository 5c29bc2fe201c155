import { expect, test } from 'vitest';
import { pythonLicenses } from '../../src/catalogers/python/licenses.ts';
import { parseMetadata } from '../../src/catalogers/python/metadata.ts';

const osi = 'License :: OSI Approved :: ';
const said = (license: string, classifiers: readonly string[], field = 'License') => {
  const lines = [
    ...(license === '' ? [] : [`${field}: ${license}`]),
    ...classifiers.map((name) => `Classifier: ${osi}${name}`),
  ];
  const { licenses } = pythonLicenses(parseMetadata(Buffer.from(lines.join('\n'))), 'METADATA');
  const text = (entry: (typeof licenses)[number]) => ('name' in entry ? entry.name : entry.expression);
  const by = (word: string) =>
    licenses
      .filter(({ acknowledgement }) => acknowledgement === word)
      .map((entry) => text(entry)?.replace(osi, ''));
  return { declared: by('declared'), concluded: by('concluded') };
};

const mit = 'MIT License';
const apache = 'Apache Software License';
const gpl = 'GNU General Public License v3 (GPLv3)';
const bsd = 'BSD License';

test.for([
  ['a field alone', 'MIT', [], 'MIT'],
  ['a classifier alone', '', [mit], 'MIT'],
  ['a field and its classifier', 'MIT', [mit], 'MIT'],
  ['a field and the family of it', 'BSD-3-Clause', [bsd], 'BSD-3-Clause'],
  ['a choice and both classifiers', 'MIT OR Apache-2.0', [mit, apache], 'MIT OR Apache-2.0'],
  [
    'an exception and the classifier of its licence',
    'Apache-2.0 WITH LLVM-exception',
    [apache],
    'Apache-2.0 WITH LLVM-exception',
  ],
] as const)('%s is concluded', ([, license, classifiers, expected]) => {
  expect(said(license, classifiers).concluded).toEqual([expected]);
});

test.for([
  ['a classifier that adds a licence', 'MIT', [gpl], ['MIT', gpl]],
  ['two classifiers of which one is the field', 'Apache 2.0', [mit, apache], ['Apache 2.0', mit]],
  ['a family that the field is not of', 'MIT', [bsd], ['MIT', bsd]],
  ['another release than the field', 'GPL-2.0-only', [gpl], ['GPL-2.0-only', gpl]],
  ['proprietary', 'MIT', ['Other/Proprietary License'], ['MIT', 'Other/Proprietary License']],
  ['several classifiers and no operator', '', [mit, apache], [mit, apache]],
  ['words and a classifier', 'see the file', [mit], ['see the file', mit]],
] as const)('%s: all is declared and nothing concluded', ([, license, classifiers, declared]) => {
  expect(said(license, classifiers)).toEqual({ declared, concluded: [] });
});

test('a classifier that contradicts License-Expression ends the conclusion too', () => {
  expect(said('MIT', [gpl], 'License-Expression')).toEqual({ declared: ['MIT', gpl], concluded: [] });
  expect(said('MIT', [mit], 'License-Expression').concluded).toEqual(['MIT']);
});

test.for([
  ['the deprecated field beside the expression', 'License-Expression: MIT\nLicense: GPL-3.0-only\n'],
  ['an expression that stands twice', 'License-Expression: MIT\nLicense-Expression: GPL-3.0-only\n'],
  ['a field that stands twice', 'License: MIT\nLicense: GPL-3.0-only\n'],
  ['a field that says nothing first', 'License: UNKNOWN\nLicense: MIT\nLicense: GPL-3.0-only\n'],
] as const)('%s: where they differ nothing is concluded, and both are declared', ([, text]) => {
  expect(pythonLicenses(parseMetadata(Buffer.from(text)), 'METADATA').licenses).toEqual([
    { acknowledgement: 'declared', expression: 'MIT' },
    { acknowledgement: 'declared', expression: 'GPL-3.0-only' },
  ]);
});

test('two fields of one meaning are one statement', () => {
  const text = 'License-Expression: MIT\nLicense: mit license\nLicense: MIT\n';
  expect(pythonLicenses(parseMetadata(Buffer.from(text)), 'METADATA').licenses).toEqual([
    { acknowledgement: 'declared', expression: 'MIT' },
    { acknowledgement: 'concluded', expression: 'MIT' },
  ]);
});
