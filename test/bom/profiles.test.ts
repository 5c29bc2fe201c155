import { expect, test } from 'vitest';
import { type CycloneDxOptions, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { formatCycloneDxXml } from '../../src/bom/cyclonedx-xml.ts';
import type { Bom, Component } from '../../src/bom/model.ts';
import {
  missingFields,
  type ProfileDiagnostic,
  profileNames,
  profileProperties,
  profiles,
  type SbomProfile,
  unknownFields,
} from '../../src/bom/profiles.ts';
import { parseSbom } from '../../src/bom/read.ts';
import { rootRef } from '../../src/bom/subject.ts';
import { binary, bomOf, catalog, deb, debian, none, schemaOf, subject, wheel } from '../support/bom.ts';

const hash = { algorithm: 'SHA-256', value: 'a'.repeat(64), subject: 'RECORD' } as const;
const bash = deb('bash', {
  supplier: { name: 'Debian', contacts: [{ name: 'Matthias Klose', email: 'doko@debian.org' }] },
  licenses: [{ acknowledgement: 'declared', name: 'GPL-3+ with exceptions' }],
  hashes: [hash],
});
const torch = wheel('torch', 'opt/lib/torch-2.0.dist-info/METADATA', {
  authors: [{ name: 'PyTorch Team' }],
  externalReferences: [
    { type: 'website', url: 'https://pytorch.org' },
    { type: 'vcs', url: 'https://github.com/pytorch/pytorch' },
  ],
  licenses: [{ acknowledgement: 'concluded', expression: 'BSD-3-Clause' }],
  hashes: [hash],
});
const ptxas = binary('ptxas', 'opt/bin%dir/ptxas', {
  supplier: { name: 'NVIDIA', url: 'https://www.nvidia.com/' },
  licenses: [{ acknowledgement: 'concluded', expression: 'LicenseRef-NVIDIA-CUDA-EULA' }],
  hashes: [
    { ...hash, subject: 'file' },
    { algorithm: 'SHA-512', value: 'b'.repeat(128), subject: 'file' },
  ],
});
const os: Component = {
  ...debian,
  supplier: { name: 'Debian', url: 'https://www.debian.org/' },
  licenses: [{ acknowledgement: 'concluded', expression: 'LicenseRef-debian' }],
  hashes: [{ ...hash, subject: 'os-release' }],
};

function bom(...changed: readonly Component[]): Bom {
  const given = (component: Component) => changed.find(({ name }) => name === component.name) ?? component;
  const [debs, wheels, tools] = [bash, torch, ptxas].map(given) as [Component, Component, Component];
  return bomOf({
    os: catalog({ components: [given(os)] }),
    dpkg: catalog({ components: [debs], dependencies: none(debs) }),
    python: catalog({ components: [wheels], unknownDependencies: [wheels.bomRef] }),
    cuda: catalog({ components: [tools] }),
  });
}

function options(profile: SbomProfile, specVersion: '1.6' | '1.7' = '1.7'): CycloneDxOptions {
  return {
    specVersion,
    toolVersion: '0.1.0',
    timestamp: '2026-11-20T10:00:00Z',
    authors: [{ name: 'Ann', email: 'ann@example.org' }],
    supplier: { name: 'Acme', url: 'https://acme.example' },
    profile,
  };
}

const missing = (profile: SbomProfile, of: Bom, changed: Partial<CycloneDxOptions> = {}) =>
  missingFields(toCycloneDx(of, { ...options(profile), ...changed }), profile).map(
    ({ field, subject: about }) => `${field} of ${about}`,
  );

test.for(profiles)('%s: a document with everything is complete, and valid in both versions', (profile) => {
  expect(missing(profile, bom())).toEqual([]);
  for (const specVersion of ['1.6', '1.7'] as const) {
    const document = toCycloneDx(bom(), options(profile, specVersion));
    expect(schemaOf(specVersion)(document)).toEqual([]);
    expect(missingFields(document, profile)).toEqual([]);
    expect(formatCycloneDxXml(document, specVersion)).toContain(
      '<manufacturer>'.repeat(profile === 'bsi' ? 1 : 0),
    );
  }
});

const { supplier: _, ...orphan } = bash;
const { version: __, ...undated } = torch;
const { purl: ___, ...nameless } = torch;
const { hashes: ____, ...unhashed } = torch;
const { licenses: _____, ...unlicensed } = torch;
const { authors: ______, ...unsigned } = torch;

test.for<[string, readonly SbomProfile[], Component, string]>([
  ['no supplier', ['ntia'], orphan, `supplier of ${bash.bomRef}`],
  ['nobody at all', ['ntia'], unsigned, `supplier of ${torch.bomRef}`],
  ['no version', ['bsi'], undated, `version of ${torch.bomRef}`],
  ['no identifier', ['ntia'], nameless, `identifier of ${torch.bomRef}`],
  ['no license at all', ['bsi'], unlicensed, `distribution license of ${torch.bomRef}`],
  [
    'a creator without an address',
    ['bsi'],
    { ...orphan, supplier: { name: 'Debian', contacts: [{ name: 'x', email: 'root at localhost' }] } },
    `creator with an e-mail address or URL of ${bash.bomRef}`,
  ],
  [
    'a file without SHA-512',
    ['bsi'],
    { ...ptxas, hashes: [{ ...hash, subject: 'file' }] },
    `SHA-512 of the file of ${ptxas.bomRef}`,
  ],
])('%s is named', ([, of, component, expected]) => {
  for (const profile of of) {
    expect(missing(profile, bom(component)), profile).toEqual([expected]);
  }
});

test.for<[string, SbomProfile, Component, readonly string[]]>([
  ['version', 'cisa', undated, ['version']],
  ['version', 'ntia', undated, ['version']],
  ['license', 'cisa', unlicensed, ['license']],
  ['hash', 'cisa', unhashed, ['hash']],
  ['producer', 'cisa', unsigned, ['producer']],
  ['identifier', 'cisa', nameless, ['identifier']],
  ['hash', 'ntia', unhashed, []],
  ['license', 'ntia', unlicensed, []],
  ['version', 'bsi', undated, []],
])(
  'an unknown %s is stated, which is an answer to %s if it asks for the field',
  ([, profile, component, expected]) => {
    const document = toCycloneDx(bom(component), options(profile));
    const { bomRef: ref } = torch;
    expect(unknownFields(document, profile)).toEqual(
      expected.map((field) => ({
        level: 'note',
        code: `profile.unknown.${field}`,
        subject: ref,
        message: `unknown ${field}`,
        field,
      })),
    );
    expect(missingFields(document, profile)).toMatchObject(
      profile === 'bsi' ? [{ subject: ref, field: 'version' }] : [],
    );
  },
);

test('an unknown version is called unknown for CISA and NTIA, and rules still see none', () => {
  const read = (profile?: SbomProfile) => {
    const { profile: _profile, ...plain } = options('ntia');
    const document = toCycloneDx(bom(undated), profile === undefined ? plain : options(profile));
    const components = document['components'] as readonly Record<string, unknown>[];
    return {
      written: components.find(({ name }) => name === 'torch')?.['version'],
      seen: parseSbom(document, 'x').components.find(({ name }) => name === 'torch')?.version,
    };
  };
  expect([read(), read('bsi'), read('cisa'), read('ntia')]).toEqual([
    { written: undefined, seen: undefined },
    { written: undefined, seen: undefined },
    { written: 'unknown', seen: undefined },
    { written: 'unknown', seen: undefined },
  ]);
});

test('BSI takes the date of the last change for the version of a file that has none', () => {
  const { version: _version, ...tool } = ptxas;
  const dated = { ...tool, properties: [{ name: 'tcf:file:modified', value: '2026-11-28T07:52:06Z' }] };
  const document = toCycloneDx(bom(dated), options('bsi'));
  expect(missingFields(document, 'bsi')).toEqual([]);
  const found = (document['components'] as readonly Record<string, unknown>[]).find(
    ({ name }) => name === 'ptxas',
  );
  expect(found?.['version']).toBe('2026-11-28T07:52:06Z');
  expect(found?.['properties']).toContainEqual({
    name: 'tcf:bsi:version',
    value: 'modification date of the file',
  });
});

test.for<[string, readonly SbomProfile[], Partial<CycloneDxOptions>, string]>([
  ['author', ['cisa', 'ntia'], { authors: [] }, 'author of document'],
  [
    'author with an address',
    ['bsi'],
    { authors: [{ name: 'Ann' }] },
    'creator with an e-mail address or URL of document',
  ],
  ['timestamp', ['bsi', 'cisa', 'ntia'], { timestamp: '' }, 'timestamp of document'],
])('a document without %s is not complete', ([, of, changed, expected]) => {
  for (const profile of of) {
    expect(missing(profile, bom(), changed), profile).toEqual([expected]);
  }
});

test.for([
  ['tool name', 'tools'],
  ['generation context', 'lifecycles'],
] as const)('CISA wants the %s', ([field, member]) => {
  const { metadata, ...rest } = toCycloneDx(bom(), options('cisa'));
  const { [member]: gone, ...kept } = metadata as Record<string, unknown>;
  expect(gone).toBeDefined();
  expect(missingFields({ ...rest, metadata: kept }, 'cisa')).toContainEqual(
    expect.objectContaining({ subject: 'document', field }),
  );
});

test.for([
  ['data format name', 'bomFormat'],
  ['data format version', 'specVersion'],
  ['SBOM version', 'version'],
] as const)('CISA 2026 wants the %s', ([field, member]) => {
  const { [member]: gone, ...kept } = toCycloneDx(bom(), options('cisa'));
  expect(gone).toBeDefined();
  expect(missingFields(kept, 'cisa')).toMatchObject([{ subject: 'document', field }]);
});

test.for([
  ['tool version', '"name":"tcf","version":"0.1.0"', '"name":"tcf"'],
  ['hash algorithm', '"alg":"SHA-256",', ''],
  ['hash value', '"content":"aaaa', '"content":"","x":"aaaa'],
] as const)('CISA 2026 wants each %s', ([field, from, to]) => {
  const text = JSON.stringify(toCycloneDx(bom(), options('cisa')));
  const [first] = missingFields(JSON.parse(text.replace(from, to)), 'cisa');
  expect(first).toMatchObject({ level: 'error', field });
});

test('each profile names its edition', () => {
  for (const profile of profiles) {
    expect(profileNames[profile]).toMatch(/ (?:20\d\d|v\d\.\d)/);
  }
});

test.for(profiles)('%s: a component about whose dependencies nothing is said is named', (profile) => {
  const document = toCycloneDx(bom(), options(profile));
  const dependencies = (document['dependencies'] as readonly { ref: string }[]).filter(
    ({ ref }) => ref !== bash.bomRef,
  );
  expect(missingFields({ ...document, dependencies }, profile)).toMatchObject([
    { subject: bash.bomRef, field: 'dependencies' },
  ]);
});

test('the fields of BSI: one file has a name and SHA-512, what came from a package is logical', () => {
  const document = toCycloneDx(bom(), options('bsi', '1.6'));
  const components = document['components'] as readonly Record<string, unknown>[];
  const find = (name: string) => components.find((component) => component['name'] === name);
  expect(document['metadata']).toMatchObject({
    manufacturer: { name: 'Ann', contact: [{ name: 'Ann', email: 'ann@example.org' }] },
    component: {
      'bom-ref': rootRef(subject),
      manufacturer: { name: 'Ada', contact: [{ email: 'ada@example.org' }] },
    },
  });
  expect(find('ptxas')).toMatchObject({
    manufacturer: { name: 'NVIDIA', url: ['https://www.nvidia.com/'] },
    externalReferences: [
      {
        type: 'distribution',
        url: 'file:///opt/bin%25dir/ptxas',
        hashes: [{ alg: 'SHA-512', content: 'b'.repeat(128) }],
      },
    ],
  });
  const said = (name: string) =>
    ((find(name)?.['properties'] ?? []) as readonly { name: string; value: string }[])
      .filter((property) => /bsi/.test(property.name))
      .map((property) => `${property.name} ${property.value}`);
  expect(said('ptxas')).toEqual([
    'bsi:component:archive no archive',
    'bsi:component:executable executable',
    'bsi:component:filename ptxas',
    'bsi:component:structured unstructured',
    'tcf:bsi:kind file',
  ]);
  expect(said('bash')).toEqual(['tcf:bsi:kind logical']);
  expect(find('bash')).toMatchObject({
    manufacturer: { name: 'Debian', contact: [{ email: 'doko@debian.org' }] },
    licenses: [{ expression: 'LicenseRef-tcf-GPL-3-with-exceptions', acknowledgement: 'concluded' }],
  });
  expect(find('torch')).toMatchObject({
    manufacturer: { name: 'PyTorch Team', url: ['https://pytorch.org'] },
    externalReferences: expect.arrayContaining([
      { type: 'source-distribution', url: 'https://github.com/pytorch/pytorch' },
    ]),
  });
});

test.for([
  ['bsi:component:filename', 'filename'],
  ['bsi:component:executable', 'executable property'],
  ['bsi:component:archive', 'archive property'],
  ['bsi:component:structured', 'structured property'],
] as const)('BSI wants %s of a file', ([name, field]) => {
  const text = JSON.stringify(toCycloneDx(bom(), options('bsi')));
  expect(missingFields(JSON.parse(text.replace(`"${name}"`, '"x"')), 'bsi')).toMatchObject([
    { subject: ptxas.bomRef, field },
  ]);
});

test('BSI wants a URI of the SBOM, everybody a name of each component', () => {
  const { serialNumber: _serial, ...anonymous } = toCycloneDx(bom(), options('bsi'));
  expect(missingFields(anonymous, 'bsi')).toEqual([
    {
      level: 'error',
      code: 'profile.missing.sbom-uri',
      subject: 'document',
      message: 'no SBOM-URI',
      field: 'SBOM-URI',
    },
  ]);
  for (const profile of profiles) {
    const text = JSON.stringify(toCycloneDx(bom(), options(profile)));
    const unnamed = JSON.parse(text.replace('"name":"bash"', '"name":""'));
    expect(missingFields(unnamed, profile)).toMatchObject([{ subject: bash.bomRef, field: 'name' }]);
  }
});

test('without the profile none of that stands in the document', () => {
  const { profile: _profile, ...plain } = options('bsi');
  const text = JSON.stringify(toCycloneDx(bom(), plain));
  for (const word of ['bsi:', 'manufacturer', 'LicenseRef-tcf']) {
    expect(text).not.toContain(word);
  }
});

test('what is missing is listed in the document, up to a thousand', () => {
  const many = Array.from(
    { length: 1500 },
    (_, index): ProfileDiagnostic => ({
      level: 'error',
      code: 'profile.missing.version',
      subject: `r${index}`,
      message: 'no version',
      field: 'version',
    }),
  );
  const properties = profileProperties('ntia', many, many.slice(0, 3));
  expect(properties.slice(0, 4)).toEqual([
    { name: 'tcf:profile', value: 'NTIA 2021 minimum elements' },
    { name: 'tcf:profile:missing:count', value: '1500' },
    { name: 'tcf:profile:unknown:count', value: '3' },
    { name: 'tcf:profile:missing', value: 'version of r0' },
  ]);
  expect(properties).toHaveLength(1003);
});
