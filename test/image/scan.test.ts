import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Cataloger,
  contentLimit,
  type StreamScanner,
  type Tree,
} from '../../src/catalogers/contract.ts';
import { scanImage } from '../../src/image/scan.ts';
import { memoryImage } from '../support/image.ts';
import { runs } from '../support/runs.ts';
import { archive, directory, file, hardlink, header, pax, symlink } from '../support/tar.ts';

const nothing = { components: [], dependencies: [], skipped: [] };

/** Wants `etc/db` wherever that leads, and every `*.dist-info/METADATA`. */
const databases: Cataloger = {
  name: 'databases',
  wants: (path) =>
    path === 'etc/db' || path === 'var/lib/x/db' || /(?:^|\/)[^/]+\.dist-info\/METADATA$/.test(path),
  catalog: () => nothing,
};

/** Scans every ELF file called `tool`, and counts its bytes. */
const tools: Cataloger = {
  name: 'tools',
  wants: () => false,
  scan(path, head): StreamScanner | undefined {
    if (!/(?:^|\/)tool$/.test(path) || head[0] !== 0x7f) {
      return undefined;
    }
    let size = 0;
    let last = 0;
    return {
      push(chunk) {
        size += chunk.length;
        last = chunk.at(-1) ?? last;
      },
      end: () => ({ size, last }),
    };
  },
  catalog: () => nothing,
};

const elf = (size: number, last = 7) => {
  const bytes = Buffer.alloc(size, 1);
  bytes.write('\x7fELF', 0, 'latin1');
  bytes[size - 1] = last;
  return bytes;
};

