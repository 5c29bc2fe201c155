import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Component } from '../../src/bom/model.ts';
import { llvm } from '../../src/catalogers/llvm.ts';
import { catalogFiles, elf, type Files } from '../support/elf.ts';
import { treeOf } from '../support/tree.ts';

const site = 'opt/venv/lib/python3.12/site-packages';
const lib = `${site}/triton/_C/libtriton.so`;
const pin36 = 'f6ded0be897e2878612dd903f7e8bb85448269e5';
const pin38 = '5f07f818b51b786b0a87b4e514882600ecba112f';
const other = '0123456789abcdef0123456789abcdef01234567';
const fork = 'triton-lang/llvm-project';
const E = (version: string, commit: string) => `${version} ${commit}`;
const F = (repository: string, commit: string) => `LLD 22.0.0 (https://github.com/${repository} ${commit})`;
const F2 = (version: string, commit: string) => `LLVM version ${version} (${commit})`;
const whole36 = elf([
  E('22.0.0git', pin36),
  F('llvm/llvm-project', pin36),
  F2('22.0.0git', pin36),
  'LLVM22.0.0git',
  'llvm-mc (based on LLVM 22.0.0git)',
]);

const dist = (name: string, version: string): Files => ({
  [`${site}/${name.replaceAll('-', '_')}-${version}.dist-info/METADATA`]: `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n\nA language.\n`,
});

function properties(component: Component | undefined): Record<string, string> {
  return Object.fromEntries(
    (component?.properties ?? []).map(({ name, value }) => [name.replace('tcf:llvm:', ''), value]),
  );
}

function oneOf(files: Files, env: readonly string[] = []): Component {
  const { components } = catalogFiles(llvm, files, { env });
  expect(components).toHaveLength(1);
  return components[0] as Component;
}

test('the wheel of 3.6.0 holds the LLVM it pins', () => {
  const component = oneOf({ [lib]: whole36, ...dist('triton', '3.6.0') });
  expect(component).toMatchObject({
    type: 'library',
    name: 'llvm',
    version: '22.0.0git+f6ded0be',
    purl: `pkg:github/llvm/llvm-project@${pin36}`,
    cpe: 'cpe:2.3:a:llvm:llvm:22.0.0:git:*:*:*:*:*:*',
    licenses: [{ expression: 'Apache-2.0 WITH LLVM-exception' }],
  });
  expect(component.hashes).toHaveLength(1);
  expect(component.pedigree).toBeUndefined();
  expect(properties(component)).toEqual({
    role: 'core',
    pin: 'match',
    declared: `${pin36} by release-table`,
    observed: `${pin36} by lld-version,tool-version,version-and-commit`,
    repository: 'llvm/llvm-project by observation',
  });
  expect(component.evidence?.occurrences?.map(({ location }) => location)).toEqual([
    `${site}/triton-3.6.0.dist-info/METADATA`,
    lib,
  ]);
});

test('the wheel of 3.8.0 pins a fork, whose ancestor is LLVM', () => {
  const component = oneOf({ [lib]: elf([F(fork, pin38)]), ...dist('triton', '3.8.0') });
  expect(component.purl).toBe(`pkg:github/triton-lang/llvm-project@${pin38}`);
  expect(component.pedigree?.ancestors[0]?.purl).toBe('pkg:github/llvm/llvm-project');
  expect(properties(component)['pin']).toBe('match');
});

const cache = 'workspace/.triton/llvm/llvm-f6ded0be-ubuntu-x64';
const url = 'https://oaitriton.blob.core.windows.net/public/llvm-builds/llvm-f6ded0be-ubuntu-x64.tar.gz';
const checkout: Files = {
  'workspace/triton/include/triton/Dialect/Triton/IR/Dialect.h': '',
  'workspace/triton/cmake/llvm-hash.txt': `${pin36}\n`,
};

