import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isKeyOf, parseKernelMetadata } from '../../src/catalogers/triton-kernels/metadata.ts';
import { tritonKernels } from '../../src/catalogers/triton-kernels.ts';
import { type Entries, treeOf } from '../support/tree.ts';

/*
 * fixtures/catalogers/triton-kernels holds caches that Triton 3.6.0 made; here is what else lies in them, and
 * who imitates them.
 */

const hash = '8121f03fe7754cddfa654e896095f7d331188683cbd64fe53233315e23466e41';
const key = 'QEQ7AP7HOVGN36TFJ2EWBFPX2MYRRBUDZPLE7ZJSGMYV4I2GNZAQ';
const cache = 'root/.triton/cache';
const metadata = (more: object = {}) =>
  JSON.stringify({
    hash,
    target: { backend: 'cuda', arch: 90, warp_size: 32 },
    triton_version: '3.6.0',
    name: 'add',
    ...more,
  });
const kernel = (folder: string, json = metadata()): Entries => ({
  [`${folder}/add.json`]: json,
  [`${folder}/add.cubin`]: 'code',
  [`${folder}/add.ptx`]: 'text',
  [`${folder}/add.ttir`]: 'ir',
});
const installed = (name: string, version: string, record?: string): Entries => ({
  [`opt/v/lib/python3.12/site-packages/${name}-${version}.dist-info/METADATA`]: `Name: ${name}\nVersion: ${version}\n`,
  ...(record === undefined
    ? {}
    : { [`opt/v/lib/python3.12/site-packages/${name}-${version}.dist-info/RECORD`]: record }),
});
const catalog = (entries: Entries, env: readonly string[] = []) =>
  tritonKernels.catalog(treeOf(tritonKernels, entries, { env }));
const said = (entries: Entries, env: readonly string[] = []) =>
  catalog(entries, env).components.map(({ name, properties = [] }) => ({
    name,
    ...Object.fromEntries(
      properties.map(({ name: long, value }) => [long.replace('tcf:kernel:', ''), value]),
    ),
  }));

test('a kernel has the hash of what a driver loads, and all its code is listed', () => {
  const [found] = catalog(kernel(`${cache}/${key}`)).components;
  expect(found?.hashes?.[0]?.value).toBe(createHash('sha256').update('code').digest('hex'));
  expect(found?.evidence?.occurrences?.map(({ location }) => location.split('/').at(-1))).toEqual([
    'add.cubin',
    'add.ptx',
    'add.json',
  ]);
});

test('what is named as a kernel is no executable that nobody owns', () => {
  const { components, owners = [] } = catalog(kernel(`${cache}/${key}`));
  expect(owners.map(({ bomRef }) => bomRef)).toEqual(components.map(({ bomRef }) => bomRef));
  const owned = (name: string) => owners.some(({ owns }) => owns(`${cache}/${key}/${name}`));
  expect(['add.cubin', 'add.ptx', 'other.cubin'].map(owned)).toEqual([true, true, false]);
});

test.for<[string, Entries, string]>([
  ['the Triton of the image', installed('triton', '3.6.0'), 'image'],
  ['a local build of the same number', installed('triton', '3.6.0+git7c56a5e4'), 'image'],
  ['a Triton under another name', installed('speedy', '3.6.0', 'speedy/_C/libtriton.so,,\n'), 'image'],
  ['a release of the same sources', installed('tokenspeed-triton', '3.6.0.post20261028'), 'image'],
  ['another Triton', installed('triton', '3.5.1'), 'other'],
  ['no Triton', {}, 'other'],
  ['something else of this version', installed('torch', '3.6.0'), 'other'],
])('made by %s', ([, entries, expected]) => {
  expect(said({ ...kernel(`${cache}/${key}`), ...entries })[0]).toMatchObject({
    triton: '3.6.0',
    'made-by': expected,
  });
});

test.for<[string, Entries, readonly string[], object]>([
  [
    'in the cache of torch',
    kernel(`tmp/torchinductor_root/triton/0/${key}`),
    [],
    { cache: '/tmp/torchinductor_root/triton/0' },
  ],
  [
    'where TRITON_CACHE_DIR says',
    { [`srv/k/${key}/a.so`]: 'x' },
    ['TRITON_CACHE_DIR=/srv/k/'],
    { kind: 'launcher', cache: '/srv/k' },
  ],
  [
    'under the name of an older Triton',
    kernel(`x/${hash}`, metadata({ target: ['cuda', 80], triton_version: undefined })),
    [],
    { target: 'cuda:80', triton: 'unknown', 'made-by': 'unknown' },
  ],
  [
    'without metadata',
    { [`${cache}/${key}/add.cubin`]: 'code' },
    [],
    { kind: 'kernel', target: 'unknown', triton: 'unknown' },
  ],
  [
    'with a form of code that nobody knows',
    { [`${cache}/${key}/add.json`]: metadata(), [`${cache}/${key}/add.newisa`]: 'x' },
    [],
    { target: 'cuda:90' },
  ],
  [
    'the launcher that Triton compiles',
    { [`${cache}/${key}/__triton_launcher.cpython-312-x86_64-linux-gnu.so`]: 'x' },
    [],
    { name: '__triton_launcher', kind: 'launcher' },
  ],
  [
    'under a key that is not its hash',
    kernel(`${cache}/${'A'.repeat(52)}`),
    [],
    { reason: `its metadata states the hash ${hash}, which is not its key` },
  ],
  [
    'with a name that is an escape',
    kernel(`${cache}/${key}`, metadata({ name: '\u001b[2J' })),
    [],
    { name: 'add' },
  ],
])('a kernel is named: %s', ([, entries, env, expected]) => {
  const found = said(entries, env);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject(expected);
});

test.for<[string, Entries]>([
  [
    'a folder of somebody with the name of a hash',
    { [`var/lib/layers/${hash}/diff.tar`]: 'x', [`var/lib/layers/${hash}/layer.json`]: '{"id":1}' },
  ],
  ['the words of a kernel', { [`${cache}/${key}/add.json`]: metadata(), [`${cache}/${key}/add.ttir`]: 'ir' }],
  ['a folder without a key', { [`${cache}/short/add.cubin`]: 'code' }],
])('no kernel: %s', ([, entries]) => {
  expect(said(entries)).toEqual([]);
});

test('metadata that cannot be read is said to be, and the code is listed', () => {
  const found = catalog(kernel(`${cache}/${key}`, '{'));
  expect(found.components).toHaveLength(1);
  expect(found.skipped.map(({ reason }) => reason)).toEqual(['is not readable metadata of a kernel']);
});

test.for([
  ['a list', '[]'],
  ['numbers for words', '{"name":1,"hash":2,"target":3,"triton_version":4}'],
  ['a target of too many words', '{"target":{"backend":"cuda\\u0000","arch":{}}}'],
] as const)('metadata with %s says nothing', ([, text]) => {
  expect(Object.keys(parseKernelMetadata(Buffer.from(text)) ?? {})).toEqual([]);
});

test.for([
  [key, true],
  [hash, true],
  [key.toLowerCase(), false],
  [`${key.slice(0, -1)}A`, false],
] as const)('the key %s', ([text, expected]) => {
  expect(isKeyOf(text, hash)).toBe(expected);
});
