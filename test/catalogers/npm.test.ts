import { describe, expect, test } from 'vitest';
import { npm } from '../../src/catalogers/npm.ts';
import { type Entry, treeOf } from '../support/tree.ts';

const manifest = (name: string, more: object = {}) => JSON.stringify({ name, version: '1.0.0', ...more });
const catalog = (entries: Readonly<Record<string, Entry>>) => npm.catalog(treeOf(npm, entries));
const names = (entries: Readonly<Record<string, Entry>>) =>
  catalog(entries).components.map(({ name }) => name);
const leftOut = (entries: Readonly<Record<string, Entry>>) =>
  (catalog(entries).leftOut ?? []).map(({ path, reason }) => `${path} ${reason}`);

describe('a global package', () => {
  test.for([
    ['of a distribution', 'usr/lib/node_modules'],
    ['of a distribution for 64 bits', 'usr/lib64/node_modules'],
    ['of Fedora', 'usr/lib/node_modules_22'],
    ['of an image of Node', 'usr/local/lib/node_modules'],
    ['of conda', 'opt/conda/envs/triton/lib/node_modules'],
    ['of nvm', 'root/.nvm/versions/node/v22.3.0/lib/node_modules'],
    ['of fnm', 'home/me/.local/share/fnm/node-versions/v22.3.0/installation/lib/node_modules'],
    ['of asdf', 'root/.asdf/installs/nodejs/22.3.0/lib/node_modules'],
    ['of mise', 'root/.local/share/mise/installs/node/22.3.0/lib/node_modules'],
    ['of a tool of mise', 'root/.local/share/mise/installs/npm-prettier/3.6.2/lib/node_modules'],
    ['of volta', 'root/.volta/tools/image/packages/prettier/lib/node_modules'],
    ['of a Node of volta', 'root/.volta/tools/image/node/22.3.0/lib/node_modules'],
    ['of n', 'usr/local/n/versions/node/22.3.0/lib/node_modules'],
    ['of a prefix of a user', 'home/me/.npm-packages/lib/node_modules'],
    ['of any prefix', 'srv/tools/node/lib/node_modules'],
    ['of the root', 'lib/node_modules'],
    ['of yarn', 'usr/local/share/.config/yarn/global/node_modules'],
    ['of yarn of a user', 'root/.config/yarn/global/node_modules'],
    ['of bun', 'root/.bun/install/global/node_modules'],
    ['of pnpm', 'root/.local/share/pnpm/global/5/node_modules'],
    ['of pnpm 11', 'root/.local/share/pnpm/global/v11/2f1a/node_modules'],
  ] as const)('%s', ([, tree]) => {
    const entries = {
      [`${tree}/tool/package.json`]: manifest('tool'),
      [`${tree}/@acme/cli/package.json`]: manifest('@acme/cli'),
    };
    expect(names(entries).sort()).toEqual(['@acme/cli', 'tool']);
    expect(leftOut(entries)).toEqual([]);
  });

  test('of pnpm finds what it needs where pnpm links it', () => {
    const tree = 'root/.local/share/pnpm/global/5/node_modules';
    const { components, dependencies, skipped } = catalog({
      [`${tree}/.pnpm/tool@1.0.0/node_modules/tool/package.json`]: manifest('tool', {
        dependencies: { dep: '1' },
      }),
      [`${tree}/.pnpm/tool@1.0.0/node_modules/dep`]: { link: '../../dep@1.0.0/node_modules/dep' },
      [`${tree}/.pnpm/dep@1.0.0/node_modules/dep/package.json`]: manifest('dep'),
      [`${tree}/tool`]: { link: '.pnpm/tool@1.0.0/node_modules/tool' },
    });
    expect(skipped).toEqual([]);
    expect(components.map(({ name }) => name).sort()).toEqual(['dep', 'tool']);
    const place = (name: string) => `pkg:npm/${name}@1.0.0#${tree}/.pnpm/${name}@1.0.0/node_modules/${name}`;
    expect(dependencies).toContainEqual({ ref: place('tool'), dependsOn: [place('dep')] });
  });
});

describe('modules of an application are counted', () => {
  test.for([
    ['below its folder', 'app/node_modules', {}],
    ['in its lib', 'app/lib/node_modules', { 'app/package.json': manifest('app') }],
    ['beside a manifest in lib', 'srv/lib/node_modules', { 'srv/lib/package.json': manifest('app') }],
    ['in the root', 'node_modules', {}],
  ] as const)('%s', ([, tree, beside]) => {
    const entries = {
      ...beside,
      [`${tree}/a/package.json`]: manifest('a'),
      [`${tree}/@acme/b/package.json`]: manifest('@acme/b'),
      [`${tree}/a/node_modules/c/package.json`]: manifest('c'),
    };
    expect(names(entries)).toEqual([]);
    expect(leftOut(entries)).toEqual([`${tree} holds 3 packages of an application, not listed`]);
  });

  test('but not what a global package brings to test itself with', () => {
    const entries = {
      'usr/lib/node_modules/tool/package.json': manifest('tool'),
      'usr/lib/node_modules/tool/test/app/node_modules/fake/package.json': manifest('fake'),
    };
    expect(leftOut(entries)).toEqual([]);
  });
});