test.for<[string, Files, string | undefined, Record<string, string>]>([
  ['A', { [`${cache}/version.txt`]: url }, '22.0.0git+f6ded0be', { pin: 'observed-only', role: 'cache' }],
  [
    'A of Triton 2.1',
    {
      'root/.triton/llvm/llvm+mlir-17.0.0-x86_64-linux-gnu-ubuntu-18.04-release/version.txt':
        'https://github.com/ptillet/triton-llvm-releases/releases/download/llvm-17.0.0-c5dede880d17/llvm+mlir-17.0.0-x86_64-linux-gnu-ubuntu-18.04-release.tar.xz',
    },
    '17.0.0git+c5dede88',
    { role: 'cache', observed: 'c5dede880d17 by prebuilt-url' },
  ],
  [
    'B',
    { [`${cache}/include/llvm/Support/VCSRevision.h`]: '#undef LLVM_REVISION' },
    '22.0.0git+f6ded0be',
    { observed: 'f6ded0be by prebuilt-directory' },
  ],
  [
    'C',
    {
      'opt/llvm/include/llvm/Support/VCSRevision.h': `#define LLVM_REVISION "${pin38}"\n#define LLVM_REPOSITORY "https://github.com/${fork}.git"\n`,
    },
    '23.0.0git+5f07f818',
    { observed: `${pin38} by vcs-revision`, repository: `${fork} by observation` },
  ],
  [
    'D',
    { 'usr/include/llvm-14/llvm/Config/llvm-config.h': '#define LLVM_VERSION_STRING "14.0.6"\n' },
    '14.0.6',
    { role: 'distro', observed: 'version 14.0.6 by config-version' },
  ],
  [
    'E',
    { [lib]: elf([E('22.0.0git', other)]) },
    '22.0.0git+01234567',
    { observed: `${other} by version-and-commit` },
  ],
  [
    'F',
    { [lib]: elf([F('llvm/llvm-project', other)]) },
    '22.0.0+01234567',
    { observed: `${other} by lld-version` },
  ],
  [
    'F2',
    { [lib]: elf([F2('22.0.0git', other)]) },
    '22.0.0git+01234567',
    { observed: `${other} by tool-version` },
  ],
  [
    'G',
    { 'opt/jax/libjax_common.so': elf(['LLVM24.0.0git']) },
    '24.0.0git',
    { role: 'other', observed: 'version 24.0.0git by version-literal' },
  ],
  [
    'H',
    { [`${site}/triton/backends/amd/lib/libtriton_amd_codegen.so`]: elf([`${other}-3`]) },
    'git+01234567',
    { role: 'amd-codegen', observed: `${other} by codegen-revision` },
  ],
  [
    'I',
    {
      [`${site}/triton/backends/nvidia/lib/gsan.ll`]: `!1 = !{!"clang version 23.0.0git (https://github.com/${fork} ${pin38})"}\n`,
    },
    '23.0.0git+5f07f818',
    { observed: `${pin38} by gsan-ident` },
  ],
  [
    'J',
    { [`${site}/triton/FileCheck`]: elf(['22.0.0git']) },
    '22.0.0git',
    { role: 'core', observed: 'version 22.0.0git by bare-version' },
  ],
  ['K', checkout, '22.0.0git+f6ded0be', { pin: 'declared-only', declared: `${pin36} by checkout-pin` }],
  [
    'L',
    dist('triton', '3.6.0'),
    '22.0.0git+f6ded0be',
    { pin: 'declared-only', declared: `${pin36} by release-table` },
  ],
  [
    'L of an older local build',
    dist('triton', '3.6.0+git7c56a5e4'),
    '22.0.0git+f6ded0be',
    { pin: 'declared-only' },
  ],
  [
    'L of Intel, whose row knows no version',
    dist('triton-xpu', '3.7.0'),
    'git+0729a74e',
    { pin: 'declared-only' },
  ],
  [
    'N',
    { 'usr/lib64/libLLVM.so.20.1': elf(['nothing']) },
    '20.1',
    { role: 'distro', observed: 'version 20.1 by soname' },
  ],
  [
    'N of ROCm',
    { 'opt/rocm-7.1.1/llvm/lib/libLLVM.so.20.0git': elf(['LLVM20.0.0git']) },
    '20.0.0git',
    { role: 'rocm', pin: 'observed-only' },
  ],
  [
    'N of ROCm in a wheel',
    { [`${site}/_rocm_sdk_core/lib/llvm/lib/libLLVM.so.20.0git`]: elf(['LLVM20.0.0git']) },
    '20.0.0git',
    { role: 'rocm', pin: 'observed-only' },
  ],
])('rung %s alone', ([, files, version, expected]) => {
  const component = oneOf(files);
  expect(component.version).toBe(version);
  expect(properties(component)).toMatchObject(expected);
});

