import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { conda } from '../../src/catalogers/conda.ts';
import { python } from '../../src/catalogers/python.ts';
import { bomOf } from '../support/bom.ts';
import { type Entries, treeOf } from '../support/tree.ts';

const record = (name: string, more: object = {}): string =>
  JSON.stringify({ name, version: '1.0', build: 'h0_0', subdir: 'linux-64', ...more });
const meta = (prefix: string, name: string) => `${prefix}/conda-meta/${name}-1.0-h0_0.json`;
const catalog = (entries: Entries, before: Readonly<Record<string, readonly string[]>> = {}) =>
  conda.catalog(treeOf(conda, entries, { before }));

test('edges stay inside their environment', () => {
  const { dependencies } = catalog({
    [meta('opt/conda', 'a')]: record('a', { depends: ['b >=1', 'c'] }),
    [meta('opt/conda', 'b')]: record('b', { depends: [] }),
    [meta('opt/conda/envs/x', 'c')]: record('c', { depends: ['a', 'b', '__cuda'] }),
  });
  const edges = Object.fromEntries(dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]));
  const ref = (name: string, prefix: string) => `pkg:conda/${name}@1.0?build=h0_0&subdir=linux-64#${prefix}`;
  expect(edges).toEqual({
    [ref('a', 'opt/conda')]: [ref('b', 'opt/conda')],
    [ref('b', 'opt/conda')]: [],
    [ref('c', 'opt/conda/envs/x')]: [],
  });
});

test.for([
  ['a channel by its name', 'conda-forge', 'conda-forge'],
  ['an address with its platform', 'https://conda.anaconda.org/conda-forge/linux-64', 'conda-forge'],
  ['an address with a token', 'https://conda.anaconda.org/t/to-ken/acme/noarch', 'acme'],
  ['an address with a password', 'https://ann:secret@conda.example.test/acme/linux-64?x=secret', 'acme'],
  ['a channel of Anaconda', 'https://repo.anaconda.com/pkgs/main/linux-64', 'main'],
] as const)('%s', ([, channel, expected]) => {
  const { components } = catalog({ [meta('opt/conda', 'a')]: record('a', { channel }) });
  expect(components[0]?.purl).toContain(`channel=${expected}&`);
  expect(JSON.stringify(components)).not.toMatch(/secret|to-ken/);
});

test('a wheel that conda brought is one thing, and lies in the package of conda', () => {
  const site = 'opt/conda/lib/python3.12/site-packages';
  const files = ['six-1.0.dist-info/METADATA', 'six-1.0.dist-info/RECORD', 'six.py'];
  const entries: Entries = {
    [meta('opt/conda', 'six')]: record('six', {
      files: files.map((file) => `lib/python3.12/site-packages/${file}`),
    }),
    [`${site}/six-1.0.dist-info/METADATA`]: 'Metadata-Version: 2.1\nName: six\nVersion: 1.0\n',
    [`${site}/six-1.0.dist-info/RECORD`]: files.map((file) => `${file},,\n`).join(''),
    [`${site}/pip_only-2.0.dist-info/METADATA`]: 'Metadata-Version: 2.1\nName: pip-only\nVersion: 2.0\n',
    [`${site}/pip_only-2.0.dist-info/RECORD`]: '',
  };
  const bom = bomOf({ conda: catalog(entries), python: python.catalog(treeOf(python, entries)) });
  const document = toCycloneDx(bom, {
    specVersion: '1.7',
    toolVersion: '0.1.0',
    timestamp: '2026-11-20T10:00:00Z',
  });
  expect(document['components']).toMatchObject([
    { purl: expect.stringMatching(/^pkg:conda\/six@1.0/) },
    { purl: 'pkg:pypi/pip-only@2.0' },
    {
      purl: 'pkg:pypi/six@1.0',
      properties: expect.arrayContaining([
        { name: 'tcf:owned-by', value: expect.stringMatching(/^pkg:conda\/six@1.0/) },
      ]),
    },
  ]);
});

test('what a record lists is owned where it really lies, and nothing above the environment', () => {
  const files = ['lib/a.so', '../../etc/passwd', '/etc/shadow', 'bin/../../x'];
  const { owners } = catalog({
    [meta('opt/conda', 'a')]: record('a', { files }),
    'opt/conda/lib': { link: 'lib64' },
    'opt/conda/lib64/a.so': '',
  });
  const paths = ['opt/conda/lib64/a.so', 'etc/passwd', 'etc/shadow', 'opt/x', 'opt/conda/lib/a.so'];
  expect(paths.filter((path) => owners?.[0]?.owns(path))).toEqual(['opt/conda/lib64/a.so']);
});

test('a package is of the layer that first had its record', () => {
  const path = meta('opt/conda', 'a');
  const { components } = catalog({ [path]: record('a') }, { [path]: [record('a')] });
  expect(components[0]?.evidence?.occurrences?.[0]?.layer?.index).toBe(0);
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const dist = 'lib/python3.12/site-packages/six-1.0.dist-info';
const wheelRecord = (installer: string) =>
  record('six', {
    files: [`${dist}/RECORD`, `${dist}/INSTALLER`, 'lib/python3.12/site-packages/six.py'],
    paths_data: { paths: [{ _path: `${dist}/INSTALLER`, sha256_in_prefix: sha256(installer) }] },
  });

/** `conda list` shows of these what pip installed; the records of conda stay where they are. */
test.for([
  ['another version by pip', { 'lib/python3.12/site-packages/six-2.0.dist-info/RECORD': '' }],
  ['nothing, as pip uninstall leaves it', {}],
  ['the same version by pip', { [`${dist}/RECORD`]: '', [`${dist}/INSTALLER`]: 'pip\n' }],
] as const)('a record in place of whose files there is %s', ([, files]) => {
  const entries = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`opt/conda/${path}`, text]),
  );
  const { components, leftOut } = catalog({ ...entries, [meta('opt/conda', 'six')]: wheelRecord('conda\n') });
  expect(components).toEqual([]);
  expect(leftOut).toEqual([
    {
      path: meta('opt/conda', 'six'),
      reason: 'records six 1.0, whose files were replaced by pip or another program',
    },
  ]);
});

test.for([
  ['what conda wrote', { [`${dist}/RECORD`]: '', [`${dist}/INSTALLER`]: 'conda\n' }, wheelRecord('conda\n')],
  [
    'a package that names pip itself',
    { [`${dist}/RECORD`]: '', [`${dist}/INSTALLER`]: 'pip\n' },
    wheelRecord('pip\n'),
  ],
  ['no Python at all', {}, record('six', { files: ['bin/six'] })],
  ['no list of files', {}, record('six')],
] as const)('a record with %s is one of a package', ([, files, content]) => {
  const entries = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`opt/conda/${path}`, text]),
  );
  const { components, leftOut } = catalog({ ...entries, [meta('opt/conda', 'six')]: content });
  expect(components.map(({ name }) => name)).toEqual(['six']);
  expect(leftOut).toEqual([]);
});
