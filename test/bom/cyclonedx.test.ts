import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../src/base/json.ts';
import { type CycloneDxOptions, formatCycloneDx, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import type { License } from '../../src/bom/model.ts';
import { parseSbom } from '../../src/bom/read.ts';
import { rootRef } from '../../src/bom/subject.ts';
import { bomOf, catalog, deb, debian, none, richBom, schemaOf, subject, wheel } from '../support/bom.ts';

const versions = ['1.6', '1.7'] as const;
const options: CycloneDxOptions = {
  specVersion: '1.7',
  toolVersion: '0.1.0',
  timestamp: '2026-11-20T10:00:00Z',
};
const check = { '1.6': schemaOf('1.6'), '1.7': schemaOf('1.7') };

test.for(versions)('a BOM with everything in it is valid by the schema of %s', (specVersion) => {
  const document = toCycloneDx(richBom(), { ...options, specVersion });
  expect(check[specVersion](document)).toEqual([]);
});

test.for(versions)(
  'the schema of %s notices what is wrong, so that its silence says something',
  (specVersion) => {
    const document = toCycloneDx(richBom(), { ...options, specVersion });
    expect(check[specVersion]({ ...document, extra: 1 })).not.toEqual([]);
    expect(check[specVersion]({ ...document, metadata: { timestamp: 'yesterday' } })).not.toEqual([]);
  },
);

test('a small BOM, byte for byte', () => {
  const bash = deb('bash');
  const libc = deb('libc6');
  const torch = wheel('torch', 'usr/lib/python3/dist-packages/torch-2.0.dist-info/METADATA');
  const bom = bomOf({
    os: catalog({ components: [debian] }),
    dpkg: catalog({
      components: [bash, libc],
      dependencies: [{ ref: bash.bomRef, dependsOn: [libc.bomRef] }, ...none(libc)],
    }),
    python: catalog({ components: [torch], unknownDependencies: [torch.bomRef] }),
  });
  const golden = new URL('../../fixtures/bom/small.cdx.json', import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(golden, formatCycloneDx(bom, options));
  }
  expect(formatCycloneDx(bom, options)).toBe(readFileSync(golden, 'utf8'));
});

test('the same BOM gives the same bytes in every time zone', () => {
  const before = process.env['TZ'];
  try {
    const texts = ['UTC', 'Asia/Kathmandu', 'America/St_Johns'].map((zone) => {
      process.env['TZ'] = zone;
      return formatCycloneDx(richBom(), options);
    });
    expect(new Set(texts).size).toBe(1);
  } finally {
    if (before === undefined) {
      delete process.env['TZ'];
    } else {
      process.env['TZ'] = before;
    }
  }
});

test('another transport changes name and purl of the root and the serial, nothing else', () => {
  const bom = richBom();
  const { manifestDigest: _, repository: __, ...archive } = { ...bom.subject, name: 'other' };
  const lines = (text: string): readonly string[] => text.split('\n');
  const one = lines(formatCycloneDx(bom, options));
  const two = lines(formatCycloneDx({ ...bom, subject: archive }, options));
  const only = (a: readonly string[], b: readonly string[]): readonly string[] =>
    a.filter((line) => !b.includes(line)).map((line) => line.replace(/:.*/, '').trim());
  expect(only(one, two)).toEqual(['"serialNumber"', '"name"', '"purl"']);
  expect(only(two, one)).toEqual(['"serialNumber"', '"name"']);
});

test.for([
  ['another image', { configDigest: `sha256:${'e'.repeat(64)}` }, {}],
  ['another platform', { architecture: 'arm64' }, {}],
  ['another tool version', {}, { toolVersion: '0.2.0' }],
  ['another format version', {}, { specVersion: '1.6' }],
  ['another time', {}, { timestamp: '2026-11-21T10:00:00Z' }],
  ['other scan options', {}, { scanOptions: { profile: 'bsi' } }],
] as const)('the serial changes with %s', ([, subjectChange, optionChange]) => {
  const bom = richBom();
  const serial = toCycloneDx(bom, options)['serialNumber'];
  const changed = toCycloneDx(
    { ...bom, subject: { ...bom.subject, ...subjectChange } },
    { ...options, ...optionChange },
  );
  expect(serial).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(changed['serialNumber']).not.toBe(serial);
});

test('a unique serial is taken as it is', () => {
  const uniqueSerial = '3e671687-395b-41f5-a30f-a58921a69b79';
  expect(toCycloneDx(richBom(), { ...options, uniqueSerial })['serialNumber']).toBe(
    `urn:uuid:${uniqueSerial}`,
  );
});

test('metadata names image, tool, life cycle, authors, supplier and the licence of the data', () => {
  const { metadata } = JSON.parse(formatCycloneDx(richBom(), options));
  expect(metadata).toMatchObject({
    timestamp: options.timestamp,
    lifecycles: [{ phase: 'post-build' }],
    tools: { components: [{ type: 'application', name: 'tcf', version: '0.1.0' }] },
    authors: [{ name: 'Ada', email: 'ada@example.org' }, { name: 'the build team' }],
    supplier: { name: 'Acme' },
    licenses: [{ license: { id: 'CC0-1.0' } }],
    component: {
      type: 'container',
      'bom-ref': rootRef(subject),
      name: 'triton-dev',
      version: subject.configDigest,
      purl: `pkg:oci/triton-dev@sha256:${'d'.repeat(64)}?arch=amd64&repository_url=ghcr.io%2Facme%2Ftriton-dev`,
      hashes: [{ alg: 'SHA-256', content: 'c'.repeat(64) }],
    },
  });
});

const mit: License = { acknowledgement: 'concluded', expression: 'MIT' };
const either: License = { acknowledgement: 'concluded', expression: 'MIT OR ISC' };
const said: License = { acknowledgement: 'declared', expression: 'MIT OR ISC' };
const named: License = { acknowledgement: 'declared', name: 'MIT License' };
const recent: License = { acknowledgement: 'concluded', expression: 'Artistic-dist' };
const other: License = { acknowledgement: 'declared', expression: 'MIT AND ISC' };
const id = (license: string, acknowledgement: string): object => ({
  license: { id: license, acknowledgement },
});
const name = (license: string, acknowledgement: string): object => ({
  license: { name: license, acknowledgement },
});
const expression = (text: string, acknowledgement: string): object => ({ expression: text, acknowledgement });

test.for([
  [
    'one id and a name',
    '1.6',
    [mit, named],
    [id('MIT', 'concluded'), name('MIT License', 'declared')],
    undefined,
  ],
  [
    'an expression and a name',
    '1.6',
    [either, named],
    [expression('MIT OR ISC', 'concluded')],
    [name('MIT License', 'declared')],
  ],
  [
    'two expressions',
    '1.6',
    [said, either],
    [expression('MIT OR ISC', 'concluded')],
    [expression('MIT OR ISC', 'declared')],
  ],
  ['a declared expression alone', '1.6', [said], [expression('MIT OR ISC', 'declared')], undefined],
  [
    'declared expressions, nothing concluded',
    '1.6',
    [said, other],
    [name('MIT AND ISC', 'declared'), name('MIT OR ISC', 'declared')],
    undefined,
  ],
  [
    'an expression, a name and a conclusion',
    '1.6',
    [either, said, named],
    [expression('MIT OR ISC', 'concluded')],
    [name('MIT OR ISC', 'declared'), name('MIT License', 'declared')],
  ],
  ['an id that older lists lack', '1.6', [recent], [expression('Artistic-dist', 'concluded')], undefined],
  [
    'two expressions',
    '1.7',
    [said, either],
    [expression('MIT OR ISC', 'concluded'), expression('MIT OR ISC', 'declared')],
    undefined,
  ],
  [
    'an expression and a name',
    '1.7',
    [either, named],
    [expression('MIT OR ISC', 'concluded'), name('MIT License', 'declared')],
    undefined,
  ],
  ...(['1.6', '1.7'] as const).map(
    (version) =>
      [
        'a reference, which is on no list and so has a name',
        version,
        [{ acknowledgement: 'concluded', expression: 'LicenseRef-NVIDIA-CUDA-EULA' }],
        [name('LicenseRef-NVIDIA-CUDA-EULA', 'concluded')],
        undefined,
      ] as const,
  ),
  [
    'a reference and what was declared',
    '1.6',
    [{ acknowledgement: 'concluded', expression: 'LicenseRef-tcf-0a1b' }, named],
    [name('LicenseRef-tcf-0a1b', 'concluded'), name('MIT License', 'declared')],
    undefined,
  ],
  [
    'a reference within an expression',
    '1.6',
    [{ acknowledgement: 'concluded', expression: 'MIT AND LicenseRef-tcf-0a1b' }],
    [expression('MIT AND LicenseRef-tcf-0a1b', 'concluded')],
    undefined,
  ],
] as const)('licences: %s in %s', ([, specVersion, licenses, written, evidence]) => {
  const component = deb('x', { licenses, evidence: {} });
  const bom = bomOf({ dpkg: catalog({ components: [component] }) });
  const document = toCycloneDx(bom, { ...options, specVersion });
  const [form] = document['components'] as readonly {
    readonly licenses: unknown;
    readonly evidence?: { readonly licenses: unknown };
  }[];
  expect(form?.licenses).toEqual(written);
  expect(form?.evidence?.licenses).toEqual(evidence);
  expect(check[specVersion](document)).toEqual([]);
});

test('a hash says of which bytes it is, an occurrence in which layer and build step', () => {
  const text = formatCycloneDx(richBom(), options);
  expect(text).toContain('"value": "SHA-256: deb archive"');
  expect(text).toContain(`"additionalContext": "layer 1 sha256:${'1'.repeat(64)}: RUN pip install torch"`);
});

test('a URL that no schema takes is kept as a property', () => {
  const text = formatCycloneDx(richBom(), options);
  expect(text).toContain('"name": "tcf:reference:vcs",');
  expect(text).toContain('https://www.gnu.org/software/libc/%C3%BC?a=b%20c');
});

test('whatever strangers write, the document is valid, well-formed and without control characters', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(text, text, text, fc.webUrl(), (a, b, c, url) => {
      const component = deb('x', {
        bomRef: a,
        name: `x${b}`,
        description: c,
        supplier: { name: a, url: b, contacts: [{ name: c, email: b }] },
        licenses: [{ acknowledgement: 'declared', name: `x${c}` }],
        externalReferences: [
          { type: 'website', url: a },
          { type: 'other', url: `${url}${b}` },
        ],
        properties: [{ name: a, value: b }],
        evidence: { occurrences: [{ location: a }], copyright: [b] },
      });
      const bom = bomOf({ dpkg: catalog({ components: [component] }) });
      for (const specVersion of versions) {
        const written = formatCycloneDx(bom, { ...options, specVersion });
        expect(check[specVersion](JSON.parse(written))).toEqual([]);
        expect(written).not.toMatch(/\\u00[01]|[\u007f-\u009f]/);
        expect(parseSbom(parseJson(written, 'it'), 'it').components).toHaveLength(1);
      }
    }),
    { numRuns: 60 },
  );
});