test('checkout and prebuilt are one LLVM with the full commit and two places', () => {
  const component = oneOf({ ...checkout, [`${cache}/version.txt`]: url });
  expect(component.purl).toBe(`pkg:github/llvm/llvm-project@${pin36}`);
  expect(component.evidence?.occurrences?.map(({ location }) => location)).toContain(`${cache}/version.txt`);
  expect(component.evidence?.occurrences?.map(({ location }) => location)).toContain(
    'workspace/triton/cmake/llvm-hash.txt',
  );
  expect(properties(component)).toMatchObject({
    pin: 'match',
    observed: 'f6ded0be by prebuilt-directory,prebuilt-url',
    prebuilt: 'llvm-f6ded0be-ubuntu-x64',
    repository: 'llvm/llvm-project by lookup',
  });
});

test.for<[string, Files, string]>([
  ['another commit in the wheel', { [lib]: elf([E('22.0.0git', other)]), ...dist('triton', '3.6.0') }, other],
  [
    'the right commit from a stranger',
    { [lib]: elf([F('mallory/llvm-project', pin36)]), ...dist('triton', '3.6.0') },
    'mallory/llvm-project',
  ],
  [
    'another version',
    { [`${site}/triton/FileCheck`]: elf(['21.0.0git']), ...dist('triton', '3.6.0') },
    '21.0.0git',
  ],
  ['the pin of another distribution', { [lib]: whole36, ...dist('triton-xpu', '3.7.0') }, '0729a74e'],
  [
    'another prebuilt than the checkout wants',
    {
      ...checkout,
      'root/.triton/llvm/llvm-5f07f818-ubuntu-x64-1/version.txt': url.replace(
        'f6ded0be-ubuntu-x64',
        '5f07f818-ubuntu-x64-1',
      ),
    },
    '5f07f818',
  ],
  [
    'a pin file left over beside the new one',
    { ...checkout, 'workspace/triton/cmake/llvm-info.json': `{"llvm_hash":"${pin38}","build_number":1}` },
    pin38,
  ],
])('mismatch: %s', ([, files, word]) => {
  const component = oneOf(files);
  expect(properties(component)['pin']).toBe('mismatch');
  expect(properties(component)['conflict']).toContain(word);
});

test('a decoy commit beside the real one hides nothing', () => {
  const { components } = catalogFiles(llvm, {
    [lib]: elf([E('22.0.0git', pin36), F('llvm/llvm-project', other)]),
    ...dist('triton', '3.6.0'),
  });
  expect(components.map((component) => properties(component)['pin']).sort()).toEqual(['match', 'mismatch']);
});

test.for<[string, Files]>([
  ['3.9.0, whose pin nobody knows', dist('triton', '3.9.0')],
  ['a local build of an unknown commit', dist('triton', '3.6.0+gitdeadbeef')],
  ['a distribution without a table', dist('triton-ascend', '3.6.0')],
  ['an empty pin file', { ...checkout, 'workspace/triton/cmake/llvm-hash.txt': '\n' }],
  [
    'a pin file that is no JSON',
    { 'w/triton/python/triton/__init__.py': '', 'w/triton/cmake/llvm-info.json': '{' },
  ],
  [
    'only a version in the wheel',
    { [`${site}/triton/FileCheck`]: elf(['22.0.0git']), ...dist('triton', '3.6.0') },
  ],
])('unknown, and said so: %s', ([, files]) => {
  const { components, skipped } = catalogFiles(llvm, files);
  expect(components.map((component) => properties(component)['pin'])).toEqual(['unknown']);
  expect(skipped).toHaveLength(1);
});

