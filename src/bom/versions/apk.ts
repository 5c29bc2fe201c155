import { byCodeUnit } from '../../base/text.ts';
import { compareDigits } from './digits.ts';

/**
 * Versions as apk orders them: `digit{.digit}...{letter}{_suffix{number}}...{~hash}{-r number}`
 * (apk-package(5), and apk_version.c of apk-tools 3).
 */

const kinds = [
  'first',
  'digits',
  'letter',
  'suffix',
  'suffix-number',
  'hash',
  'revision',
  'end',
  'invalid',
] as const;
type Kind = (typeof kinds)[number];

interface Token {
  readonly kind: Kind;
  readonly text: string;
}

const rank = (kind: Kind): number => kinds.indexOf(kind);
/** What stands before the release, then what stands behind it. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const release = suffixes.indexOf('');

/** Each form that can follow, the last kind before it that allows it, and what it is. */
const forms: readonly (readonly [RegExp, Kind, Kind])[] = [
  [/([a-z])/y, 'digits', 'letter'],
  [/\.(\d+)/y, 'digits', 'digits'],
  [/_([a-z]+)/y, 'suffix-number', 'suffix'],
  [/~([0-9a-f]+)/y, 'suffix-number', 'hash'],
  [/-r(\d+)/y, 'hash', 'revision'],
];

function tokensOf(version: string): readonly Token[] {
  const first = /^\d+/.exec(version)?.[0];
  if (first === undefined) {
    return [{ kind: 'invalid', text: version }];
  }
  const tokens: Token[] = [{ kind: 'first', text: first }];
  let at = first.length;
  let last: Kind = 'first';
  while (at < version.length) {
    const next = nextToken(version, at, last);
    if (next === undefined) {
      return [...tokens, { kind: 'invalid', text: version.slice(at) }];
    }
    tokens.push(next.token);
    at = next.end;
    last = next.token.kind;
  }
  return [...tokens, { kind: 'end', text: '' }];
}

function nextToken(
  version: string,
  at: number,
  last: Kind,
): { readonly token: Token; readonly end: number } | undefined {
  if (last === 'suffix') {
    const number = matchAt(/(\d+)/y, version, at);
    if (number !== undefined) {
      return { token: { kind: 'suffix-number', text: number.text }, end: number.end };
    }
  }
  for (const [pattern, highest, kind] of forms) {
    const found = matchAt(pattern, version, at);
    if (found === undefined || rank(last) > rank(highest)) {
      continue;
    }
    if (kind === 'suffix' && !(found.text !== '' && suffixes.includes(found.text))) {
      continue;
    }
    return { token: { kind, text: found.text }, end: found.end };
  }
  return undefined;
}

function matchAt(
  pattern: RegExp,
  text: string,
  at: number,
): { readonly text: string; readonly end: number } | undefined {
  pattern.lastIndex = at;
  const [whole, inner] = pattern.exec(text) ?? [];
  return whole === undefined || inner === undefined ? undefined : { text: inner, end: at + whole.length };
}

/** Whether apk takes the text for a version. */
export function isVersion(text: string): boolean {
  return tokensOf(text).at(-1)?.kind === 'end';
}

/**
 * Less than zero where `a` is older, more where it is newer. With `fuzzy`, a `b` that is the beginning of `a`
 * equals it: `1.2.3` is `~1.2`.
 */
export function compareApkVersions(a: string, b: string, fuzzy = false): number {
  const [left, right] = [tokensOf(a), tokensOf(b)];
  let at = 0;
  let [one, other] = [left[0], right[0]];
  while (
    one !== undefined &&
    other !== undefined &&
    one.kind === other.kind &&
    rank(one.kind) < rank('end')
  ) {
    const order = compareTokens(one, other);
    if (order !== 0) {
      return order;
    }
    at += 1;
    [one, other] = [left[at], right[at]];
  }
  if (one === undefined || other === undefined || one.kind === other.kind) {
    return 0;
  }
  if (fuzzy && other.kind === 'end') {
    return 0;
  }
  // What goes on is newer, unless it goes on as something before the release.
  if (isEarly(one)) {
    return -1;
  }
  if (isEarly(other)) {
    return 1;
  }
  return rank(other.kind) - rank(one.kind);
}

function isEarly({ kind, text }: Token): boolean {
  return kind === 'suffix' && suffixes.indexOf(text) < release;
}

function compareTokens(a: Token, b: Token): number {
  if (a.kind === 'suffix') {
    return suffixes.indexOf(a.text) - suffixes.indexOf(b.text);
  }
  // Behind the first number, one with a leading zero is a fraction: 1.09 is older than 1.1.
  const isFraction = a.kind === 'digits' && (a.text.startsWith('0') || b.text.startsWith('0'));
  if (a.kind === 'letter' || a.kind === 'hash' || isFraction) {
    return byCodeUnit(a.text, b.text);
  }
  return compareDigits(a.text, b.text);
}

/** `operator` is made of `<`, `>`, `=` and `~`; without one every version will do. */
export function satisfiesApk(version: string, operator: string, wanted: string): boolean {
  const order = compareApkVersions(version, wanted, operator.includes('~'));
  if (order === 0) {
    return /[=~]/.test(operator);
  }
  return operator.includes(order < 0 ? '<' : '>');
}
