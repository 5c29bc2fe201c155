import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as apkRelations from '../../../src/catalogers/apk/relations.ts';
import type { Cataloger } from '../../../src/catalogers/contract.ts';
import { copyrightLicenses, upstreamSource } from '../../../src/catalogers/dpkg/copyright.ts';
import { parseStanzas } from '../../../src/catalogers/dpkg/deb822.ts';
import { lz4Reader } from '../../../src/catalogers/dpkg/lz4.ts';
import * as debRelations from '../../../src/catalogers/dpkg/relations.ts';
import { catalogers as all } from '../../../src/catalogers/index.ts';
import { parsePinsFile } from '../../../src/catalogers/llvm/pins-file.ts';
import { parseOsRelease } from '../../../src/catalogers/os-release.ts';
import { parseDirectUrl } from '../../../src/catalogers/python/direct-url.ts';
import { parseEgg } from '../../../src/catalogers/python/egg.ts';
import { parseMarker } from '../../../src/catalogers/python/markers.ts';
import { parseMetadata } from '../../../src/catalogers/python/metadata.ts';
import { parseRequirement } from '../../../src/catalogers/python/pep508.ts';
import { parseWheelDocument } from '../../../src/catalogers/python/wheel-documents.ts';
import { readBdb } from '../../../src/catalogers/rpm/bdb.ts';
import { BadHeader, parseHeader } from '../../../src/catalogers/rpm/header.ts';
import { readNdb } from '../../../src/catalogers/rpm/ndb.ts';
import { parseRich } from '../../../src/catalogers/rpm/relations.ts';
import { readSqlite } from '../../../src/catalogers/rpm/sqlite.ts';
import { readWal } from '../../../src/catalogers/rpm/wal.ts';
import { parseKernelMetadata } from '../../../src/catalogers/triton-kernels/metadata.ts';
import { bdbOf } from '../../support/bdb.ts';
import { elf } from '../../support/elf.ts';
import { elfFile } from '../../support/elf-file.ts';
import { goProgram } from '../../support/go.ts';
import { rpmHeader } from '../../support/rpm-header.ts';
import { rustProgram } from '../../support/rust.ts';
import { type Entries, treeOf } from '../../support/tree.ts';
import { zip } from '../../support/zip.ts';
import { root } from '../files.ts';
import { type Seed, type Target, target, textTarget } from '../target.ts';

const site = 'opt/venv/lib/python3.11/site-packages';
const commit = 'a'.repeat(40);

/**
 * Trees for catalogers that have no folder in `fixtures/catalogers`, or read what a text file cannot hold.
 */
const trees: Readonly<Record<string, readonly Entries[]>> = {
  'amd-bitcode': [{ 'opt/rocm/amdgcn/bitcode/ockl.bc': Buffer.from('4243c0de0123456789', 'hex') }],
  'cuda-tools': [{ 'usr/local/cuda/bin/ptxas': elf(['Cuda compilation tools, release 12.9, V12.9.86']) }],
  elf: [{ 'usr/lib/libx.so': elf(['x']) }],
  'go-binary': [
    { 'usr/bin/go': goProgram({ modules: 'path\ta.test/b\nmod\ta.test/b\tv1.2.3\nbuild\t-tags=x\n' }) },
  ],
  llvm: [
    {
      [`${site}/triton/_C/libtriton.so`]: elf([`22.0.0git ${commit}`]),
      'opt/llvm/include/llvm/Support/VCSRevision.h': `#define LLVM_REVISION "${commit}"\n`,
      'usr/lib64/libLLVM.so.20.1': elf(['LLVM20.1.8']),
    },
  ],
  python: [
    {
      [`${site}/foo-1.0.dist-info/METADATA`]:
        'Metadata-Version: 2.4\nName: foo\nVersion: 1.0\nRequires-Dist: bar[x]>=1; python_version>"3"\n',
      [`${site}/foo-1.0.dist-info/RECORD`]: 'foo.py,sha256=abc,3\nfoo-1.0.dist-info/RECORD,,\n',
      [`${site}/foo-1.0.dist-info/sboms/a.cdx.json`]: '{"bomFormat":"CycloneDX","specVersion":"1.6"}',
      [`${site}/__editable__.pth`]: '/src\nimport x\n',
      'opt/venv/pyvenv.cfg': 'home = /usr/bin\nversion = 3.11.2\n',
      'opt/app.egg': zip({ 'EGG-INFO/PKG-INFO': 'Name: a\nVersion: 1\n' }),
    },
  ],
  packed: [{ 'usr/bin/app': '#!/usr/bin/env python3\nPK\u0003\u0004', 'opt/x': 'hsqs' }],
  'rust-binary': [
    { 'usr/bin/r': rustProgram([{ name: 'a', version: '1.0.0', source: 'crates.io', root: true }]) },
  ],
  triton: [
    {
      'src/t/include/triton/Dialect/Triton/IR/Dialect.h': '',
      'src/t/python/triton/__init__.py': '__version__ = "3.9.0"\n',
      'src/t/.git/HEAD': `${commit}\n`,
      'src/t/.git/config': '[remote "origin"]\n\turl = https://a.test/b\n',
      'src/t/cmake/llvm-hash.txt': `${commit}\n`,
      'src/t/cmake/nvidia-toolchain-version.json': '{"ptxas":"12.9.86"}',
    },
  ],
};

