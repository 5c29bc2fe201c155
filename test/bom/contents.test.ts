import { describe, expect, test } from 'vitest';
import { parseBomContents } from '../../src/bom/contents.ts';

const layer = (index: number, step = '') => ({
  location: `f${index}`,
  additionalContext: `layer ${index} sha256:${'0'.repeat(63)}${index}${step}`,
});
const property = (name: string, value: string) => ({ name, value });
const library = (name: string, more: object = {}) => ({ type: 'library', 'bom-ref': name, name, ...more });
const bom = (components: readonly object[], more: object = {}) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components,
  ...more,
});
const read = (components: readonly object[], more?: object) =>
  parseBomContents(bom(components, more), 'the SBOM');

test('a component lies in the lowest of its layers, and each layer is known once with its build step', () => {
  const { items, layers } = read([
    library('a', { evidence: { occurrences: [layer(3, ': RUN pip install a'), layer(1)] } }),
    library('b', { evidence: { occurrences: [layer(1)] } }),
    library('c', { evidence: { occurrences: [{ location: 'c', additionalContext: 'layer x' }] } }),
  ]);
  expect(items.map((item) => item.layer)).toEqual([1, 1, undefined]);
  expect(layers).toEqual([
    { index: 1, diffId: `sha256:${'0'.repeat(63)}1` },
    { index: 3, diffId: `sha256:${'0'.repeat(63)}3`, step: 'RUN pip install a' },
  ]);
});

test('what lies in a package is the same, nested or named by its owner', () => {
  const owner = (components: readonly object[]) =>
    read(components).items.map((item) => [item.component.name, item.owner]);
  const flat = owner([library('a'), library('b', { properties: [property('tcf:owned-by', 'a')] })]);
  expect(flat).toEqual([
    ['a', undefined],
    ['b', 0],
  ]);
  expect(owner([library('a', { components: [library('b')] })])).toEqual(flat);
});

test('edges lead to items; what leads nowhere, and to itself, is passed over', () => {
  const { items, roots } = read([library('a'), library('b'), library('c')], {
    dependencies: [
      { ref: 'a', dependsOn: ['b', 'b', 'gone', 'a'] },
      { ref: 'b', dependsOn: [] },
      { ref: 'image', dependsOn: ['a', 'b', 'c'] },
    ],
  });
  expect(items.map(({ needs }) => needs)).toEqual([[1], [], undefined]);
  expect(roots).toEqual([0, 2]);
});

describe('licences', () => {
  const named = (name: string) => ({ license: { name } });
  test.for([
    [
      'what is concluded',
      { licenses: [{ expression: 'MIT' }], evidence: { licenses: [named('Expat')] } },
      ['MIT'],
    ],
    ['what is declared', { evidence: { licenses: [named('Expat')] } }, ['Expat']],
    [
      'what is declared, in place of a text without a name',
      {
        licenses: [{ expression: 'LicenseRef-tcf-0123456789abcdef' }],
        evidence: { licenses: [named('GPL-2')] },
      },
      ['GPL-2'],
    ],
    [
      'a text without a name, where nothing is declared',
      { licenses: [{ expression: 'LicenseRef-tcf-0123456789abcdef' }] },
      ['LicenseRef-tcf-0123456789abcdef'],
    ],
    ['none', {}, []],
  ] as const)('%s', ([, component, licenses]) => {
    expect(read([library('a', component)]).items[0]?.licenses).toEqual(licenses);
  });
});

test.for([
  ['bytes', '4096', 4096],
  ['no number', '4 KiB', undefined],
  ['a script', '<script>', undefined],
] as const)('a size: %s', ([, value, size]) => {
  expect(read([library('a', { properties: [property('tcf:size', value)] })]).items[0]?.size).toBe(size);
});

test('a document of 100,000 components that all need one another by name is read in a moment', () => {
  const components = Array.from({ length: 100_000 }, (_, at) => library(`p${at}`));
  const started = performance.now();
  const { items } = read(components, {
    dependencies: components.map((_, at) => ({ ref: 'p0', dependsOn: [`p${at}`] })),
  });
  expect(items[0]?.needs).toHaveLength(99_999);
  expect(performance.now() - started).toBeLessThan(10_000);
});
