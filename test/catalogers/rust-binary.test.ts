import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Catalog } from '../../src/catalogers/contract.ts';
import { rustBinary } from '../../src/catalogers/rust-binary.ts';
import { catalogFiles } from '../support/elf.ts';
import { elfFile } from '../support/elf-file.ts';
import { rustProgram } from '../support/rust.ts';

const crates = [
  { name: 'tool', version: '0.1.0', source: 'local', root: true, dependencies: [1, 2, 3] },
  { name: 'libc', version: '0.2.170', source: 'crates.io' },
  { name: 'helper', version: '0.1.0', source: 'git', dependencies: [1] },
  { name: 'cc', version: '1.2.0', source: 'crates.io', kind: 'build' },
];
const catalog = (bytes: Uint8Array, chunk?: number): Catalog =>
  catalogFiles(rustBinary, { 'usr/bin/tool': bytes }, chunk === undefined ? {} : { chunk });
const packed = (text: string) =>
  elfFile({
    segments: [{ isWritable: true, bytes: Buffer.alloc(10) }],
    sections: { '.dep-v0': deflateSync(text) },
  });

test('names the program and the crates in it, with who needs whom, and none that only built it', () => {
  const { components, dependencies, owners, skipped } = catalog(rustProgram(crates));
  const [tool] = components;
  expect([tool?.type, tool?.name, tool?.version, tool?.purl]).toEqual([
    'application',
    'tool',
    '0.1.0',
    'pkg:generic/tool@0.1.0',
  ]);
  expect(tool?.components?.map(({ name, purl, version }) => [name, version, purl])).toEqual([
    ['libc', '0.2.170', 'pkg:cargo/libc@0.2.170'],
    ['helper', '0.1.0', 'pkg:generic/helper@0.1.0'],
  ]);
  expect(tool?.components?.[1]?.properties).toEqual([{ name: 'tcf:cargo:source', value: 'git' }]);
  const libc = 'pkg:cargo/libc@0.2.170#usr/bin/tool';
  const helper = 'pkg:generic/helper@0.1.0#usr/bin/tool';
  // A part lies where its program lies.
  expect(tool?.components?.map(({ evidence }) => evidence?.occurrences)).toEqual([undefined, undefined]);
  expect(dependencies).toEqual([
    { ref: 'pkg:generic/tool@0.1.0#usr/bin/tool', dependsOn: [libc, helper] },
    { ref: libc, dependsOn: [] },
    { ref: helper, dependsOn: [libc] },
  ]);
  expect(owners?.map(({ owns }) => [owns('usr/bin/tool'), owns('usr/bin/other')])).toEqual([[true, false]]);
  expect(skipped).toEqual([]);
});

test('programs that cargo built together are one, with each of its files; in another folder they are another', () => {
  const bytes = rustProgram(crates);
  const { components, dependencies, owners } = catalogFiles(rustBinary, {
    'opt/v/bin/tool': bytes,
    'opt/v/bin/toolx': bytes,
    'usr/bin/tool': bytes,
    'usr/bin/other': rustProgram([{ name: 'other', version: '1.0.0', source: 'local', root: true }]),
  });
  expect(
    components.map(({ evidence, name }) => [name, evidence?.occurrences?.map(({ location }) => location)]),
  ).toEqual([
    ['tool', ['opt/v/bin/tool', 'opt/v/bin/toolx']],
    ['other', ['usr/bin/other']],
    ['tool', ['usr/bin/tool']],
  ]);
  expect(new Set(dependencies.map(({ ref }) => ref)).size).toBe(dependencies.length);
  expect(['tool', 'toolx'].map((name) => owners?.[0]?.owns(`opt/v/bin/${name}`))).toEqual([true, true]);
});

test.for([
  ['of 32 bits', { wide: false }],
  ['with the highest byte first', { little: false }],
  ['with much behind it', { sections: { '.debug_info': Buffer.alloc(100_000, 1) } }],
] as const)('a file %s', ([, form]) => {
  expect(catalog(rustProgram(crates, form)).components[0]?.components).toHaveLength(2);
});

test.for([
  ['bytes', Buffer.from('no zlib'), 'has a list of crates that cannot be unpacked'],
  ['a bomb', deflateSync(Buffer.alloc(20_000_000)), 'has a list of crates that cannot be unpacked'],
  ['no JSON', deflateSync('{'), /^the \.dep-v0 /i],
  ['nothing', deflateSync('{"packages":[]}'), 'has an invalid list of crates'],
  ['null', deflateSync('null'), 'has an invalid list of crates'],
  [
    'a crate without a name',
    deflateSync('{"packages":[{"version":"1","source":"local"}]}'),
    'has an invalid crate in its list',
  ],
  [
    'a crate that needs one that is not there',
    deflateSync('{"packages":[{"name":"a","version":"1.0.0","source":"local","dependencies":[1]}]}'),
    'has an invalid crate in its list',
  ],
] as const)('%s in the section is said, and is not a program', ([, bytes, reason]) => {
  const file = elfFile({
    segments: [{ isWritable: true, bytes: Buffer.alloc(10) }],
    sections: { '.dep-v0': bytes },
  });
  const { components, skipped } = catalog(file);
  expect(components).toEqual([]);
  expect(skipped).toEqual([
    { path: 'usr/bin/tool', reason: typeof reason === 'string' ? reason : expect.stringMatching(/dep-v0/) },
  ]);
});

test('a program without the section, and one whose text only names it, are not spoken of', () => {
  const segments = [{ isWritable: false, bytes: Buffer.from('.dep-v0') }];
  expect(catalog(elfFile({ segments }))).toMatchObject({ components: [], skipped: [] });
  expect(catalog(elfFile({ segments, sections: { '.dep-v1': Buffer.from('x') } }))).toMatchObject({
    components: [],
    skipped: [],
  });
});

test('finds the same however the file is cut', () => {
  const file = rustProgram(crates, { sections: { '.debug_info': Buffer.alloc(20_000, 1) } });
  for (const chunk of [1, 13, 4096, 8191, 8193]) {
    expect(catalog(file, chunk)).toEqual({ ...catalog(file), owners: expect.anything() });
  }
});

test('whatever stands in the file, it ends and throws nothing', () => {
  const file = packed(JSON.stringify({ packages: crates }));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 12 }),
      fc.boolean(),
      (changes, tail) => {
        const bytes = Buffer.from(file);
        for (const [at, to] of changes) {
          bytes[tail ? file.length - 1 - (at % 400) : at % 300] = to;
        }
        bytes.set([0x7f, 0x45, 0x4c, 0x46]);
        expect(catalog(bytes).components.length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 400 },
  );
});