function fixtureTrees(name: string): readonly Entries[] {
  const folder = join(root, 'fixtures/catalogers', name);
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder).map((one) => entriesBelow(join(folder, one, 'rootfs')));
}

function entriesBelow(folder: string): Entries {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map(({ name, parentPath }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path)];
    }),
  );
}

/** Each file of a tree that the cataloger wants, with the tree around it. */
function seedsOf(cataloger: Cataloger, entries: Entries): readonly Seed[] {
  return Object.entries(entries).flatMap(([path, entry]) => {
    if (typeof entry === 'object' && 'link' in entry) {
      return [];
    }
    const bytes = Buffer.from(entry as string);
    if (!cataloger.wants(path) && cataloger.scan?.(path, bytes.subarray(0, 64)) === undefined) {
      return [];
    }
    const read = (changed: Uint8Array) =>
      cataloger.catalog(treeOf(cataloger, { ...entries, [path]: changed }));
    return [{ bytes, read }];
  });
}

function catalogerTarget(cataloger: Cataloger): Target {
  const { name } = cataloger;
  const seeds = [...fixtureTrees(name), ...(trees[name] ?? [])].flatMap((tree) => seedsOf(cataloger, tree));
  return { name: `the cataloger ${name}`, covers: [`catalogers ${name}`], seeds };
}

/** Every tag that `catalogers/rpm` asks for has a type of its own. */
const tags = [62, 100, 267, 1000, 1001, 1002, 1003, 1009, 1014, 1022, 1027, 1028, 1047, 1049, 1112, 1116];

/** A database of rpm is a file; a damaged header in it is an answer. */
const rows = (read: (bytes: Uint8Array) => Iterable<unknown>) => (bytes: Uint8Array) => [...read(bytes)];
const header = rpmHeader({
  1000: 'bash',
  1001: '5.2',
  1002: '1',
  1022: 'x86_64',
  1049: ['libc.so.6', '(a or b)'],
});
const sqlite = (name: string) =>
  readFileSync(join(root, 'fixtures/catalogers/rpm', name, 'rootfs/var/lib/rpm/rpmdb.sqlite'));
const wal = readFileSync(
  join(root, 'fixtures/catalogers/rpm/write-ahead-log/rootfs/var/lib/rpm/rpmdb.sqlite-wal'),
);
/** `RpmP`: a slot page and one blob (rpm's lib/backend/ndb). */
function ndb(blob: Uint8Array): Buffer {
  const database = Buffer.alloc(4096 + 32 + 16 + Math.ceil(blob.length / 16) * 16);
  database.write('RpmP', 0, 'latin1');
  database.writeUInt32LE(0, 4);
  database.writeUInt32LE(1, 8);
  database.writeUInt32LE(1, 12);
  database.write('Slot', 32, 'latin1');
  database.writeUInt32LE(1, 36);
  database.writeUInt32LE(256, 40);
  database.writeUInt32LE(2 + Math.ceil(blob.length / 16), 44);
  database.write('BlbS', 4096, 'latin1');
  database.writeUInt32LE(1, 4100);
  database.writeUInt32LE(1, 4104);
  database.writeUInt32LE(blob.length, 4108);
  Buffer.from(blob).copy(database, 4112);
  return database;
}

/** One frame with one block that is not compressed and one that is. */
const lz4 = Buffer.from(
  '04224d186040820b000080' + '68656c6c6f20776f726c64' + '0600000040616263640100' + '00000000',
  'hex',
);

