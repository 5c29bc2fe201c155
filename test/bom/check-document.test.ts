import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseJson } from '../../src/base/json.ts';
import { checkDocument } from '../../src/bom/check-document.ts';
import { toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { condensedSchemas, formatSchemas, schemaFile } from '../../toolchain/cyclonedx-schemas.ts';
import { richBom } from '../support/bom.ts';

const component = (name: string, more: object = {}) => ({ type: 'library', name, 'bom-ref': name, ...more });
const sound = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: component('root', { type: 'container' }) },
  components: [component('a', { components: [component('b')] }), component('c')],
  dependencies: [
    { ref: 'root', dependsOn: ['a', 'c'] },
    { ref: 'a', dependsOn: ['b', 'urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#x'] },
  ],
  compositions: [{ aggregate: 'complete', assemblies: ['a'], dependencies: ['c'] }],
};

test('the schemas are those of the library, as the script condenses them', () => {
  expect(formatSchemas(condensedSchemas()) === readFileSync(schemaFile, 'utf8')).toBe(true);
});

test.for(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'] as const)(
  'a small document of %s is sound',
  (specVersion) => {
    const { compositions: _, dependencies: __, ...rest } = sound;
    // Before 1.4 a component had to have a version.
    const small = JSON.parse(JSON.stringify(rest).replaceAll('"type":', '"version":"1","type":'));
    expect(checkDocument({ ...small, specVersion })).toEqual([]);
  },
);

test('what tcf writes is sound, and so are references to nested components and other BOMs', () => {
  expect(checkDocument(sound)).toEqual([]);
  const options = { toolVersion: '0.1.0', timestamp: '2026-11-20T10:00:00Z' };
  for (const specVersion of ['1.6', '1.7'] as const) {
    expect(checkDocument(toCycloneDx(richBom(), { ...options, specVersion }))).toEqual([]);
  }
});

test.for<[string, unknown, string, string]>([
  ['nothing', undefined, 'sbom.version', 'specVersion'],
  ['a list', [], 'sbom.version', 'specVersion'],
  ['another format', { ...sound, bomFormat: 'SPDX' }, 'sbom.version', 'specVersion'],
  ['a version that is not there', { ...sound, specVersion: '1.9' }, 'sbom.version', 'specVersion'],
  ['a version before JSON', { ...sound, specVersion: '1.1' }, 'sbom.version', 'specVersion'],
  [
    'a type of component that is not there',
    { ...sound, components: [component('a', { type: 'foo' })] },
    'sbom.schema',
    '/components/0/type',
  ],
  [
    'a licence id that is not there',
    { ...sound, components: [component('a', { licenses: [{ license: { id: 'Apache' } }] })] },
    'sbom.schema',
    '/components/0/licenses',
  ],
  [
    'a component without a name',
    { ...sound, components: [{ type: 'library' }] },
    'sbom.schema',
    '/components/0',
  ],
  ['a member that is not there', { ...sound, more: 1 }, 'sbom.schema', 'the document'],
  [
    'a hash that is too short',
    { ...sound, components: [component('a', { hashes: [{ alg: 'SHA-256', content: 'ab' }] })] },
    'sbom.schema',
    '/components/0/hashes/0/content',
  ],
  ['a bom-ref twice', { ...sound, components: [...sound.components, component('c')] }, 'sbom.bom-ref', 'c'],
  [
    'a bom-ref twice, nested',
    { ...sound, components: [...sound.components, component('d', { components: [component('b')] })] },
    'sbom.bom-ref',
    'b',
  ],
  [
    'the bom-ref of the subject twice',
    { ...sound, components: [...sound.components, component('root')] },
    'sbom.bom-ref',
    'root',
  ],
  [
    'a dependency on nothing',
    { ...sound, dependencies: [{ ref: 'root', dependsOn: ['gone'] }] },
    'sbom.dangling',
    'gone',
  ],
  ['an entry about nothing', { ...sound, dependencies: [{ ref: 'gone' }] }, 'sbom.dangling', 'gone'],
  [
    'what nothing provides',
    { ...sound, dependencies: [{ ref: 'a', provides: ['gone'] }] },
    'sbom.dangling',
    'gone',
  ],
  [
    'a composition of nothing',
    { ...sound, compositions: [{ aggregate: 'complete', assemblies: ['gone'] }] },
    'sbom.dangling',
    'gone',
  ],
  [
    'a composition about the graph of nothing',
    { ...sound, compositions: [{ aggregate: 'complete', dependencies: ['gone'] }] },
    'sbom.dangling',
    'gone',
  ],
  [
    'two entries of one component',
    {
      ...sound,
      dependencies: [
        { ref: 'a', dependsOn: ['b'] },
        { ref: 'a', dependsOn: ['c'] },
      ],
    },
    'sbom.dependencies',
    'a',
  ],
])('an error: %s', ([, document, code, subject]) => {
  const errors = checkDocument(document).filter(({ level }) => level === 'error');
  expect(errors.some((each) => each.code === code && each.subject?.startsWith(subject))).toBe(true);
});

test('what rules cannot read is a warning, and what they do not look at a note', () => {
  const purl = 'pkg:pypi/torch%zz';
  const document = { ...sound, components: [component('a', { purl })], dependencies: [], compositions: [] };
  const said = checkDocument({ ...document, vulnerabilities: [{ id: 'CVE-2026-1' }], services: [] });
  expect(said.map(({ code, level, subject }) => [level, code, subject])).toEqual([
    ['warning', 'sbom.purl', purl],
    ['note', 'sbom.passed-over', 'services'],
    ['note', 'sbom.passed-over', 'vulnerabilities'],
  ]);
});

test('many of one kind are counted and not listed', () => {
  const dependsOn = Array.from({ length: 5000 }, (_, at) => `gone-${at}`);
  const said = checkDocument({ ...sound, dependencies: [{ ref: 'root', dependsOn }] });
  expect(said).toHaveLength(21);
  expect(said.at(-1)?.subject).toBe('4980 more');
});

test('what a document brings along is never called, and many components are no work', () => {
  const hostile = { valueOf: 1, toString: 2, constructor: 3, ['__proto__']: null };
  const components = Array.from({ length: 20_000 }, (_, at) => component(`c${at}`));
  const document = { ...sound, components, dependencies: [], compositions: [], ...hostile };
  expect(checkDocument(parseJson(JSON.stringify(document), 'x')).map(({ code }) => code)).toEqual([
    'sbom.schema',
  ]);
  const twice = [component('a'), Object.fromEntries(Object.entries(component('a')).toReversed())];
  expect(checkDocument({ ...sound, components: twice })[0]).toMatchObject({
    code: 'sbom.schema',
    subject: '/components',
  });
});
