import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Bom, Component } from '../../src/bom/model.ts';
import { bdbOf } from '../support/bdb.ts';
import { elf } from '../support/elf.ts';
import { goProgram } from '../support/go.ts';
import { memoryImage } from '../support/image.ts';
import { rpmHeader } from '../support/rpm-header.ts';
import { rustProgram } from '../support/rust.ts';
import { archive, file, hardlink, symlink } from '../support/tar.ts';
import { zip } from '../support/zip.ts';

/*
 * Whatever lies in an image is a component, skipped or left out: never nothing, and never "complete" beside
 * it.
 */

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
  'a database of dpkg where syft looks': {
    'usr/lib/dpkg/status': 'Package: hidden\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
  },
  'a database of dpkg in an image of mkosi': {
    'usr/lib/sysimage/dpkg/status':
      'Package: hidden\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
  },
  'a manifest of Chisel': { 'var/lib/chisel/manifest.wall': 'x' },
  'the list of Bitnami': { 'opt/bitnami/hidden/.spdx-hidden.spdx': '{}' },
  'a wheel among the files of dpkg': { 'var/lib/dpkg/info/hidden-1.0-py3-none-any.whl': 'PK\u0003\u0004' },
  'a wheel among the files of distroless': { 'var/lib/dpkg/status.d/hidden.whl': 'PK\u0003\u0004' },
  'a model': { 'models/hidden.gguf': 'GGUF' },
  'a package of pacman': { 'var/lib/pacman/local/hidden-1-1/desc': '%NAME%\nhidden\n' },
  'a gem': { 'usr/lib/ruby/gems/3.3.0/specifications/hidden-1.0.gemspec': 'Gem::Specification.new\n' },
  'an archive of Java': { 'opt/app/hidden-1.0.jar': 'PK\u0003\u0004' },
};