async function scan(...layers: readonly Uint8Array[]) {
  const scanned = await scanImage(memoryImage({ layers }), [databases, tools]);
  return { ...scanned, tree: scanned.treeFor(databases), tools: scanned.treeFor(tools) };
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
const wanted = (tree: Tree) =>
  tree.wanted().map((found) => `${found.path}@${found.layer.index} ${text(found.content())}`);
const db = (content: string) => file('etc/db', content);

describe('whiteouts', () => {
  test.for([
    ['a file', [archive(db('1')), archive(file('etc/.wh.db'))], []],
    ['a directory', [archive(db('1')), archive(file('.wh.etc'))], []],
    ['through an opaque directory', [archive(db('1')), archive(file('etc/.wh..wh..opq'))], []],
    ['through an opaque root', [archive(db('1')), archive(file('.wh..wh..opq'))], []],
    ['through an opaque root written as ./', [archive(db('1')), archive(file('./.wh..wh..opq'))], []],
    ['with a slash in front', [archive(db('1')), archive(file('/etc/.wh.db'))], []],
    [
      'below a symbolic link of a lower layer',
      [archive(db('1'), symlink('link', 'etc')), archive(file('link/.wh.db'))],
      [],
    ],
    [
      'not what its own layer brings, before',
      [archive(db('1')), archive(db('2'), file('etc/.wh.db'))],
      ['etc/db@1 2'],
    ],
    [
      'not what its own layer brings, after',
      [archive(db('1')), archive(file('etc/.wh.db'), db('2'))],
      ['etc/db@1 2'],
    ],
    [
      'not what its own layer brings, opaque',
      [archive(db('1'), file('etc/x')), archive(db('2'), file('etc/.wh..wh..opq'))],
      ['etc/db@1 2'],
    ],
    [
      'not what its own layer brings, from above',
      [archive(db('1')), archive(db('2'), file('.wh.etc'))],
      ['etc/db@1 2'],
    ],
    [
      'nothing that is not there',
      [archive(db('1')), archive(file('none/.wh.db'), file('etc/.wh.d'))],
      ['etc/db@0 1'],
    ],
    ['nothing in layers above', [archive(file('etc/.wh.db')), archive(db('1'))], ['etc/db@1 1']],
    ['once only', [archive(db('1')), archive(file('etc/.wh.db')), archive(db('3'))], ['etc/db@2 3']],
  ] as const)('hide %s', async ([, layers, expected]) => {
    expect(wanted((await scan(...layers)).tree)).toEqual(expected);
  });

  test('whiteouts and their directories are no files', async () => {
    const { tree } = await scan(archive(directory('etc'), file('etc/.wh.db'), file('etc/.wh..wh..opq')));
    expect(tree.list('etc')).toEqual([]);
  });

  test.for(['.wh.', '.wh..', '.wh...', 'etc/.wh.'])(
    'refuses a whiteout that would name its own directory: %s',
    async (name) => {
      await expect(scan(archive(db('1')), archive(file(name)))).rejects.toMatchObject({
        code: 'layer.entry',
      });
    },
  );
});

describe('one thing in place of another', () => {
  test.for([
    ['the later of two in one archive', [archive(db('1'), db('2'))], ['etc/db@0 2']],
    ['a file over a directory', [archive(db('1')), archive(file('etc', 'x'))], []],
    ['a link over a directory', [archive(db('1')), archive(symlink('etc', 'var'))], []],
    [
      'a directory over a file',
      [archive(file('etc', 'x')), archive(directory('etc'), db('2'))],
      ['etc/db@1 2'],
    ],
    ['a directory over a file, unannounced', [archive(file('etc', 'x')), archive(db('2'))], ['etc/db@1 2']],
    [
      'a directory over a link',
      [archive(symlink('etc', 'var'), file('var/x')), archive(directory('etc'), db('2'))],
      ['etc/db@1 2'],
    ],
    ['a directory over a directory', [archive(db('1')), archive(directory('etc'))], ['etc/db@0 1']],
    ['a device over a file', [archive(db('1')), archive(header('etc/db', { flag: '3' }))], []],
    [
      'whatever the spelling',
      [archive(file('./etc//db', '1')), archive(file('/../../etc/./x/../db', '2'))],
      ['etc/db@1 2'],
    ],
    [
      'below a link of a lower layer',
      [archive(directory('usr/etc'), symlink('etc', 'usr/etc')), archive(db('2'))],
      ['etc/db@1 2'],
    ],
    [
      'below an absolute link that stays in the image',
      [archive(symlink('etc', '/../../usr/etc')), archive(db('2'))],
      ['etc/db@1 2'],
    ],
  ] as const)('%s', async ([, layers, expected]) => {
    expect(wanted((await scan(...layers)).tree)).toEqual(expected);
  });

  test.for([
    ['a hard link to nothing', [archive(hardlink('etc/db', 'none'))]],
    ['a hard link to itself', [archive(db('1')), archive(hardlink('etc/db', 'etc/db'))]],
    ['a hard link to a directory', [archive(directory('etc'), hardlink('x', 'etc'))]],
    [
      'a hard link to what this layer removed',
      [archive(db('1')), archive(file('etc/.wh.db'), hardlink('x', 'etc/db'))],
    ],
    ['a file below a file of the same layer', [archive(file('etc', 'x'), db('1'))]],
    [
      'a file below links that lead in circles',
      [archive(symlink('etc', 'lib'), symlink('lib', 'etc')), archive(db('1'))],
    ],
    ['a root that is a file', [archive(file('./', 'x'))]],
  ] as const)('refuses %s', async ([, layers]) => {
    await expect(scan(...layers)).rejects.toMatchObject({ code: 'layer.entry', exit: 2 });
  });

  test('a layer that is not what its diffID says is refused', async () => {
    const layers = [archive(db('1'))];
    const image = memoryImage({ layers, diffIds: [`sha256:${'0'.repeat(64)}`] });
    await expect(scanImage(image, [databases])).rejects.toMatchObject({ code: 'content.digest' });
  });

  test('the same layer may come twice', async () => {
    const layer = archive(db('1'));
    expect(wanted((await scan(layer, archive(file('etc/.wh.db')), layer)).tree)).toEqual(['etc/db@2 1']);
  });
});

describe('links are no hiding place', () => {
  test.for([
    ['a hard link in the same layer', [archive(file('x', '1'), hardlink('etc/db', 'x'))], ['etc/db@0 1']],
    [
      'a hard link to a lower layer',
      [archive(file('x', '1')), archive(hardlink('etc/db', './x'))],
      ['etc/db@0 1'],
    ],
    [
      'a hard link whose first name is gone',
      [archive(file('x', '1')), archive(hardlink('etc/db', 'x')), archive(file('.wh.x'))],
      ['etc/db@0 1'],
    ],
    ['a symbolic link to a file', [archive(file('x', '1'), symlink('etc/db', '../x'))], ['etc/db@0 1']],
    [
      'a symbolic link to a link',
      [archive(file('x', '1'), symlink('y', 'x'), symlink('etc/db', '/y'))],
      ['etc/db@0 1'],
    ],
    [
      'a symbolic link in place of the directory',
      [archive(file('opt/db', '1'), symlink('etc', 'opt'))],
      ['etc/db@0 1'],
    ],
    [
      'links in place of three directories',
      [archive(symlink('var', 'a'), symlink('a/lib', '../b'), symlink('b/x', '/c'), file('c/db', '1'))],
      ['var/lib/x/db@0 1'],
    ],
    [
      'links that lead back to where they are',
      [archive(symlink('var', 'a'), symlink('a/lib', '/a'), symlink('a/x', '/a'), file('a/db', '1'))],
      ['var/lib/x/db@0 1'],
    ],
    [
      'a name below a link',
      [archive(directory('real'), symlink('etc', 'real')), archive(file('etc/db', '1'))],
      ['etc/db@1 1'],
    ],
    [
      'a moved dist-info',
      [archive(file('hidden/METADATA', '1'), symlink('lib/a-1.dist-info', '/hidden'))],
      ['lib/a-1.dist-info/METADATA@0 1'],
    ],
  ] as const)('%s', async ([, layers, expected]) => {
    expect(wanted((await scan(...layers)).tree)).toEqual(expected);
  });

  test('only the layers that hide something are read again, once', async () => {
    const { stats } = await scan(
      archive(file('x', '1'), file('y', '2')),
      archive(db('3')),
      archive(symlink('etc/a-1.dist-info', '/'), hardlink('etc/METADATA', 'y')),
    );
    expect(stats).toMatchObject({ layers: 3, entries: 5, readAgain: 0 });
    const hidden = await scan(
      archive(file('h/METADATA', '1')),
      archive(db('3')),
      archive(symlink('a-1.dist-info', 'h')),
    );
    expect(hidden.stats.readAgain).toBe(1);
  });

  test('a merged /usr does not show a file twice', async () => {
    const layer = archive(
      file('usr/lib/a-1.dist-info/METADATA', '1'),
      symlink('lib', 'usr/lib'),
      symlink('lib64', 'usr/lib'),
    );
    expect(wanted((await scan(layer)).tree)).toEqual(['usr/lib/a-1.dist-info/METADATA@0 1']);
  });

  test('hard links of one file know one another', async () => {
    const { tree } = await scan(
      archive(
        file('cache/a-1.dist-info/METADATA', '1'),
        hardlink('env/a-1.dist-info/METADATA', 'cache/a-1.dist-info/METADATA'),
      ),
    );
    expect(tree.wanted().map(({ path, links }) => [path, links])).toEqual([
      ['cache/a-1.dist-info/METADATA', ['env/a-1.dist-info/METADATA']],
      ['env/a-1.dist-info/METADATA', ['cache/a-1.dist-info/METADATA']],
    ]);
  });

  test('a file behind a link is shown to the scanner that its other name asks for', async () => {
    const { tools: tree, stats } = await scan(
      archive(file('opt/.hidden', elf(300)), symlink('bin/tool', '/opt/.hidden')),
    );
    expect(tree.observed().map(({ path, observation }) => [path, observation])).toEqual([
      ['bin/tool', { size: 300, last: 7 }],
    ]);
    expect(stats.readAgain).toBe(1);
  });

  test('links of llvm-14-dev that lead to where they lie cost nothing', async () => {
    const files = Array.from({ length: 3000 }, (_, at) => file(`llvm/lib/${at}`, 'x'));
    const links = ['Release', 'Debug', 'Debug+Asserts'].map((name) => symlink(`llvm/build/${name}`, '..'));
    const { skipped, tree } = await scan(archive(...files, db('1'), ...links, symlink('host', '/')));
    expect(skipped).toEqual([]);
    expect(wanted(tree)).toEqual(['etc/db@0 1']);
  });

  /** Ten folders, each with a link to each other one: as many ways as there are orders of them. */
  test('more names than can be tried are owned up to', async () => {
    const folders = Array.from({ length: 10 }, (_, at) => `d/${at}`);
    const files = folders.flatMap((folder) =>
      Array.from({ length: 60 }, (_, at) => file(`${folder}/${at}`, 'x')),
    );
    const links = folders.flatMap((folder) => folders.map((to, at) => symlink(`${folder}/l${at}`, `/${to}`)));
    const { skipped } = await scan(archive(...files, ...links));
    expect(skipped[0]?.reason).toMatch(/names lead through symbolic links/);
  });

  test('a link to a directory above itself adds a few names, however many there are', async () => {
    const files = Array.from({ length: 2000 }, (_, at) => file(`usr/lib/llvm/include/d/e/f/${at}`, 'x'));
    const links = ['Debug', 'Debug+Asserts', 'Release', 'Release+Asserts'].map((name) =>
      symlink(`usr/lib/llvm/build/${name}`, '..'),
    );
    const roots = Array.from({ length: 50 }, (_, at) => symlink(`srv/${at}/host`, '/'));
    const { skipped } = await scan(archive(...files, ...links, ...roots));
    expect(skipped).toEqual([]);
  });

  test.for([
    [
      'the name of a package',
      [symlink('lib/a-1.dist-info', '.'), file('lib/METADATA', '1')],
      'lib/a-1.dist-info/METADATA@0 1',
    ],
    [
      'the place of a database',
      [symlink('var/lib', '/opt/y'), symlink('opt/y/x', '.'), file('opt/y/db', '1')],
      'var/lib/x/db@0 1',
    ],
    [
      'the name of a package, seen through a link of its own',
      [symlink('lib/a-1.dist-info', '..'), symlink('METADATA', 'opt/m'), file('opt/m', '1')],
      'lib/a-1.dist-info/METADATA@0 1',
    ],
  ] as const)('a link to a directory above itself gives %s', async ([, members, expected]) => {
    expect(wanted((await scan(archive(...members))).tree)).toEqual([expected]);
  });
});

describe('what a scanner sees', () => {
  test('the whole file, its head whatever the chunks', async () => {
    const { tools: tree } = await scan(
      archive(file('bin/tool', elf(100_000, 9)), file('lib/tool', 'no program')),
    );
    expect(tree.observed().map(({ path, size, observation }) => [path, size, observation])).toEqual([
      ['bin/tool', 100_000, { size: 100_000, last: 9 }],
    ]);
  });

  test('a file shorter than a head', async () => {
    const { tools: tree } = await scan(archive(file('bin/tool', elf(10))));
    expect(tree.observed()).toMatchObject([{ observation: { size: 10 } }]);
  });

  test('not what a layer above removed', async () => {
    const { tools: tree } = await scan(archive(file('bin/tool', elf(100))), archive(file('bin/.wh.tool')));
    expect(tree.observed()).toEqual([]);
  });

  /** Says 20 MiB of every file `long`, wherever that is. */
  const talkative: Cataloger = {
    name: 'talkative',
    wants: () => false,
    scan: (path) =>
      /(?:^|\/)long$/.test(path)
        ? { push: () => undefined, end: () => ({ text: 'x'.repeat(20 * 1024 * 1024) }) }
        : undefined,
    catalog: () => nothing,
  };
  /** Says of every file `said` that it is one; it is no ELF file. */
  const terse: Cataloger = {
    name: 'terse',
    wants: () => false,
    scan: (path) =>
      /(?:^|\/)said$/.test(path) ? { push: () => undefined, end: () => ({ is: 'said' }) } : undefined,
    catalog: () => nothing,
  };

  test('a small file of any kind under each of its names', async () => {
    const layer = archive(file('env/said', 'small'), hardlink('cache/said', 'env/said'));
    const scanned = await scanImage(memoryImage({ layers: [layer] }), [terse]);
    expect(
      scanned
        .treeFor(terse)
        .observed()
        .map(({ path }) => path),
    ).toEqual(['cache/said', 'env/said']);
  });

  const tooMuch = (path: string) => ({ path, reason: 'what was seen in it is too much to keep' });
  const big = (path: string) => file(path, Buffer.alloc(70_000, 1));

  test.for([
    [
      'of one layer',
      [archive(big('a/long'), big('b/long'), big('c/long'))],
      ['a/long', 'b/long'],
      ['c/long'],
    ],
    [
      'of several layers',
      ['a', 'b', 'c', 'd'].map((at) => archive(big(`${at}/long`))),
      ['a/long', 'b/long', 'c/long'],
      ['d/long'],
    ],
    [
      'and what is gone makes room',
      [
        archive(big('a/long'), big('b/long')),
        archive(file('.wh.a'), file('.wh.b')),
        archive(big('c/long'), big('d/long')),
      ],
      ['c/long', 'd/long'],
      [],
    ],
    [
      'behind links',
      [
        archive(
          big('x1'),
          big('x2'),
          big('x3'),
          hardlink('a/long', 'x1'),
          hardlink('b/long', 'x2'),
          hardlink('c/long', 'x3'),
        ),
      ],
      ['a/long', 'b/long'],
      ['c/long'],
    ],
  ] as const)('no more than is kept, %s', async ([, layers, kept, lost]) => {
    const scanned = await scanImage(memoryImage({ layers }), [talkative]);
    expect(
      scanned
        .treeFor(talkative)
        .observed()
        .map(({ path }) => path),
    ).toEqual(kept);
    expect(scanned.skipped).toEqual(lost.map(tooMuch));
  });

  test('executables are those that begin as ELF does', async () => {
    const { executables } = await scan(
      archive(file('bin/x', elf(70)), file('bin/y', '#!/bin/sh\n'), file('bin/z', elf(64))),
      archive(file('bin/.wh.z')),
    );
    expect([...executables()]).toEqual(['bin/x']);
  });

  test('the holes of a sparse bomb are left out and told', async () => {
    const bomb = Buffer.concat([
      pax({ 'GNU.sparse.size': String(2 ** 50), 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '0,1' }),
      file('bin/tool', 'x'),
    ]);
    const { skipped, tools: tree } = await scan(archive(bomb, file('etc/db', '1')));
    expect(skipped).toEqual([
      { path: 'bin/tool', reason: 'a sparse file of 1024 TiB: too many holes to look through' },
    ]);
    expect(tree.observed()).toEqual([]);
  });
});

describe('the tree', () => {
  const layers = [
    archive(
      directory('usr/lib'),
      symlink('lib', 'usr/lib'),
      file('usr/lib/f', 'x'),
      symlink('loop', 'loop'),
      symlink('up', '../../usr'),
      symlink('dead', 'none'),
    ),
  ];

  test.for([
    ['lib/f', 'usr/lib/f'],
    ['/lib/../lib/f', 'usr/lib/f'],
    ['up/lib/f', 'usr/lib/f'],
    ['../../lib', 'usr/lib'],
    ['', ''],
    ['loop', undefined],
    ['dead', undefined],
    ['usr/lib/f/x', undefined],
    ['none', undefined],
  ] as const)('resolves %s', async ([path, expected]) => {
    const { tree } = await scan(...layers);
    expect(tree.resolve(path)).toBe(expected);
    expect(tree.exists(path)).toBe(expected !== undefined);
  });

  test('lists names in order, through links', async () => {
    const { tree } = await scan(...layers);
    expect(tree.list('')).toEqual(['dead', 'lib', 'loop', 'up', 'usr']);
    expect(tree.list('lib')).toEqual(['f']);
    expect(tree.list('lib/f')).toEqual([]);
  });

  test('gives a file, and its content only where it was wanted', async () => {
    const { tree } = await scan(archive(db('1'), file('x', '2')));
    expect(text(tree.file('etc/../etc/db')?.content())).toBe('1');
    expect(tree.file('x')).toMatchObject({ path: 'x', size: 1 });
    expect(tree.file('x')?.content()).toBeUndefined();
    expect(tree.file('etc')).toBeUndefined();
  });

  test('keeps what stood there, lowest first', async () => {
    const { tree } = await scan(
      archive(db('1')),
      archive(db('2')),
      archive(file('.wh.etc')),
      archive(db('4')),
    );
    expect(tree.history('etc/db').map((former) => [former.layer.index, text(former.content())])).toEqual([
      [0, '1'],
      [1, '2'],
      [3, '4'],
    ]);
    expect(tree.history('etc/none')).toEqual([]);
  });

  test('says which build step made a layer', async () => {
    const scanned = await scanImage(memoryImage({ layers: [archive(db('1'))], steps: ['COPY db /etc'] }), [
      databases,
    ]);
    expect(scanned.treeFor(databases).wanted()[0]?.layer).toMatchObject({
      index: 0,
      createdBy: 'COPY db /etc',
    });
  });

  test('names that are not UTF-8 are shown with their bytes and found by them', async () => {
    const { tree } = await scan(
      archive(
        file('caf\xe9/a.dist-info/METADATA', '1', { latin1: true }),
        file('漢/b.dist-info/METADATA', '2'),
      ),
    );
    expect(wanted(tree)).toEqual(['caf\\xe9/a.dist-info/METADATA@0 1', '漢/b.dist-info/METADATA@0 2']);
    expect(tree.exists('caf\\xe9/a.dist-info')).toBe(true);
    expect(tree.list('漢')).toEqual(['b.dist-info']);
  });
});

test.for([
  ['octal', file('etc/db', 'x', { patch: (block) => block.write('14524770400\0', 136, 'latin1') })],
  ['PAX, with a fraction', Buffer.concat([pax({ mtime: '1700000000.9' }), file('etc/db', 'x')])],
] as const)('knows when a file was changed last, written in %s', async ([, member]) => {
  const { tree } = await scan(archive(file('etc/db', 'older')), archive(member));
  expect(tree.file('etc/db')?.modified).toBe(1_700_000_000);
  expect(tree.history('etc/db').map(({ modified }) => modified)).toEqual([0, 1_700_000_000]);
});

test('a file above the limit is not kept and told', async () => {
  const { tree, skipped } = await scan(
    archive(file('etc/db', Buffer.alloc(contentLimit + 1)), file('etc/x', 'y')),
  );
  expect(tree.wanted().map((found) => [found.path, found.content()])).toEqual([['etc/db', undefined]]);
  expect(skipped).toEqual([{ path: 'etc/db', reason: '16 MiB is more than is kept' }]);
});

test('a file above the limit that a layer above hides is nobody’s business', async () => {
  const { skipped } = await scan(archive(file('etc/db', Buffer.alloc(contentLimit + 1))), archive(db('1')));
  expect(skipped).toEqual([]);
});

// The reference: a map from path to content, changed entry by entry, without links.
const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const change = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    path,
    content: fc.string({ minLength: 1, maxLength: 2, unit: name }),
  }),
  fc.record({ kind: fc.constant('hide' as const), path, content: fc.constant('') }),
  fc.record({ kind: fc.constant('opaque' as const), path, content: fc.constant('') }),
);

