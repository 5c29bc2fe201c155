import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Overrides, withOverrides } from '../../../src/app/build/overrides.ts';
import { openLock } from '../../../src/app/lock/load-lock.ts';
import { parseLock } from '../../../src/app/lock/parse-lock.ts';
import { folder, testHost } from '../../support/host.ts';

/*
 * tcf build --triton CHECKOUT and --llvm: what the sources of Triton pin (cmake/llvm-info.json of Triton 3.8,
 * llvm-hash.txt before).
 */

const place = folder();
afterAll(() => place[Symbol.dispose]());
const head = '1'.repeat(40);
const commit = '5f07f818b51b786b0a87b4e514882600ecba112f';
const hash = 'ab'.repeat(32);
mkdirSync(join(place.path, 'images/cpu'), { recursive: true });
writeFileSync(
  join(place.path, 'images/cpu/lock.yaml'),
  `version: 1
image: cpu
platform: linux/amd64
epoch: "2026-11-30T00:00:00Z"
compression: zstd
base: { image: registry.example/debian:13, digest: "sha256:${hash}" }
want: { triton: "3.6.0", python: [numpy] }
llvm: [{ role: core, commit: f6ded0be897e2878612dd903f7e8bb85448269e5, in: wheel }]
python:
  version: "3.13"
  wheels:
    - { name: numpy, version: "2", sha256: "${hash}", file: numpy-2-py3-none-any.whl }
    - { name: triton, version: "3.6.0", sha256: "${hash}", file: triton-3.6.0-py3-none-any.whl }
`,
);

function checkout(name: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(join(place.path, name, 'cmake'), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(place.path, name, 'cmake', file), content);
  }
  return name;
}

const info = (sha256: string) =>
  JSON.stringify({ llvm_hash: commit, build_number: 1, sha256sum: { 'ubuntu-x64': sha256 } });
const host = testHost({
  cwd: place.path,
  answer: (args) => (args.includes('rev-parse') ? { stdout: `${head}\n` } : {}),
});
const build = async (overrides: Overrides) => {
  const open = await withOverrides(host, await openLock(host, 'cpu'), overrides);
  // What is written beside the image is a lock like any other.
  expect(parseLock(open.text, 'written')).toEqual(open.lock);
  return open.lock;
};

describe('an image to develop a checkout in', () => {
  test('has the LLVM that its sources pin, by hash, and no wheel of Triton', async () => {
    const lock = await build({ triton: checkout('new', { 'llvm-info.json': info(hash) }) });
    expect(lock.triton).toEqual({ commit: head });
    expect(lock.python?.wheels.map(({ name }) => name)).toEqual(['numpy']);
    expect(lock.llvm).toEqual([
      {
        ...{ role: 'core', commit, in: 'tarball', sha256: hash },
        url: 'https://oaitriton.blob.core.windows.net/public/llvm-builds/llvm-5f07f818-ubuntu-x64-1.tar.gz',
      },
    ]);
  });

  test('takes the tarball that the sources name, and no other', async () => {
    const name = 'llvm-5f07f818-ubuntu-x64-1.tar.gz';
    writeFileSync(join(place.path, name), 'the prebuilt');
    const sha256 = createHash('sha256').update('the prebuilt').digest('hex');
    const triton = checkout('same', { 'llvm-info.json': info(sha256) });
    expect((await build({ triton, llvm: name })).llvm).toMatchObject([{ sha256, commit, in: 'tarball' }]);
    const other = checkout('other', { 'llvm-info.json': info(hash) });
    await expect(build({ triton: other, llvm: name })).rejects.toThrow(
      /the checkout pins LLVM 5f07f818.*and --llvm is/,
    );
  });

  test.for([
    ['a pin without a checksum', { 'llvm-hash.txt': `${commit}\n` }, /pins 5f07f818\w+ without a checksum/],
    [
      'no pin at all: the LLVM of the day is nobody’s choice',
      { 'README.txt': '' },
      /does not say which LLVM it pins/,
    ],
    [
      'a pin that is no commit',
      { 'llvm-info.json': info(hash).replace(commit, 'main') },
      /llvm_hash is not a commit/,
    ],
    ['a checksum that is none', { 'llvm-info.json': info('abc') }, /is not a SHA-256/],
    [
      'the decoy that lies beside it',
      { 'llvm-build-info.json': info(hash) },
      /does not say which LLVM it pins/,
    ],
  ] as const)('%s is refused', async ([name, files, message]) => {
    await expect(build({ triton: checkout(name.replaceAll(/\W/g, ''), files) })).rejects.toThrow(message);
  });
});

describe('an LLVM that somebody has', () => {
  test('stands beside the one in the wheel, and lies in the store under its hash', async () => {
    writeFileSync(join(place.path, 'llvm-aaaaaaaa-ubuntu-x64.tar.gz'), 'x');
    const lock = await build({ llvm: 'llvm-aaaaaaaa-ubuntu-x64.tar.gz' });
    expect(lock.llvm?.map(({ commit: which, in: where }) => [which.slice(0, 8), where])).toEqual([
      ['f6ded0be', 'wheel'],
      ['aaaaaaaa', 'tarball'],
    ]);
    const stored = join(place.path, 'home/.cache/tcf/inputs/sha256', lock.llvm?.[1]?.sha256 ?? '');
    expect(readFileSync(stored, 'utf8')).toBe('x');
  });

  test.for([
    ['a name that says nothing', 'my-llvm.tar.gz', /does not say which LLVM it is/],
    ['nothing', 'nowhere.tar.gz', /there is nothing at/],
    ['a folder without a revision', 'empty', /does not say which LLVM it is/],
  ] as const)('%s is refused', async ([, path, message]) => {
    mkdirSync(join(place.path, 'empty'), { recursive: true });
    writeFileSync(join(place.path, 'my-llvm.tar.gz'), 'x');
    await expect(build({ llvm: path })).rejects.toThrow(message);
  });
});

test('without overrides the lock stays as it is, to the byte', async () => {
  const open = await openLock(host, 'cpu');
  expect(await withOverrides(host, open, {})).toBe(open);
});
