import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import { parseJson } from '../../src/base/json.ts';
import { parseSbom } from '../../src/bom/read.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const c = 'c'.repeat(64);

const document = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
  metadata: {
    timestamp: '2026-11-23T00:00:00Z',
    tools: { components: [{ type: 'application', name: 'scanner', version: '1.2' }] },
    component: {
      type: 'container',
      name: 'app',
      version: `sha256:${a}`,
      purl: `pkg:oci/app@sha256:${b}?repository_url=ghcr.io%2Facme%2Fapp`,
      hashes: [{ alg: 'SHA-256', content: c }],
      properties: [{ name: 'aquasecurity:trivy:ImageID', value: `sha256:${c}` }],
    },
  },
  components: [
    {
      'bom-ref': 'torch',
      type: 'library',
      name: 'torch',
      version: '2.6.0',
      purl: 'pkg:PyPI/Torch@2.6.0',
      licenses: [
        { license: { id: 'MIT' } },
        { license: { name: 'BSD' } },
        { expression: 'MIT OR ISC', acknowledgement: 'concluded' },
      ],
      hashes: [{ alg: 'SHA-256', content: c }],
      evidence: {
        licenses: [{ license: { id: 'MIT' } }],
        occurrences: [{ location: 'opt/venv/torch' }, { location: 'opt/other/torch' }],
      },
      properties: [
        { name: 'tcf:x', value: '1' },
        { name: 'tcf:x', value: '2' },
        { name: '__proto__', value: 'p' },
      ],
      components: [{ type: 'library', name: 'llvm', purl: 'not a purl' }],
    },
  ],
  compositions: [{ aggregate: 'complete' }, { aggregate: 'incomplete', assemblies: ['torch'] }],
};

test('the facts of a document by another tool', () => {
  const facts = parseSbom(parseJson(JSON.stringify(document), 'the SBOM'), 'the SBOM');
  expect(facts).toEqual({
    specVersion: '1.6',
    serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
    timestamp: '2026-11-23T00:00:00Z',
    tools: ['scanner 1.2'],
    subject: {
      name: 'app',
      digests: [`sha256:${a}`, `sha256:${b}`, `sha256:${c}`],
      hashes: [`sha256:${'c'.repeat(64)}`],
      ancestors: [],
    },
    components: [
      {
        bomRef: 'torch',
        type: 'library',
        name: 'torch',
        version: '2.6.0',
        purl: 'pkg:pypi/torch@2.6.0',
        properties: { 'tcf:x': '1\n2', ['__proto__']: 'p' },
        licenses: ['MIT', 'BSD', 'MIT OR ISC'],
        hashes: [`SHA-256 ${c}`],
        location: 'opt/venv/torch',
      },
      {
        type: 'library',
        name: 'llvm',
        purl: 'not a purl',
        properties: {},
        licenses: [],
        hashes: [],
        owner: 'torch',
      },
    ],
    complete: true,
    isVex: false,
  });
});

test.for([
  ['an object with components', { components: [{ name: 'syft', version: '1.51.0' }] }, ['syft 1.51.0']],
  ['a plain list, as before 1.5', [{ vendor: 'acme', name: 'scan' }], ['scan']],
  ['tools without a name', [{ vendor: 'acme' }, {}], []],
] as const)('who wrote it: %s', ([, tools, expected]) => {
  expect(parseSbom({ ...document, metadata: { tools } }, 'the SBOM').tools).toEqual(expected);
});

test.for([
  ['nothing is said', [], undefined],
  ['complete', [{ aggregate: 'complete' }], true],
  ['unknown', [{ aggregate: 'unknown' }], false],
  ['complete and incomplete at once', [{ aggregate: 'complete' }, { aggregate: 'incomplete' }], false],
  ['complete for one component only', [{ aggregate: 'complete', assemblies: ['x'] }], undefined],
] as const)('completeness: %s', ([, compositions, complete]) => {
  expect(parseSbom({ ...document, compositions }, 'the SBOM').complete).toBe(complete);
});

const nested = (depth: number): object => ({
  type: 'library',
  name: 'x',
  ...(depth === 0 ? {} : { components: [nested(depth - 1)] }),
});

test.for([
  ['a list', [], 'document.malformed'],
  ['an SPDX document', { spdxVersion: 'SPDX-2.3' }, 'sbom.format'],
  ['another version', { ...document, specVersion: '2.0' }, 'sbom.format'],
  ['components that are no list', { ...document, components: {} }, 'document.malformed'],
  ['a component without a name', { ...document, components: [{ type: 'library' }] }, 'document.malformed'],
  [
    'a version that is a number',
    { ...document, components: [{ type: 'library', name: 'x', version: 1 }] },
    'document.malformed',
  ],
  [
    'a licence without a name',
    { ...document, components: [{ type: 'library', name: 'x', licenses: [{ license: {} }] }] },
    'document.malformed',
  ],
  ['components nested too deep', { ...document, components: [nested(40)] }, 'document.malformed'],
  [
    'too many components',
    { ...document, components: Array(200_001).fill({ type: 'library', name: 'x' }) },
    'document.malformed',
  ],
  [
    'too many components together',
    {
      ...document,
      components: [0, 1].map(() => ({
        type: 'library',
        name: 'x',
        components: Array(100_001).fill({ type: 'library', name: 'x' }),
      })),
    },
    'sbom.too-large',
  ],
] as const)('refused: %s', ([, value, code]) => {
  const thrown = (() => {
    try {
      return parseSbom(value, 'the SBOM');
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toBeInstanceOf(TcfError);
  expect(thrown).toMatchObject({ code, exit: 2 });
});
