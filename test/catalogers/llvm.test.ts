import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Component } from '../../src/bom/model.ts';
import { llvm } from '../../src/catalogers/llvm.ts';
import { catalogFiles, elf, type Files } from '../support/elf.ts';
import { type Entries, treeOf } from '../support/tree.ts';

const site = 'opt/venv/lib/python3.12/site-packages';
const lib = `${site}/triton/_C/libtriton.so`;
const beside = `${site}/triton/_C/libhelper.so`;
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

const built = 'workspace/triton/python/triton/_C/libtriton.so';

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
    {
      ...checkout,
      [built]: whole36,
      'workspace/triton/cmake/llvm-info.json': `{"llvm_hash":"${pin38}","build_number":1}`,
    },
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
  ['a release that no table has', { [lib]: whole36, ...dist('triton', '3.99.0') }],
  ['a local build of an unknown commit', { [lib]: whole36, ...dist('triton', '3.6.0+gitdeadbeef') }],
  ['a distribution without a table', { [lib]: whole36, ...dist('triton-ascend', '3.6.0') }],
  ['an empty pin file', { ...checkout, [built]: whole36, 'workspace/triton/cmake/llvm-hash.txt': '\n' }],
  [
    'a pin file that is no JSON',
    { 'w/triton/python/triton/_C/libtriton.so': whole36, 'w/triton/cmake/llvm-info.json': '{' },
  ],
  ['a library that says nothing', { [lib]: elf(['nothing']), ...dist('triton', '3.6.0') }],
  ['a library that says nothing and belongs to nobody', { [lib]: elf(['nothing']) }],
  [
    'only a version, where the pin has none',
    { [`${site}/triton/FileCheck`]: elf(['23.0.0git']), ...dist('triton-xpu', '3.7.0') },
  ],
])('unknown, and said so: %s', ([, files]) => {
  const { components, skipped } = catalogFiles(llvm, files);
  expect(components.map((component) => properties(component)['pin'])).toEqual(['unknown']);
  expect(skipped).toHaveLength(1);
});

test('a version that is the one of the pin has a word of its own, and no commit is claimed', () => {
  const component = oneOf({ [lib]: elf(['LLVM19.0.0git']), ...dist('triton', '3.1.0') });
  expect(component.purl).toBe('pkg:generic/llvm@19.0.0git');
  expect(properties(component)).toMatchObject({
    pin: 'version-match',
    declared: '10dc3a8e916d73291269e5e2b82dd22681489aa1 by release-table',
    observed: 'version 19.0.0git by version-literal',
  });
});

test.for<[string, Files]>([
  ['metadata', dist('triton', '3.6.0')],
  ['metadata of a release that no table has', dist('triton', '3.99.0')],
  ['a source tree', checkout],
])('%s without any LLVM is no LLVM', ([, files]) => {
  expect(catalogFiles(llvm, files)).toMatchObject({ components: [], skipped: [] });
});

