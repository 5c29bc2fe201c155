import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collect } from '../../src/base/bytes.ts';
import { localStoreAt } from '../../src/image/storage-files.ts';
import { hasLocalSignatures, openStoredImage, type StoredSignedImage } from '../../src/image/stored-store.ts';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { folder } from '../support/host.ts';
import { type BuiltImage, buildImage } from '../support/image.ts';
import { writeStore } from '../support/store.ts';
import { archive, file } from '../support/tar.ts';

/*
 * An image of podman's store that never was in a registry, asked as a registry is. What lies beside it is
 * believed only by its digest.
 */

let place: ReturnType<typeof folder>;
let image: BuiltImage;
const root = () => join(place.path, 'store');
const signatures = () => join(place.path, 'signatures');
const list = () => join(root(), 'overlay-images/images.json');
const open = async (name = 'localhost/a'): Promise<StoredSignedImage> =>
  openStoredImage(await localStoreAt(root()), name, signatures());
const rename = (...names: readonly string[]) =>
  writeFileSync(
    list(),
    readFileSync(list(), 'utf8').replace('["localhost/a:latest"]', JSON.stringify(names)),
  );
const bytesOf = (text: string) => Buffer.from(text);

beforeEach(() => {
  place = folder();
  image = buildImage({ layers: [archive(file('etc/a', 'one'))], compression: 'none' });
  writeStore(root(), image, [[]]);
});
afterEach(() => place[Symbol.dispose]());

/** Attaches a referrer with one blob, as signing does. */
async function attach(opened: StoredSignedImage, text: string): Promise<Digest> {
  const { ref, store } = opened;
  const blob = await store.pushBlob(ref, 'application/x', bytesOf(text));
  const manifest = bytesOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/x',
      config: { mediaType: mediaTypes.empty, digest: digestOf(bytesOf('{}')), size: 2 },
      layers: [blob],
      subject: { mediaType: mediaTypes.manifest, digest: image.manifestDigest, size: image.manifest.length },
    }),
  );
  return (await store.attach(ref, manifest, opened.named.descriptor)).digest;
}

test('it is the manifest of the store, under its local name, with its configuration', async () => {
  const { named, ref, store } = await open();
  expect(ref).toMatchObject({ registry: 'localhost', repository: 'a' });
  expect(named.descriptor).toMatchObject({ digest: image.manifestDigest, size: image.manifest.length });
  const config = { mediaType: mediaTypes.config, digest: image.configDigest, size: image.config.length };
  const bytes = await collect(store.blob(ref, config), 1 << 20, 'x');
  expect(Buffer.from(bytes).equals(image.config)).toBe(true);
  expect(await store.referrers(ref, image.manifestDigest)).toEqual([]);
  expect(await hasLocalSignatures(signatures(), image.manifestDigest)).toBe(false);
});

test('what is attached is found again, by the digest of the manifest and in private files', async () => {
  const opened = await open();
  const digest = await attach(opened, 'signed');
  expect(await hasLocalSignatures(signatures(), image.manifestDigest)).toBe(true);
  const again = await open();
  const [found] = await again.store.referrers(again.ref, image.manifestDigest);
  expect(found?.digest).toBe(digest);
  const referrer = await again.store.manifest(again.ref, digest);
  const [layer] = referrer?.document.kind === 'manifest' ? referrer.document.layers : [];
  expect(layer).toBeDefined();
  if (layer !== undefined) {
    expect(Buffer.from(await collect(again.store.blob(again.ref, layer), 100, 'x')).toString()).toBe(
      'signed',
    );
  }
  const other = openStoredImage(await localStoreAt(root()), 'localhost/a', join(place.path, 'elsewhere'));
  expect(await (await other).store.referrers(again.ref, image.manifestDigest)).toEqual([]);
});