test('a prebuilt and the header in it are observed once, by the whole commit', () => {
  const component = oneOf({
    [`${cache}/version.txt`]: url,
    [`${cache}/include/llvm/Support/VCSRevision.h`]: `#define LLVM_REVISION "${pin36}"\n`,
  });
  const observed = component.properties?.filter(({ name }) => name === 'tcf:llvm:observed');
  expect(observed?.map(({ value }) => value)).toEqual([
    `${pin36} by prebuilt-directory,prebuilt-url,vcs-revision`,
  ]);
});

test('3.9.0 reports what was seen', () => {
  const component = oneOf({ [lib]: elf([E('24.0.0git', other)]), ...dist('triton', '3.9.0') });
  expect(component.version).toBe('24.0.0git+01234567');
  expect(properties(component)).toMatchObject({
    pin: 'unknown',
    declared: 'unknown by release-table',
    reason: 'the LLVM that triton 3.9.0 pins is not known',
  });
});

test.for<[string, Files]>([
  ['the words in a text file', { [lib]: E('22.0.0git', pin36) }],
  ['bitcode of ROCm', { [`${site}/triton/backends/amd/lib/ockl.bc`]: elf([E('20.0.0git', other)]) }],
  ['glued at its left end', { [lib]: elf([`l_size${E('20.0.0git', other)}`]) }],
  ['glued at its right end', { [lib]: elf([`${E('20.0.0git', other)}5ca`]) }],
  [
    'host compilers',
    {
      [lib]: elf(['Linker: LLD 20.1.8', 'clang version 20.1.8 ( 20.1.8-2.module_el8)', 'GCC: (GNU) 14.2.1']),
    },
  ],
  [
    'a debugger that speaks of LLVM',
    { 'usr/bin/gdb': elf(['LLVM version 14.0.6', 'needs LLVM version 15.0 or later']) },
  ],
  ['names of MLIR classes', { 'usr/bin/mlir': elf(['_ZN4mlir4LLVM10FuncOpE', 'LLVM14GEPOp']) }],
  ['a bare version elsewhere', { 'usr/bin/tool': elf(['22.0.0git']) }],
  ['a bare commit', { [lib]: elf([pin36]) }],
  [
    'what CI should build next',
    {
      'w/triton/python/triton/__init__.py': '',
      'w/triton/cmake/llvm-build-info.json': `{"llvm_hash":"${pin36}"}`,
    },
  ],
  ["another project's pin file", { 'w/mlir-thing/cmake/llvm-hash.txt': pin36 }],
  [
    'a prebuilt from an odd place',
    { 'r/.triton/llvm/mine/version.txt': 'http://evil.example/llvm-builds/llvm-f6ded0be-ubuntu-x64.tar.gz' },
  ],
])('no LLVM: %s', ([, files]) => {
  expect(catalogFiles(llvm, files).components).toEqual([]);
});

test("others' LLVMs stand beside the pinned one and are not compared with it", () => {
  const { components } = catalogFiles(llvm, {
    [lib]: whole36,
    ...dist('triton', '3.6.0'),
    [`${cache.replace('f6ded0be', '5f07f818')}/version.txt`]: url.replace('f6ded0be', '5f07f818'),
    [`${site}/llvmlite/binding/libllvmlite.so`]: elf(['LLVM22.1.0']),
    'usr/lib/x86_64-linux-gnu/libLLVM-14.so.1': elf(['LLVM14.0.6', 'Debian LLVM version 14.0.6']),
    'usr/lib/x86_64-linux-gnu/libLLVM-15.so.1': elf(['LLVM15.0.6']),
  });
  expect(
    components.map((component) => [
      component.version,
      properties(component)['role'],
      properties(component)['pin'],
    ]),
  ).toEqual([
    ['22.1.0', 'other', 'observed-only'],
    ['22.0.0git+f6ded0be', 'core', 'match'],
    ['14.0.6', 'distro', 'observed-only'],
    ['15.0.6', 'distro', 'observed-only'],
    ['23.0.0git+5f07f818', 'cache', 'observed-only'],
  ]);
});

