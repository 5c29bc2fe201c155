import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { LayerFolder } from '../../src/image/layer-folder.ts';
import { opaqueFolders } from '../../src/image/opaque-folders.ts';
import type { TarEntry } from '../../src/image/tar.ts';
import { readWalked, type WalkedLayer } from '../../src/image/walked-layer.ts';
import { folder } from '../support/host.ts';

/** Entries as a line each, contents behind those that are read. */
function walk(
  directory: string,
  layer: WalkedLayer,
): { readonly lines: readonly string[]; readonly told: readonly string[] } {
  const lines: string[] = [];
  const told: string[] = [];
  const visit = ({ index, linkName, name, size, type }: TarEntry) => {
    const link = linkName === '' ? '' : ` -> ${linkName}`;
    lines.push(`${index} ${type} ${Buffer.from(name, 'latin1').toString('utf8')} ${size}${link}`);
    const kept: Uint8Array[] = [];
    return {
      push: (chunk: Uint8Array) => void kept.push(Uint8Array.from(chunk)),
      end: () => {
        lines[lines.length - 1] += kept.length === 0 ? '' : `: ${Buffer.concat(kept).toString()}`;
      },
    };
  };
  readWalked({ directory, what: 'the layer', ...layer }, new LayerFolder(directory), visit, (path, reason) =>
    told.push(`${path}: ${reason}`),
  );
  return { lines, told };
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    utimesSync(join(root, path), 1000, 1000);
  }
}

test('a layer of overlay is what lies in its folder, folders first', () => {
  using work = folder();
  write(work.path, { 'a.b': '1', 'a/b': 'two', 'a/ä': '', '.wh.gone': '' });
  symlinkSync('/etc', join(work.path, 'link'));
  linkSync(join(work.path, 'a/b'), join(work.path, 'z'));
  expect(walk(work.path, { driver: 'overlay', opaque: ['a'] })).toEqual({
    lines: [
      '0 file .wh.gone 0',
      '1 directory a 0',
      '2 file a/.wh..wh..opq 0',
      '3 file a/b 3: two',
      '4 file a/ä 0',
      '5 file a.b 1: 1',
      '6 symlink link 0 -> /etc',
      '7 hardlink z 0 -> a/b',
    ],
    told: [],
  });
});

test('folders of which nobody can tell whether they are opaque are owned up to', () => {
  using work = folder();
  write(work.path, { 'a/b': 'two' });
  expect(walk(work.path, { driver: 'overlay' }).told).toEqual([
    'the layer: which of its folders hide those of lower layers cannot be told: GNU tar cannot be run',
  ]);
});

test('a layer of vfs is what differs from the folder below', () => {
  using work = folder();
  const [below, here] = [join(work.path, 'below'), join(work.path, 'here')];
  write(below, { 'etc/same': 'x', 'etc/other': 'old', 'etc/gone': 'x', 'old/a': 'x', kind: 'x' });
  symlinkSync('etc', join(below, 'link'));
  write(here, { 'etc/same': 'x', 'etc/other': 'longer', 'new/a': 'y', 'kind/a': 'z' });
  symlinkSync('new', join(here, 'link'));
  expect(walk(here, { driver: 'vfs', below }).lines).toEqual([
    '0 file etc/other 6: longer',
    '1 directory kind 0',
    '2 file kind/a 1: z',
    '3 symlink link 0 -> new',
    '4 directory new 0',
    '5 file new/a 1: y',
    '6 file .wh.old 0',
    '7 file etc/.wh.gone 0',
  ]);
});

test('the lowest layer of vfs is all of its folder', () => {
  using work = folder();
  write(work.path, { 'etc/a': 'x' });
  expect(walk(work.path, { driver: 'vfs' })).toEqual({
    lines: ['0 directory etc 0', '1 file etc/a 1: x'],
    told: [],
  });
});

test('folders without a mark hide nothing', async () => {
  using work = folder();
  write(work.path, { 'a/b/c': 'x', '-rf/x': 'x', 'a b\n/x': 'x' });
  expect(await opaqueFolders(work.path)).toEqual([]);
});
