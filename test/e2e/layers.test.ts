import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cataloger } from '../../src/catalogers/contract.ts';
import { Merger } from '../../src/image/merge.ts';
import { joinPath } from '../../src/image/names.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { root } from '../../src/image/rootfs.ts';
import { scanImage } from '../../src/image/scan.ts';
import { LayerScanner } from '../../src/image/scan-layer.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { buildImage, memoryImage, writeOciLayout } from '../support/image.ts';
import { archive, directory, file, hardlink, symlink } from '../support/tar.ts';

const run = promisify(execFile);

/** `etc/motd` to `file hello`, `lib` to `symlink usr/lib`, `etc` to `directory`. */
type Listing = Readonly<Record<string, string>>;

const everything: Cataloger = {
  name: 'everything',
  wants: () => true,
  catalog: () => ({ components: [], dependencies: [], skipped: [] }),
};

async function merged(layers: readonly Uint8Array[]): Promise<Listing> {
  const merger = new Merger();
  for (const layer of memoryImage({ layers }).layers) {
    const scanner = new LayerScanner([everything]);
    merger.apply(scanner.finish(await readLayer(layer, scanner)), layer.index);
  }
  const { rootfs, finds } = merger;
  const listing: Record<string, string> = {};
  const walk = (path: string, inode: number): void => {
    for (const [name, child] of rootfs.childrenOf(inode)) {
      const at = joinPath(path, name);
      const type = rootfs.typeOf(child);
      const content = Buffer.from(finds.get(child)?.content ?? []).toString('latin1');
      listing[at] =
        type === 'file' ? `file ${content}` : type === 'symlink' ? `symlink ${rootfs.targetOf(child)}` : type;
      if (type === 'directory') {
        walk(at, child);
      }
    }
  };
  walk('', root);
  return listing;
}

/** What umoci makes of the same layers; `undefined` where it refuses them. */
async function unpacked(layers: readonly Uint8Array[]): Promise<Listing | undefined> {
  const folder = mkdtempSync('/tmp/tcf-layers-');
  try {
    writeOciLayout(join(folder, 'image'), { image: buildImage({ layers }), tag: 'x' });
    const rootfs = join(folder, 'bundle', 'rootfs');
    try {
      await run('umoci', ['unpack', '--image', `${folder}/image:x`, join(folder, 'bundle')]);
    } catch (error) {
      // Two things we read all the same: a directory that no entry announces over a file of a lower layer,
      // which an overlay shows, and a whiteout below links that lead in circles, which hides nothing.
      const reason = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
      if (/mkdir parent: .*not a directory|too many levels of symbolic links/.test(reason)) {
        return undefined;
      }
      throw error;
    }
    return listed(rootfs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function listed(rootfs: string): Listing {
  const listing: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(join(rootfs, path))) {
      const at = joinPath(path, name);
      const stat = lstatSync(join(rootfs, at));
      if (stat.isDirectory()) {
        listing[at] = 'directory';
        walk(at);
      } else if (stat.isSymbolicLink()) {
        listing[at] = `symlink ${readlinkSync(join(rootfs, at))}`;
      } else {
        listing[at] = `file ${readFileSync(join(rootfs, at), 'latin1')}`;
      }
    }
  };
  walk('');
  return listing;
}

// Few names, so that layers meet; every way to write one that leads to the same place.
const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const spelled = fc
  .tuple(fc.constantFrom('', '', '', './', '/', '//', '../', 'x/../'), path)
  .map(([prefix, rest]) => `${prefix}${rest}`);
const target = fc.oneof(
  path,
  path.map((to) => `/${to}`),
  path.map((to) => `../${to}`),
  fc.constantFrom('.', '..', '/', 'a', 'b'),
);
const content = fc.string({ maxLength: 3, unit: fc.constantFrom('x', 'y', 'z') });
const inParent = (base: (last: string) => string) => (to: string) => {
  const slash = to.lastIndexOf('/') + 1;
  return to.slice(0, slash) + base(to.slice(slash));
};
const member = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(spelled, content).map(([to, text]) => file(to, text)) },
  { weight: 4, arbitrary: spelled.map((to) => directory(`${to}/`)) },
  { weight: 2, arbitrary: fc.tuple(spelled, target).map(([to, link]) => symlink(to, link)) },
  { weight: 2, arbitrary: fc.tuple(spelled, spelled).map(([to, link]) => hardlink(to, link)) },
  { weight: 2, arbitrary: spelled.map((to) => file(inParent((last) => `.wh.${last}`)(to))) },
  { weight: 1, arbitrary: spelled.map((to) => file(inParent(() => '.wh..wh..opq')(to))) },
  { weight: 1, arbitrary: fc.constant(directory('./')) },
);
const stack = fc.array(fc.array(member, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });

