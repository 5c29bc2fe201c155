import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../src/base/bytes.ts';
import { catalogers } from '../../../src/catalogers/index.ts';
import { parseStargzFooter, parseTocPosition, parseZstdFooter } from '../../../src/image/partial/footer.ts';
import { type PartialLayer, partialLayer } from '../../../src/image/partial/partial-layer.ts';
import { readPartial } from '../../../src/image/partial/read-partial.ts';
import { parseToc } from '../../../src/image/partial/toc.ts';
import { LayerScanner } from '../../../src/image/scan-layer.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  chunkedLayer,
  type PartialBlob,
  stargzFooter,
  stargzLayer,
  type TocLine,
} from '../../support/partial.ts';

const what = 'layer 0 of "a"';
const status = `Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n${'x'.repeat(300)}`;
const lines: readonly TocLine[] = [
  { type: 'dir', name: 'var/' },
  { type: 'symlink', name: 'lib', linkName: 'usr/lib' },
  { type: 'char', name: 'dev/console', devMajor: 5 },
  { type: 'reg', name: 'usr/bin/large', content: '\x7fELF'.repeat(50_000), piece: 40_000 },
  { type: 'reg', name: 'var/lib/dpkg/status', content: status, piece: 100 },
  { type: 'hardlink', name: 'usr/bin/other', linkName: 'usr/bin/large' },
  { type: 'reg', name: 'usr/bin/empty' },
];
const forms = [
  ['zstd:chunked', chunkedLayer],
  ['eStargz', stargzLayer],
] as const;

interface Asked {
  readonly layer: PartialLayer;
  readonly ranges: (readonly [number, number])[];
}

function open({ annotations, blob }: PartialBlob, more: Partial<PartialLayer> = {}): Asked {
  const ranges: [number, number][] = [];
  const descriptor = { mediaType: '', digest: digestOf(blob), size: blob.length, annotations };
  const layer = partialLayer(descriptor, (start, length) => {
    ranges.push([start, length]);
    return bytesOf(blob.subarray(start, start + length));
  });
  if (layer === undefined) {
    throw new Error('no table');
  }
  return { layer: { ...layer, ...more }, ranges };
}

async function scan({ layer }: Asked) {
  const scanner = new LayerScanner(catalogers, true);
  const size = await readPartial({ what }, layer, scanner);
  return scanner.finish(size);
}

describe.for(forms)('%s', ([, make]) => {
  test('names come from the table, and contents of what is wanted', async () => {
    const asked = open(make(lines));
    const said = await scan(asked);
    expect(said.count).toBe(7);
    expect(said.bytes).toBe(200_000 + status.length);
    const [found] = [...said.finds].filter(([, { content }]) => content !== undefined);
    expect(found?.[0]).toBe(4);
    expect(Buffer.from(found?.[1].content ?? []).toString()).toBe(status);
    expect([...said.links]).toEqual([
      [1, 'usr/lib'],
      [5, 'usr/bin/large'],
    ]);
    expect(asked.ranges.length).toBeLessThan(5);
  });

  test('a piece that is not what the table says is refused', async () => {
    const made = make(lines);
    const entry = made.toc.entries.find(({ name }) => name === 'var/lib/dpkg/status');
    const blob = Buffer.from(made.blob);
    const at = Number(entry?.['offset']) + 20;
    blob[at] = (blob[at] ?? 0) ^ 1;
    await expect(scan(open({ ...made, blob }))).rejects.toMatchObject({ exit: 2 });
  });

  test('a good piece of another file is refused', async () => {
    const other = { type: 'reg', name: 'z', content: status.replace('Version: 1', 'Version: 2') };
    const made = make([...lines, other]);
    const place = made.toc.entries.find(({ name }) => name === 'z');
    const moved = make([
      ...lines.map((line) =>
        line.name === 'var/lib/dpkg/status'
          ? { ...line, piece: 1000, offset: place?.['offset'], endOffset: undefined }
          : line,
      ),
      other,
    ]);
    await expect(scan(open(moved))).rejects.toMatchObject({ exit: 2 });
  });

  test('A-131: a table that the manifest does not name is refused', async () => {
    const made = make(lines);
    const others = make(lines.slice(0, 2));
    await expect(scan(open({ ...made, annotations: others.annotations }))).rejects.toMatchObject({ exit: 2 });
  });

  test('a blob that ends before is refused', async () => {
    const made = make(lines);
    const short = open(made, {
      range: (start, length) => bytesOf(made.blob.subarray(start, start + length - 1)),
    });
    await expect(scan(short)).rejects.toMatchObject({ code: 'layer.toc' });
  });
});

test('without the position in the manifest the footer says it', async () => {
  const made = chunkedLayer(lines);
  const { 'io.github.containers.zstd-chunked.manifest-checksum': toc = '' } = made.annotations;
  const annotations = { 'io.containers.zstd-chunked.manifest-checksum': toc };
  expect(await scan(open({ ...made, annotations }))).toEqual(await scan(open(made)));
});

