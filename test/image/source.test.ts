import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeBase64 } from '../../src/base/bytes.ts';
import type { Cataloger } from '../../src/catalogers/contract.ts';
import type { SourceHost } from '../../src/image/contract.ts';
import { scanImage } from '../../src/image/scan.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { folder } from '../support/host.ts';
import {
  type BuiltImage,
  buildImage,
  dockerArchive,
  json,
  type LayoutEntry,
  layoutFiles,
  ociArchive,
  writeFiles,
  writeOciLayout,
} from '../support/image.ts';
import { archive, directory, file, hardlink, symlink } from '../support/tar.ts';

const linux = { os: 'linux', architecture: 'amd64' };
const layers = [
  archive(directory('etc'), file('etc/a', 'one'), symlink('link', 'etc'), file('etc/long', 'x'.repeat(3000))),
  archive(file('link/b', 'two'), file('etc/.wh.a'), hardlink('etc/c', 'etc/long')),
];
const everything: Cataloger = {
  name: 'everything',
  wants: () => true,
  catalog: () => ({ components: [], dependencies: [], skipped: [] }),
};

const hostAt = (cwd: string): SourceHost => ({
  cwd,
  env: {},
  home: cwd,
  uid: 1000,
  registry: () => {
    throw new Error('no network in this test');
  },
});

async function open(cwd: string, name: string, platform = linux, verifyLayers = false) {
  const parsed = parseImageName(name);
  expect(parsed.transport).not.toBe('bare');
  return await openNamedImage(parsed, platform, { ...hostAt(cwd), verifyLayers });
}

/** Path, layer and length of everything in the image. */
async function contents(cwd: string, name: string, verifyLayers = false): Promise<readonly string[]> {
  await using image = await open(cwd, name, linux, verifyLayers);
  const tree = (await scanImage(image, [everything])).treeFor(everything);
  return tree.wanted().map((found) => `${found.path}@${found.layer.index} ${found.content()?.length}`);
}

const expected = ['etc/b@1 3', 'etc/c@0 3000', 'etc/long@0 3000'];

describe('how an image is spelled', () => {
  test.for([
    [
      'docker://quay.io/a/b:c',
      { transport: 'docker', ref: { registry: 'quay.io', repository: 'a/b', tag: 'c' } },
    ],
    ['oci:some/dir', { transport: 'oci', directory: 'some/dir' }],
    ['oci:/dir:v1:x', { transport: 'oci', directory: '/dir', reference: 'v1:x' }],
    ['oci-archive:a.tar:v1', { transport: 'oci-archive', file: 'a.tar', reference: 'v1' }],
    ['docker-archive:a.tar', { transport: 'docker-archive', file: 'a.tar' }],
    [
      'docker-archive:a.tar:quay.io/a:b',
      { transport: 'docker-archive', file: 'a.tar', reference: 'quay.io/a:b' },
    ],
    ['containers-storage:localhost/a:b', { transport: 'containers-storage', name: 'localhost/a:b' }],
    [
      'containers-storage:[overlay@/g/r+/run/r]a',
      { transport: 'containers-storage', graphRoot: '/g/r', driver: 'overlay', name: 'a' },
    ],
    ['containers-storage:[/g/r]a:b', { transport: 'containers-storage', graphRoot: '/g/r', name: 'a:b' }],
    [
      'containers-storage:[overlay@/g+/r:overlay.mount_program=/x]a',
      { transport: 'containers-storage', graphRoot: '/g', driver: 'overlay', name: 'a' },
    ],
    ['dir:/a:b/c', { transport: 'dir', directory: '/a:b/c' }],
    ['docker-daemon:alpine', { transport: 'docker-daemon', image: 'docker.io/library/alpine:latest' }],
    [
      `docker-daemon:sha256:${'a'.repeat(64)}`,
      { transport: 'docker-daemon', image: `sha256:${'a'.repeat(64)}` },
    ],
    ['alpine', { transport: 'bare', name: 'alpine' }],
    ['localhost:5000/a:b', { transport: 'bare', name: 'localhost:5000/a:b' }],
  ] as const)('%s', ([text, name]) => {
    expect(parseImageName(text)).toEqual(name);
  });

  test.for([
    '',
    'docker:alpine',
    'docker-daemon:',
    'dir:',
    'ostree:x@/y',
    'https://quay.io/a',
    'oci:',
    'oci-archive::tag',
    'containers-storage:',
    'containers-storage:[btrfs@/g+/r]a',
    'containers-storage:[overlay@relative]a',
  ])('refuses "%s"', (text) => {
    expect(() => parseImageName(text)).toThrowError(
      expect.objectContaining({ code: 'image.transport', exit: 3 }),
    );
  });
});