describe('the name by which policies judge it', () => {
  test.for<readonly [string, readonly string[], string, string]>([
    ['as it was asked', ['localhost/a:latest', 'localhost/b:1'], 'localhost/b:1', 'b'],
    ['without localhost', ['localhost/a:latest', 'localhost/team/b:latest'], 'team/b', 'team/b'],
    ['by a tag of several', ['localhost/a:1', 'localhost/b:2', 'localhost/b:1'], 'b:1', 'b'],
    ['by its digest', ['localhost/a:latest', 'localhost/b:latest'], 'localhost/b@DIGEST', 'b'],
    ['by its id', ['quay.io/x/y:1', 'localhost/a:latest'], 'ID', 'a'],
  ])('%s', async ([, names, asked, repository]) => {
    rename(...names);
    const name = asked.replace('DIGEST', image.manifestDigest).replace('ID', hexOf(image.configDigest));
    expect((await open(name)).ref).toMatchObject({ registry: 'localhost', repository });
  });

  test.for<readonly [string, readonly string[], string]>([
    ['one that a registry has', ['quay.io/x/y:1'], 'quay.io/x/y:1'],
    [
      'one that has a local name as well, asked by the other',
      ['quay.io/x/y:1', 'localhost/a:1'],
      'quay.io/x/y:1',
    ],
    ['one without a name', [], 'ID'],
  ])('is refused for %s', async ([, names, asked]) => {
    rename(...names);
    await expect(open(asked.replace('ID', hexOf(image.configDigest)))).rejects.toMatchObject({
      code: 'image.local',
      exit: 3,
    });
  });
});

describe('what lies there in another form is not believed', () => {
  const manifest = () => join(root(), 'overlay-images', hexOf(image.configDigest), 'manifest');
  const referrers = () => join(signatures(), hexOf(image.manifestDigest), 'referrers');
  const blobs = () => join(signatures(), hexOf(image.manifestDigest), 'blobs');

  test('a manifest that was changed', async () => {
    writeFileSync(manifest(), `${readFileSync(manifest(), 'utf8')} `);
    await expect(open()).rejects.toMatchObject({ code: 'storage.image', exit: 2 });
  });

  test('an image without a manifest', async () => {
    const text = readFileSync(list(), 'utf8').replace('"manifest"', '"other"');
    writeFileSync(list(), text);
    await expect(open()).rejects.toMatchObject({ code: 'storage.image', exit: 2 });
  });

  test('an index in place of a manifest', async () => {
    const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] });
    writeFileSync(manifest(), index);
    writeFileSync(
      list(),
      readFileSync(list(), 'utf8').replaceAll(image.manifestDigest, digestOf(bytesOf(index))),
    );
    await expect(open()).rejects.toMatchObject({ code: 'storage.image', exit: 2 });
  });

  test('a signature or its blob that was changed', async () => {
    const opened = await open();
    const digest = await attach(opened, 'signed');
    for (const path of [referrers(), blobs()]) {
      const [name = ''] = readdirSync(path);
      const text = readFileSync(join(path, name), 'utf8');
      writeFileSync(join(path, name), `${text} `);
      const read = async () => {
        await opened.store.referrers(opened.ref, image.manifestDigest);
        const found = await opened.store.manifest(opened.ref, digest);
        const [layer] = found?.document.kind === 'manifest' ? found.document.layers : [];
        return layer && (await collect(opened.store.blob(opened.ref, layer), 100, 'x'));
      };
      await expect(read()).rejects.toMatchObject({ exit: 2 });
      writeFileSync(join(path, name), text);
    }
  });

  test('a blob that is gone', async () => {
    const { ref, store } = await open();
    const gone = { mediaType: 'x', digest: digestOf(bytesOf('gone')), size: 4 };
    await expect(collect(store.blob(ref, gone), 100, 'x')).rejects.toMatchObject({ code: 'storage.image' });
    expect(await store.manifest(ref, digestOf(bytesOf('gone')))).toBeUndefined();
  });

  test('more signatures than anybody makes', async () => {
    mkdirSync(referrers(), { recursive: true });
    for (let count = 0; count <= 1000; count += 1) {
      writeFileSync(join(referrers(), count.toString(16).padStart(64, '0')), '');
    }
    await expect(hasLocalSignatures(signatures(), image.manifestDigest)).rejects.toMatchObject({
      code: 'storage.image',
    });
  });

  test('files of another name are no signatures', async () => {
    mkdirSync(referrers(), { recursive: true });
    writeFileSync(join(referrers(), '../referrers/notes.txt'), 'x');
    expect(await hasLocalSignatures(signatures(), image.manifestDigest)).toBe(false);
  });
});

test('an additional store is asked for what the own one has not', async () => {
  const own = await localStoreAt(join(place.path, 'empty'));
  const local = { ...own, additional: [await localStoreAt(root())] };
  const { named } = await openStoredImage(local, 'localhost/a', signatures());
  expect(named.descriptor.digest).toBe(image.manifestDigest);
  await expect(openStoredImage(own, 'localhost/a', signatures())).rejects.toMatchObject({
    code: 'image.missing',
  });
});
