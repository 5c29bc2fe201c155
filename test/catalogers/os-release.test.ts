import { expect, test } from 'vitest';
import { osRelease, osReleaseOf, parseOsRelease } from '../../src/catalogers/os-release.ts';
import { treeOf } from '../support/tree.ts';

test.for([
  ['A=b', 'b'],
  ['A="b c"', 'b c'],
  ["A='b \\$c'", 'b \\$c'],
  ['A="b \\"c\\" \\$d"', 'b "c" $d'],
  ['A=$(reboot)', '$(reboot)'],
  ['A=first\nA=second', 'second'],
  ['# A=no\nA=b\r', 'b'],
  ['A="open', '"open'],
  ['A="', '"'],
] as const)('the line %s', ([text, expected]) => {
  expect(parseOsRelease(text).get('A')).toBe(expected);
});

test.for([
  ['an ID with a slash', 'ID=a/b\n'],
  ['an ID with an escape', 'ID="\u001b[31m"\n'],
  ['no ID', 'NAME=x\n'],
] as const)('os-release with %s names no system', ([, text]) => {
  const found = osRelease.catalog(treeOf(osRelease, { 'etc/os-release': text }));
  expect(found.components).toEqual([]);
  expect(found.skipped).toEqual([{ path: 'etc/os-release', reason: 'has no ID' }]);
});

test('the file in /etc wins over the one of the vendor', () => {
  const tree = treeOf(osRelease, { 'etc/os-release': 'ID=mine', 'usr/lib/os-release': 'ID=theirs' });
  expect(osReleaseOf(tree)?.id).toBe('mine');
});

test('a link that leads nowhere is no reason to miss the other file', () => {
  const tree = treeOf(osRelease, {
    'etc/os-release': { link: '/nowhere' },
    'usr/lib/os-release': 'ID=theirs',
  });
  expect(osReleaseOf(tree)?.id).toBe('theirs');
});
