import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { catalogers } from '../../src/catalogers/index.ts';
import type { SourceHost } from '../../src/image/contract.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { LayerScanner } from '../../src/image/scan-layer.ts';
import { scanLayers } from '../../src/image/scan-layers.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { imageModes } from '../support/image-modes.ts';
import { runs } from '../support/runs.ts';
import { bundledThread } from '../support/scan-thread.ts';
import { archive, directory, file, hardlink, symlink } from '../support/tar.ts';

/*
 * Every way to read an image gives the same SBOM, byte for byte, or the same refusal: on stacks of layers
 * made to disagree about, with links in circles, whiteouts, hard links across layers, package databases
 * behind links, names that are not UTF-8.
 */

const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(3000, 'LLVM version 17.0.6\0')]);
const deb = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n`;
const contents = [
  'ID=debian\nVERSION_ID="12"\n',
  deb('a'),
  deb('a') + deb('b'),
  'Name: c\nVersion: 1\n',
  'c/__init__.py,sha256=x,1\n',
  elf,
  '',
  'x'.repeat(70_000),
];
const places = [
  'etc/os-release',
  'var/lib/dpkg/status',
  'var/lib/dpkg/info/a.list',
  'usr/lib/python3/dist-packages/c-1.dist-info/METADATA',
  'usr/lib/python3/dist-packages/c-1.dist-info/RECORD',
  'usr/lib/libx.so',
  'opt/tool',
  'opt/caf\xe9',
];
const folders = ['etc', 'var', 'var/lib', 'var/lib/dpkg', 'usr', 'usr/lib', 'usr/lib/python3', 'opt', 'lib'];
const anyPlace = fc.constantFrom(...places, ...folders);
const hidden = (path: string) => path.replace(/([^/]*)$/, '.wh.$1');

const entry: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...places), fc.constantFrom(...contents))
      .map(([path, content]) => file(path, content)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...folders).map((path) => directory(path)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anyPlace, fc.constantFrom('..', '/', '/opt', '../lib', 'dpkg', '/usr/lib', '/nowhere'))
      .map(([path, to]) => symlink(path, to)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...places), fc.constantFrom(...places))
      .map(([path, to]) => hardlink(path, to)),
  },
  { weight: 1, arbitrary: anyPlace.map((path) => file(hidden(path))) },
  { weight: 1, arbitrary: fc.constantFrom(...folders).map((path) => file(`${path}/.wh..wh..opq`)) },
);
const stacks = fc.array(fc.array(entry, { maxLength: 7 }), { minLength: 1, maxLength: 4 });

const stackCount = runs(300, 12);

const place = folder();
const startThread = await bundledThread(place.path);
afterAll(() => place[Symbol.dispose]());

test('hostile stacks give one SBOM from every store in every mode', async () => {
  let whole = 0;
  let stackNumber = 0;
  await fc.assert(
    fc.asyncProperty(stacks, async (stack) => {
      using work = folder();
      await using modes = await imageModes(stack, work.path, startThread);
      const expected = await modes.expected();
      if (expected.startsWith('{')) {
        whole += 1;
      }
      // Three of them for each stack, in turn: each mode sees 50.
      for (const turn of [0, 6, 12]) {
        const [mode, read] = modes.others[(stackNumber + turn) % modes.others.length] ?? ['', modes.expected];
        expect([mode, await read()]).toEqual([mode, expected]);
      }
      stackNumber += 1;
    }),
    { numRuns: stackCount, seed: 20261130 },
  );
  // Most stacks must be images, or nothing was compared.
  expect(whole).toBeGreaterThan(stackCount / 3);
}, 240_000);

const fixtures = join(import.meta.dirname, '../../fixtures/catalogers');
const rootfsList = readdirSync(fixtures).flatMap((name) =>
  readdirSync(join(fixtures, name)).map((each) => `${name}/${each}`),
);

/** The files of a fixture in two layers, of which the upper one has every other file and all again that is small. */
function layersOf(rootfs: string): readonly (readonly Buffer[])[] {
  const files = readdirSync(rootfs, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(rootfs, path)).isFile())
    .sort();
  const member = (path: string) => file(path, readFileSync(join(rootfs, path)));
  return [
    files.filter((_, at) => at % 2 === 0).map(member),
    files.filter((path, at) => at % 2 === 1 || lstatSync(join(rootfs, path)).size < 4096).map(member),
  ];
}

test.for(rootfsList.map((name, at): [string, number] => [name, at]))(
  'the fixture %s gives one SBOM from every store in every mode',
  { timeout: 60_000 },
  async ([name, at]) => {
    using work = folder();
    const stack = layersOf(join(fixtures, name, 'rootfs'));
    await using modes = await imageModes(stack, work.path, startThread);
    const expected = await modes.expected();
    expect(expected).toMatch(/^\{/);
    // All of them in CI, else some in turn.
    const asked = [...modes.others.slice(at % modes.others.length), ...modes.others].slice(
      0,
      runs(modes.others.length),
    );
    for (const [mode, read] of asked) {
      expect([mode, await read()]).toEqual([mode, expected]);
    }
  },
);

test('layers say the same in threads and with the streams of node:zlib', async () => {
  const many = fc.sample(stacks, { numRuns: 40, seed: 7 }).flat();
  using work = folder();
  const layers = many.map((members) => archive(...members));
  writeOciLayout(work.path, { image: buildImage({ layers }) });
  const host: SourceHost = {
    cwd: work.path,
    env: {},
    home: work.path,
    uid: 1000,
    registry: () => expect.unreachable(),
  };
  const linux = { os: 'linux', architecture: 'amd64' };
  await using image = await openNamedImage(parseImageName('oci:.'), linux, host);
  const threads = scanLayers(image.layers, catalogers, { jobs: 3, threadsFrom: 0, startThread });
  for await (const [index, scan] of threads) {
    const layer = image.layers[index];
    if (layer === undefined) {
      return expect.unreachable();
    }
    for (const streams of [false, true]) {
      const scanner = new LayerScanner(catalogers);
      expect(scanner.finish(await readLayer(layer, scanner, { streams }))).toEqual(scan);
    }
  }
}, 60_000);