describe('an OCI layout', () => {
  test.for(['gzip', 'zstd', 'none'] as const)('with layers in %s', async (compression) => {
    using work = folder();
    const image = buildImage({ layers, compression });
    writeOciLayout(join(work.path, 'image'), { image });
    await using opened = await open(work.path, 'oci:image');
    expect(opened).toMatchObject({
      manifestDigest: image.manifestDigest,
      configDigest: image.configDigest,
      platform: linux,
    });
    expect(opened.repository).toBeUndefined();
    expect(await contents(work.path, 'oci:image')).toEqual(expected);
  });

  test('with several images, by name and by number', async () => {
    using work = folder();
    const other = buildImage({ layers: [] });
    writeOciLayout(work.path, { image: buildImage({ layers }), tag: 'v1' }, { image: other, tag: 'v2' });
    expect((await open(work.path, 'oci:.:v2')).manifestDigest).toBe(other.manifestDigest);
    expect((await open(work.path, 'oci:.:@1')).manifestDigest).toBe(other.manifestDigest);
    await expect(open(work.path, 'oci:.')).rejects.toMatchObject({
      code: 'image.ambiguous',
      exit: 3,
      hint: 'append one of its names: :v1, :v2',
    });
    await expect(open(work.path, 'oci:.:v3')).rejects.toMatchObject({ code: 'image.missing' });
    await expect(open(work.path, 'oci:.:@2')).rejects.toMatchObject({ code: 'image.missing' });
  });

  test('with an image for each platform', async () => {
    using work = folder();
    const arm = { os: 'linux', architecture: 'arm64' };
    const other = buildImage({ layers, architecture: 'arm64' });
    const entries: LayoutEntry[] = [
      { image: buildImage({ layers }), platform: linux },
      { image: other, platform: arm },
    ];
    writeOciLayout(work.path, ...entries);
    expect((await open(work.path, 'oci:.', arm)).manifestDigest).toBe(other.manifestDigest);
    await expect(open(work.path, 'oci:.', { os: 'linux', architecture: 's390x' })).rejects.toMatchObject({
      code: 'image.platform',
    });
  });

  const dockerEntry = (name: string, tag: string, image: BuiltImage, platform = linux): LayoutEntry => ({
    image,
    tag,
    platform,
    annotations: { 'io.containerd.image.name': `docker.io/library/${name}:${tag}` },
  });
  const one = buildImage({ layers });
  const two = buildImage({ layers: [] });
  const arm = { os: 'linux', architecture: 'arm64' };

  test.for([
    ['docker save a b', [dockerEntry('a', 'latest', one), dockerEntry('b', 'latest', two)], ''],
    [
      'and a tag that both have',
      [dockerEntry('a', 'latest', one), dockerEntry('b', 'latest', two)],
      ':latest',
    ],
    ['two names with a platform each', [dockerEntry('a', '1', one), dockerEntry('b', '1', two, arm)], ''],
    [
      'two images for one platform',
      [
        { image: one, platform: linux },
        { image: two, platform: linux },
      ],
      '',
    ],
    ['two images without platforms', [{ image: one }, { image: two }], ''],
    ['an image with and one without a platform', [{ image: one, platform: linux }, { image: two }], ''],
  ] as const)('refuses to choose: %s', async ([, entries, reference]) => {
    using work = folder();
    writeOciLayout(work.path, ...entries);
    writeFileSync(join(work.path, 'a.tar'), ociArchive(...entries));
    for (const name of [`oci:.${reference}`, `oci-archive:a.tar${reference}`]) {
      await expect(open(work.path, name)).rejects.toMatchObject({ code: 'image.ambiguous', exit: 3 });
    }
  });

  test('names each image by what leads to it alone', async () => {
    using work = folder();
    writeOciLayout(work.path, dockerEntry('a', 'latest', one), dockerEntry('b', 'latest', two));
    await expect(open(work.path, 'oci:.')).rejects.toMatchObject({
      hint: 'append one of its names: :docker.io/library/a:latest, :docker.io/library/b:latest',
    });
    const opened = await open(work.path, 'oci:.:docker.io/library/b:latest');
    expect(opened).toMatchObject({ manifestDigest: two.manifestDigest, repository: 'docker.io/library/b' });
  });

  test.for([
    [
      'two tags',
      [
        { image: one, tag: 'v1' },
        { image: one, tag: 'v2' },
      ],
    ],
    ['a tag and none', [{ image: one, tag: 'v1' }, { image: one }]],
    ['two names with platforms', [dockerEntry('a', '1', one), dockerEntry('a', '2', one)]],
  ] as const)('takes one digest under %s for one image', async ([, entries]) => {
    using work = folder();
    writeOciLayout(work.path, ...entries);
    expect((await open(work.path, 'oci:.')).manifestDigest).toBe(one.manifestDigest);
  });

  test.for([
    ['quay.io/a/b:c', 'quay.io/a/b'],
    ['localhost/app:1', 'localhost/app'],
    ['app:1', 'docker.io/library/app'],
    ['v1', undefined],
    ['http://x y', undefined],
  ] as const)('keeps the name %s', async ([tag, repository]) => {
    using work = folder();
    writeOciLayout(work.path, { image: one, tag });
    expect((await open(work.path, 'oci:.')).repository).toBe(repository);
    expect((await open(work.path, `oci:.:${tag}`)).repository).toBe(repository);
  });

  test('follows an index in an index, as a registry does, and no further', async () => {
    using work = folder();
    const files = layoutFiles({ image: one });
    const nest = (child: { readonly digest: string; readonly size: number }, mediaType: string) => {
      const bytes = json({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [{ ...child, mediaType, platform: linux }],
      });
      files.set(`blobs/${digestOf(bytes).replace(':', '/')}`, bytes);
      return { digest: digestOf(bytes), size: bytes.length };
    };
    const write = (entry: object) => {
      files.set(
        'index.json',
        json({ schemaVersion: 2, manifests: [{ ...entry, mediaType: mediaTypes.index }] }),
      );
      writeFiles(work.path, files);
    };
    const inner = nest(one.descriptor, mediaTypes.manifest);
    const middle = nest(inner, mediaTypes.index);
    const outer = nest(middle, mediaTypes.index);
    for (const entry of [inner, middle]) {
      write(entry);
      expect(await open(work.path, 'oci:.')).toMatchObject({
        manifestDigest: one.manifestDigest,
        indexDigest: entry.digest,
      });
    }
    write(outer);
    await expect(open(work.path, 'oci:.')).rejects.toMatchObject({ code: 'image.nesting' });
  });

  test.for([
    ['a label of 100 KiB', { labels: { long: 'x'.repeat(100_000) } }],
    ['a variable of 100 KiB', { env: [`A=${'x'.repeat(100_000)}`] }],
    ['half a character in a label', { labels: { half: 'a\ud800b' } }],
    ['half a character in a key', { labels: { 'a\udc00': 'b' } }],
    ['half a character in a step', { steps: ['RUN \udfff', 'RUN true'] }],
  ] as const)('with %s', async ([, options]) => {
    using work = folder();
    writeOciLayout(work.path, { image: buildImage({ layers, ...options }) });
    expect(await contents(work.path, 'oci:.')).toEqual(expected);
  });

  test.for([
    ['no padding', -1024 - 509],
    ['half of its padding', -1024 - 200],
    ['no end blocks', -1024],
    ['one end block', -512],
  ] as const)('with a layer that has %s', async ([, cut]) => {
    using work = folder();
    const cutLayers = layers.map((whole, at) =>
      at === 0 ? archive(file('etc/a', 'one')).subarray(0, cut) : whole,
    );
    writeOciLayout(work.path, {
      image: buildImage({ layers: [...cutLayers.slice(0, 1), archive(file('b', 'x'))] }),
    });
    expect(await contents(work.path, 'oci:.')).toEqual(['b@1 1', 'etc/a@0 3']);
  });

  const image = buildImage({ layers });
  const [layer] = image.layers;
  const blobPath = (digest = '') => `blobs/${digest.replace(':', '/')}`;
  const changed = (path: string, bytes: Uint8Array | undefined) => {
    const files = layoutFiles({ image });
    if (bytes === undefined) {
      files.delete(path);
    } else {
      files.set(path, bytes);
    }
    return files;
  };

  test.for([
    ['without oci-layout', changed('oci-layout', undefined), 'image.layout'],
    ['of another version', changed('oci-layout', json({ imageLayoutVersion: '2.0.0' })), 'image.layout'],
    ['without index.json', changed('index.json', undefined), 'image.layout'],
    ['with a manifest for an index', changed('index.json', image.manifest), 'image.layout'],
    ['without its manifest', changed(blobPath(image.manifestDigest), undefined), 'image.file'],
    ['with another manifest', changed(blobPath(image.manifestDigest), image.config), 'content.size'],
    ['without its configuration', changed(blobPath(image.configDigest), undefined), 'image.file'],
    [
      'with a changed configuration',
      changed(blobPath(image.configDigest), Buffer.from(image.config).fill(' ', 0, 1)),
      'content.digest',
    ],
    ['without a layer', changed(blobPath(layer?.digest), undefined), 'image.file'],
    [
      'with a layer that is too short',
      changed(blobPath(layer?.digest), gzipSync(layers[0] ?? '').subarray(0, -4)),
      'content.size',
    ],
    [
      'with another layer',
      changed(blobPath(layer?.digest), gzipSync(archive(file('etc/a', 'evil')))),
      'content.size',
    ],
  ] as const)('refuses one %s', async ([, files, code]) => {
    using work = folder();
    writeFiles(work.path, files);
    await expect(contents(work.path, 'oci:.')).rejects.toMatchObject({ code, exit: 2 });
  });

  test('refuses layers that are not the ones of the configuration', async () => {
    using work = folder();
    writeOciLayout(work.path, {
      image: buildImage({ layers, diffIds: [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] }),
    });
    await expect(contents(work.path, 'oci:.')).rejects.toMatchObject({ code: 'content.digest' });
  });

  test('refuses more layers than diffIDs', async () => {
    using work = folder();
    writeOciLayout(work.path, { image: buildImage({ layers, diffIds: [`sha256:${'1'.repeat(64)}`] }) });
    await expect(open(work.path, 'oci:.')).rejects.toMatchObject({ code: 'image.layers' });
  });

  test('does not wait at a pipe in place of a blob', async () => {
    using work = folder();
    writeFiles(work.path, changed(blobPath(image.manifestDigest), undefined));
    execFileSync('mkfifo', [join(work.path, blobPath(image.manifestDigest))]);
    await expect(open(work.path, 'oci:.')).rejects.toMatchObject({ code: 'image.file' });
  });
});

