import fc from 'fast-check';
import { packTar } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/base/bytes.ts';
import { readTar, type TarEntry, tarLimits } from '../../src/image/tar.ts';
import {
  archive,
  base256,
  directory,
  endMarker,
  file,
  gnuLong,
  hardlink,
  header,
  padded,
  pax,
  paxRecord,
  special,
  symlink,
} from '../support/tar.ts';

interface Read extends TarEntry {
  readonly content: string;
}

async function read(bytes: Uint8Array, cut = bytes.length || 1): Promise<readonly Read[]> {
  const entries: Read[] = [];
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += cut) {
    chunks.push(bytes.subarray(at, at + cut));
  }
  const visit = (entry: TarEntry) => {
    const content: Buffer[] = [];
    return {
      push: (chunk: Uint8Array) => void content.push(Buffer.from(chunk)),
      end: () => void entries.push({ ...entry, content: Buffer.concat(content).toString('latin1') }),
    };
  };
  await readTar(bytesOf(...chunks), visit, 'layer 3');
  return entries;
}

/** `NAME TYPE SIZE [-> LINK] [= CONTENT]` for each entry. */
async function brief(bytes: Uint8Array, cut?: number): Promise<readonly string[]> {
  return (await read(bytes, cut)).map(
    ({ name, type, size, linkName, content }) =>
      `${name} ${type} ${size}${linkName === '' ? '' : ` -> ${linkName}`}${content === '' ? '' : ` = ${content}`}`,
  );
}

const long = `deep/${'x'.repeat(200)}/name`;
const sparse = (records: Readonly<Record<string, string>>, body: string, name = 'a') =>
  Buffer.concat([pax(records), file(name, body)]);
const oldSparse = (
  real: number,
  spans: readonly (readonly [number, number])[],
  body: string,
  more?: Buffer,
) => {
  const block = header('a', {
    flag: 'S',
    size: body.length,
    format: 'gnu',
    patch(bytes) {
      for (const [index, [offset, length]] of spans.entries()) {
        bytes.write(`${offset.toString(8).padStart(11, '0')}\0`, 386 + 24 * index, 'latin1');
        bytes.write(`${length.toString(8).padStart(11, '0')}\0`, 398 + 24 * index, 'latin1');
      }
      if (more !== undefined) {
        bytes[482] = 1;
      }
      bytes.write(`${real.toString(8).padStart(11, '0')}\0`, 483, 'latin1');
    },
  });
  return Buffer.concat([block, more ?? Buffer.alloc(0), padded(body)]);
};
const moreSpans = (spans: readonly (readonly [number, number])[]) => {
  const block = Buffer.alloc(512);
  for (const [index, [offset, length]] of spans.entries()) {
    block.write(`${offset.toString(8).padStart(11, '0')}\0`, 24 * index, 'latin1');
    block.write(`${length.toString(8).padStart(11, '0')}\0`, 24 * index + 12, 'latin1');
  }
  return block;
};

