import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffBoms, isEmptyDiff } from '../../src/bom/diff.ts';
import { parseSbom, type SbomFacts } from '../../src/bom/read.ts';

type Json = Readonly<Record<string, unknown>>;

function facts(...components: readonly Json[]): SbomFacts {
  return parseSbom({ bomFormat: 'CycloneDX', specVersion: '1.7', components }, 'the SBOM');
}

const place = (location: string): Json => ({ evidence: { occurrences: [{ location }] } });
const properties = (values: Readonly<Record<string, string>>): Json => ({
  properties: Object.entries(values).map(([name, value]) => ({ name, value })),
});

function deb(name: string, version: string, arch = 'amd64', more: Json = {}): Json {
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:deb/debian/${name}@${version}?arch=${arch}&distro=debian-12`,
    ...more,
  };
}

const wheel = (name: string, version: string, location: string, more: Json = {}): Json => ({
  type: 'library',
  name,
  version,
  purl: `pkg:pypi/${name}@${version}`,
  ...place(location),
  ...more,
});

const llvm = (owner: string, commit: string, pin: string): Json => ({
  type: 'library',
  name: 'llvm',
  version: `22.0.0git+${commit.slice(0, 8)}`,
  purl: `pkg:github/${owner}/llvm-project@${commit}`,
  ...properties({
    'tcf:llvm:role': 'core',
    'tcf:llvm:pin': pin,
    'tcf:llvm:observed': `${commit} by lld-version,tool-version`,
  }),
});

const sha = (digit: string): Json => ({
  hashes: [{ alg: 'SHA-256', content: digit.repeat(64) }],
  ...properties({ 'tcf:hash:subject': 'SHA-256: file' }),
});

/** `+ name version`, `- name version`, `~ name old new: aspects`. */
function told(before: SbomFacts, after: SbomFacts): readonly string[] {
  const diff = diffBoms(before, after);
  return [
    ...diff.added.map(({ name, version }) => `+ ${name} ${version}`),
    ...diff.removed.map(({ name, version }) => `- ${name} ${version}`),
    ...diff.changed.map(
      (change) =>
        `~ ${change.after.name} ${change.before.version} ${change.after.version}: ${change.aspects.join(' ')}`,
    ),
  ];
}

const upstream = 'a'.repeat(40);
const fork = 'b'.repeat(40);

test.for([
  ['the same twice', [deb('bash', '1')], [deb('bash', '1')], []],
  ['a package comes', [], [deb('bash', '1')], ['+ bash 1']],
  ['a package goes', [deb('bash', '1')], [], ['- bash 1']],
  ['a package moves', [deb('bash', '1')], [deb('bash', '2')], ['~ bash 1 2: version']],
  [
    'one of two architectures goes',
    [deb('libc6', '1', 'amd64'), deb('libc6', '1', 'i386')],
    [deb('libc6', '1', 'amd64')],
    ['- libc6 1'],
  ],
  [
    'one of two architectures moves',
    [deb('libc6', '1', 'amd64'), deb('libc6', '1', 'i386')],
    [deb('libc6', '1', 'amd64'), deb('libc6', '2', 'i386')],
    ['~ libc6 1 2: version'],
  ],
  [
    'the image was built for another architecture',
    [deb('bash', '1', 'amd64')],
    [deb('bash', '1', 'arm64')],
    ['~ bash 1 1: version'],
  ],
  [
    'two environments swap nothing and one is upgraded',
    [wheel('numpy', '1.26', 'opt/a'), wheel('numpy', '2.1', 'opt/b')],
    [wheel('numpy', '2.1', 'opt/b'), wheel('numpy', '2.2', 'opt/a')],
    ['~ numpy 1.26 2.2: version'],
  ],
  [
    'an environment moves to another folder',
    [wheel('numpy', '2.1', 'opt/a')],
    [wheel('numpy', '2.1', 'srv/a')],
    [],
  ],
  [
    'the same name in another ecosystem',
    [deb('six', '1')],
    [wheel('six', '1', 'opt')],
    ['+ six 1', '- six 1'],
  ],
  [
    'a licence changes',
    [deb('redis', '1', 'amd64', { licenses: [{ license: { id: 'BSD-3-Clause' } }] })],
    [deb('redis', '1', 'amd64', { licenses: [{ license: { id: 'SSPL-1.0' } }] })],
    ['~ redis 1 1: licenses'],
  ],
  [
    'other bytes under the same version',
    [wheel('torch', '2.0', 'opt', sha('a'))],
    [wheel('torch', '2.0', 'opt', sha('b'))],
    ['~ torch 2.0 2.0: content'],
  ],
  [
    'other bytes of another version are no news',
    [wheel('torch', '2.0', 'opt', sha('a'))],
    [wheel('torch', '2.1', 'opt', sha('b'))],
    ['~ torch 2.0 2.1: version'],
  ],
  [
    'a hash of something else is not compared',
    [wheel('torch', '2.0', 'opt', sha('a'))],
    [wheel('torch', '2.0', 'opt', { hashes: [{ alg: 'SHA-256', content: 'b'.repeat(64) }] })],
    [],
  ],
  [
    'a hash that only one side has',
    [wheel('torch', '2.0', 'opt', sha('a'))],
    [wheel('torch', '2.0', 'opt')],
    [],
  ],
  [
    'the pin moves to a fork',
    [llvm('llvm', upstream, 'match')],
    [llvm('triton-lang', fork, 'match')],
    [`~ llvm 22.0.0git+aaaaaaaa 22.0.0git+bbbbbbbb: version pin`],
  ],
  [
    'the pin no longer holds',
    [llvm('llvm', upstream, 'match')],
    [llvm('llvm', upstream, 'mismatch')],
    [`~ llvm 22.0.0git+aaaaaaaa 22.0.0git+aaaaaaaa: pin`],
  ],
  [
    'the distribution is upgraded',
    [{ type: 'operating-system', name: 'debian', version: '12' }],
    [{ type: 'operating-system', name: 'ubuntu', version: '26.04' }],
    ['~ ubuntu 12 26.04: version'],
  ],
  [
    'what has no purl goes by its name, and what has a broken one too',
    [{ type: 'application', name: 'gosu', version: '1', purl: 'no purl' }],
    [{ type: 'application', name: 'gosu', version: '2' }],
    ['~ gosu 1 2: version'],
  ],
  [
    'nested components are looked at',
    [{ type: 'library', name: 'pip', version: '1', components: [wheel('rich', '1', 'v')] }],
    [{ type: 'library', name: 'pip', version: '1', components: [wheel('rich', '2', 'v')] }],
    ['~ rich 1 2: version'],
  ],
] as const)('%s', ([, before, after, expected]) => {
  expect(told(facts(...before), facts(...after))).toEqual(expected);
});

const component = fc.record({
  name: fc.constantFrom('a', 'b', 'constructor', '__proto__'),
  version: fc.constantFrom('1', '2', '3'),
  location: fc.constantFrom('opt/x', 'opt/y'),
});
const components = fc
  .array(component, { maxLength: 12 })
  .map((list) => list.map(({ location, name, version }) => wheel(name, version, location)));

test('every component is told exactly once, whatever the documents hold', () => {
  fc.assert(
    fc.property(components, components, (before, after) => {
      const diff = diffBoms(facts(...before), facts(...after));
      const pairs = diff.changed.length + diff.unchanged;
      expect(diff.removed.length + pairs).toBe(before.length);
      expect(diff.added.length + pairs).toBe(after.length);
    }),
  );
});

test('the order of the documents does not matter, and the same twice is nothing', () => {
  fc.assert(
    fc.property(components, components, fc.infiniteStream(fc.nat()), (before, after, random) => {
      const shuffled = after
        .map((item) => ({ item, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item);
      expect(told(facts(...before), facts(...shuffled))).toEqual(told(facts(...before), facts(...after)));
      expect(isEmptyDiff(diffBoms(facts(...after), facts(...shuffled)))).toBe(true);
    }),
  );
});

test('one name 20,000 times is no work', () => {
  const many = (version: string) => Array.from({ length: 20_000 }, () => deb('x', version));
  const diff = diffBoms(facts(...many('1')), facts(...many('2')));
  expect(diff.changed).toHaveLength(20_000);
});
