import { expect, test } from 'vitest';
import { triton } from '../../src/catalogers/triton.ts';
import { catalogFiles, type Files } from '../support/elf.ts';

const commit = '7c56a5e40f7fd928dfd5c72902d5def0097db73a';
const tree: Files = {
  'workspace/triton/include/triton/Dialect/Triton/IR/Dialect.h': '',
  'workspace/triton/python/triton/__init__.py': '',
};
const git = 'workspace/triton/.git';

test.for<[string, Files, string | undefined]>([
  [
    'a branch',
    { [`${git}/HEAD`]: 'ref: refs/heads/main\n', [`${git}/refs/heads/main`]: `${commit}\n` },
    commit,
  ],
  [
    'a packed branch',
    {
      [`${git}/HEAD`]: 'ref: refs/heads/main\n',
      [`${git}/packed-refs`]: `# pack-refs\n${commit} refs/heads/main\n`,
    },
    commit,
  ],
  ['a detached head', { [`${git}/HEAD`]: `${commit}\n` }, commit],
  ['no repository', {}, undefined],
  ['a branch without commits', { [`${git}/HEAD`]: 'ref: refs/heads/main\n' }, undefined],
  [
    'a ref that climbs out',
    { [`${git}/HEAD`]: 'ref: refs/heads/../../../x\n', 'workspace/triton/x': commit },
    undefined,
  ],
  [
    'a ref of another branch',
    {
      [`${git}/HEAD`]: 'ref: refs/heads/main\n',
      [`${git}/packed-refs`]: `${commit} refs/heads/other/refs/heads/main\n`,
    },
    undefined,
  ],
])('a checkout at %s', ([, files, expected]) => {
  const { components, owners } = catalogFiles(triton, { ...tree, ...files });
  expect(components.map(({ purl }) => purl)).toEqual([
    `pkg:github/triton-lang/triton${expected === undefined ? '' : `@${expected}`}`,
  ]);
  expect(owners?.[0]?.owns('workspace/triton/cmake/llvm-hash.txt')).toBe(true);
  expect(owners?.[0]?.owns('workspace/triton-other/cmake/llvm-hash.txt')).toBe(false);
});

test('the pins that a checkout declares stand on it', () => {
  const { components } = catalogFiles(triton, {
    ...tree,
    'workspace/triton/cmake/llvm-info.json': `{"llvm_hash":"${commit}"}`,
    'workspace/triton/cmake/amd-llvm-info.json': '{',
    'workspace/triton/cmake/llvm-build-info.json': `{"llvm_hash":"${commit}"}`,
  });
  const pins = components[0]?.properties?.filter(({ name }) => name === 'tcf:triton:pin');
  expect(pins?.map(({ value }) => value)).toEqual([
    'amd-codegen unknown by checkout-pin',
    `${commit} by checkout-pin`,
  ]);
});

test.for([
  ['a fork', 'https://github.com/Acme/Triton.git', 'acme/triton', 'https://github.com/Acme/Triton'],
  [
    'a token',
    'https://ann:ghp_secret@github.com/triton-lang/triton?x=1#y',
    'triton-lang/triton',
    'https://github.com/triton-lang/triton',
  ],
  ['a short name', 'git@github.com:acme/triton.git', 'acme/triton', 'https://github.com/acme/triton'],
  ['ssh', 'ssh://git@github.com/acme/triton', 'acme/triton', 'https://github.com/acme/triton'],
  [
    'another host',
    'https://gitlab.example:8443/a/b/triton.git',
    'triton-lang/triton',
    'https://gitlab.example:8443/a/b/triton',
  ],
  ['a path', '/home/ann/triton', 'triton-lang/triton', undefined],
  ['a command', 'ext::sh -c evil', 'triton-lang/triton', undefined],
] as const)('a clone of %s names its repository and nothing else', ([, url, repository, reference]) => {
  const config = `[core]\n\tbare = false\n[remote "upstream"]\n\turl = https://x.example/y\n[remote "origin"]\n\turl = ${url}\n\tfetch = x\n`;
  const { components } = catalogFiles(triton, {
    ...tree,
    [`${git}/HEAD`]: commit,
    [`${git}/config`]: config,
  });
  expect(components[0]?.purl).toBe(`pkg:github/${repository}@${commit}`);
  expect(components[0]?.externalReferences).toEqual(
    reference === undefined ? undefined : [{ type: 'vcs', url: reference }],
  );
  expect(JSON.stringify(components)).not.toContain('secret');
});

test('headers without the sources are no checkout', () => {
  const header = 'usr/include/triton/Dialect/Triton/IR/Dialect.h';
  expect(catalogFiles(triton, { [header]: '' }).components).toEqual([]);
});

test('overrides of the environment are properties of the checkout', () => {
  const { components } = catalogFiles(triton, tree, {
    env: ['PATH=/bin', 'TRITON_PTXAS_PATH=/x/ptxas', 'LLVM_SYSPATH=/opt/llvm'],
  });
  expect(components[0]?.properties?.map(({ value }) => value)).toEqual([
    'workspace/triton',
    'TRITON_PTXAS_PATH=/x/ptxas',
    'LLVM_SYSPATH=/opt/llvm',
  ]);
});