test.for([
  ['nothing at all', Buffer.alloc(0), []],
  ['an end marker alone', endMarker, []],
  ['an archive without an end marker', file('a', 'x'), ['a file 1 = x']],
  ['one zero block for an end marker', Buffer.concat([file('a', 'x'), Buffer.alloc(512)]), ['a file 1 = x']],
  [
    'no look behind the end marker',
    Buffer.concat([archive(file('a', 'x')), file('b', 'y')]),
    ['a file 1 = x'],
  ],
  [
    'every kind of entry',
    archive(
      directory('d/'),
      symlink('s', '../t'),
      hardlink('h', 'd/f'),
      header('p', { flag: '6' }),
      header('c', { flag: '3' }),
      header('b', { flag: '4' }),
      file('z', 'c', { flag: '7' }),
    ),
    [
      'd/ directory 0',
      's symlink 0 -> ../t',
      'h hardlink 0 -> d/f',
      'p other 0',
      'c other 0',
      'b other 0',
      'z file 1 = c',
    ],
  ],
  [
    'a v7 file and a v7 directory by its slash',
    archive(file('f', 'x', { flag: '\0', format: 'v7' }), header('d/', { flag: '\0', format: 'v7' })),
    ['f file 1 = x', 'd/ directory 0'],
  ],
  ['a ustar prefix', archive(file('name', 'x', { prefix: 'some/folder' })), ['some/folder/name file 1 = x']],
  [
    'a star prefix, which is shorter',
    archive(file('name', 'x', { prefix: 'some/folder', format: 'star' })),
    ['some/folder/name file 1 = x'],
  ],
  [
    'no prefix in the GNU format, where times stand',
    archive(file('name', 'x', { prefix: '00000000001\x0000000000002\0', format: 'gnu' })),
    ['name file 1 = x'],
  ],
  [
    'a prefix in the GNU format, which old Go wrote',
    archive(file('name', 'x', { prefix: 'go/wrote/this', format: 'gnu' })),
    ['go/wrote/this/name file 1 = x'],
  ],
  [
    'a size to base 256',
    archive(Buffer.concat([header('a', { size: base256(3n) }), padded('abc')])),
    ['a file 3 = abc'],
  ],
  [
    'a size with spaces around it',
    archive(Buffer.concat([header('a', { size: '      3 \0' }), padded('abc')])),
    ['a file 3 = abc'],
  ],
  [
    'a size on a link, which has no content',
    archive(header('l', { flag: '2', link: 't', size: 700 }), file('a', 'x')),
    ['l symlink 0 -> t', 'a file 1 = x'],
  ],
  [
    'a GNU long name and link',
    archive(gnuLong('L', long), gnuLong('K', `${long}2`), symlink('short', 'short')),
    [`${long} symlink 0 -> ${long}2`],
  ],
  [
    'a GNU long name before PAX and after',
    archive(gnuLong('L', 'gnu'), pax({ path: 'pax' }), file('a', 'x')),
    ['gnu file 1 = x'],
  ],
  [
    'PAX path, link and size',
    archive(
      pax({ path: long, linkpath: 'to', size: '2' }),
      Buffer.concat([header('a', { size: 0 }), padded('xy')]),
    ),
    [`${long} file 2 -> to = xy`],
  ],
  [
    'an empty PAX value, which changes nothing',
    archive(pax({ path: '', size: '' }), file('a', 'x')),
    ['a file 1 = x'],
  ],
  [
    'the last of two PAX headers',
    archive(pax({ path: 'one' }), pax({ path: 'two' }), file('a', 'x')),
    ['two file 1 = x'],
  ],
  [
    'a PAX name for one entry only',
    archive(pax({ path: 'one' }), file('a'), file('b')),
    ['one file 0', 'b file 0'],
  ],
  [
    'a global PAX header, which Go passes over',
    archive(pax({ path: 'hidden' }, 'g'), file('a', 'x')),
    ['a file 1 = x'],
  ],
  [
    'a global PAX header that makes the one before it forgotten',
    archive(pax({ path: 'lost' }), pax({ comment: 'x' }, 'g'), file('a', 'x')),
    ['a file 1 = x'],
  ],
  [
    'a sparse file, GNU.sparse 0.0',
    archive(
      Buffer.concat([
        pax([
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.offset', '1'],
          ['GNU.sparse.numbytes', '2'],
          ['GNU.sparse.offset', '5'],
          ['GNU.sparse.numbytes', '1'],
        ]),
        file('a', 'xyz'),
      ]),
    ),
    ['a file 9 = \0xy\0\0z\0\0\0'],
  ],
  [
    'a sparse file, GNU.sparse 0.1',
    archive(
      sparse(
        {
          'GNU.sparse.size': '4',
          'GNU.sparse.numblocks': '1',
          'GNU.sparse.map': '2,1',
          'GNU.sparse.name': 'real',
        },
        'x',
      ),
    ),
    ['real file 4 = \0\0x\0'],
  ],
  [
    'a sparse file, GNU.sparse 1.0',
    archive(
      sparse(
        {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'real',
          'GNU.sparse.realsize': '5',
        },
        `${'1\n3\n2\n'.padEnd(512, '\0')}xy`,
      ),
      file('b', 'z'),
    ),
    ['real file 5 = \0\0\0xy', 'b file 1 = z'],
  ],
  [
    'a sparse file, old GNU',
    archive(
      oldSparse(
        6,
        [
          [0, 1],
          [4, 2],
        ],
        'xyz',
      ),
      file('b', 'z'),
    ),
    ['a file 6 = x\0\0\0yz', 'b file 1 = z'],
  ],
  [
    'a sparse file, old GNU, with a second block of pieces',
    archive(
      oldSparse(
        12,
        [
          [0, 1],
          [2, 1],
          [4, 1],
          [6, 1],
        ],
        'vwxyz',
        moreSpans([[8, 1]]),
      ),
      file('b', 'z'),
    ),
    ['a file 12 = v\0w\0x\0y\0z\0\0\0', 'b file 1 = z'],
  ],
  [
    'a sparse file of an unknown version as what it is',
    archive(sparse({ 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0' }, 'xy')),
    ['a file 2 = xy'],
  ],
  ['a name that is not UTF-8', archive(file('caf\xe9', 'x', { latin1: true })), ['caf\xe9 file 1 = x']],
] as const)('reads %s', async ([, bytes, expected]) => {
  for (const cut of [bytes.length || 1, 512, 100, 7]) {
    expect(await brief(bytes, cut)).toEqual(expected);
  }
});

const nul = '\0';

test.for([
  ['cut off inside a header', file('a', 'x').subarray(0, 300)],
  ['cut off inside a file', archive(file('a', 'x'.repeat(600))).subarray(0, 900)],
  ['cut off inside a PAX header', pax({ path: 'x' }).subarray(0, 520)],
  ['cut off inside the end marker', archive(file('a', 'x')).subarray(0, 1600)],
  ['with zeros between two entries', Buffer.concat([file('a', 'x'), Buffer.alloc(512), file('b', 'y')])],
  ['with a wrong checksum', archive(Buffer.from(file('a', 'x')).fill('b', 0, 1))],
  ['with text where a header should be', archive(padded('not a header'))],
  ['with a size that is not a number', archive(header('a', { size: '12x\0' }))],
  ['with a negative size', archive(header('a', { size: base256(-1n) }))],
  ['with a size beyond 2^53', archive(header('a', { size: base256(2n ** 60n) }))],
  ['with a mode that is not a number', archive(header('a', { mode: 'rwxr-x\0' }))],
  ['with a type that no engine knows', archive(header('a', { flag: 'V' }))],
  ['with a PAX record that is too long for its header', archive(special('x', '99 path=x\n'), file('a'))],
  ['with a PAX record without a line end', archive(special('x', '10 path=xy'), file('a'))],
  ['with a PAX record without "="', archive(special('x', '9 pathxy\n'), file('a'))],
  ['with a PAX record without a key', archive(special('x', '6 =xy\n'), file('a'))],
  ['with a NUL in a PAX path', archive(special('x', paxRecord('path', `a${nul}b`)), file('a'))],
  ['with a PAX size that is not a number', archive(pax({ size: '1e3' }), file('a'))],
  ['with a negative PAX size', archive(pax({ size: '-1' }), file('a'))],
  ['with a PAX time that is none', archive(pax({ mtime: 'now' }), file('a'))],
  ['with a PAX bomb', archive(header('x', { flag: 'x', size: tarLimits.special + 1 }))],
  ['with a long name bomb', archive(header('x', { flag: 'L', size: 2 ** 32 }))],
  ['with a name longer than any path', archive(gnuLong('L', 'x/'.repeat(2049)), file('a'))],
  ['with a link target longer than any path', archive(gnuLong('K', 'x'.repeat(4097)), symlink('a', 'b'))],
  [
    'with sparse pieces out of order',
    archive(
      sparse({ 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '5,1,1,1' }, 'xy'),
    ),
  ],
  [
    'with sparse pieces that overlap',
    archive(
      sparse({ 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '1,2,2,1' }, 'xyz'),
    ),
  ],
  [
    'with a sparse piece beyond the end',
    archive(sparse({ 'GNU.sparse.size': '2', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '2,1' }, 'x')),
  ],
  [
    'with a sparse map longer than it says',
    archive(
      sparse({ 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '1,1,2,1' }, 'xy'),
    ),
  ],
  [
    'with sparse pieces that need more bytes than there are',
    archive(sparse({ 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '1,5' }, 'x')),
  ],
  [
    'with sparse pieces that leave bytes over',
    archive(sparse({ 'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '1,1' }, 'xy')),
  ],
  [
    'with sparse records out of order',
    archive(
      Buffer.concat([
        pax([
          ['GNU.sparse.numbytes', '1'],
          ['GNU.sparse.offset', '1'],
        ]),
        file('a', 'x'),
      ]),
    ),
  ],
  [
    'with a sparse map that runs into the next entry',
    archive(
      sparse(
        { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5' },
        '900000\n'.padEnd(512, '1'),
      ),
      file('b', '1\n'.repeat(256)),
    ),
  ],
  [
    'with a sparse directory',
    archive(Buffer.concat([pax({ 'GNU.sparse.map': '0,0', 'GNU.sparse.numblocks': '1' }), directory('d')])),
  ],
  ['with an old GNU sparse file in another format', archive(header('a', { flag: 'S' }))],
] as const)('refuses an archive %s', async ([, bytes]) => {
  for (const cut of [bytes.length, 100]) {
    await expect(read(bytes, cut)).rejects.toMatchObject({ code: 'layer.tar', exit: 2 });
  }
});

describe('against another writer', () => {
  const part = fc.string({
    minLength: 1,
    maxLength: 40,
    unit: fc.constantFrom('a', 'b', 'é', '漢', '-', '.x'),
  });
  const path = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
  const member = fc.record({
    name: path,
    content: fc.uint8Array({ maxLength: 1500 }),
    link: fc.option(path),
  });

  test('reads what modern-tar packs, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        async (members, cut) => {
          const packed = await packTar(
            members.map(({ name, content, link }) =>
              link === null
                ? { header: { name, type: 'file' as const, size: content.length }, body: content }
                : { header: { name, type: 'symlink' as const, size: 0, linkname: link } },
            ),
          );
          const entries = await read(packed, cut);
          const utf8 = (name: string) => Buffer.from(name, 'latin1').toString();
          expect(
            entries.map(({ name, content, linkName }) => [
              utf8(name),
              Buffer.from(content, 'latin1').toString('hex'),
              utf8(linkName),
            ]),
          ).toEqual(
            members.map(({ name, content, link }) => [
              name,
              link === null ? Buffer.from(content).toString('hex') : '',
              link ?? '',
            ]),
          );
        },
      ),
      { numRuns: 100, seed: 20261123 },
    );
  });
});

test('one flipped byte in a header is never read as another entry', async () => {
  const good = archive(file('etc/os-release', 'ID=x\n'));
  const expected = await read(good);
  let refused = 0;
  for (let at = 0; at < 512; at += 1) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 0x01;
    try {
      // What stands behind the NUL that ends the checksum itself is no part of it.
      expect(await read(bad), `byte ${at}`).toEqual(expected);
    } catch (error) {
      expect(error, `byte ${at}`).toMatchObject({ code: 'layer.tar' });
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(509);
});

test('content that nobody wants is jumped over', async () => {
  const big = archive(file('a', Buffer.alloc(100_000)), file('b', 'x'));
  let position = 0;
  let delivered = 0;
  const chunks = {
    async *[Symbol.asyncIterator]() {
      while (position < big.length) {
        const chunk = big.subarray(position, position + 512);
        position += chunk.length;
        delivered += chunk.length;
        yield chunk;
      }
    },
  };
  const seen: string[] = [];
  await readTar(
    chunks,
    ({ name }) => void seen.push(name) as undefined,
    'x',
    (count) => {
      position += count;
      return position <= big.length;
    },
  );
  expect(seen).toEqual(['a', 'b']);
  expect(delivered).toBeLessThan(5000);
});
