import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { parseImageConfig } from '../../src/oci/config.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';

const descriptor = { mediaType: mediaTypes.config, digest: digestOf(new Uint8Array()), size: 0 };
const manifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.manifest,
  config: descriptor,
  layers: [descriptor],
};
const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] };

function read(value: unknown, announced?: string) {
  return parseManifest(encodeUtf8(JSON.stringify(value)), announced, 'manifest');
}

test.for<readonly [string, unknown, string | undefined, RegExp]>([
  [
    'A-12: both layers and manifests',
    { ...manifest, manifests: [] },
    undefined,
    /both "layers" and "manifests"/,
  ],
  ['A-12: both, with the layers null', { ...index, layers: null }, undefined, /both/],
  ['A-12: both, with the manifests null', { ...manifest, manifests: null }, undefined, /both/],
  ['manifests that are no list', { ...index, manifests: {} }, undefined, /manifests is not a list/],
  ['A-12: an index with a config', { ...index, config: descriptor }, undefined, /both/],
  ['A-13: another type announced', manifest, mediaTypes.index, /announced as/],
  ['A-13: docker announced, OCI said', manifest, mediaTypes.dockerManifest, /announced as/],
  [
    'A-13: a manifest that says it is an index',
    { ...manifest, mediaType: mediaTypes.index },
    undefined,
    /names no image manifest/,
  ],
  [
    'A-13: an index that says it is a manifest',
    { ...index, mediaType: mediaTypes.manifest },
    undefined,
    /names no index/,
  ],
  ['A-15: schema 1', { schemaVersion: 1, fsLayers: [] }, undefined, /only 2 is read/],
  ['A-15: no schema', { manifests: [] }, undefined, /only 2 is read/],
  ['schema {}', { ...manifest, schemaVersion: {} }, undefined, /only 2 is read/],
  ['schema "2"', { ...manifest, schemaVersion: '2' }, undefined, /only 2 is read/],
  ['A-10: 1001 manifests', { ...index, manifests: Array(1001).fill(descriptor) }, undefined, /limit of 1000/],
  ['1001 layers', { ...manifest, layers: Array(1001).fill(descriptor) }, undefined, /limit of 1000/],
  [
    'A-25: a layer with a path for a digest',
    { ...manifest, layers: [{ ...descriptor, digest: 'sha256:../../x' }] },
    undefined,
    /layers\[0\]\.digest/,
  ],
  [
    'a negative size',
    { ...manifest, layers: [{ ...descriptor, size: -1 }] },
    undefined,
    /layers\[0\]\.size is not a whole number/,
  ],
  ['a size as text', { ...manifest, config: { ...descriptor, size: '0' } }, undefined, /config\.size/],
  ['no config', { ...manifest, config: undefined }, undefined, /config is missing/],
  ['an unknown type', { ...manifest, mediaType: 'text/html' }, undefined, /text\/html/],
  ['a list', [], undefined, /is not an object/],
])('%s is not read', ([, value, announced, message]) => {
  expect(() => read(value, announced)).toThrow(message);
});

test('what is well formed is read, with or without a type in it', () => {
  expect(read(manifest, mediaTypes.manifest)).toMatchObject({
    kind: 'manifest',
    layers: [descriptor],
    annotations: {},
  });
  expect(read({ ...manifest, mediaType: undefined }, mediaTypes.dockerManifest).mediaType).toBe(
    mediaTypes.dockerManifest,
  );
  expect(read({ ...index, mediaType: undefined }).mediaType).toBe(mediaTypes.index);
  expect(read({ ...manifest, annotations: null, subject: descriptor }).subject).toEqual(descriptor);
});

test('A-100: urls and data of a descriptor are left behind', () => {
  const foreign = { ...descriptor, urls: ['https://evil.example'], data: 'e30=' };
  expect(read({ ...manifest, layers: [foreign] })).toMatchObject({ layers: [descriptor] });
  expect(JSON.stringify(read({ ...manifest, layers: [foreign] }))).not.toContain('evil');
});

const config = {
  os: 'linux',
  architecture: 'amd64',
  rootfs: { type: 'layers', diff_ids: [descriptor.digest] },
};

test('an image configuration is read as Go writes it', () => {
  const written = { ...config, config: { Labels: null, Env: ['A=b'] }, history: null };
  expect(parseImageConfig(encodeUtf8(JSON.stringify(written)), 'config')).toEqual({
    os: 'linux',
    architecture: 'amd64',
    diffIds: [descriptor.digest],
    history: [],
    labels: {},
    env: ['A=b'],
  });
});

test.for<readonly [string, object, RegExp]>([
  ['no rootfs', { rootfs: undefined }, /rootfs is missing/],
  ['another rootfs', { rootfs: { type: 'layers+base' } }, /rootfs of type/],
  ['a diffID that is none', { rootfs: { type: 'layers', diff_ids: ['sha1:a'] } }, /diff_ids\[0\]/],
  ['no architecture', { architecture: undefined }, /architecture is missing/],
  ['labels that are no text', { config: { Labels: { a: 1 } } }, /Labels\.a is not a string/],
])('a configuration with %s is not read', ([, change, message]) => {
  expect(() => parseImageConfig(encodeUtf8(JSON.stringify({ ...config, ...change })), 'config')).toThrow(
    message,
  );
});

test.for([
  ['config', (text: string) => text.replace('"size":0', '"size":9007199254740993')],
  ['layers[1]', (text: string) => text.replace(/"size":0(?=\}\])/, '"size":9007199254740993')],
] as const)('the size of %s from 2^53 on is refused and never rounded', ([where, change]) => {
  const text = change(JSON.stringify({ ...manifest, layers: [descriptor, descriptor] }));
  expect(text).toContain('9007199254740993');
  const place = where.replace(/[[\]]/g, '\\$&');
  expect(() => parseManifest(encodeUtf8(text), undefined, 'it')).toThrow(
    new RegExp(`${place}\\.size is 9007199254740993, and not a number`),
  );
  const fraction = text.replace('9007199254740993', '4.99999999999999999999');
  expect(() => parseManifest(encodeUtf8(fraction), undefined, 'it')).toThrow(/a fraction too small/);
});
