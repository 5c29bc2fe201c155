import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePurl } from '../../src/bom/purl.ts';
import { isInOrBeforeRange, isInRange, orderedVersion, parseVers } from '../../src/bom/vers.ts';
import { compareSemver } from '../../src/bom/versions/semver.ts';

test.for([
  ['deb: inside', 'vers:deb/>=5.6.0|<5.6.2', '5.6.1-1', true],
  ['deb: at the lower bound', 'vers:deb/>=5.6.0|<5.6.2', '5.6.0', true],
  ['deb: at the upper bound', 'vers:deb/>=5.6.0|<5.6.2', '5.6.2', false],
  ['deb: a tilde comes before', 'vers:deb/>=5.6.0|<5.6.2', '5.6.2~rc1', true],
  ['deb: an epoch outweighs', 'vers:deb/<2.0', '1:1.0', false],
  ['deb: a revision counts', 'vers:deb/<1.0-3', '1.0-2+b1', true],
  ['rpm: a caret comes after', 'vers:rpm/>1.0', '1.0^git1', true],
  ['rpm: an epoch outweighs', 'vers:rpm/<2.0', '1:1.0-1', false],
  ['rpm: a release where the range has none', 'vers:rpm/=1.0', '1.0-7.el9', true],
  ['apk: a candidate comes before', 'vers:apk/<1.2.3', '1.2.3_rc1-r0', true],
  ['apk: a patch comes after', 'vers:apk/<=1.2.3', '1.2.3_p1-r0', false],
  ['pypi: a candidate is left out before its release', 'vers:pypi/<2.6.0', '2.6.0.dev1', false],
  ['pypi: and is in before another candidate', 'vers:pypi/<2.6.0rc2', '2.6.0rc1', true],
  ['pypi: an older candidate is in', 'vers:pypi/<2.6.0', '2.5.0rc1', true],
  ['pypi: every build of a release, at most', 'vers:pypi/<=2.5.1', '2.5.1+cu124', true],
  ['pypi: every build of a release, at least', 'vers:pypi/>=2.5.1', '2.5.1+cu124', true],
  ['pypi: every build of a release, exactly', 'vers:pypi/=2.5.1', '2.5.1+cu124', true],
  ['pypi: every build of a release, spelled out', 'vers:pypi/2.5.1', '2.5.1+cpu', true],
  ['pypi: no build of a release', 'vers:pypi/!=2.5.1', '2.5.1+cu124', false],
  ['pypi: a build is not after its release', 'vers:pypi/>2.5.1', '2.5.1+cu124', false],
  ['pypi: nor before it', 'vers:pypi/<2.5.1', '2.5.1+cu124', false],
  ['pypi: one build', 'vers:pypi/=2.5.1%2Bcu124', '2.5.1+cu121', false],
  ['pypi: one build, spelled another way', 'vers:pypi/=2.5.1%2Bcu.124', '2.5.1+CU-124', true],
  ['pypi: a post-release is the release again', 'vers:pypi/>1.7', '1.7.post1', false],
  ['pypi: and at least it', 'vers:pypi/>=1.7', '1.7.post1', true],
  ['pypi: an epoch outweighs', 'vers:pypi/<2024.1', '1!0.1', false],
  ['pypi: numbers beyond 2^53 are exact', 'vers:pypi/9007199254740993', '9007199254740992', false],
  ['pypi: a range of them', 'vers:pypi/>9007199254740992', '9007199254740993', true],
  ['golang: of the toolchain', 'vers:golang/<1.22.1', '1.22rc1', true],
  ['golang: of the toolchain, with its name', 'vers:golang/>=1.22.1', 'go1.22.1', true],
  ['golang: short', 'vers:golang/>=v1.2', 'v1.2.0', true],
  ['pypi: spelled another way', 'vers:pypi/=1.0', '1.0.0', true],
  ['npm: numbers and not text', 'vers:npm/<1.10.0', '1.9.0', true],
  ['npm: a pre-release comes before', 'vers:npm/<1.0.0', '1.0.0-rc.1', true],
  ['golang: with its v', 'vers:golang/>=v1.2.3', 'v1.2.4', true],
  ['in the gap', 'vers:npm/<1.0.0|>=2.0.0|<3.0.0', '1.5.0', false],
  ['behind the gap', 'vers:npm/<1.0.0|>=2.0.0|<3.0.0', '2.5.0', true],
  ['in any order', 'vers:npm/<3.0.0|>=2.0.0|<1.0.0', '2.5.0', true],
  ['only that', 'vers:npm/1.0.0|2.0.0', '2.0.0', true],
  ['not that', 'vers:npm/1.0.0|2.0.0', '1.5.0', false],
  ['all but that', 'vers:npm/!=1.0.0', '1.0.0', false],
  ['all but that, another', 'vers:npm/!=1.0.0', '1.0.1', true],
  ['a hole in a range', 'vers:npm/>=1.0.0|!=1.5.0|<2.0.0', '1.5.0', false],
  ['beside the hole', 'vers:npm/>=1.0.0|!=1.5.0|<2.0.0', '1.5.1', true],
  ['one more below a range', 'vers:npm/0.5.0|>=1.0.0|<2.0.0', '0.5.0', true],
  ['everything', 'vers:deb/*', '1.0', true],
  ['percent-encoded', 'vers:pypi/=2.6.0%2Bcu124', '2.6.0+cu124', true],
  ['no version at all', 'vers:npm/<1.0.0', 'latest', undefined],
  ['no version of that ecosystem', 'vers:pypi/<1.0', '1.0-r0-x', undefined],
] as const)('%s', ([, range, version, expected]) => {
  expect(isInRange(parseVers(range), version)).toBe(expected);
});

