import { expect, test } from 'vitest';
import { readPurl } from '../../src/bom/purl.ts';
import { matchComponent, toComponentPattern } from '../../src/policy/component-pattern.ts';
import { isGlob, isKnownType, matchName, patternProblem } from '../../src/policy/purl-pattern.ts';

const read = (text: string) => {
  const parts = readPurl(text);
  if (parts === undefined) {
    throw new Error(`${text} is not a purl`);
  }
  return parts;
};

test.for([
  ['pkg:deb/debian-archive-keyring'],
  ['pkg:rpm/mydebian'],
  ['pkg:pypi/debian'],
  ['pkg:deb/debian/ubuntu'],
  ['pkg:deb/debian/*'],
  ['pkg:deb/*/debian'],
  ['pkg:pypi/a.b'],
  ['pkg:maven/org.apache.*/log4j'],
  ['pkg:deb/debian/g++'],
] as const)('a pattern: %s', ([text]) => {
  expect(patternProblem(read(text))).toBeUndefined();
});

test.for([
  ['pkg:deb/debian', 'pkg:deb/debian/*'],
  ['pkg:rpm/fedora', 'pkg:rpm/fedora/*'],
  ['pkg:apk/alpine@3.22', 'pkg:apk/alpine/*'],
  ['pkg:deb/**/x', 'holds **'],
  ['pkg:pypi/.*', 'another language'],
  ['pkg:pypi/.+x', 'another language'],
  ['pkg:golang/github.com/.*/x', 'another language'],
  ['pkg:pypi/a%7Cb', 'another language'],
  ['pkg:pypi/a@1.*', 'a pattern as its version'],
] as const)('not a pattern: %s', ([text, why]) => {
  expect(patternProblem(read(text))).toContain(why);
});

test.for([
  ['pkg:pypi/ruamel-yaml', 'pkg:pypi/ruamel.yaml', 'match'],
  ['pkg:pypi/a-b', 'pkg:pypi/a.-_b', 'match'],
  ['pkg:pypi/ab', 'pkg:pypi/a-b', 'none'],
  ['pkg:cargo/serde-json', 'pkg:cargo/Serde_json', 'match'],
  ['pkg:conda/NumPy', 'pkg:conda/numpy', 'match'],
  ['pkg:gem/Rails', 'pkg:gem/rails', 'none'],
  ['pkg:npm/%40angular/*', 'pkg:npm/%40Angular/core', 'match'],
  ['pkg:npm/*', 'pkg:npm/%40angular/core', 'none'],
  ['pkg:npm/*/core', 'pkg:npm/%40angular/core', 'match'],
  ['pkg:deb/debian/bash', 'pkg:deb/bash', 'perhaps'],
  ['pkg:deb/bash', 'pkg:deb/debian/bash', 'match'],
  ['pkg:deb/debian/bash', 'pkg:deb/ubuntu/bash', 'none'],
  ['pkg:deb/debian/bash', 'pkg:rpm/debian/bash', 'none'],
  ['pkg:maven/org.x/a', 'pkg:maven/org.y/a', 'none'],
  ['pkg:golang/github.com/acme/x', 'pkg:golang/x', 'none'],
] as const)('%s and %s: %s', ([pattern, found, expected]) => {
  expect(matchName(read(pattern), read(found))).toBe(expected);
});

test('a star in namespace or name leaves open which package is meant', () => {
  expect(
    ['pkg:deb/*/x', 'pkg:deb/debian/x*', 'pkg:pypi/*', 'pkg:pypi/x'].map((text) => isGlob(read(text))),
  ).toEqual([true, true, true, false]);
});

test('every registered type is known, and names that objects inherit are not types', () => {
  for (const type of [
    'deb',
    'rpm',
    'apk',
    'pypi',
    'npm',
    'golang',
    'cargo',
    'generic',
    'docker',
    'conan',
    'maven',
  ]) {
    expect(isKnownType(type)).toBe(true);
  }
  for (const type of ['debian', 'python', 'constructor', 'toString']) {
    expect(isKnownType(type)).toBe(false);
  }
});

test.for([
  ['pkg:deb/debian/bash@5.2-1', 'pkg:deb/bash@5.2-1', 'unversioned'],
  ['pkg:deb/debian/bash@5.2-1', 'pkg:deb/bash@5.3-1', 'none'],
  ['pkg:maven/org.x/a@1.0', 'pkg:maven/org.x/a@1.0', 'match'],
  ['pkg:maven/org.x/a@1.0', 'pkg:maven/org.x/a@2.0', 'none'],
  ['pkg:maven/org.x/a', 'pkg:maven/org.x/a@2.0', 'match'],
] as const)('%s and the component %s: %s', ([pattern, found, expected]) => {
  expect(matchComponent(toComponentPattern(pattern), read(found))).toBe(expected);
});