test('any stack of layers is what a map of paths says', async () => {
  const all: Cataloger = { name: 'all', wants: () => true, catalog: () => nothing };
  const stack = fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(stack, async (changes) => {
      const model = new Map<string, string>();
      const layers = changes.map((layer) => {
        const lower = [...model.keys()];
        const below = (file: string, top: string) => file.startsWith(`${top}/`);
        // No file may stand where another of this layer needs a directory.
        const files = layer.filter(
          (one) =>
            one.kind === 'file' &&
            !layer.some((other) => other.kind === 'file' && below(other.path, one.path)),
        );
        for (const { kind, path: at } of layer) {
          for (const old of kind === 'file' ? [] : lower) {
            if (below(old, at) || (kind === 'hide' && old === at)) {
              model.delete(old);
            }
          }
        }
        for (const { path: at, content } of files) {
          for (const old of [...model.keys()]) {
            if (below(old, at) || below(at, old)) {
              model.delete(old);
            }
          }
          model.set(at, content);
        }
        const members = layer.flatMap((one) => {
          const slash = one.path.lastIndexOf('/') + 1;
          if (one.kind === 'hide') {
            return [file(`${one.path.slice(0, slash)}.wh.${one.path.slice(slash)}`)];
          }
          if (one.kind === 'opaque') {
            return [file(`${one.path}/.wh..wh..opq`)];
          }
          return files.includes(one) ? [file(one.path, one.content)] : [];
        });
        return archive(...members);
      });
      const scanned = await scanImage(memoryImage({ layers }), [all]);
      const found = scanned
        .treeFor(all)
        .wanted()
        .map((one) => [one.path, text(one.content())]);
      expect(found).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
    { numRuns: runs(300), seed: 20261123 },
  );
});