export const catalogers: readonly Target[] = [
  // One that wants no file reads none.
  ...all.map(catalogerTarget).filter(({ seeds }) => seeds.length > 0),
  textTarget(
    'catalogers/apk/relations.ts parseApkRelations',
    ['so:libc.musl-x86_64.so.1 busybox>=1.2 !foo cmd:sh=1'],
    apkRelations.parseApkRelations,
  ),
  textTarget(
    'catalogers/dpkg/relations.ts parseDpkgRelations',
    ['libc6 (>= 2.36), a:any | b [amd64 !i386] <!nocheck>, c (= 1:2-3)'],
    debRelations.parseDpkgRelations,
  ),
  textTarget(
    'catalogers/dpkg/deb822.ts parseStanzas',
    ['Package: a\nVersion: 1\nDescription: x\n more\n .\n end\n\nPackage: b\n'],
    parseStanzas,
  ),
  textTarget(
    'catalogers/dpkg/copyright.ts copyrightLicenses',
    [
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: https://a.test\n\nFiles: *\nLicense: GPL-2+ and MIT\n\nLicense: MIT\n text\n',
    ],
    (text) => [copyrightLicenses(text, 'a'), upstreamSource(text)],
  ),
  target('catalogers/dpkg/lz4.ts lz4Reader', [lz4], (bytes) => {
    const out: Uint8Array[] = [];
    const reader = lz4Reader((chunk) => out.push(chunk));
    reader.push(bytes);
    return [reader.isWhole(), Buffer.concat(out)];
  }),
  textTarget(
    'catalogers/os-release.ts parseOsRelease',
    ['ID=debian\nVERSION_ID="12"\nNAME=\'Debian \\$x\'\n# no\nA="a\\"b"\n'],
    parseOsRelease,
  ),
  target(
    'catalogers/python/direct-url.ts parseDirectUrl',
    [
      '{"url":"https://u:p@a.test/b.git","vcs_info":{"vcs":"git","commit_id":"ab","requested_revision":"main"}}',
      '{"url":"file:///src","dir_info":{"editable":true}}',
      '{"url":"https://a.test/b.whl","archive_info":{"hashes":{"sha256":"ab"}}}',
    ],
    parseDirectUrl,
  ),
  target(
    'catalogers/python/egg.ts parseEgg',
    [zip({ 'EGG-INFO/PKG-INFO': 'Metadata-Version: 1.2\nName: a\nVersion: 1\n', 'a.py': 'x' })],
    parseEgg,
  ),
  target(
    'catalogers/python/wheel-documents.ts parseWheelDocument',
    [
      '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","bom-ref":"a","name":"a","version":"1","purl":"pkg:cargo/a@1","licenses":[{"license":{"id":"MIT"}}]}],"dependencies":[{"ref":"a","dependsOn":[]}]}',
      '{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1","licenseDeclared":"MIT"}],"relationships":[]}',
    ],
    parseWheelDocument,
  ),
  target(
    'catalogers/triton-kernels/metadata.ts parseKernelMetadata',
    [
      `{"name":"add_kernel","target":{"backend":"cuda","arch":90,"warp_size":32},"hash":"${'ab'.repeat(32)}","triton_version":"3.5.0"}`,
    ],
    parseKernelMetadata,
  ),
  target(
    'catalogers/llvm/pins-file.ts parsePinsFile',
    [
      `{"written":"2026-01-01T00:00:00Z","pins":[{"distribution":"triton","triton_version":"3.9.0","role":"core","llvm_commit":"${commit}","source":"x"}]}`,
    ],
    parsePinsFile,
  ),
  textTarget(
    'catalogers/python/markers.ts parseMarker',
    ['python_version >= "3.8" and (sys_platform == "linux" or extra == \'x\')', '"a" in os_name'],
    parseMarker,
  ),
  target(
    'catalogers/python/metadata.ts parseMetadata',
    ['Metadata-Version: 2.1\nName: a\nVersion: 1\nClassifier: License :: OSI\nLicense: MIT\n x\n\nbody\n'],
    parseMetadata,
  ),
  textTarget(
    'catalogers/python/pep508.ts parseRequirement',
    [
      'requests[security,tests]>=2.8.1,==2.8.* ; python_version < "2.7"',
      'pip @ https://a.test/b.zip',
      'a (>=1)',
    ],
    parseRequirement,
  ),
  target('catalogers/rpm/header.ts parseHeader', [header], (bytes) => {
    try {
      const { bytes: raw, count, numbers, text, texts } = parseHeader(bytes);
      return tags.map((tag) => [text(tag), [...texts(tag)], count(tag), numbers(tag), raw(tag)]);
    } catch (error) {
      if (error instanceof BadHeader) {
        return error.message;
      }
      throw error;
    }
  }),
  textTarget(
    'catalogers/rpm/relations.ts parseRich',
    ['(a if b else c)', '((a >= 1.0 and b) or (c unless d))', '(a with b < 2)'],
    parseRich,
  ),
  target('catalogers/rpm/wal.ts readWal', [wal], readWal),
  target(
    'catalogers/rpm/sqlite.ts readSqlite',
    [sqlite('sqlite'), sqlite('write-ahead-log')],
    rows((bytes) => readSqlite(bytes, undefined)),
  ),
  target('catalogers/rpm/sqlite.ts readSqlite with a log', [wal], (bytes) => [
    ...readSqlite(sqlite('write-ahead-log'), bytes),
  ]),
  target('catalogers/rpm/bdb.ts readBdb', [bdbOf([header, header]).file], rows(readBdb)),
  target('catalogers/rpm/ndb.ts readNdb', [ndb(header)], rows(readNdb)),
  target('catalogers/programs/elf.ts elfHeaderOf', [elfFile({ segments: [] })], (bytes) =>
    all.map((cataloger) => {
      const scanner = cataloger.scan?.('usr/lib/libtriton.so', bytes.subarray(0, 64));
      scanner?.push(bytes);
      return scanner?.end();
    }),
  ),
];
