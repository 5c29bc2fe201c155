import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Component } from '../../src/bom/model.ts';
import { goBinary } from '../../src/catalogers/go-binary.ts';
import { catalogFiles } from '../support/elf.ts';
import { addressOf, elfFile, numbers } from '../support/elf-file.ts';
import { goProgram } from '../support/go.ts';

const sum = 'h1:6wSTsvPddg9gc/mVEEyk9oOAoxn+bT4Z9q1zx+4RwA4=';
const modules = `path\texample.org/tool/cmd/tool
mod\texample.org/tool\tv1.2.3\t
dep\tgolang.org/x/sys\tv0.5.0\t${sum}
dep\texample.org/Mixed-Case\tv0.0.0-20210908233432-aa78b53d3365\t
build\t-compiler=gc
build\tvcs.revision=0123456789abcdef0123456789abcdef01234567
`;
const framed = (text: string) =>
  Buffer.concat([Buffer.alloc(16, 0x30), Buffer.from(text), Buffer.alloc(16, 0xf9)]);
const magic = Buffer.from('\xff Go buildinf:', 'latin1');

const catalog = (bytes: Uint8Array, chunk?: number) =>
  catalogFiles(goBinary, { 'usr/bin/tool': bytes }, chunk === undefined ? {} : { chunk });
const brief = ({ name, purl, version }: Component) => [name, version, purl];

/** As Go 1.13 to 1.17 wrote it: pointers in the data to strings among the constants. */
function old({ wide = true, little = true } = {}): Buffer {
  const { pointer } = numbers({ wide, little });
  const size = wide ? 8 : 4;
  const text = framed(modules);
  const constants = Buffer.concat([Buffer.from('xxgo1.17.2yy'), text]);
  const strings = [
    Buffer.concat([pointer(addressOf(0) + 2), pointer(8)]),
    Buffer.concat([pointer(addressOf(0) + 12), pointer(text.length)]),
  ];
  const blob = Buffer.concat([
    magic,
    Buffer.from([size, little ? 0 : 1]),
    pointer(addressOf(1) + 32),
    pointer(addressOf(1) + 32 + 2 * size),
  ]);
  const data = Buffer.concat([blob, Buffer.alloc(32 - blob.length), ...strings]);
  return elfFile({
    wide,
    little,
    goNote: true,
    segments: [
      { isWritable: false, bytes: constants },
      { isWritable: true, bytes: data },
    ],
  });
}

test('names the program, its modules and the standard library', () => {
  const { components, dependencies, skipped, unknownDependencies } = catalog(goProgram({ modules }));
  const [tool] = components;
  expect(components.map(brief)).toEqual([
    ['example.org/tool', 'v1.2.3', 'pkg:golang/example.org/tool@v1.2.3'],
  ]);
  expect(tool?.components?.map(brief)).toEqual([
    ['stdlib', '1.26.8', 'pkg:golang/stdlib@1.26.8'],
    ['golang.org/x/sys', 'v0.5.0', 'pkg:golang/golang.org/x/sys@v0.5.0'],
    [
      'example.org/Mixed-Case',
      'v0.0.0-20210908233432-aa78b53d3365',
      'pkg:golang/example.org/Mixed-Case@v0.0.0-20210908233432-aa78b53d3365',
    ],
  ]);
  expect(tool?.components?.[0]?.cpe).toBe('cpe:2.3:a:golang:go:1.26.8:*:*:*:*:*:*:*');
  expect(tool?.components?.[1]?.properties).toEqual([{ name: 'tcf:go:sum', value: sum }]);
  expect(tool?.properties).toEqual([
    { name: 'tcf:go:toolchain', value: 'go1.26.8' },
    { name: 'tcf:go:package', value: 'example.org/tool/cmd/tool' },
    { name: 'tcf:go:build:vcs-revision', value: '0123456789abcdef0123456789abcdef01234567' },
  ]);
  expect(tool?.hashes?.map(({ algorithm }) => algorithm)).toEqual(['SHA-256', 'SHA-512']);
  expect(dependencies.map(({ dependsOn, ref }) => [ref, dependsOn.length])).toEqual([[tool?.bomRef, 3]]);
  expect(unknownDependencies).toHaveLength(3);
  expect(skipped).toEqual([]);
});

