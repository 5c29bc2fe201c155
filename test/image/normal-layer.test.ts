import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { unpackTar } from 'modern-tar';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf, collect } from '../../src/base/bytes.ts';
import { compressed } from '../../src/image/compress.ts';
import { isVolatile, normalLayer } from '../../src/image/normal-layer.ts';
import { type WrittenEntry, writeTar } from '../../src/image/tar-writer.ts';
import { folder } from '../support/host.ts';
import { archive, directory, file, hardlink, pax, special, symlink } from '../support/tar.ts';

const place = folder();
afterAll(() => place[Symbol.dispose]());
let count = 0;
const epoch = Date.parse('2026-11-30T00:00:00Z') / 1000;

async function normal(...members: readonly Uint8Array[]) {
  count += 1;
  const path = join(place.path, `layer-${count}.tar`);
  writeFileSync(path, archive(...members));
  const layer = await normalLayer(path, epoch);
  return { layer, bytes: Buffer.from(await collect(layer.tar(), 1e8, 'x')) };
}

const timed = (seconds: number) => ({
  patch: (block: Buffer) => block.write(`${seconds.toString(8).padStart(11, '0')}\0`, 136, 'latin1'),
});
const owned = (name: string) => ({ patch: (block: Buffer) => block.write(name, 265, 'latin1') });

describe('the normal form of a layer', () => {
  test('above others has no folders that engines mount on, which each of them touches otherwise', async () => {
    const path = join(place.path, 'upper.tar');
    writeFileSync(path, archive(directory('run/'), directory('dev/'), directory('etc/'), file('etc/a', 'a')));
    const names = async (isLowest: boolean) =>
      (await normalLayer(path, epoch, isLowest)).entries.map(({ name }) => name);
    expect(await names(false)).toEqual(['etc/', 'etc/a']);
    expect(await names(true)).toEqual(['dev/', 'etc/', 'etc/a', 'run/']);
  });

  test('does not depend on the order of entries, on "./", on names of users and on times after the epoch', async () => {
    const one = await normal(
      directory('usr/', timed(epoch + 7)),
      file('usr/b', 'b', timed(epoch + 9)),
      file('usr/a', 'a', timed(5)),
      symlink('bin', 'usr'),
    );
    const other = await normal(
      symlink('./bin', 'usr', owned('root')),
      directory('./usr/', timed(epoch + 1)),
      file('./usr/a', 'a', timed(5)),
      file('./usr/b', 'b', owned('builder')),
    );
    expect(one.layer.entries.map(({ name }) => name)).toEqual(['bin', 'usr/', 'usr/a', 'usr/b']);
    expect(one.layer.entries.map(({ modified }) => modified)).toEqual([0, epoch, 5, epoch]);
    // Only the time of usr/b, which the second archive has as 0, tells them apart.
    const third = await normal(
      symlink('./bin', 'usr'),
      file('./usr/b', 'b', timed(epoch + 100)),
      file('./usr/a', 'a', timed(5)),
      directory('./usr/', timed(epoch + 1)),
    );
    expect(third.bytes.equals(one.bytes)).toBe(true);
    expect(other.bytes.equals(one.bytes)).toBe(false);
  });

  test('of the names of one file the first holds the content, whichever an engine wrote first', async () => {
    const one = await normal(file('b', 'content'), hardlink('a', 'b'), hardlink('c', 'b'));
    const other = await normal(file('./c', 'content'), hardlink('./b', './c'), hardlink('./a', './c'));
    expect(other.bytes.equals(one.bytes)).toBe(true);
    const entries = await unpackTar(one.bytes);
    expect(entries.map(({ header: { linkname, name, type } }) => [name, type, linkname ?? ''])).toEqual([
      ['a', 'file', ''],
      ['b', 'link', 'a'],
      ['c', 'link', 'a'],
    ]);
    expect(Buffer.from(entries[0]?.data ?? []).toString()).toBe('content');
  });

  test('has no bits that make a program another user, and keeps those of folders', async () => {
    const { layer } = await normal(
      file('su', 'x', { mode: '0004755\0' }),
      file('wall', 'x', { mode: '0002755\0' }),
      directory('tmp/', { mode: '0001777\0' }),
      directory('mail/', { mode: '0002775\0' }),
    );
    expect(Object.fromEntries(layer.entries.map(({ mode, name }) => [name, mode.toString(8)]))).toEqual({
      su: '755',
      wall: '755',
      'tmp/': '1777',
      'mail/': '2775',
    });
  });

  test('leaves out devices and extended attributes, and the later of two entries of one name counts', async () => {
    const { bytes, layer } = await normal(
      special('3', ''),
      pax({ 'SCHILY.xattr.security.capability': 'x' }),
      file('ping', '1'),
      file('ping', '22'),
    );
    expect(layer.entries.map(({ name, size }) => [name, size])).toEqual([['ping', 2]]);
    expect(bytes.includes('SCHILY')).toBe(false);
  });

  test('keeps compiled Python that is valid by a hash, and leaves out what is valid by a time', async () => {
    const pyc = (flags: number) =>
      Buffer.concat([Buffer.from([0xf3, 0x0d, 13, 10, flags, 0, 0, 0]), Buffer.alloc(12)]);
    const { layer } = await normal(
      directory('a/__pycache__/'),
      file('a/__pycache__/x.cpython-313.pyc', pyc(0)),
      directory('b/__pycache__/'),
      file('b/__pycache__/x.cpython-313.pyc', pyc(1)),
    );
    expect(layer.entries.map(({ name }) => name)).toEqual([
      'b/__pycache__/',
      'b/__pycache__/x.cpython-313.pyc',
    ]);
  });

  test.for([
    ['var/log/dpkg.log', true],
    ['var/log/', false],
    ['var/cache/apt/pkgcache.bin', true],
    ['var/cache/ldconfig/aux-cache', true],
    ['etc/machine-id', true],
    ['etc/resolv.conf', true],
    ['etc/shadow-', true],
    ['etc/shadow', false],
    ['tmp/x', true],
    ['tmp/', false],
    ['var/lib/dpkg/status-old', true],
    ['var/lib/dpkg/status', false],
    ['var/lib/dpkg/info/libc6.list', false],
    ['opt/var/log/x', false],
    ['usr/lib/python3/dist-packages/tmp/x', false],
  ] as const)('%s is volatile: %s', ([path, is]) => {
    expect(isVolatile(path)).toBe(is);
  });

  test('an archive that is cut off is refused', async () => {
    const path = join(place.path, 'cut.tar');
    writeFileSync(path, archive(file('a', 'x'.repeat(5000))).subarray(0, 2000));
    await expect(normalLayer(path, epoch)).rejects.toThrow(/tar/);
  });
});