test('a leftover prebuilt is not the LLVM in use, whatever wheel lies beside it', () => {
  const leftover = {
    'root/.triton/llvm/llvm-5f07f818-ubuntu-x64-1/version.txt': url.replace(
      'f6ded0be-ubuntu-x64',
      '5f07f818-ubuntu-x64-1',
    ),
  };
  const roles = (files: Files, env: readonly string[] = []) =>
    catalogFiles(llvm, files, { env }).components.map((component) => properties(component)['role']);
  expect(roles(leftover)).toEqual(['cache']);
  expect(roles({ ...leftover, [lib]: whole36, ...dist('triton', '3.6.0') })).toEqual(['core', 'cache']);
  expect(roles({ ...leftover, ...checkout })).toEqual(['core']);
  expect(roles(leftover, ['LLVM_SYSPATH=/root/.triton/llvm/llvm-5f07f818-ubuntu-x64-1'])).toEqual(['core']);
});

test("a copy in uv's cache is no second LLVM, and Triton's cache below `.cache` is its own", () => {
  const copies = Object.fromEntries(
    Object.entries({ [lib]: whole36, ...dist('triton', '3.6.0') }).map(([path, content]) => [
      path.replace(site, 'root/.cache/uv/archive-v0/Ja8CzJiV'),
      content,
    ]),
  );
  const roles = (files: Files) =>
    catalogFiles(llvm, files).components.map((component) => properties(component)['role']);
  expect(roles(copies)).toEqual([]);
  expect(
    roles({ ...checkout, 'root/.cache/.triton/llvm/llvm-f6ded0be-ubuntu-x64/version.txt': url }),
  ).toEqual(['core']);
});

test('LLVM_SYSPATH may lead through the link that Triton makes beside its prebuilt', () => {
  const tree = treeOf(
    llvm,
    {
      'root/.triton/llvm/llvm-f6ded0be-ubuntu-x64/version.txt': url,
      'root/.triton/llvm/llvm-ubuntu-x64': { link: 'llvm-f6ded0be-ubuntu-x64' },
    },
    { env: ['LLVM_SYSPATH=/root/.triton/llvm/llvm-ubuntu-x64'] },
  );
  expect(llvm.catalog(tree).components.map((component) => properties(component)['role'])).toEqual(['core']);
});

test('an editable install and its checkout speak about the library built there', () => {
  const component = oneOf({
    ...checkout,
    'workspace/triton/python/triton/_C/libtriton.so': whole36,
    [`${site}/triton-3.6.0+git7c56a5e4.dist-info/METADATA`]: 'Name: triton\nVersion: 3.6.0+git7c56a5e4\n',
    [`${site}/triton-3.6.0+git7c56a5e4.dist-info/direct_url.json`]:
      '{"url":"file:///workspace/triton","dir_info":{"editable":true}}',
  });
  expect(properties(component)).toMatchObject({
    pin: 'match',
    declared: `${pin36} by checkout-pin,release-table`,
  });
});

test('LLVM_SYSPATH makes a tree the one that Triton is built with, and is reported', () => {
  const env = ['LLVM_SYSPATH=/opt/my-llvm'];
  const component = oneOf(
    { ...checkout, 'opt/my-llvm/include/llvm/Support/VCSRevision.h': `#define LLVM_REVISION "${pin38}"\n` },
    env,
  );
  expect(properties(component)).toMatchObject({
    role: 'core',
    pin: 'mismatch',
    override: 'LLVM_SYSPATH=/opt/my-llvm',
  });
});

test('the answer does not depend on how the file was cut', () => {
  const files = { [lib]: whole36, ...dist('triton', '3.6.0') };
  const expected = catalogFiles(llvm, files);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 900 }), (chunk) => {
      expect(catalogFiles(llvm, files, { chunk })).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});
