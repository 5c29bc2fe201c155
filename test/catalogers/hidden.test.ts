import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Bom, Component } from '../../src/bom/model.ts';
import { bdbOf } from '../support/bdb.ts';
import { goProgram } from '../support/go.ts';
import { memoryImage } from '../support/image.ts';
import { rpmHeader } from '../support/rpm-header.ts';
import { archive, file, hardlink, symlink } from '../support/tar.ts';

/* Whatever lies in an image is a component, skipped or left out: never nothing, and never "complete" beside it. */

type Files = Readonly<Record<string, string | Uint8Array>>;

const metadata = 'Metadata-Version: 2.1\nName: hidden\nVersion: 1.0\n';
const site = 'lib/python3.12/site-packages';

/** One package called `hidden` in each database, environment or program that tcf reads. */
const things: Readonly<Record<string, Files>> = {
  'the database of dpkg': {
    'var/lib/dpkg/status': 'Package: hidden\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
  },
  'a file of distroless': {
    'var/lib/dpkg/status.d/hidden': 'Package: hidden\nVersion: 1\nArchitecture: all\n',
  },
  'the database of apk': { 'lib/apk/db/installed': 'P:hidden\nV:1-r0\nA:noarch\n\n' },
  'a database of rpm': {
    'var/lib/rpm/Packages': bdbOf([rpmHeader({ 1000: 'hidden', 1001: '1', 1002: '1' })], { pageSize: 4096 })
      .file,
  },
  'the database of rpm in /usr': {
    'usr/lib/sysimage/rpm/Packages': bdbOf([rpmHeader({ 1000: 'hidden', 1001: '1', 1002: '1' })], {
      pageSize: 4096,
    }).file,
  },
  'a manifest of rpm': {
    'var/lib/rpmmanifest/container-manifest-2':
      'hidden\t1-1\t1700000000\t1700000000\tVendor\t(none)\t10\tnoarch\t0\thidden-1-1.src.rpm\n',
  },
  'a virtual environment': {
    'opt/env/pyvenv.cfg': 'home = /usr/bin\nversion = 3.12.3\n',
    [`opt/env/${site}/hidden-1.0.dist-info/METADATA`]: metadata,
    [`opt/env/${site}/hidden-1.0.dist-info/RECORD`]: 'hidden-1.0.dist-info/METADATA,,\n',
  },
  'a distribution of Python': { [`usr/${site}/hidden-1.0.dist-info/METADATA`]: metadata },
  'an egg-info': { [`usr/${site}/hidden-1.0.egg-info/PKG-INFO`]: metadata },
  'an environment of conda': {
    'opt/conda/conda-meta/hidden-1.0-0.json': JSON.stringify({ name: 'hidden', version: '1.0', build: '0' }),
  },
  'a global package of npm': {
    'usr/lib/node_modules/hidden/package.json': '{"name":"hidden","version":"1.0.0"}',
  },
  'a package of an application': {
    'srv/app/node_modules/hidden/package.json': '{"name":"hidden","version":"1.0.0"}',
  },
  'a program of Go': { 'usr/bin/hidden': goProgram({ modules: 'path\texample.org/hidden\n' }) },
  'a wheel': { 'opt/wheels/hidden-1.0-py3-none-any.whl': 'PK\u0003\u0004' },
  'a package of pacman': { 'var/lib/pacman/local/hidden-1-1/desc': '%NAME%\nhidden\n' },
  'a gem': { 'usr/lib/ruby/gems/3.3.0/specifications/hidden-1.0.gemspec': 'Gem::Specification.new\n' },
  'an archive of Java': { 'opt/app/hidden-1.0.jar': 'PK\u0003\u0004' },
};

/** An archive for each layer, made of the files of a thing, their order and a number to choose by. */
type Place = (
  files: readonly (readonly [string, string | Uint8Array])[],
  choice: number,
) => readonly Buffer[];

const below =
  (prefix: string): Place =>
  (files) => [archive(...files.map(([path, content]) => file(`${prefix}/${path}`, content)))];