const plainEntry: WrittenEntry = {
  ...{ name: 'x', type: 'file', mode: 0o644, uid: 0, gid: 0, modified: 0, size: 0, linkName: '' },
};

test('another reader reads what is written: long names, bytes beyond ASCII, large numbers', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'ä', '/', ' ', '-'), minLength: 1, maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.nat(5_000_000),
      fc.uint8Array({ maxLength: 2000 }),
      async (text, uid, content) => {
        const clean = `r${text.replace(/\/+/g, '/').replace(/[/ ]+$/, '')}`;
        const entry = {
          ...plainEntry,
          name: Buffer.from(clean).toString('latin1'),
          uid,
          size: content.length,
        };
        const bytes = await collect(
          writeTar([entry], () => bytesOf(content)),
          1e7,
          'x',
        );
        const [read] = await unpackTar(bytes);
        expect(read?.header).toMatchObject({ name: clean, uid, size: content.length });
        expect(Buffer.from(read?.data ?? []).equals(Buffer.from(content))).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test.for(['gzip', 'zstd'] as const)('%s gives the same bytes however the content is cut', async (by) => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) % 251));
  const whole = await collect(compressed(bytesOf(content), by), 1e7, 'x');
  const cut = async function* () {
    for (let at = 0; at < content.length; at += 777) {
      yield content.subarray(at, at + 777);
    }
  };
  const pieces = await collect(compressed(cut(), by), 1e7, 'x');
  expect(Buffer.from(pieces).equals(Buffer.from(whole))).toBe(true);
});

test('a source that fails fails the packing', async () => {
  const broken = async function* () {
    yield Buffer.from('x');
    throw new Error('gone');
  };
  await expect(collect(compressed(broken(), 'zstd'), 1e6, 'x')).rejects.toThrow(/gone/);
});