test('a release that no table has says how to mend it', () => {
  const { skipped } = catalogFiles(llvm, { [lib]: whole36, ...dist('triton', '3.99.0') });
  expect(skipped[0]?.reason).toBe(
    'the LLVM that triton 3.99.0 pins is not known; "tcf pins add WHEEL" reads it from the wheel',
  );
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

test('3.9.0 holds two LLVMs, and both are as pinned', () => {
  const { components } = catalogFiles(llvm, {
    [lib]: elf([F2('24.0.0git', 'b010a18d2b648cab83c83967ff26b8fde11acdc6')]),
    [`${site}/triton/backends/amd/lib/libtriton_amd_codegen.so`]: elf([
      F2('24.0.0git', '6bc4aaf6641c56ee104f6200c96a6a571bc77052'),
    ]),
    ...dist('triton', '3.9.0'),
  });
  expect(
    components.map((component) => [properties(component)['role'], properties(component)['pin']]),
  ).toEqual([
    ['amd-codegen', 'match'],
    ['core', 'match'],
  ]);
});

const wheelOf = (name: string, version: string, record: string): Files => ({
  ...dist(name, version),
  [`${site}/${name.replaceAll('-', '_')}-${version}.dist-info/RECORD`]: record,
});
const sha256 = (content: Uint8Array) => `sha256=${createHash('sha256').update(content).digest('base64url')}`;

test('the distribution that owns the library decides, whatever it and its package are called', () => {
  const inside = `${site}/speedy`;
  const { components, skipped } = catalogFiles(llvm, {
    [`${inside}/_C/libtriton.so`]: elf([E('24.0.0git', pin36)]),
    [`${inside}/backends/amd/lib/libtriton_amd_codegen.so`]: elf([E('24.0.0git', pin38)]),
    ...wheelOf('speedy-language', '1.0', 'speedy/_C/libtriton.so,,\n'),
  });
  expect(
    components.map((component) => [properties(component)['role'], properties(component)['pin']]),
  ).toEqual([
    ['amd-codegen', 'unknown'],
    ['core', 'unknown'],
  ]);
  expect(skipped.map(({ reason }) => reason).join()).toContain('speedy-language 1.0');
});

test('of two distributions that list one library the one with its hash declares', () => {
  const component = oneOf({
    [lib]: whole36,
    ...wheelOf('triton', '3.8.0', 'triton/_C/libtriton.so,sha256=x,1\n'),
    ...wheelOf('triton-nightly', '3.6.0', `triton/_C/libtriton.so,${sha256(whole36)},1\n`),
  });
  expect(properties(component)['declared']).toBe('unknown by release-table');
  const other = oneOf({
    [lib]: whole36,
    ...wheelOf('triton', '3.6.0', `triton/_C/libtriton.so,${sha256(whole36)},1\n`),
    ...wheelOf('triton', '3.8.0', 'triton/_C/libtriton.so,sha256=x,1\n'),
  });
  expect(properties(other)['pin']).toBe('match');
});

const direct = (url: string, info = `${site}/triton-3.8.0.dist-info`, editable = true): Files => ({
  [`${info}/METADATA`]: 'Name: triton\nVersion: 3.8.0\n',
  [`${info}/direct_url.json`]: JSON.stringify({ url, dir_info: { editable } }),
});

test('a tree without .git that was installed under a bare number: its own pin outranks the table', () => {
  const editable = oneOf({ ...checkout, [built]: whole36, ...direct('file:///workspace/triton') });
  expect(properties(editable)).toMatchObject({ pin: 'match', declared: `${pin36} by checkout-pin` });
  const copied = oneOf({
    ...checkout,
    [lib]: whole36,
    ...direct('file:///workspace/triton', undefined, false),
    [`${site}/triton-3.8.0.dist-info/RECORD`]: 'triton/_C/libtriton.so,,\n',
  });
  expect(properties(copied)).toMatchObject({ pin: 'match', declared: `${pin36} by checkout-pin` });
});

test.for<[string, Entries]>([
  [
    'the source is named through /home -> var/home',
    { home: { link: 'var/home' }, ...direct('file:///home/me/triton') },
  ],
  [
    'the folder of the package is a link',
    {
      [`${site}/triton`]: { link: '/var/home/me/triton/python/triton' },
      ...direct('file:///var/home/me/triton'),
    },
  ],
  [
    'an egg-link leads there',
    {
      [`${site}/triton.egg-link`]: '/var/home/me/triton/python\n',
      'var/home/me/triton/python/triton.egg-info/PKG-INFO': 'Name: triton\nVersion: 3.6.0\n',
    },
  ],
])('an editable Triton is one LLVM where %s', ([, entries]) => {
  const root = 'var/home/me/triton';
  const files: Entries = {
    [`${root}/cmake/llvm-hash.txt`]: pin36,
    [`${root}/python/triton/_C/libtriton.so`]: whole36,
    ...entries,
  };
  const { components } = llvm.catalog(treeOf(llvm, files));
  expect(components.map((component) => properties(component)['pin'])).toEqual(['match']);
});

test('what lies in a build folder is the same LLVM, or an older one and no second core', () => {
  const stale = (content: Uint8Array) =>
    catalogFiles(llvm, {
      ...checkout,
      [built]: whole36,
      'workspace/triton/build/lib.linux-x86_64-cpython-312/triton/_C/libtriton.so': content,
    }).components.map((component) => [properties(component)['role'], properties(component)['pin']]);
  expect(stale(whole36)).toEqual([['core', 'match']]);
  expect(stale(elf([E('23.0.0git', pin38)]))).toEqual([
    ['build', 'observed-only'],
    ['core', 'match'],
  ]);
});

test.for<[string, Files, Partial<Component>]>([
  ['the LLVM project', { [lib]: whole36 }, { supplier: { name: 'LLVM Project', url: 'https://llvm.org/' } }],
  [
    'a fork',
    { [lib]: elf([F(fork, pin38)]) },
    { supplier: { name: 'triton-lang', url: 'https://github.com/triton-lang' } },
  ],
  [
    'an LLVM before its licence was changed',
    { 'opt/x/libLLVM-7.so': elf(['nothing']) },
    { licenses: [{ acknowledgement: 'concluded', expression: 'NCSA' }] },
  ],
])('who answers for it, and the licence, follow from what is known: %s', ([, files, expected]) => {
  expect(oneOf(files)).toMatchObject(expected);
});

test.for<[string, Files]>([
  ["a library of NVIDIA's", { 'usr/local/cuda/lib64/libnvJitLink.so.12': elf(['LLVM20.0.0git']) }],
  ['a library of anybody', { 'opt/x/libthing.so': elf(['LLVM22.1.0']) }],
])('nothing is claimed of the LLVM in %s', ([, files]) => {
  const { cpe, licenses, supplier } = oneOf(files);
  expect({ cpe, licenses, supplier }).toEqual({ cpe: undefined, licenses: undefined, supplier: undefined });
});

test("a distribution's LLVM has no CPE of upstream", () => {
  const found = oneOf({ 'usr/lib/x86_64-linux-gnu/libLLVM-14.so.1': elf(['LLVM14.0.6']) });
  expect(found.cpe).toBeUndefined();
  expect(found.licenses).toHaveLength(1);
});

test.for<[string, Files]>([
  ['the words in a text file', { [lib]: E('22.0.0git', pin36) }],
  ['bitcode of ROCm', { [`${site}/triton/backends/amd/lib/ockl.bc`]: elf([E('20.0.0git', other)]) }],
  ['glued at its left end', { [beside]: elf([`l_size${E('20.0.0git', other)}`]) }],
  ['glued at its right end', { [beside]: elf([`${E('20.0.0git', other)}5ca`]) }],
  [
    'host compilers',
    {
      [beside]: elf([
        'Linker: LLD 20.1.8',
        'clang version 20.1.8 ( 20.1.8-2.module_el8)',
        'GCC: (GNU) 14.2.1',
      ]),
    },
  ],
  [
    'a debugger that speaks of LLVM',
    { 'usr/bin/gdb': elf(['LLVM version 14.0.6', 'needs LLVM version 15.0 or later']) },
  ],
  ['names of MLIR classes', { 'usr/bin/mlir': elf(['_ZN4mlir4LLVM10FuncOpE', 'LLVM14GEPOp']) }],
  ['what LLD has linked', { 'usr/bin/tool': elf([`Linker: ${F('llvm/llvm-project', pin36)}`]) }],
  [
    'a program that carries source code, a table of pins, a lock file, an SBOM',
    {
      'usr/bin/tool': elf([
        `const seen = ["${F('llvm/llvm-project', pin36)}", "${F2('22.0.0git', pin36)}", "${E('22.0.0git', pin36).replaceAll('\0', '')}"];`,
        '* identification block (`LLVM14.0.6\\0`), the producer (`llvm-mc (based on LLVM 14.0.6)`)',
        `{"purl":"pkg:generic/llvm@14.0.6","value":"LLVM version 22.0.0git (${pin36})"}`,
      ]),
    },
  ],
  [
    'a program that carries a dump of strings',
    {
      'usr/bin/tool': elf([
        [
          '',
          F('llvm/llvm-project', pin36),
          F2('22.0.0git', pin36),
          'LLVM22.0.0git',
          'llvm-mc (based on LLVM 22.0.0git)',
          `22.0.0git ${pin36}`,
          '',
        ].join('\n'),
      ]),
    },
  ],
  ['a bare version elsewhere', { 'usr/bin/tool': elf(['22.0.0git']) }],
  ['a bare commit', { [beside]: elf([pin36]) }],
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

test('where uv made symbolic links into its cache, the LLVM lies where the environment shows it, and once', () => {
  const cached = 'root/.cache/uv/archive-v0/Ja8CzJiV';
  const info = 'triton-3.6.0.dist-info';
  const entries: Entries = {
    [`${cached}/triton/_C/libtriton.so`]: whole36,
    [`${cached}/${info}/METADATA`]: 'Name: triton\nVersion: 3.6.0\n',
    [lib]: { link: `/${cached}/triton/_C/libtriton.so` },
    [`${site}/${info}/METADATA`]: { link: `/${cached}/${info}/METADATA` },
    [`${site}/${info}/RECORD`]: 'triton/_C/libtriton.so,,\n',
  };
  const { components } = llvm.catalog(treeOf(llvm, entries));
  expect(components.map((component) => properties(component)['pin'])).toEqual(['match']);
  expect(components[0]?.evidence?.occurrences?.map(({ location }) => location)).toContain(lib);
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