/** The same where tools and users put it, and what tcf does not read at all. */
const more: Readonly<Record<string, Files>> = {
  ...inFolders(
    {
      'an environment of pipx': 'root/.local/share/pipx/venvs/hidden',
      'an environment of pipx for all': 'opt/pipx/venvs/hidden',
      'a tool of uv': 'root/.local/share/uv/tools/hidden',
      'an environment of many': 'opt/venvs/hidden',
      'an environment of poetry': 'root/.cache/pypoetry/virtualenvs/hidden-AbCdEfGh-py3.12',
      'an environment of virtualenvwrapper': 'home/dev/.virtualenvs/hidden',
      'an environment of pyenv': 'root/.pyenv/versions/3.12.3/envs/hidden',
      'an environment in a project': 'workspace/hidden/.venv',
      'a kernel of Jupyter': 'usr/local/share/jupyter/env',
    },
    {
      'pyvenv.cfg': 'home = /usr/bin\nversion = 3.12.3\n',
      [`${site}/hidden-1.0.dist-info/METADATA`]: metadata,
    },
  ),
  ...inFolders(
    {
      'an environment among those of conda': 'opt/conda/envs/hidden',
      'an environment of micromamba': 'root/micromamba/envs/hidden',
      'an environment of pixi': 'workspace/.pixi/envs/default',
    },
    { 'conda-meta/hidden-1.0-0.json': JSON.stringify({ name: 'hidden', version: '1.0', build: '0' }) },
  ),
  ...inFolders(
    {
      'packages of a user': `home/dev/.local/${site}`,
      'packages where PYTHONUSERBASE leads': `srv/userbase/${site}`,
      'packages in lib64': 'usr/lib64/python3.12/site-packages',
      'packages of Debian': 'usr/lib/python3/dist-packages',
      'packages of an interpreter of uv': `root/.local/share/uv/python/cpython-3.12.3-linux-x86_64-gnu/${site}`,
      'packages of the standard library’s pip': 'usr/share/python-wheels',
      'packages of a target': 'srv/function',
      'packages of Bazel': 'srv/app.runfiles/pip_hidden/site-packages',
    },
    { 'hidden-1.0.dist-info/METADATA': metadata },
  ),
  'a zipped egg': { [`usr/${site}/hidden-1.0-py3.12.egg`]: zip({ 'EGG-INFO/PKG-INFO': metadata }) },
  'an application in one file': { 'usr/local/bin/hidden.pyz': 'PK\u0003\u0004' },
  'an application in one file without an ending': {
    'usr/local/bin/hidden': '#!/usr/bin/env python3\nPK\u0003\u0004',
  },
  'an application of pex': { 'opt/hidden.pex': 'PK\u0003\u0004' },
  'a wheel that nobody installed': { 'wheels/hidden-1.0-cp312-cp312-linux_x86_64.whl': 'PK\u0003\u0004' },
  'a package of conda in an archive': { 'opt/pkgs/hidden-1.0-0.tar.bz2': 'BZh9' },
  'a package in the store of pnpm': {
    'srv/app/node_modules/.pnpm/hidden@1.0.0/node_modules/hidden/package.json':
      '{"name":"hidden","version":"1.0.0"}',
  },
  'a program that go install made': {
    'root/go/bin/hidden': goProgram({ modules: 'path\texample.org/hidden\n' }),
  },
  'a program that cargo install made': {
    'root/.cargo/bin/hidden': rustProgram([
      { name: 'hidden', version: '1.0.0', source: 'local', root: true },
    ]),
  },
  'a crate in a cache': { 'root/.cargo/registry/cache/index.crates.io-1/hidden-1.0.0.crate': 'x' },
  'a module in a cache': { 'root/go/pkg/mod/cache/download/example.org/hidden/@v/v1.0.0.zip': 'PK' },
  'an AppImage': { 'opt/hidden-x86_64.AppImage': elf(['AI']) },
  'a snap': { 'snap/hidden/1/meta/snap.yaml': 'name: hidden\nversion: 1\n' },
  'a snap that is not unpacked': { 'var/lib/snapd/snaps/hidden_1.snap': 'hsqs' },
  'an application of Flatpak': {
    'var/lib/flatpak/app/org.example.hidden/x86_64/stable/0123/metadata': '[Application]\n',
  },
  'an image in a folder': { 'srv/hidden/oci-layout': '{"imageLayoutVersion":"1.0.0"}' },
  'the images of docker': {
    [`var/lib/docker/image/overlay2/imagedb/content/sha256/${'a'.repeat(64)}`]: '{}',
  },
  'the images of podman': { [`var/lib/containers/storage/overlay-images/${'a'.repeat(64)}/manifest`]: '{}' },
  'the images of containerd': {
    [`var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/${'a'.repeat(64)}`]: '{}',
  },
  'a file system in a file': { 'opt/hidden': 'hsqs' },
  'an archive of docker save': { 'srv/hidden.tar': 'x' },
  'a zip file under any name': { 'opt/app/lib': zip({ 'hidden-1.0.dist-info/METADATA': metadata }) },
  'packages in one zip file': {
    'opt/app/site-packages.zip': zip({ 'hidden-1.0.dist-info/METADATA': metadata }),
  },
  'a compressed file under any name': { 'opt/hidden': Buffer.from('1f8b0800', 'hex') },
  'an initial file system': { 'boot/initrd': '07070100000000' },
  'a file system of another byte order': { 'opt/hidden': 'sqsh' },
  'a static library': { 'opt/llvm/lib/libLLVMCore.a': '!<arch>\n' },
  'a static library with an LLVM in it': {
    'opt/llvm/lib/libLLVMBitWriter.a': Buffer.concat([Buffer.from('!<arch>\n'), elf(['LLVM19.1.7'])]),
  },
  'a module of Python without metadata': { [`usr/${site}/hidden.py`]: 'x = 1\n' },
  'a package of Python without metadata': { [`usr/${site}/hidden/__init__.py`]: 'x = 1\n' },
  'a customization of Python': { [`usr/${site}/sitecustomize.py`]: 'import sys\n' },
  'a library of Python without metadata': {
    [`usr/${site}/hidden.cpython-312-x86_64-linux-gnu.so`]: elf(['x']),
  },
  'the files of dpkg without its database': { 'var/lib/dpkg/info/hidden.list': '/usr/bin/hidden\n' },
  'what dpkg could install': { 'var/lib/dpkg/available': 'Package: hidden\nVersion: 1\n' },
  'a store of Nix': { [`nix/store/${'a'.repeat(32)}-hidden-1.0/bin/hidden`]: '#!/bin/sh\n' },
  'a store of Guix': { [`gnu/store/${'a'.repeat(32)}-hidden-1.0/bin/hidden`]: '#!/bin/sh\n' },
  'a cellar of Homebrew': { 'home/linuxbrew/.linuxbrew/Cellar/hidden/1.0/bin/hidden': '#!/bin/sh\n' },
  'the database of Spack': { 'opt/spack/.spack-db/index.json': '{}' },
  'the database of vcpkg': { 'opt/vcpkg/installed/vcpkg/status': 'Package: hidden\n' },
  'a package of Julia': { 'root/.julia/packages/Hidden/AbCdE/Project.toml': 'name = "Hidden"\n' },
  'an unpacked archive of Java': {
    'opt/app/WEB-INF/classes/META-INF/maven/org.x/hidden/pom.properties': 'artifactId=hidden\n',
  },
  'a class of Java': { 'opt/app/Hidden.class': Buffer.from('cafebabe00000041', 'hex') },
  'a module of the JDK': { 'opt/jdk/jmods/hidden.jmod': 'JM' },
  'a package of NuGet': { 'root/.nuget/packages/hidden/1.0.0/hidden.nuspec': '<package/>' },
  'a program of .NET': { 'opt/app/Hidden.dll': 'MZ' },
  'a program of macOS': { 'opt/hidden': Buffer.from('cffaedfe0c000001', 'hex') },
  'a program of WebAssembly': { 'opt/hidden.wasm': '\0asm' },
  'a program packed by UPX': { 'opt/hidden': elf(['UPX!']) },
  'the source of a crate': {
    'root/.cargo/registry/src/index.crates.io-1/hidden-1.0.0/Cargo.toml': '[package]\n',
  },
  'an unpacked module of Go': {
    'root/go/pkg/mod/example.org/hidden@v1.0.0/go.mod': 'module example.org/hidden\n',
  },
  'a package in the cache of Bun': { 'root/.bun/install/cache/hidden@1.0.0/package.json': '{}' },
  'a package in the cache of Deno': {
    'root/.cache/deno/npm/registry.npmjs.org/hidden/1.0.0/package.json': '{}',
  },
  'a package of Yarn': { 'srv/app/.yarn/cache/hidden-npm-1.0.0-abc.zip': 'PK\u0003\u0004' },
  'weights of a model': { 'models/hidden.onnx': 'x' },
  'a bundle of PyInstaller': { 'opt/hidden/hidden': elf(['MEIPASS']) },
  'an archive of sources': { 'usr/src/hidden-1.0.tar.xz': 'x' },
  'a folder of metadata without a name': { [`usr/${site}/hidden/dist-info/METADATA`]: metadata },
};

