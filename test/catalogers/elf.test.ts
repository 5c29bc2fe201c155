import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import { buildIdsIn, elf } from '../../src/catalogers/elf.ts';
import { layer } from '../support/elf.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file as tarFile } from '../support/tar.ts';

interface Shape {
  readonly wide?: boolean;
  readonly little?: boolean;
  /** Where the program headers and the notes lie. */
  readonly headersAt?: number;
  readonly notesAt?: number;
  readonly count?: number;
  /** A note of systemd before the build-id. */
  readonly packaged?: string;
}

const id = '0123456789abcdef0123456789abcdef01234567';

/**
 * An ELF file of 20,000 bytes with one loaded segment and one of notes: another note first, then the
 * build-id.
 */
function file({
  wide = true,
  little = true,
  headersAt = 64,
  notesAt = 600,
  count = 2,
  packaged,
}: Shape = {}): Buffer {
  const bytes = Buffer.alloc(20_000, 0xee);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = wide ? 56 : 32;
  bytes.fill(0, 0, 64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  if (wide) {
    view.setBigUint64(32, BigInt(headersAt), little);
  } else {
    view.setUint32(28, headersAt, little);
  }
  view.setUint16(wide ? 54 : 42, size, little);
  view.setUint16(wide ? 56 : 44, count, little);
  const other = note('GNU', 5, Buffer.alloc(7), little);
  const text = packaged === undefined ? [] : [note('FDO', 0xcafe1a7e, Buffer.from(`${packaged}\0`), little)];
  const notes = Buffer.concat([other, ...text, note('GNU', 3, Buffer.from(id, 'hex'), little)]);
  bytes.fill(0, headersAt, headersAt + 2 * size);
  view.setUint32(headersAt, 1, little);
  const entry = headersAt + size;
  view.setUint32(entry, 4, little);
  if (wide) {
    view.setBigUint64(entry + 8, BigInt(notesAt), little);
    view.setBigUint64(entry + 32, BigInt(notes.length), little);
  } else {
    view.setUint32(entry + 4, notesAt, little);
    view.setUint32(entry + 16, notes.length, little);
  }
  bytes.set(notes, notesAt);
  return bytes;
}

function note(name: string, type: number, content: Buffer, little: boolean): Buffer {
  const head = Buffer.alloc(12);
  const write = (value: number, at: number) =>
    little ? head.writeUInt32LE(value, at) : head.writeUInt32BE(value, at);
  write(name.length + 1, 0);
  write(content.length, 4);
  write(type, 8);
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([head, pad(Buffer.from(`${name}\0`)), pad(content)]);
}

function read(bytes: Uint8Array, chunk = 65_536): string | undefined {
  const scanner = elf.scan?.('bin/x', bytes.subarray(0, 64));
  for (let at = 0; at < bytes.length; at += chunk) {
    scanner?.push(bytes.subarray(at, at + chunk));
  }
  const observation = scanner?.end();
  if (observation === undefined) {
    return undefined;
  }
  const observed = [
    { path: 'bin/x', links: ['bin/y'], size: bytes.length, layer, content: () => undefined, observation },
  ];
  expect(buildIdsIn(observed).get('bin/y')).toBe(buildIdsIn(observed).get('bin/x'));
  return buildIdsIn(observed).get('bin/x');
}

test.for<[string, Shape]>([
  ['64 bits', {}],
  ['64 bits, high byte first', { little: false }],
  ['32 bits', { wide: false }],
  ['32 bits, high byte first', { wide: false, little: false }],
  ['notes far behind', { notesAt: 15_000 }],
  ['headers that a patch moved to the end', { headersAt: 19_000 }],
])('the build-id of a file: %s', ([, shape]) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_001 }), (chunk) => {
      expect(read(file(shape), chunk)).toBe(id);
    }),
    { numRuns: 50 },
  );
});

test.for<[string, Uint8Array]>([
  ['notes before headers, both far from the start', file({ headersAt: 19_000, notesAt: 12_000 })],
  ['more headers than a program has', file({ count: 5000 })],
  ['a file that ends in its header', file().subarray(0, 40)],
  ['a file that ends in its notes', file().subarray(0, 640)],
  ['an empty file', new Uint8Array(0)],
  ['a script', Buffer.from('#!/bin/sh\n')],
])('no build-id, and no harm: %s', ([, bytes]) => {
  expect(read(bytes, 4096)).toBeUndefined();
});

