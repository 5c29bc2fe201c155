import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import { goBinary } from '../../src/catalogers/go-binary.ts';
import { isProgram } from '../../src/catalogers/programs/parts.ts';
import { rustBinary } from '../../src/catalogers/rust-binary.ts';
import { catalogFiles } from '../support/elf.ts';
import { goInformation } from '../support/go.ts';
import { memoryImage } from '../support/image.ts';
import { machAddressOf, machOFile, peAddressOf, peFile, universalFile } from '../support/programs.ts';
import { archive, file } from '../support/tar.ts';

const modules = 'path\texample.org/tool\nmod\texample.org/tool\tv1.2.3\t\ndep\texample.org/dep\tv1.0.0\t\n';
const information = goInformation({ modules });
const other = goInformation({ modules: modules.replaceAll('tool', 'other') });
const crates = deflateSync(
  JSON.stringify({
    packages: [
      { name: 'tool', version: '1.0.0', source: 'local', root: true, dependencies: [1] },
      { name: 'serde', version: '1.0.200', source: 'crates.io' },
    ],
  }),
);
const constants = { name: '.rdata', isWritable: false, bytes: Buffer.alloc(3000) };
const goPe = (isWide = true) =>
  peFile([constants, { name: '.data', isWritable: true, bytes: information }], { isWide });
const goMachO = (bytes = information) =>
  machOFile([constants, { name: '__go_buildinfo', isWritable: true, bytes }]);
const empty = machOFile([constants]);

const program = 'usr/share/tool/tool';
const go = (bytes: Uint8Array, chunk = 65_536) =>
  catalogFiles(goBinary, { [program]: bytes }, { chunk }).components.map(
    ({ name, version, components = [] }) => [name, version, ...components.map((each) => each.name)].join(' '),
  );

describe('programs of Go', () => {
  test.for([
    ['PE of 64 bits', goPe()],
    ['PE of 32 bits', goPe(false)],
    ['Mach-O', goMachO()],
    ['Mach-O of two architectures', universalFile(goMachO(), goMachO(other))],
    ['Mach-O of two architectures, the first of which says nothing', universalFile(empty, goMachO())],
  ] as const)('%s', ([, bytes]) => {
    for (const chunk of [7, 4096, 1 << 20]) {
      expect(go(bytes, chunk)).toEqual(['example.org/tool v1.2.3 stdlib example.org/dep']);
    }
  });

  test('as Go 1.17 wrote them: pointers in the data to strings among the constants', () => {
    const text = Buffer.concat([Buffer.alloc(16, 0x30), Buffer.from(modules), Buffer.alloc(16, 0xf9)]);
    for (const [make, addressOf] of [
      [peFile, peAddressOf],
      [machOFile, machAddressOf],
    ] as const) {
      const data = Buffer.alloc(128);
      data.write('\xff Go buildinf:', 0, 'latin1');
      data[14] = 8;
      for (const [at, value] of [
        [16, addressOf(1) + 32],
        [24, addressOf(1) + 48],
        [32, addressOf(0)],
        [40, 'go1.17.2'.length],
        [48, addressOf(0) + 16],
        [56, text.length],
      ] as const) {
        data.writeBigUInt64LE(BigInt(value), at);
      }
      const bytes = Buffer.concat([Buffer.from('go1.17.2'.padEnd(16)), text]);
      const built = make([
        { ...constants, bytes },
        { name: '__go_buildinfo'.slice(0, make === peFile ? 8 : 16), isWritable: true, bytes: data },
      ]);
      expect(go(built)).toEqual(['example.org/tool v1.2.3 stdlib example.org/dep']);
    }
  });
});

test.for([
  ['PE', peFile([constants, { name: '.dep-v0', isWritable: false, bytes: crates }])],
  ['Mach-O', machOFile([constants, { name: '.dep-v0', isWritable: false, bytes: crates }])],
] as const)('a program of Rust as %s', ([, bytes]) => {
  const { components, skipped } = catalogFiles(rustBinary, { [program]: bytes });
  expect(skipped).toEqual([]);
  expect(
    components.map(({ name, components: parts = [] }) => [name, ...parts.map((each) => each.purl)]),
  ).toEqual([['tool', 'pkg:cargo/serde@1.0.200']]);
});

const le = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const cutAt = (bytes: Buffer, at: number) => bytes.subarray(0, at);
const patched = (bytes: Buffer, at: number, value: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, at), value, bytes.subarray(at + value.length)]);

/** Headers that lie: nothing is found, nothing hangs, nothing throws. */
test.for([
  ['PE with its header beyond the window', patched(goPe(), 60, le(0x0fff_fff0))],
  ['PE with more sections than bytes', patched(goPe(), 0x86, Buffer.from([0xff, 0xff]))],
  ['PE cut in its header', cutAt(goPe(), 0x90)],
  ['PE of one line', cutAt(goPe(), 64)],
  ['Mach-O with a command of no size', patched(goMachO(), 36, le(0))],
  ['Mach-O with more commands than bytes', patched(cutAt(goMachO(), 100), 16, le(0xffff_ffff))],
  ['Mach-O with a command beyond its end', patched(goMachO(), 36, le(0x7fff_ffff))],
  ['Mach-O of a few bytes', cutAt(goMachO(), 20)],
  ['a universal file that lies in itself', patched(universalFile(goMachO()), 16, Buffer.from([0, 0, 0, 0]))],
  [
    'a universal file beyond its end',
    patched(universalFile(goMachO()), 16, Buffer.from([0xff, 0xff, 0xff, 0xff])),
  ],
  ['a universal file of a few bytes', cutAt(universalFile(goMachO()), 12)],
] as const)('%s is read as far as it goes', ([, bytes]) => {
  expect(go(bytes)).toEqual([]);
  expect(catalogFiles(rustBinary, { [program]: bytes }).components).toEqual([]);
});

test.for([
  [
    'a text that begins with MZ',
    Buffer.from('MZ is how every program of Windows begins, says this text, and so it does.'),
  ],
  ['a class of Java 8', Buffer.from('cafebabe0000003400', 'hex')],
  ['a script', Buffer.from('#!/bin/sh\n')],
  ['nothing', Buffer.alloc(0)],
] as const)('%s is not a program', ([, bytes]) => {
  expect(isProgram(bytes)).toBe(false);
});

test('a program that nobody owns and that says nothing is a known unknown, whatever its form', async () => {
  const silent = { name: '.text', isWritable: false, bytes: Buffer.alloc(10) };
  const layer = archive(
    file('opt/a.exe', peFile([silent])),
    file('opt/b', machOFile([silent])),
    file('opt/c', universalFile(machOFile([silent]))),
    file('opt/d.exe', goPe()),
  );
  const { compositions, properties } = await makeBom(memoryImage({ layers: [layer] }));
  expect(
    properties.filter(({ name }) => name === 'tcf:unowned-executable').map(({ value }) => value),
  ).toEqual(['opt/a.exe', 'opt/b', 'opt/c']);
  expect(compositions[0]).toEqual({ aggregate: 'incomplete' });
});