/** The ways in which an image shows a file where its package manager looks, or somewhere else. */
const places: Readonly<Record<string, Place>> = {
  'as it is': (files) => [archive(...files.map(([path, content]) => file(path, content)))],
  'below another root': below('srv/root'),
  'below a cache': below('root/.cache/x'),
  'below a folder that is called as one of uv': below('srv/wheels-v5/x'),
  'below packages of conda': below('opt/conda/pkgs/x'),
  'below a name with a line feed and more': below('srv/a\nb "c" \\d é'),
  'below a name that is not a text': below(Buffer.from([0x73, 0xff, 0xfe]).toString('latin1')),
  'behind a link in its path': (files, choice) => {
    const parts = (files[0]?.[0] ?? '').split('/').slice(0, -1);
    const link = parts.slice(0, 1 + (choice % Math.max(1, parts.length))).join('/');
    return [
      archive(
        ...files.map(([path, content]) =>
          file(path.startsWith(`${link}/`) ? `data/x${path.slice(link.length)}` : path, content),
        ),
        ...(link === '' ? [] : [symlink(link, '/data/x')]),
      ),
    ];
  },
  'as links to files': (files) => [
    archive(
      ...files.flatMap(([path, content], at) => [file(`data/${at}`, content), symlink(path, `/data/${at}`)]),
    ),
  ],
  'as hard links': (files) => [
    archive(
      ...files.flatMap(([path, content], at) => [file(`data/${at}`, content), hardlink(path, `data/${at}`)]),
    ),
  ],
  'in a layer of its own each': (files) => files.map(([path, content]) => archive(file(path, content))),
  'in a layer below one that links to it': (files) => [
    archive(...files.map(([path, content]) => file(`data/${path}`, content))),
    archive(
      ...[...new Set(files.map(([path]) => path.split('/')[0] ?? ''))].map((top) =>
        symlink(top, `data/${top}`),
      ),
    ),
  ],
  'behind links that lead back to where they are': (files) => [
    archive(
      ...files.map(([path, content]) => file(`data/${path}`, content)),
      symlink('data/again', '..'),
      ...[...new Set(files.map(([path]) => path.split('/')[0] ?? ''))].map((top) =>
        symlink(top, `data/again/data/${top}`),
      ),
    ),
  ],
};

function named(components: readonly Component[]): boolean {
  return components.some(
    ({ name, purl = '', components: nested = [] }) =>
      name.includes('hidden') || purl.includes('hidden') || named(nested),
  );
}

/** Whether something is named as not known or left out; nothing else in these images is. */
function told({ properties }: Bom): boolean {
  return properties.some(({ name }) => /^tcf:(?:left-out|skipped|unowned-executable)$/.test(name));
}

const release = archive(file('etc/os-release', 'ID=debian\nVERSION_ID=12\n'));

async function expectFound(thing: Files, place: Place, choice: number): Promise<void> {
  const layers = place(Object.entries(thing), choice);
  const bom = await makeBom(memoryImage({ layers: [release, ...layers] }), undefined, { jobs: 1 });
  if (named(bom.components)) {
    return;
  }
  expect(told(bom), JSON.stringify(bom.properties)).toBe(true);
  expect(
    bom.compositions.every(({ aggregate, assemblies, dependencies }) =>
      assemblies === undefined && dependencies === undefined ? aggregate !== 'complete' : true,
    ),
  ).toBe(true);
}

describe.for(Object.entries(things))('%s is a component, skipped or left out', ([, thing]) => {
  test.for(Object.entries(places))('%s', async ([name, place]) => {
    const choices = name === 'behind a link in its path' ? 5 : 1;
    for (let choice = 0; choice < choices; choice += 1) {
      await expectFound(thing, place, choice);
    }
  });
});

test('two of them in one image are both told', async () => {
  const one = fc.constantFrom(...Object.values(things));
  const where = fc.constantFrom(...Object.values(places));
  await fc.assert(
    fc.asyncProperty(one, where, one, where, fc.nat(5), async (first, there, second, elsewhere, choice) => {
      const layers = [...there(Object.entries(first), choice), ...elsewhere(Object.entries(second), choice)];
      const bom = await makeBom(memoryImage({ layers: [release, ...layers] }), undefined, { jobs: 1 });
      expect(named(bom.components) || told(bom)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('what a package owns is not left out, and what nobody owns is counted', async () => {
  const layer = archive(
    file(
      'var/lib/dpkg/status',
      'Package: java\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
    ),
    file('var/lib/dpkg/info/java.list', '/usr\n/usr/share\n/usr/share/java\n/usr/share/java/owned.jar\n'),
    file('usr/share/java/owned.jar', 'PK'),
    file('opt/a.jar', 'PK'),
    file('opt/b.jar', 'PK'),
  );
  const { properties } = await makeBom(memoryImage({ layers: [release, layer] }));
  expect(properties.filter(({ name }) => name.startsWith('tcf:left-out'))).toEqual([
    { name: 'tcf:left-out:count', value: '1' },
    { name: 'tcf:left-out', value: 'others: opt/a.jar: the first of 2 archives of Java, which are not read' },
  ]);
});