test('whatever the bytes behind the magic, reading ends without an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.integer({ min: 1, max: 500 }), (bytes, chunk) => {
      read(Buffer.concat([Buffer.from('7f454c46', 'hex'), bytes]), chunk);
    }),
    { numRuns: 300 },
  );
});

const fedora = JSON.stringify({
  type: 'rpm',
  name: 'bash',
  version: '5.2.15-3.fc38',
  architecture: 'x86_64',
  osCpe: 'cpe:/o:fedoraproject:fedora:38',
});

const noted = (text: string, shape: Shape = {}) => file({ ...shape, packaged: text });
async function found(files: Readonly<Record<string, Uint8Array | string>>) {
  const layers = [archive(...Object.entries(files).map(([path, bytes]) => tarFile(path, bytes)))];
  const { components, properties } = await makeBom(memoryImage({ layers }));
  return [
    ...components.map(({ purl, evidence }) =>
      [purl, ...(evidence?.occurrences ?? []).map(({ location }) => location)].join(' '),
    ),
    ...properties.filter(({ name }) => !name.endsWith(':count')).map(({ name, value }) => `${name} ${value}`),
  ];
}

test('a file that was copied from Fedora names its package, in all its places', async () => {
  const purl = 'pkg:rpm/fedora/bash@5.2.15-3.fc38?arch=x86_64&distro=fedora-38';
  expect(await found({ 'opt/bash': noted(fedora), 'usr/bin/sh': noted(fedora) })).toEqual([
    `${purl} opt/bash usr/bin/sh`,
  ]);
  expect(await found({ 'opt/bash': noted(fedora, { wide: false, little: false }) })).toEqual([
    `${purl} opt/bash`,
  ]);
});

test.for([
  [
    'os and osVersion',
    { type: 'deb', os: 'debian', osVersion: '13', name: 'bash', version: '5.2.37-2' },
    'pkg:deb/debian/bash@5.2.37-2?distro=debian-13',
  ],
  ['no distribution', { type: 'rpm', name: 'bash', version: '5' }, 'pkg:generic/bash@5'],
  [
    'a type that is not known',
    { type: 'nix', os: 'nixos', name: 'bash', version: '5' },
    'pkg:generic/bash@5',
  ],
  [
    'a distribution that is not known by its CPE',
    { type: 'rpm', name: 'bash', version: '5', osCpe: 'cpe:/o:x:y:1' },
    'pkg:generic/bash@5',
  ],
] as const)('a note with %s', async ([, note_, purl]) => {
  expect(await found({ 'opt/x': noted(JSON.stringify(note_)) })).toEqual([`${purl} opt/x`]);
});

test.for([
  ['no JSON', '{', /is not well-formed JSON/],
  ['a list', '[]', /names no package/],
  ['null', 'null', /is not an object/],
  ['a name with a blank', '{"name":"a b","version":"1"}', /names no package/],
  ['no version', '{"name":"a"}', /names no package/],
  ['a version for a terminal', '{"name":"a","version":"\\u001b[2J"}', /names no package/],
] as const)('a note of %s is skipped, and the file is one that nobody owns', async ([, text, reason]) => {
  const said = await found({ 'opt/x': noted(text) });
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(reason);
  expect(said[1]).toMatch(/^tcf:unowned-executable opt\/x/);
});

test('where a package database owns the file, its row says it alone', async () => {
  expect(
    await found({
      'etc/os-release': 'ID=debian\nVERSION_ID=13\n',
      'var/lib/dpkg/status':
        'Package: bash\nStatus: install ok installed\nVersion: 5.2.37-2\nArchitecture: amd64\n',
      'var/lib/dpkg/info/bash.list': '/usr\n/usr/bin\n/usr/bin/bash\n',
      'usr/bin/bash': noted(JSON.stringify({ type: 'deb', os: 'debian', name: 'bash', version: '5.2.37-2' })),
    }),
  ).toEqual([
    ' etc/os-release',
    'pkg:deb/debian/bash@5.2.37-2?arch=amd64&distro=debian-13 var/lib/dpkg/status',
  ]);
});
