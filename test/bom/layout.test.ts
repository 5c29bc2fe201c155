import { expect, test } from 'vitest';
import { type CycloneDxOptions, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { flatten, withSourceForTrivy } from '../../src/bom/layout.ts';
import type { Component } from '../../src/bom/model.ts';
import { toPurl } from '../../src/bom/purl.ts';
import { parseSbom } from '../../src/bom/read.ts';
import { deb, richBom, schemaOf } from '../support/bom.ts';

const options: CycloneDxOptions = {
  specVersion: '1.6',
  toolVersion: '0.1.0',
  timestamp: '2026-11-20T10:00:00Z',
};

test('each nested component stands at the top and names its owner, however deep', () => {
  const tree = deb('a', { components: [deb('b', { components: [deb('c')] }), deb('d')] });
  const flat = flatten([tree]);
  const ownerOf = ({ properties = [] }: Component) =>
    properties.filter(({ name }) => name === 'tcf:owned-by').map(({ value }) => value);
  expect(flat.map((component) => [component.name, ...ownerOf(component)])).toEqual([
    ['a'],
    ['b', deb('a').bomRef],
    ['c', deb('b').bomRef],
    ['d', deb('a').bomRef],
  ]);
  expect(flat.every(({ components }) => components === undefined)).toBe(true);
  expect(flatten(flat)).toEqual(flat);
});

test('both layouts say the same of each component to a reader, and the graph is one', () => {
  const bom = richBom();
  const [flat, nested] = (['flat', 'nested'] as const).map((layout) =>
    toCycloneDx(bom, { ...options, layout }),
  );
  const read = (document: unknown) =>
    parseSbom(document, 'x')
      .components.map(({ properties: { 'tcf:owned-by': _, ...properties }, ...rest }) => ({
        ...rest,
        properties,
      }))
      .sort((a, b) => String(a.bomRef).localeCompare(String(b.bomRef)));
  expect(read(flat)).toEqual(read(nested));
  expect(JSON.stringify(nested)).toContain('"components":[');
  expect(flat?.['components']).toEqual(
    expect.not.arrayContaining([expect.objectContaining({ components: expect.anything() })]),
  );
  expect(flat?.['dependencies']).toEqual(nested?.['dependencies']);
  for (const document of [flat, nested]) {
    expect(schemaOf('1.6')(document)).toEqual([]);
  }
});

const source = (type: string, version: string, qualifiers: Readonly<Record<string, string>>) => {
  const namespace = 'x';
  const purl = toPurl({ type, namespace, name: 'bin', version, qualifiers });
  const { properties = [] } = withSourceForTrivy({ ...deb('bin'), purl });
  return Object.fromEntries(
    properties.map(({ name, value }) => [name.replace('aquasecurity:trivy:', ''), value]),
  );
};

test.for<[string, string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
  ['a deb of another source', 'deb', '2.36-9', { upstream: 'glibc' }, { SrcName: 'glibc' }],
  [
    'a deb with a version of its own',
    'deb',
    '1:2.36-9+b1',
    { upstream: 'gcc-12@1:12.2.0-14' },
    { SrcEpoch: '1', SrcName: 'gcc-12', SrcRelease: '14', SrcVersion: '12.2.0' },
  ],
  ['a native source', 'deb', '1', { upstream: 'base@12.4' }, { SrcName: 'base', SrcVersion: '12.4' }],
  [
    'a revision behind several hyphens',
    'deb',
    '1',
    { upstream: 'a@1.0-rc-2-3' },
    { SrcName: 'a', SrcRelease: '3', SrcVersion: '1.0-rc-2' },
  ],
  ['an apk', 'apk', '1.36.1-r2', { upstream: 'busybox' }, { SrcName: 'busybox' }],
  [
    'an rpm',
    'rpm',
    '5.1.8-9.el9',
    { upstream: 'bash-completion-2.11-4.el9.src.rpm', epoch: '1' },
    { SrcEpoch: '1', SrcName: 'bash-completion', SrcRelease: '4.el9', SrcVersion: '2.11' },
  ],
  [
    'an rpm whose source nobody may have',
    'rpm',
    '1-1',
    { upstream: 'driver-1-2.nosrc.rpm' },
    { SrcName: 'driver', SrcRelease: '2', SrcVersion: '1' },
  ],
  ['an rpm with another word there', 'rpm', '1-1', { upstream: 'bash' }, {}],
  ['no source', 'deb', '1', {}, {}],
])('trivy finds the source of %s', ([, type, version, qualifiers, expected]) => {
  expect(source(type, version, qualifiers)).toEqual(expected);
});
