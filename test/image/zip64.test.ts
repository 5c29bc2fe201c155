import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { readZip } from '../../src/image/zip.ts';
import { folder } from '../support/host.ts';

/* An archive whose directory stands in zip64, as Go writes it from 65,535 files on; here with one file. */

function archive(change: (bytes: Buffer) => void = () => {}): Buffer {
  const content = Buffer.from('{}');
  const name = Buffer.from('a.json');
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(crc32(content), 0);
  sizes.writeUInt32LE(content.length, 4);
  sizes.writeUInt32LE(content.length, 8);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  sizes.copy(local, 14);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  sizes.copy(central, 16);
  central.writeUInt16LE(name.length, 28);
  const before = Buffer.concat([local, name, content]);
  const directory = Buffer.concat([central, name]);
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(BigInt(directory.length), 40);
  wide.writeBigUInt64LE(BigInt(before.length), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(before.length + directory.length), 8);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.fill(0xff, 8, 20);
  change(wide);
  return Buffer.concat([before, directory, wide, locator, end]);
}

const names = async (bytes: Buffer): Promise<readonly string[]> => {
  using place = folder();
  const path = join(place.path, 'a.zip');
  writeFileSync(path, bytes);
  return await readZip(path, async (entries) => entries.map(({ name }) => name));
};

test('its files are listed', async () => {
  expect(await names(archive())).toEqual(['a.json']);
});

test.for<[string, (wide: Buffer) => void]>([
  ['another signature', (wide) => wide.writeUInt32LE(0, 0)],
  ['a directory beyond the end', (wide) => wide.writeBigUInt64LE(1_000_000n, 48)],
  ['numbers beyond those of a double', (wide) => wide.fill(0xff, 40, 56)],
])('refused: %s', async ([, change]) => {
  await expect(names(archive(change))).rejects.toMatchObject({ code: 'zip.malformed' });
});