test.for([
  ['no scheme', 'deb/>=1.0', 'is not "vers:TYPE/CONSTRAINTS"'],
  ['no constraint', 'vers:deb/', 'is not "vers:TYPE/CONSTRAINTS"'],
  ['an empty constraint', 'vers:deb/>=1.0|', '"" is not a constraint'],
  ['a star among others', 'vers:deb/*|<1.0', '"*" is not a constraint'],
  ['an ecosystem without order', 'vers:maven/<1.0', 'have no order'],
  ['an inherited name', 'vers:constructor/<1.0', 'have no order'],
  ['a caret', 'vers:npm/^1.0.0', '"^1.0.0" is not a constraint'],
  ['half a version', 'vers:npm/<1.0', '"<1.0" is not a constraint'],
  ['a bound with a build', 'vers:pypi/<=2.5.1%2Bcu124', 'allows a local version'],
  ['a zero before a number', 'vers:npm/<01.0.0', '"<01.0.0" is not a constraint'],
  ['a broken escape', 'vers:deb/<1.0%', 'is not a constraint'],
  ['a version twice', 'vers:npm/>=1.0.0|<1.0.0', 'stands twice'],
  ['a version twice, spelled differently', 'vers:pypi/>=1.0|<1.0.0', 'stands twice'],
  ['two lower bounds', 'vers:npm/>=1.0.0|>2.0.0', 'says nothing beside its neighbour'],
  ['two upper bounds', 'vers:npm/<1.0.0|<=2.0.0', 'says nothing beside its neighbour'],
  ['too many', `vers:npm/${Array.from({ length: 201 }, (_, n) => `${n}.0.0`).join('|')}`, 'more than 200'],
] as const)('refused: %s', ([, text, message]) => {
  expect(() => parseVers(text)).toThrow(message);
});

test('an rpm keeps its epoch in the purl', () => {
  expect(orderedVersion(parsePurl('pkg:rpm/fedora/xz@5.6.1-1.fc40?epoch=1'))).toBe('1:5.6.1-1.fc40');
  expect(orderedVersion(parsePurl('pkg:deb/debian/xz@1:5.6.1-1'))).toBe('1:5.6.1-1');
  expect(orderedVersion(parsePurl('pkg:rpm/fedora/xz'))).toBeUndefined();
});

test('Semantic Versioning orders its own example, and build metadata does not count', () => {
  const line =
    '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0';
  const versions = line.split(' ');
  expect(versions.toReversed().sort(compareSemver)).toEqual(versions);
  expect(compareSemver('1.0.0+a', '1.0.0+b')).toBe(0);
});

test('a range and its opposite never both hold a version', () => {
  const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(version, version, (bound, asked) => {
      const older = isInRange(parseVers(`vers:npm/<${bound}`), asked);
      const newer = isInRange(parseVers(`vers:npm/>=${bound}`), asked);
      expect(older).toBe(!newer);
    }),
  );
});

test.for([
  ['a candidate of the bound', 'vers:pypi/<2.6.0', '2.6.0rc1', true],
  ['a candidate of the bound, behind a lower one', 'vers:pypi/>=2.0|<2.6.0', '2.6.0.dev1', true],
  ['a candidate below the lower one', 'vers:pypi/>=2.0|<2.6.0', '1.9rc1', false],
  ['the bound itself, built', 'vers:pypi/<2.6.0', '2.6.0+cu124', false],
  ['what is excluded', 'vers:pypi/!=2.6.0rc1|<2.6.0', '2.6.0rc1', false],
  ['not a version', 'vers:pypi/<2.6.0', 'latest', undefined],
] as const)('in the range or a candidate of its end: %s', ([, range, version, expected]) => {
  expect(isInOrBeforeRange(parseVers(range), version)).toBe(expected);
});