describe('an archive', () => {
  const image = buildImage({ layers });
  const config = 'config.json';
  const manifest = (paths: readonly string[]) =>
    file('manifest.json', json([{ Config: config, RepoTags: null, Layers: paths }]));

  test.for([
    ['of an OCI layout', 'oci-archive:a.tar', ociArchive({ image, tag: 'v1' })],
    ['of an OCI layout, by its tag', 'oci-archive:a.tar:v1', ociArchive({ image, tag: 'v1' })],
    ['as skopeo writes it', 'docker-archive:a.tar', dockerArchive(image, layers, ['quay.io/a/b:c'])],
    [
      'as skopeo writes it, by its name',
      'docker-archive:a.tar:quay.io/a/b:c',
      dockerArchive(image, layers, ['quay.io/a/b:c']),
    ],
    [
      'with links to layers that come later',
      'docker-archive:a.tar',
      archive(
        manifest(['1/layer.tar', '2/layer.tar']),
        symlink('1/layer.tar', '../blobs/one'),
        hardlink('2/layer.tar', './two.tar'),
        file(config, image.config),
        file('two.tar', layers[1]),
        file('blobs/one', layers[0]),
      ),
    ],
    ['compressed with gzip', 'docker-archive:a.tar', gzipSync(dockerArchive(image, layers, ['a:b']))],
    ['compressed with zstd', 'oci-archive:a.tar:v1', zstdCompressSync(ociArchive({ image, tag: 'v1' }))],
    [
      'compressed, with the layers in the other order',
      'docker-archive:a.tar',
      gzipSync(
        archive(
          file('two.tar', layers[1]),
          file('one.tar', layers[0]),
          file(config, image.config),
          manifest(['one.tar', 'two.tar']),
        ),
      ),
    ],
    [
      'that holds the image once for each name',
      'docker-archive:a.tar',
      archive(
        file(
          'manifest.json',
          json(['a:1', 'a:2'].map((name) => ({ Config: config, RepoTags: [name], Layers: ['1', '2'] }))),
        ),
        file('1', layers[0]),
        file('2', layers[1]),
        file(config, image.config),
      ),
    ],
    [
      'with compressed layers, whatever their names',
      'docker-archive:a.tar',
      archive(
        manifest(['one.tar', 'two.tar']),
        file(config, image.config),
        file('one.tar', gzipSync(layers[0] ?? '')),
        file('two.tar', zstdCompressSync(layers[1] ?? '')),
      ),
    ],
  ] as const)('%s', async ([, name, bytes]) => {
    using work = folder();
    writeFileSync(join(work.path, 'a.tar'), bytes);
    expect(await contents(work.path, name)).toEqual(expected);
    await using opened = await open(work.path, name);
    expect(opened.configDigest).toBe(image.configDigest);
  });

  test('docker archives know their name and no manifest', async () => {
    using work = folder();
    writeFileSync(join(work.path, 'a.tar'), dockerArchive(image, layers, ['busybox:latest']));
    await using opened = await open(work.path, 'docker-archive:a.tar');
    expect(opened.repository).toBe('docker.io/library/busybox');
    expect(opened.manifestDigest).toBeUndefined();
  });

  const saved = dockerArchive(image, layers, ['a:b']);
  test.for([
    ['that is not there', 'docker-archive:b.tar', saved, 'image.archive'],
    [
      'that is compressed and cut off',
      'docker-archive:a.tar',
      gzipSync(saved).subarray(0, -9),
      'layer.compression',
    ],
    ['that is compressed and no tar', 'docker-archive:a.tar', gzipSync('x'.repeat(999)), 'layer.tar'],
    [
      'that is compressed with another layer',
      'docker-archive:a.tar',
      gzipSync(archive(manifest(['one', 'one']), file('one', layers[0]), file(config, image.config))),
      'content.digest',
    ],
    ['that is cut off', 'docker-archive:a.tar', saved.subarray(0, 5000), 'layer.tar'],
    ['that is no tar', 'docker-archive:a.tar', Buffer.alloc(2000, 'x'), 'layer.tar'],
    [
      'with two members of one name',
      'docker-archive:a.tar',
      archive(manifest([]), manifest([])),
      'image.archive',
    ],
    ['without manifest.json', 'docker-archive:a.tar', ociArchive({ image }), 'image.archive'],
    ['without its configuration', 'docker-archive:a.tar', archive(manifest([])), 'image.archive'],
    [
      'with fewer layers than diffIDs',
      'docker-archive:a.tar',
      archive(manifest(['one']), file('one', layers[0]), file(config, image.config)),
      'image.layers',
    ],
    [
      'without a layer',
      'docker-archive:a.tar',
      archive(manifest(['one', 'two']), file('one', layers[0]), file(config, image.config)),
      'image.archive',
    ],
    [
      'with layers in circles',
      'docker-archive:a.tar',
      archive(
        manifest(['one', 'two']),
        symlink('one', 'two'),
        symlink('two', 'one'),
        file(config, image.config),
      ),
      'image.archive',
    ],
    [
      'with another layer',
      'docker-archive:a.tar',
      archive(manifest(['one', 'one']), file('one', layers[0]), file(config, image.config)),
      'content.digest',
    ],
    [
      'with a layer outside of it',
      'docker-archive:a.tar',
      archive(manifest(['../../etc/passwd', '/etc/passwd']), file(config, image.config)),
      'image.archive',
    ],
    ['of another name', 'docker-archive:a.tar:c:d', saved, 'image.missing'],
    ['without an OCI layout', 'oci-archive:a.tar', saved, 'image.layout'],
  ] as const)('refuses one %s', async ([, name, bytes, code]) => {
    using work = folder();
    writeFileSync(join(work.path, 'a.tar'), bytes);
    await expect(contents(work.path, name)).rejects.toMatchObject({ code, exit: 2 });
  });
});