test('the digest of a table must be one', () => {
  const range = () => bytesOf();
  const descriptor = { mediaType: '', digest: digestOf(new Uint8Array()), size: 1 };
  expect(partialLayer(descriptor, range)).toBeUndefined();
  for (const key of [
    'io.github.containers.zstd-chunked.manifest-checksum',
    'containerd.io/snapshot/stargz/toc.digest',
  ]) {
    expect(partialLayer({ ...descriptor, annotations: { [key]: 'sha256:1' } }, range)).toBeUndefined();
  }
});

describe('A-132: a table that readers would understand differently is refused', () => {
  const content = 'x'.repeat(100);
  const one = (more: object): readonly TocLine[] => [
    { type: 'reg', name: 'etc/os-release', content, ...more },
  ];
  test.for<readonly [string, readonly TocLine[], number?]>([
    ['a name that leads out', one({ name: '../etc/passwd' })],
    ['a name that leads out in the middle', one({ name: 'a/../../b' })],
    ['no name', one({ name: '' })],
    ['a name with a zero', one({ name: 'etc/\0' })],
    ['a hard link that leads out', [{ type: 'hardlink', name: 'a', linkName: '../../etc/shadow' }]],
    ['a link to nowhere', [{ type: 'symlink', name: 'a' }]],
    ['an unknown kind', one({ type: 'delta' })],
    ['a kind that objects inherit', one({ type: 'constructor' })],
    ['a piece of no file', [{ type: 'chunk', name: 'a', offset: 0, chunkSize: 1 }]],
    [
      'a piece of a folder',
      [
        { type: 'dir', name: 'a' },
        { type: 'chunk', name: 'a', chunkSize: 1 },
      ],
    ],
    [
      'a piece of another file',
      [...one({}), { type: 'chunk', name: 'other', chunkOffset: 100, chunkSize: 1 }],
    ],
    [
      'a piece too many',
      [
        ...one({}),
        { type: 'chunk', name: 'etc/os-release', chunkOffset: 100, chunkSize: 1, chunkDigest: 'x' },
      ],
    ],
    ['pieces that leave something out', one({ piece: 50, chunkSize: 40 })],
    [
      'pieces that overlap in the file',
      [...one({ size: 160 }), { type: 'chunk', name: 'etc/os-release', chunkOffset: 60, chunkSize: 100 }],
    ],
    ['pieces that overlap in the blob', [...one({}), { type: 'reg', name: 'b', content, offset: 16 }]],
    ['a piece behind the end', one({ offset: 1_000_000 })],
    ['an end before the beginning', one({ endOffset: 1 })],
    ['an end behind the next piece', [...one({ endOffset: 400 }), { type: 'reg', name: 'b', content }]],
    ['a negative size', one({ size: -1 })],
    ['half a byte', one({ size: 99.5 })],
    ['a size that is no number', one({ size: '100' })],
    ['more than a layer holds', one({ size: 2 ** 50, chunkSize: 2 ** 50 })],
    ['a piece of a gigabyte', one({ size: 2 ** 30, chunkSize: 2 ** 30 })],
    ['no digest', one({ digest: undefined, chunkDigest: undefined })],
    ['a digest that is none', one({ chunkDigest: 'sha256:00' })],
    ['another version', one({}), 2],
  ])('%s', async ([, bad, version]) => {
    for (const [, make] of forms) {
      await expect(scan(open(make(bad, version)))).rejects.toMatchObject({ exit: 2 });
    }
  });

  test('a key that stands twice', () => {
    const twice = '{"version":1,"entries":[{"type":"dir","name":"a","name":"b"}]}';
    expect(() => parseToc(Buffer.from(twice), 10, what)).toThrow(expect.objectContaining({ exit: 2 }));
  });

  test('links in a circle end', async () => {
    const circle = [
      { type: 'hardlink', name: 'a', linkName: 'b' },
      { type: 'hardlink', name: 'b', linkName: 'a' },
      { type: 'symlink', name: 'c', linkName: 'c' },
    ];
    expect((await scan(open(chunkedLayer(circle)))).count).toBe(3);
  });
});

describe('footers', () => {
  test.for([
    ['nothing', Buffer.alloc(0)],
    ['another text', Buffer.alloc(51, 'x')],
    ['a place behind the end', stargzFooter(5000)],
    ['the place 0', stargzFooter(0)],
    ['a member that is not empty', Buffer.concat([stargzFooter(10).subarray(0, 38), Buffer.alloc(13, 1)])],
  ] as const)('eStargz: %s', ([, footer]) => {
    expect(parseStargzFooter(footer, 1000)).toBeUndefined();
  });

  test.for([
    ['1:2', undefined],
    ['900:200:300:1', undefined],
    ['10:0:300:1', undefined],
    ['10:20:300:2', undefined],
    ['-1:20:300:1', undefined],
    ['10:20:300:1', { start: 10, length: 20 }],
  ] as const)('the position %s', ([text, place]) => {
    expect(parseTocPosition(text, 1000)).toEqual(place);
  });

  test('zstd:chunked: numbers beyond the blob', () => {
    const { blob } = chunkedLayer(lines);
    const footer = Buffer.from(blob.subarray(-64));
    expect(parseZstdFooter(footer, blob.length)).toBeDefined();
    footer.writeBigUInt64LE(2n ** 63n, 24);
    expect(parseZstdFooter(footer, blob.length)).toBeUndefined();
  });
});
