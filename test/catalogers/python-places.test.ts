import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Catalog } from '../../src/catalogers/contract.ts';
import { python } from '../../src/catalogers/python.ts';
import { type Entries, type TreeOptions, treeOf } from '../support/tree.ts';

/* Where Python packages lie, and what becomes of each: found, skipped or left out, never silent. */

const inside = 'lib/python3.12/site-packages';
const metadata = (name: string, version = '1.0', more = '') =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${more}\nText\n`;
const wheel = (site: string, name = 'a', version = '1.0', more = ''): Entries => ({
  [`${site}/${name}-${version}.dist-info/METADATA`]: metadata(name, version, more),
  [`${site}/${name}-${version}.dist-info/RECORD`]: `${name}-${version}.dist-info/METADATA,,\n`,
});
const config = { 'pyvenv.cfg': 'home = /usr/bin\nversion = 3.12.3\n' };
const below = (prefix: string, entries: Entries): Entries =>
  Object.fromEntries(Object.entries(entries).map(([path, entry]) => [`${prefix}/${path}`, entry]));
const venv = (prefix: string): Entries => ({ ...below(prefix, config), ...wheel(`${prefix}/${inside}`) });
const catalog = (entries: Entries, options: TreeOptions = {}): Catalog =>
  python.catalog(treeOf(python, entries, options));
const names = ({ components }: Catalog) => components.map(({ name, version }) => `${name} ${version}`);
const told = (list: Catalog['skipped'] = []) => list.map(({ path, reason }) => `${path}: ${reason}`);

test.for([
  ["poetry's default", 'root/.cache/pypoetry/virtualenvs/app-LSCD9T7U-py3.12'],
  ["hatch's", 'root/.cache/hatch/env/virtual/app/x/app'],
  ["pre-commit's", 'root/.cache/pre-commit/repo1a2b/py_env-python3.12'],
  ["uv's for scripts", 'root/.cache/uv/environments-v2/script-1a2b'],
  ['a folder that is called as one of uv', 'opt/environments-v2/prod'],
  ['below a folder of unpacked wheels', 'root/.cache/uv/archive-v0/1a2b'],
  ['below a folder of wheels', 'srv/wheels-v5/app'],
  ['below conda packages', 'opt/conda/pkgs/app'],
  ["bazel's", 'root/.cache/bazel/_bazel_root/1a2b/external/venv'],
  ['a workspace', 'workspace/.cache/venvs/dev'],
] as const)('a virtual environment is one wherever it lies: %s', ([, prefix]) => {
  const found = catalog({ ...venv(prefix), 'opt/conda/conda-meta/history': '' });
  expect(names(found)).toEqual(['a 1.0']);
  expect(told(found.skipped)).toEqual([]);
});

test.for([
  ['conda-meta', { 'x/archive-v0/1/conda-meta/history': '' }, []],
  ['PATH', {}, ['PATH=/usr/bin:/x/archive-v0/1/bin']],
  ['VIRTUAL_ENV', {}, ['VIRTUAL_ENV=/x/archive-v0/1/']],
  ['CONDA_PREFIX', {}, ['CONDA_PREFIX=/x/archive-v0/1']],
] as const)('%s makes a prefix an environment, in a cache too', ([, entries, env]) => {
  const found = catalog({ ...wheel(`x/archive-v0/1/${inside}`), ...entries }, { env });
  expect(names(found)).toEqual(['a 1.0']);
});

test.for([
  ["uv's unpacked wheels", wheel('root/.cache/uv/archive-v0/1a2b'), 'root/.cache/uv/archive-v0'],
  ["uv's build environments", venv('root/.cache/uv/builds-v0/.tmpX'), 'root/.cache/uv/builds-v0'],
  [
    "conda's unpacked packages",
    {
      ...wheel(`opt/conda/pkgs/a-1.0-py_0/site-packages`),
      'opt/conda/pkgs/a-1.0-py_0/info/index.json': '{}',
    },
    'opt/conda/pkgs',
  ],
] as const)('%s are left out, counted and named', ([, entries, cache]) => {
  const found = catalog(entries);
  expect(names(found)).toEqual([]);
  expect(told(found.leftOut)).toEqual([
    `${cache}: is a package cache with 1 distributions not installed from here`,
  ]);
});

const site = `opt/venv/${inside}`;
const cached = 'root/.cache/uv/archive-v0/1a2b';
test.for([
  [
    'each file is a symbolic link into the cache of uv',
    {
      ...wheel(cached),
      [`${site}/a-1.0.dist-info/METADATA`]: { link: `/${cached}/a-1.0.dist-info/METADATA` },
      [`${site}/a-1.0.dist-info/RECORD`]: 'a-1.0.dist-info/METADATA,,\n',
    },
  ],
  [
    'its directory is a symbolic link into the cache of uv',
    {
      ...below('opt/venv', config),
      ...wheel(cached),
      [`${site}/a-1.0.dist-info`]: { link: `/${cached}/a-1.0.dist-info` },
    },
  ],
  ['the directory has capitals', { [`${site}/A-1.0.DIST-INFO/METADATA`]: metadata('a') }],
  ['the directory of an egg has capitals', { [`${site}/A.EGG-INFO/PKG-INFO`]: metadata('a') }],
  ['the file of an egg has capitals', { [`${site}/A.EGG-INFO`]: metadata('a') }],
  ['METADATA lies in an egg-info', { [`${site}/a.egg-info/METADATA`]: metadata('a') }],
  ['PKG-INFO lies in a dist-info', { [`${site}/a-1.0.dist-info/PKG-INFO`]: metadata('a') }],
  [
    'an unpacked egg is on the path',
    {
      [`${site}/a-1.0-py3.12.egg/EGG-INFO/PKG-INFO`]: metadata('a'),
      [`${site}/easy-install.pth`]: './a-1.0-py3.12.egg\n',
    },
  ],
  [
    'an egg-link leads to its source',
    { [`${site}/a.egg-link`]: '/src/a\n.\n', 'src/a/a.egg-info/PKG-INFO': metadata('a') },
  ],
  [
    'another environment in the folder holds nothing but links',
    {
      ...wheel(`nix/store/1-a/${inside}`),
      [`nix/store/2-env/${inside}/a-1.0.dist-info`]: { link: `/nix/store/1-a/${inside}/a-1.0.dist-info` },
    },
  ],
] as const satisfies readonly (readonly [string, Entries])[])(
  'a distribution is found once where %s',
  ([, entries]) => {
    const found = catalog(entries);
    expect(names(found)).toEqual(['a 1.0']);
    expect(told(found.skipped)).toEqual([]);
  },
);

test.for([
  [
    'a dangling link',
    { [`${site}/a-1.0.dist-info`]: { link: '/nowhere' } },
    'a-1.0.dist-info: is a symbolic link that leads nowhere',
  ],
  [
    'a dangling METADATA',
    { [`${site}/a-1.0.dist-info/METADATA`]: { link: '/nowhere' }, [`${site}/a-1.0.dist-info/RECORD`]: '' },
    'a-1.0.dist-info: has no METADATA and no PKG-INFO',
  ],
  [
    'nothing but a RECORD',
    { [`${site}/a-1.0.dist-info/RECORD`]: '' },
    'a-1.0.dist-info: has no METADATA and no PKG-INFO',
  ],
  [
    'an egg-link alone',
    { [`${site}/a.egg-link`]: '/src/a\n.\n' },
    'a.egg-link: leads to no metadata of a project',
  ],
  [
    'an egg-link to a folder without metadata',
    { [`${site}/a.egg-link`]: '/src/a\n', 'src/a/a.py': '' },
    'a.egg-link: leads to no metadata of a project',
  ],
  [
    'a name that no index takes',
    { [`${site}/A.DIST-INFO/METADATA`]: metadata('../a') },
    'A.DIST-INFO/METADATA: has no valid Name',
  ],
  [
    'a link to a file of another kind',
    {
      ...below('opt/venv', config),
      [`${site}/a-1.0.dist-info/METADATA`]: { link: '/data/a' },
      'data/a': metadata('a'),
    },
    'a-1.0.dist-info/METADATA: is too large to read, or leads to a file of another kind',
  ],
] as const satisfies readonly (readonly [string, Entries, string])[])(
  '%s is skipped and said so',
  ([, entries, expected]) => {
    const found = catalog({ ...below('opt/venv', config), ...entries });
    expect(names(found)).toEqual([]);
    expect(told(found.skipped)).toEqual([`${site}/${expected}`]);
  },
);

test.for([
  [
    'a source tree',
    { 'src/a/a.egg-info/PKG-INFO': metadata('a') },
    'src/a/a.egg-info: describes a source tree, which nothing says is installed',
  ],
  [
    'test data of setuptools',
    { [`${site}/pkg_resources/tests/data/a.egg/EGG-INFO/PKG-INFO`]: metadata('a') },
    `${site}/pkg_resources/tests/data/a.egg/EGG-INFO: is test data of another distribution`,
  ],
  [
    'what pip left behind',
    { [`${site}/~-1.0.dist-info/METADATA`]: metadata('a') },
    `${site}/~-1.0.dist-info: was left behind by pip`,
  ],
] as const satisfies readonly (readonly [string, Entries, string])[])(
  '%s is left out and named',
  ([, entries, expected]) => {
    const found = catalog(entries);
    expect(names(found)).toEqual([]);
    expect(told(found.leftOut)).toEqual([expected]);
  },
);

const missing = (found: Catalog) =>
  found.components.flatMap(({ properties = [] }) =>
    properties.filter(({ name }) => name === 'tcf:python:requirement:missing').map(({ value }) => value),
  );
const asks = (place: string) => wheel(place, 'foo', '1.0', 'Requires-Dist: six\n');
test.for([
  ['PYTHONPATH names', { ...asks(site), ...wheel('srv/extra', 'six') }, ['PYTHONPATH=/srv/extra:relative']],
  [
    'PYTHONPATH names as a source tree',
    { ...asks(site), 'srv/x/six.egg-info/PKG-INFO': metadata('six') },
    ['PYTHONPATH=/srv/x/'],
  ],
  [
    'a link shows',
    {
      ...asks(site),
      ...wheel('app/r/six/site-packages', 'six'),
      [`${site}/six-1.0.dist-info`]: { link: '/app/r/six/site-packages/six-1.0.dist-info' },
    },
    [],
  ],
  [
    "Nix's environment shows beside it",
    {
      ...asks(`nix/store/1-foo/${inside}`),
      ...wheel(`nix/store/2-six/${inside}`, 'six'),
      [`nix/store/3-env/${inside}/foo-1.0.dist-info`]: {
        link: `/nix/store/1-foo/${inside}/foo-1.0.dist-info`,
      },
      [`nix/store/3-env/${inside}/six-1.0.dist-info`]: {
        link: `/nix/store/2-six/${inside}/six-1.0.dist-info`,
      },
    },
    [],
  ],
  [
    'lies in a folder of its own beside it, as Bazel unpacks',
    { ...asks('app/r/foo/site-packages'), ...wheel('app/r/six/site-packages', 'six') },
    [],
  ],
] as const satisfies readonly (readonly [string, Entries, readonly string[]])[])(
  'a requirement that %s is an edge and not missing',
  ([, entries, env]) => {
    const found = catalog(entries, { env });
    expect(missing(found)).toEqual([]);
    const edges = found.dependencies.filter(({ dependsOn }) => dependsOn.length > 0);
    expect(
      edges.map(({ ref, dependsOn }) => [
        ref.split('#')[0],
        ...dependsOn.map((target) => target.split('#')[0]),
      ]),
    ).toEqual([['pkg:pypi/foo@1.0', 'pkg:pypi/six@1.0']]);
  },
);

test('a requirement in another environment is missing still', () => {
  expect(missing(catalog({ ...asks(site), ...wheel(`opt/other/${inside}`, 'six') }))).toEqual(['six']);
});

const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
const two = (python: string) => ({
  [`${site}/foo-1.0.dist-info/METADATA`]: metadata('foo', '1.0'),
  [`${site}/foo-1.0.dist-info/RECORD`]: `foo.py,sha256=${digest('one')},3\n`,
  [`${site}/foo-2.0.dist-info/METADATA`]: metadata('foo', '2.0'),
  [`${site}/foo-2.0.dist-info/RECORD`]: `foo.py,sha256=${digest('two')},3\n`,
  [`${site}/foo.py`]: python,
});
test.for([
  ['the older, whose RECORD fits', 'one', 'foo 1.0'],
  ['the newer, whose RECORD fits', 'two', 'foo 2.0'],
  ['the newer, where none fits', 'three', 'foo 2.0'],
] as const)('of two of one name in one directory %s is installed', ([, python, expected]) => {
  const found = catalog(two(python));
  expect(names(found)).toEqual([expected]);
  expect(told(found.skipped)).toHaveLength(1);
});

test('an editable installation from a src folder is one distribution, its egg-info none of its own', () => {
  const editable = {
    ...wheel(site, 'app', '1.0'),
    [`${site}/app-1.0.dist-info/direct_url.json`]: JSON.stringify({
      url: 'file:///work/app',
      dir_info: { editable: true },
    }),
    [`${site}/__editable__.app-1.0.pth`]: '/work/app/src\n',
  };
  const stale = (version: string) =>
    names(catalog({ ...editable, 'work/app/src/app.egg-info/PKG-INFO': metadata('app', version) }));
  expect(stale('1.0')).toEqual(['app 1.0']);
  expect(stale('0.9')).toEqual(['app 1.0', 'app 0.9']);
});

const oddPlaces = [
  ...[
    '',
    'a',
    'tmp/x',
    'root/.cache/pip/wheels/1/2',
    'var/lib/containers/x',
    'usr/share/python-wheels',
    'opt/.hidden/deep/er',
  ],
  ...[
    'nix/store/0-x',
    'home/me/.local/share/uv/tools/ruff',
    'srv/archive-v0/1',
    'workspace/build/lib',
    'opt/conda/pkgs/x',
  ],
  ...[
    'usr/lib/python3/dist-packages',
    'usr/lib/python3.12/site-packages/a/_vendor',
    'mnt/Üñí',
    'opt/tests/data',
    'root/.cache/uv/sdists-v9/x',
  ],
];
test.for([
  ['a wheel', (place: string) => ({ [`${place}/hidden-1.0-py3-none-any.whl`]: 'PK' })],
  ['an egg', (place: string) => ({ [`${place}/hidden-1.0-py3.12.egg`]: 'PK' })],
  ['metadata with RECORD', (place: string) => wheel(place, 'hidden')],
  [
    'metadata in capitals',
    (place: string) => ({ [`${place}/HIDDEN-1.0.DIST-INFO/METADATA`]: metadata('hidden') }),
  ],
  ['an egg-info', (place: string) => ({ [`${place}/hidden.egg-info/PKG-INFO`]: metadata('hidden') })],
  ['metadata that is broken', (place: string) => ({ [`${place}/hidden-1.0.dist-info/METADATA`]: 'x' })],
  ['a RECORD alone', (place: string) => ({ [`${place}/hidden-1.0.dist-info/RECORD`]: '' })],
  [
    'a virtual environment',
    (place: string) => ({ ...below(`${place}/env`, config), ...wheel(`${place}/env/${inside}`, 'hidden') }),
  ],
] as const)('nowhere does %s hide: it is a component, skipped or left out', ([, make]) => {
  for (const place of oddPlaces) {
    const entries = make(place);
    const tidy = Object.fromEntries(
      Object.entries(entries).map(([path, entry]) => [path.replace(/^\//, ''), entry]),
    );
    const found = catalog(tidy);
    const nested = JSON.stringify(found.components);
    const words = [nested, ...told(found.skipped), ...told(found.leftOut)].join(' ');
    const isCounted = told(found.leftOut).some((text) => text.includes('is a package cache with 1 '));
    expect(/hidden/i.test(words) || isCounted, `${place}: ${words}`).toBe(true);
  }
});
