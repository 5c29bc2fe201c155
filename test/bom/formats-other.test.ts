import { expect, test } from 'vitest';
import { type CycloneDxOptions, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { sbomFormats } from '../../src/bom/formats/index.ts';
import type { Bom, Component } from '../../src/bom/model.ts';
import { bomOf, catalog, deb, debian, none, wheel } from '../support/bom.ts';

const options: CycloneDxOptions = {
  specVersion: '1.6',
  toolVersion: '0.1.0',
  timestamp: '2026-11-20T10:00:00Z',
};

function write(name: string, bom: Bom, env: Readonly<Record<string, string>> = {}): string {
  const format = sbomFormats.find((each) => each.name === name);
  return format?.write({ bom, options, document: toCycloneDx(bom, options) }, env) ?? '';
}

const torch = wheel('torch', 'opt/lib/torch-2.0.dist-info/METADATA');
const bomWith = (bash: Component): Bom =>
  bomOf({
    os: catalog({ components: [debian] }),
    dpkg: catalog({
      components: [bash, deb('libc6')],
      dependencies: [{ ref: bash.bomRef, dependsOn: [deb('libc6').bomRef] }, ...none(deb('libc6'))],
    }),
    python: catalog({ components: [torch], unknownDependencies: [torch.bomRef] }),
  });

interface Spdx {
  readonly packages: readonly Readonly<Record<string, unknown>>[];
  readonly relationships: readonly Readonly<Record<string, string>>[];
  readonly hasExtractedLicensingInfos?: readonly Readonly<Record<string, string>>[];
}
const spdx = (bash: Component): Spdx => JSON.parse(write('spdx-json', bomWith(bash))) as Spdx;

test.for<[string, Component['licenses'], string, string, number]>([
  ['nothing', undefined, 'NOASSERTION', 'NOASSERTION', 0],
  [
    'one of each',
    [
      { acknowledgement: 'declared', expression: 'MIT' },
      { acknowledgement: 'concluded', expression: 'MIT' },
    ],
    'MIT',
    'MIT',
    0,
  ],
  [
    'a name',
    [{ acknowledgement: 'declared', name: 'GPL with (a) twist' }],
    'NOASSERTION',
    'LicenseRef-tcf-name-',
    1,
  ],
  [
    'two that nobody joined',
    [
      { acknowledgement: 'declared', expression: 'MIT' },
      { acknowledgement: 'declared', expression: 'Zlib' },
    ],
    'NOASSERTION',
    'NOASSERTION',
    0,
  ],
  [
    'a text of its own',
    [{ acknowledgement: 'concluded', expression: 'MIT AND LicenseRef-tcf-0a1b' }],
    'MIT AND LicenseRef-tcf-0a1b',
    'NOASSERTION',
    1,
  ],
])('SPDX: the licence of %s', ([, licenses, concluded, declared, extracted]) => {
  const document = spdx(deb('bash', licenses === undefined ? {} : { licenses }));
  const found = document.packages.find(({ name }) => name === 'bash');
  expect(found?.['licenseConcluded']).toBe(concluded);
  expect(found?.['licenseDeclared']).toContain(declared);
  expect(document.hasExtractedLicensingInfos ?? []).toHaveLength(extracted);
});

test('SPDX: each id is one, each relationship leads somewhere, none and unknown are two answers', () => {
  const { packages, relationships } = spdx(deb('bash'));
  const ids = packages.map(({ SPDXID }) => String(SPDXID));
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
  }
  const known = new Set([...ids, 'SPDXRef-DOCUMENT', 'NONE', 'NOASSERTION']);
  const id = (name: string) => ids.find((each) => each.startsWith(`SPDXRef-${name}-`));
  for (const { relatedSpdxElement = '', spdxElementId = '' } of relationships) {
    expect(known).toContain(spdxElementId);
    expect(known).toContain(relatedSpdxElement);
  }
  const said = (from: string | undefined, type: string) =>
    relationships
      .filter((each) => each['spdxElementId'] === from && each['relationshipType'] === type)
      .map((each) => each['relatedSpdxElement']);
  expect(said(id('bash'), 'DEPENDS_ON')).toEqual([id('libc6')]);
  expect(said(id('libc6'), 'DEPENDS_ON')).toEqual(['NONE']);
  expect(said(id('torch'), 'DEPENDS_ON')).toEqual(['NOASSERTION']);
  expect(said(id('debian'), 'CONTAINS')).toEqual([id('bash'), id('libc6')].sort());
});

test('SPDX: a hash of a record is not the checksum of a package', () => {
  const hash = (subject: string) => ({ algorithm: 'SHA-256', value: 'a'.repeat(64), subject }) as const;
  const checksums = (subject: string) =>
    spdx(deb('bash', { hashes: [hash(subject)] })).packages.find(({ name }) => name === 'bash');
  expect(checksums('deb archive')?.['checksums']).toEqual([
    { algorithm: 'SHA256', checksumValue: 'a'.repeat(64) },
  ]);
  expect(checksums('md5sums')?.['checksums']).toBeUndefined();
  expect(checksums('md5sums')?.['comment']).toContain(`SHA-256 of md5sums: ${'a'.repeat(64)}`);
});

test("GitHub's snapshot: direct is what only the image asks for, and the workflow is named where there is one", () => {
  const env = {
    GITHUB_SHA: 'c'.repeat(40),
    GITHUB_REF: 'refs/heads/main',
    GITHUB_WORKFLOW: 'ci',
    GITHUB_JOB: 'sbom',
  };
  const snapshot = JSON.parse(write('github-json', bomWith(deb('bash')), env));
  const [manifest] = Object.values(snapshot.manifests) as [
    { readonly resolved: Readonly<Record<string, object>> },
  ];
  expect(snapshot).toMatchObject({
    version: 0,
    sha: 'c'.repeat(40),
    ref: 'refs/heads/main',
    job: { correlator: expect.stringMatching(/^ci_sbom_/) },
  });
  const [bash, libc] = [deb('bash').purl, deb('libc6').purl];
  expect(manifest.resolved[String(bash)]).toEqual({
    package_url: bash,
    relationship: 'direct',
    scope: 'runtime',
    dependencies: [libc],
  });
  expect(manifest.resolved[String(libc)]).toMatchObject({ relationship: 'indirect', dependencies: [] });
  expect(JSON.parse(write('github-json', bomWith(deb('bash'))))).toMatchObject({ sha: '', ref: '' });
});

test('the table escapes what a stranger wrote, and no cell is endless', () => {
  const text = write('table', bomWith(deb('bash', { name: `a\u001b[2J\n${'x'.repeat(500)}` })));
  expect(text).not.toContain('\u001b');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(260);
  expect(text.split('\n')).toHaveLength(6);
});