/** Leaves out every member that we refuse where it stands, so that what is compared says something. */
async function withoutRefused(stack: readonly (readonly Buffer[])[]): Promise<Buffer[]> {
  const layers: Buffer[][] = [];
  for (const members of stack) {
    const layer: Buffer[] = [];
    layers.push(layer);
    for (const member of members) {
      layer.push(member);
      try {
        await merged(layers.map((kept) => archive(...kept)));
      } catch (error) {
        expect(error).toMatchObject({ code: 'layer.entry' });
        layer.pop();
      }
    }
  }
  return layers.map((kept) => archive(...kept));
}

test('layers become the file system that umoci unpacks', async () => {
  let compared = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(stack, async (members) => {
      const layers = await withoutRefused(members);
      const theirs = await unpacked(layers);
      if (theirs === undefined) {
        refused += 1;
        return;
      }
      compared += 1;
      expect(await merged(layers)).toEqual(theirs);
    }),
    { numRuns: 300, seed: 20261123 },
  );
  expect(refused).toBeLessThan(compared / 2);
}, 600_000);

test('every store gives the same tree for names and links of all kinds', async () => {
  const folder = mkdtempSync('/tmp/tcf-stores-');
  const store = `[overlay@${folder}/graph+${folder}/run]localhost/x:latest`;
  try {
    const deep = `${'deep/'.repeat(40)}file`;
    const layers = [
      archive(
        directory('usr/lib/'),
        symlink('lib', 'usr/lib'),
        file('lib/through-a-link', 'a'),
        file(deep, 'b'.repeat(70_000)),
        file('caf\xe9', 'c', { latin1: true }),
        file('漢/字', 'd'),
        file('first', 'e'.repeat(1000)),
        hardlink('second', 'first'),
        file('gone', 'f'),
        file('etc/kept', 'g'),
        file('empty'),
      ),
      archive(file('.wh.gone'), file('etc/.wh..wh..opq'), file('etc/new', 'h'), file('usr/lib/more', 'i')),
    ];
    writeOciLayout(join(folder, 'oci'), { image: buildImage({ layers }), tag: 'x' });
    for (const to of [
      `oci-archive:${folder}/oci.tar:x`,
      `docker-archive:${folder}/docker.tar:x:y`,
      `containers-storage:${store}`,
    ]) {
      await run('skopeo', ['--insecure-policy', 'copy', '--quiet', `oci:${folder}/oci:x`, to]);
    }
    const host = { cwd: folder, env: {}, home: folder, uid: 0, registry: () => expect.unreachable() };
    const trees: Record<string, readonly string[]> = {};
    for (const spelled of [
      'oci:oci:x',
      'oci-archive:oci.tar:x',
      'docker-archive:docker.tar',
      `containers-storage:${store}`,
    ]) {
      const name = parseImageName(spelled);
      if (name.transport === 'bare') {
        throw new Error(spelled);
      }
      await using image = await openNamedImage(name, { os: 'linux', architecture: 'amd64' }, host);
      const tree = (await scanImage(image, [everything])).treeFor(everything);
      trees[spelled] = tree
        .wanted()
        .map((one) => `${one.path} ${one.layer.index} ${one.links} ${one.content()?.length}`);
    }
    const [first = [], ...others] = Object.values(trees);
    expect(first).toHaveLength(9);
    expect(first).toContain('usr/lib/through-a-link 0 undefined 1');
    for (const other of others) {
      expect(other).toEqual(first);
    }
  } finally {
    await run('umount', [`${folder}/graph/overlay`]).catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
});