describe('the form of Go 1.13 to 1.17', () => {
  test.for([
    [{ wide: true, little: true }],
    [{ wide: false, little: true }],
    [{ wide: true, little: false }],
    [{ wide: false, little: false }],
  ] as const)('%j', ([form]) => {
    const [tool] = catalog(old(form)).components;
    expect(tool?.version).toBe('v1.2.3');
    expect(tool?.components?.map(({ version }) => version)).toContain('1.17.2');
    expect(tool?.components).toHaveLength(3);
  });
});

test.for([
  [
    'replaced by another module',
    'dep\ta.org/x\tv1.0.0\n=>\tb.org/y\tv2.0.0\t\n',
    ['b.org/y', 'v2.0.0', 'pkg:golang/b.org/y@v2.0.0'],
  ],
  [
    'replaced by a directory',
    'dep\ta.org/x\tv1.0.0\n=>\t../x\t(devel)\t\n',
    ['a.org/x', undefined, undefined],
  ],
  [
    'in another version',
    'dep\ta.org/x\tv1.0.0\n=>\ta.org/x\tv1.1.0\t\n',
    ['a.org/x', 'v1.1.0', 'pkg:golang/a.org/x@v1.1.0'],
  ],
  ['of one word', 'dep\tx\tv1.0.0\t\n', ['x', 'v1.0.0', undefined]],
] as const)('a module that is %s', ([, lines, expected]) => {
  const [tool] = catalog(goProgram({ modules: `path\tt\nmod\ta.org/t\t(devel)\t\n${lines}` })).components;
  expect(brief(tool as Component)).toEqual(['a.org/t', undefined, 'pkg:golang/a.org/t']);
  expect(tool?.components?.slice(1).map(brief)).toEqual([expected]);
});

test('a program without modules still has a toolchain', () => {
  const [tool] = catalog(goProgram({ modules: '', go: 'devel go1.27-abcdef0123 Sat Nov 1' })).components;
  expect(brief(tool as Component)).toEqual(['tool', undefined, undefined]);
  expect(tool?.components?.map(brief)).toEqual([['stdlib', 'devel go1.27-abcdef0123 Sat Nov 1', undefined]]);
});

test('lines that are no modules lose themselves and are said', () => {
  const { components, skipped } = catalog(
    goProgram({ modules: `${modules}dep\t\u0007bad\tv1\t\n=>\tx.org/y\tv1\t\ndep\tc.org/z\tv1.0.0\t\n` }),
  );
  expect(components[0]?.components?.map(({ name }) => name)).toEqual([
    'stdlib',
    'golang.org/x/sys',
    'example.org/Mixed-Case',
    'c.org/z',
  ]);
  expect(skipped).toEqual([{ path: 'usr/bin/tool', reason: 'has modules that cannot be read' }]);
});

test.for([
  ['among the constants, as in a scanner', { isWritable: false }],
  ['not at a multiple of 16', { shift: 8 }],
] as const)('build information %s is none', ([, how]) => {
  expect(catalog(goProgram({ modules, ...how })).components).toEqual([]);
});

test.for([
  ['leads out of the file', 0xfff_ffff],
  ['is one too much', modules.length + 33],
  ['never ends', -1],
] as const)('where the length of the modules %s, the toolchain stays', ([, length]) => {
  const { components, skipped } = catalog(goProgram({ modules, length }));
  expect(components[0]?.components?.map(({ name }) => name)).toEqual(['stdlib']);
  expect(skipped).toEqual([{ path: 'usr/bin/tool', reason: 'has modules that cannot be read' }]);
});

test('finds the same however the file is cut', () => {
  const bytes = [goProgram({ modules }), goProgram({ modules, goNote: false }), old()];
  for (const file of bytes) {
    const whole = catalog(file);
    expect(whole.components).toHaveLength(1);
    for (const chunk of [1, 13, 4096, 8191, 8193]) {
      expect(catalog(file, chunk)).toEqual({ ...whole, owners: expect.anything() });
    }
  }
});

test('whatever stands in the headers, it ends and throws nothing', () => {
  const file = old();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 12 }),
      fc.boolean(),
      (changes, head) => {
        const bytes = Buffer.from(file);
        for (const [at, to] of changes) {
          bytes[head ? at % 300 : at] = to;
        }
        bytes.set([0x7f, 0x45, 0x4c, 0x46]);
        expect(catalog(bytes).components.length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 400 },
  );
});
