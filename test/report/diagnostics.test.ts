import { expect, test } from 'vitest';
import { type Diagnostic, hasErrors } from '../../src/base/diagnostic.ts';
import { formatDiagnostic, formatDiagnostics, formatGrouped } from '../../src/report/diagnostics.ts';

const lost: Diagnostic = { level: 'error', code: 'a.lost', message: 'no name' };

test.for<[string, Diagnostic, string]>([
  ['a message alone', lost, 'tcf: error: no name\n'],
  ['with its subject', { ...lost, subject: 'pkg:x/y' }, 'tcf: error: pkg:x/y: no name\n'],
  ['a note', { ...lost, level: 'note' }, 'tcf: note: no name\n'],
  ['with the next step', { ...lost, hint: 'name it' }, 'tcf: error: no name\ntcf: hint: name it\n'],
  [
    'what a stranger wrote stays on its line',
    { ...lost, subject: 'a\u001b[2J\nb', message: 'c\rd', hint: 'e\u202ef' },
    'tcf: error: a\\x1b[2J\\x0ab: c\\x0dd\ntcf: hint: e\\u202ef\n',
  ],
])('%s', ([, diagnostic, expected]) => {
  expect(formatDiagnostic(diagnostic)).toBe(expected);
});

test('several stand in their order, and none is nothing', () => {
  expect(formatDiagnostics([lost, { ...lost, level: 'warning' }])).toBe(
    'tcf: error: no name\ntcf: warning: no name\n',
  );
  expect(formatDiagnostics([])).toBe('');
});

test('what many components have in common is one line', () => {
  const of = (subject: string): Diagnostic => ({ ...lost, subject });
  const other: Diagnostic = { ...lost, code: 'a.other', message: 'no version' };
  expect(formatGrouped([of('a'), { ...other, subject: 'b' }, of('c'), of('d'), other])).toBe(
    '  no name: a and 2 more\n  no version: b and 1 more\n',
  );
});

test('only an error makes the answer no', () => {
  expect(
    hasErrors([
      { ...lost, level: 'note' },
      { ...lost, level: 'warning' },
    ]),
  ).toBe(false);
  expect(hasErrors([{ ...lost, level: 'note' }, lost])).toBe(true);
});