describe('the local store', () => {
  interface Store {
    readonly image: BuiltImage;
    readonly id: string;
    readonly ids: readonly string[];
  }

  /** As containers/storage keeps an image with the one layer that `members` makes; contents lie in `diff`. */
  function writeStore(
    graphRoot: string,
    members: readonly Buffer[],
    diff: Readonly<Record<string, string>>,
    names = ['localhost/a:latest'],
    driver: 'overlay' | 'vfs' = 'overlay',
  ): Store {
    const layer = archive(...members);
    const image = buildImage({ layers: [layer], compression: 'none' });
    const id = image.configDigest.slice(7);
    const layerId = digestOf(layer).slice(7);
    const digests = { manifest: image.manifestDigest, [image.configDigest]: image.configDigest };
    const key = (text: string) => `=${encodeBase64(Buffer.from(text))}`;
    const split = members.flatMap((member): Record<string, unknown>[] => {
      const size = Number.parseInt(member.toString('latin1', 124, 135), 8);
      const isFile = member[156] === 0x30 && size > 0;
      const name = member.toString('utf8', 0, member.indexOf(0));
      return isFile
        ? [
            { type: 2, payload: encodeBase64(member.subarray(0, 512)) },
            { type: 1, name, size, payload: 'x' },
            { type: 2, payload: encodeBase64(member.subarray(512 + size)) },
          ]
        : [
            { type: 2, payload: encodeBase64(member) },
            { type: 1, name, payload: null },
          ];
    });
    const lines = [...split, { type: 2, payload: encodeBase64(Buffer.alloc(1024)) }];
    const files = new Map<string, Uint8Array>([
      [
        `${driver}-images/images.json`,
        json([{ id, digest: image.manifestDigest, names, layer: layerId, 'big-data-digests': digests }]),
      ],
      [`${driver}-images/${id}/manifest`, image.manifest],
      [`${driver}-images/${id}/${key(image.configDigest)}`, image.config],
      [`${driver}-layers/layers.json`, json([{ id: layerId }])],
      [
        `${driver}-layers/${layerId}.tar-split.gz`,
        gzipSync(lines.map((line, position) => `${JSON.stringify({ ...line, position })}\n`).join('')),
      ],
    ]);
    writeFiles(graphRoot, files);
    const contents = join(
      graphRoot,
      ...(driver === 'vfs' ? ['vfs/dir', layerId] : ['overlay', layerId, 'diff']),
    );
    mkdirSync(contents, { recursive: true });
    writeFiles(
      contents,
      new Map(Object.entries(diff).map(([path, content]) => [path, Buffer.from(content)])),
    );
    return { image, id, ids: [layerId] };
  }

  const members = [directory('etc'), file('etc/a', 'one'), file('b', 'x'.repeat(600))];
  const diff = { 'etc/a': 'one', b: 'x'.repeat(600) };

  test.for([
    ['a short name', 'a'],
    ['a short name with its tag', 'a:latest'],
    ['a full name', 'localhost/a:latest'],
    ['the beginning of its id', 'ID'],
    ['its whole id', '@FULL'],
    ['its digest', 'localhost/a@DIGEST'],
  ] as const)('opens an image by %s', async ([, spelled]) => {
    using work = folder();
    const { image, id } = writeStore(work.path, members, diff);
    const name = spelled
      .replace('ID', id.slice(0, 12))
      .replace('FULL', id)
      .replace('DIGEST', image.manifestDigest);
    const opened = await open('/', `containers-storage:[overlay@${work.path}+/run]${name}`);
    expect(opened).toMatchObject({
      repository: 'localhost/a',
      manifestDigest: image.manifestDigest,
      configDigest: image.configDigest,
    });
    expect(await contents('/', `containers-storage:[overlay@${work.path}+/run]${name}`)).toEqual([
      'b@0 600',
      'etc/a@0 3',
    ]);
  });

  test.for([
    ['another name', 'b', 'image.missing'],
    ['another tag', 'a:v2', 'image.missing'],
    ['the end of a name that is not a whole word', 'alhost/a', 'image.missing'],
    ['something that is not a name', '../../x', 'image.missing'],
  ] as const)('does not open %s', async ([, name, code]) => {
    using work = folder();
    writeStore(work.path, members, diff);
    await expect(open('/', `containers-storage:[${work.path}]${name}`)).rejects.toMatchObject({ code });
  });

  test.for([
    ['a file that is gone', { b: 'x'.repeat(600) }, 'storage.layer'],
    ['a file that grew', { ...diff, b: 'x'.repeat(601) }, 'storage.layer'],
    ['a file that shrank', { ...diff, b: '' }, 'storage.layer'],
  ] as const)('refuses %s', async ([, files, code]) => {
    using work = folder();
    writeStore(work.path, members, files);
    for (const verifyLayers of [true, false]) {
      await expect(contents('/', `containers-storage:[${work.path}]a`, verifyLayers)).rejects.toMatchObject({
        code,
        exit: 2,
      });
    }
  });

  test('checks digests with --verify-layers, and says where it does not', async () => {
    using work = folder();
    const name = `containers-storage:[${work.path}]a`;
    writeStore(work.path, members, diff);
    expect(await contents('/', name, true)).toEqual(await contents('/', name));
    expect((await open('/', name)).isUnverified).toBe(true);
    expect((await open('/', name, linux, true)).isUnverified).toBeUndefined();
    // What would run is what the SBOM has to tell of, whatever it was once.
    using other = folder();
    writeStore(other.path, members, { ...diff, 'etc/a': 'two' });
    const changed = `containers-storage:[${other.path}]a`;
    expect(await contents('/', changed)).toEqual(await contents('/', name));
    await expect(contents('/', changed, true)).rejects.toMatchObject({ code: 'content.digest', exit: 2 });
  });

  test.for([
    ['nothing', Buffer.alloc(0), 'layer.tar'],
    ['no JSON', Buffer.from('{"type":2,"payload"\n'), 'storage.layer'],
    ['no object', Buffer.from('3\n'), 'storage.layer'],
    ['an unknown type', Buffer.from('{"type":3}\n'), 'storage.layer'],
    ['a negative size', Buffer.from('{"type":1,"name":"a","size":-1}\n'), 'storage.layer'],
    ['a file without a name', Buffer.from('{"type":1,"size":3}\n'), 'storage.layer'],
    ['a header that is not base64', Buffer.from('{"type":2,"payload":"!!!!"}\n'), 'storage.layer'],
    ['half a line', Buffer.from('{"type":2,"payload":"AAAA"'), 'storage.layer'],
    ['a line of 20 MiB', Buffer.alloc(20_000_000, 'x'), 'storage.layer'],
  ] as const)('refuses headers with %s', async ([name, split, code]) => {
    using work = folder();
    const { ids } = writeStore(work.path, members, diff);
    writeFileSync(join(work.path, 'overlay-layers', `${ids[0]}.tar-split.gz`), gzipSync(split));
    const read = contents('/', `containers-storage:[${work.path}]a`);
    if (name === 'nothing') {
      expect(await read).toEqual([]);
    } else {
      await expect(read).rejects.toMatchObject({ code, exit: 2 });
    }
  });

  test('refuses a chain of layers that the configuration does not name', async () => {
    using work = folder();
    const { ids } = writeStore(work.path, members, diff);
    const list = (entry: object) =>
      writeFiles(work.path, new Map([['overlay-layers/layers.json', json([{ id: ids[0], ...entry }])]]));
    list({ 'diff-digest': `sha256:${ids[0]}` });
    expect(await contents('/', `containers-storage:[${work.path}]a`)).toHaveLength(2);
    list({ 'diff-digest': `sha256:${'1'.repeat(64)}` });
    await expect(open('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.image',
    });
  });

  test('finds images in the stores that storage.conf adds, and never before its own', async () => {
    using work = folder();
    const at = (name: string) => join(work.path, name);
    writeStore(at('shared'), members, diff);
    writeStore(at('own'), [file('own', 'x')], { own: 'x' }, ['localhost/own:latest']);
    const conf = (text: string) =>
      writeFileSync(at('storage.conf'), `[storage]\ndriver = "overlay"\n${text}`);
    const host = { ...hostAt('/'), env: { CONTAINERS_STORAGE_CONF: at('storage.conf') } };
    const read = async (name: string) => {
      await using image = await openNamedImage(parseImageName(`containers-storage:${name}`), linux, host);
      const tree = (await scanImage(image, [everything])).treeFor(everything);
      return tree.wanted().map(({ path }) => path);
    };
    const options = `[storage.options]\nadditionalimagestores = [\n  "${at('shared')}", # shared\n]\n`;
    conf(`graphroot = "${at('own')}"\n${options}`);
    expect(await read('a')).toEqual(['b', 'etc/a']);
    expect(await read('own')).toEqual(['own']);
    writeStore(at('own'), [file('mine', 'x')], { mine: 'x' });
    expect(await read('a')).toEqual(['mine']);
    // A layer of its own on one of the shared store.
    const lists = (name: string) =>
      JSON.parse(readFileSync(at(`${name}/overlay-layers/layers.json`), 'utf8'));
    writeFileSync(
      at('own/overlay-layers/layers.json'),
      JSON.stringify(lists('own').map((entry: object) => ({ ...entry, parent: lists('shared')[0].id }))),
    );
    await expect(read('a')).rejects.toMatchObject({ code: 'image.layers' });
    conf('graphroot = [');
    await expect(read('a')).rejects.toMatchObject({ code: 'storage.conf', exit: 2 });
  });

  test('names that are not UTF-8 are found', async () => {
    using work = folder();
    const { ids } = writeStore(work.path, [file('caf\u00e9', 'one')], {});
    // tar-split writes such names in `name_raw`; the file has the bytes of the archive.
    const split = join(work.path, 'overlay-layers', `${ids[0]}.tar-split.gz`);
    const lines = gunzipSync(readFileSync(split))
      .toString()
      .replace(/"name":"[^"]*"/, '"name_raw":"Y2Fmw6k="');
    writeFileSync(split, gzipSync(lines));
    writeFileSync(join(work.path, 'overlay', ids[0] ?? '', 'diff', 'caf\u00e9'), 'one');
    expect(await contents('/', `containers-storage:[${work.path}]a`)).toEqual(['caf\u00e9@0 3']);
  });

  test('never reads through a link out of the layer', async () => {
    using work = folder();
    writeFileSync(join(work.path, 'secret'), 'one');
    const { ids } = writeStore(work.path, [symlink('etc', work.path), file('etc/secret', 'one')], {});
    const root = join(work.path, 'overlay', ids[0] ?? '', 'diff');
    symlinkSync(work.path, join(root, 'etc'));
    await expect(contents('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.layer',
    });
    // Inside the layer the same path is a file like any other.
    writeFiles(join(root, work.path), new Map([['secret', Buffer.from('one')]]));
    expect(await contents('/', `containers-storage:[${work.path}]a`)).toEqual([
      `${work.path.slice(1)}/secret@0 3`,
    ]);
  });

  test('never reads a link or a pipe in place of a file', async () => {
    using work = folder();
    const { ids } = writeStore(work.path, [file('x', 'one')], {});
    const at = join(work.path, 'overlay', ids[0] ?? '', 'diff', 'x');
    execFileSync('mkfifo', [at]);
    await expect(contents('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.layer',
    });
  });

  test('refuses a manifest that was replaced', async () => {
    using work = folder();
    const { id } = writeStore(work.path, members, diff);
    writeFiles(work.path, new Map([[`overlay-images/${id}/manifest`, buildImage({ layers: [] }).manifest]]));
    await expect(open('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.image',
    });
  });

  test('refuses parents in a circle', async () => {
    using work = folder();
    const { ids } = writeStore(work.path, members, diff);
    writeFiles(work.path, new Map([['overlay-layers/layers.json', json([{ id: ids[0], parent: ids[0] }])]]));
    await expect(open('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.image',
    });
  });

  test('refuses an id that would be a path', async () => {
    using work = folder();
    writeFiles(
      work.path,
      new Map([['overlay-images/images.json', json([{ id: '../../etc', names: ['a'] }])]]),
    );
    await expect(open('/', `containers-storage:[${work.path}]a`)).rejects.toMatchObject({
      code: 'storage.malformed',
    });
  });

  test('a store that is not there holds nothing', async () => {
    await expect(open('/', 'containers-storage:[/nowhere]a')).rejects.toMatchObject({
      code: 'image.missing',
    });
  });

  test('lies where storage.conf says', async () => {
    using work = folder();
    writeStore(join(work.path, 'graph'), members, diff);
    writeFileSync(
      join(work.path, 'storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${work.path}/graph"\n`,
    );
    const host = { ...hostAt('/'), env: { CONTAINERS_STORAGE_CONF: join(work.path, 'storage.conf') } };
    const name = parseImageName('containers-storage:a');
    expect((await openNamedImage(name, linux, host)).repository).toBe('localhost/a');
    writeFileSync(join(work.path, 'storage.conf'), '[storage]\ndriver = "btrfs"\n');
    await expect(openNamedImage(name, linux, host)).rejects.toMatchObject({ code: 'storage.conf' });
  });

  test('may be one of vfs, whether somebody says so or not', async () => {
    using work = folder();
    const graph = join(work.path, 'graph');
    // A layer of vfs holds what lies below it too.
    writeStore(graph, members, { ...diff, below: 'more' }, ['localhost/a:latest'], 'vfs');
    for (const store of [`[vfs@${graph}+/run]`, `[${graph}]`]) {
      expect(await contents('/', `containers-storage:${store}a`)).toEqual(['b@0 600', 'etc/a@0 3']);
    }
    await expect(open('/', `containers-storage:[overlay@${graph}]a`)).rejects.toMatchObject({
      code: 'image.missing',
    });
    const host = { ...hostAt('/'), env: { CONTAINERS_STORAGE_CONF: join(work.path, 'storage.conf') } };
    const name = parseImageName('containers-storage:a');
    for (const driver of ['driver = "vfs"', 'driver = ""', '']) {
      writeFileSync(join(work.path, 'storage.conf'), `[storage]\n${driver}\ngraphroot = "${graph}"\n`);
      expect((await openNamedImage(name, linux, host)).repository).toBe('localhost/a');
    }
    writeFileSync(join(work.path, 'storage.conf'), `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\n`);
    await expect(openNamedImage(name, linux, host)).rejects.toMatchObject({ code: 'image.missing' });
  });

  test('is that of the user in "podman unshare", where the user is root', async () => {
    using work = folder();
    writeStore(join(work.path, '.local/share/containers/storage'), members, diff);
    const inside = {
      ...hostAt('/'),
      home: work.path,
      uid: 0,
      env: { _CONTAINERS_USERNS_CONFIGURED: 'done' },
    };
    const name = parseImageName('containers-storage:localhost/a');
    expect((await openNamedImage(name, linux, inside)).repository).toBe('localhost/a');
  });
});
