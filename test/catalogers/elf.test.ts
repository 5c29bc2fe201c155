import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildIdsIn, elf } from '../../src/catalogers/elf.ts';
import { layer } from '../support/elf.ts';

interface Shape {
  readonly wide?: boolean;
  readonly little?: boolean;
  /** Where the program headers and the notes lie. */
  readonly headersAt?: number;
  readonly notesAt?: number;
  readonly count?: number;
}

const id = '0123456789abcdef0123456789abcdef01234567';

/** An ELF file of 20,000 bytes with one loaded segment and one of notes: another note first, then the build-id. */
function file({ wide = true, little = true, headersAt = 64, notesAt = 600, count = 2 }: Shape = {}): Buffer {
  const bytes = Buffer.alloc(20_000, 0xee);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = wide ? 56 : 32;
  bytes.fill(0, 0, 64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  if (wide) view.setBigUint64(32, BigInt(headersAt), little);
  else view.setUint32(28, headersAt, little);
  view.setUint16(wide ? 54 : 42, size, little);
  view.setUint16(wide ? 56 : 44, count, little);
  const other = note('GNU', 5, Buffer.alloc(7), little);
  const notes = Buffer.concat([other, note('GNU', 3, Buffer.from(id, 'hex'), little)]);
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
  for (let at = 0; at < bytes.length; at += chunk) scanner?.push(bytes.subarray(at, at + chunk));
  const observation = scanner?.end();
  if (observation === undefined) return undefined;
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