/** The same thing in many folders. */
function inFolders(folders: Readonly<Record<string, string>>, files: Files): Readonly<Record<string, Files>> {
  return Object.fromEntries(
    Object.entries(folders).map(([name, folder]) => [
      name,
      Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content])),
    ]),
  );
}

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
  'below a root of debootstrap': below('srv/chroot/bookworm'),
  'below a machine of systemd': below('var/lib/machines/x'),
  'below a layer of docker': below('var/lib/docker/overlay2/0123/diff'),
  'below a layer of podman': below('root/.local/share/containers/storage/overlay/0123/diff'),
  'below a layer of containerd': below(
    'var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs',
  ),
  'below a snap': below('snap/core24/1'),
  'below an application of Flatpak': below('var/lib/flatpak/runtime/org.x/x86_64/1/0123/files'),
  'below a deployment of ostree': below('ostree/deploy/x/deploy/0123.0'),
  'below a trash': below('root/.Trash-0/files'),
  'below a dot': below('.x'),
  'with folders of the root as links into usr': (files) => {
    const merged = ['bin', 'lib', 'lib64', 'sbin'];
    return [
      archive(...merged.map((name) => symlink(name, `usr/${name}`))),
      archive(
        ...files.map(([path, content]) =>
          file(merged.includes(path.split('/')[0] ?? '') ? `usr/${path}` : path, content),
        ),
      ),
    ];
  },
  'with variable folders as links, as bootc has them': (files) => [
    archive(
      ...['home', 'opt', 'root', 'srv'].map((name) => symlink(name, `var/${name}`)),
      symlink('usr/local', '../var/usrlocal'),
      ...files.map(([path, content]) =>
        file(
          path.replace(/^(?=(?:home|opt|root|srv)\/)/, 'var/').replace(/^usr\/local\//, 'var/usrlocal/'),
          content,
        ),
      ),
    ),
  ],
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

const fewPlaces = ['as it is', 'below another root', 'behind a link in its path', 'as hard links'];
const pairs = [
  ...Object.entries(things).map(([name, thing]) => [name, thing, Object.entries(places)] as const),
  ...Object.entries(more).map(
    ([name, thing]) =>
      [name, thing, Object.entries(places).filter(([place]) => fewPlaces.includes(place))] as const,
  ),
];

describe.for(pairs)('%s is a component, skipped or left out', ([, thing, where]) => {
  test.for(where)('%s', async ([name, place]) => {
    const choices = name === 'behind a link in its path' ? 5 : 1;
    for (let choice = 0; choice < choices; choice += 1) {
      await expectFound(thing, place, choice);
    }
  });
});

test('two of them in one image are both told', async () => {
  const one = fc.constantFrom(...Object.values({ ...things, ...more }));
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

test('the scripts of apk belong to its database, and to no other', async () => {
  const place = 'lib/apk/db';
  const files = (root: string) => [
    file(`${root}${place}/installed`, 'P:a\nV:1-r0\nA:noarch\n\n'),
    file(`${root}${place}/scripts.tar.gz`, 'x'),
  ];
  const layer = archive(file('etc/os-release', 'ID=alpine\nVERSION_ID=3.23\n'), ...files(''));
  expect(told(await makeBom(memoryImage({ layers: [layer] })))).toBe(false);
  expect(told(await makeBom(memoryImage({ layers: [layer, archive(...files('srv/root/'))] })))).toBe(true);
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

test('what a package owns is not left out under the name of a link that it owns too', async () => {
  const layer = archive(
    file(
      'var/lib/dpkg/status',
      'Package: java\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
    ),
    file('var/lib/dpkg/info/java.list', '/lib\n/lib/a.jar\n/lib/a-1.bin\n'),
    symlink('lib', 'usr/lib'),
    file('usr/lib/a-1.bin', 'x'),
    symlink('usr/lib/a.jar', 'a-1.bin'),
  );
  const { properties } = await makeBom(memoryImage({ layers: [release, layer] }));
  expect(properties).toEqual([]);
});

test.for<[string, Files, readonly string[]]>([
  [
    'npm',
    {
      'usr/lib/node_modules/a/package.json':
        '{"name":"a","version":"1.0.0","license":"MIT","licenses":[{"type":"GPL-3.0-only"}]}',
    },
    ['MIT', 'GPL-3.0-only'],
  ],
  [
    'conda',
    {
      'opt/conda/conda-meta/a-1-0.json': JSON.stringify({
        ...{ name: 'a', version: '1', build: '0' },
        license: 'MIT',
        license_family: 'GPL3',
      }),
    },
    ['MIT', 'GPL3'],
  ],
  [
    'apk',
    { 'lib/apk/db/installed': 'P:a\nV:1-r0\nA:noarch\nL:MIT\nL:GPL-3.0-only\n\n' },
    ['MIT, GPL-3.0-only'],
  ],
  [
    'python',
    {
      [`usr/${site}/a-1.dist-info/METADATA`]:
        'Metadata-Version: 2.4\nName: a\nVersion: 1\nLicense-Expression: MIT\nLicense: GPL-3.0-only\n',
    },
    ['MIT', 'GPL-3.0-only'],
  ],
])('no licence hides behind another: %s', async ([, files, expected]) => {
  const layer = archive(...Object.entries(files).map(([path, content]) => file(path, content)));
  const { components } = await makeBom(memoryImage({ layers: [release, layer] }));
  const licenses = components.flatMap((component) => component.licenses ?? []);
  expect(licenses.map((license) => ('name' in license ? license.name : license.expression))).toEqual(
    expected,
  );
  expect(licenses.every(({ acknowledgement }) => acknowledgement === 'declared')).toBe(true);
});
