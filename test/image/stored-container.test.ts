import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findStoredContainer } from '../../src/image/stored-container.ts';
import { folder } from '../support/host.ts';

const place = folder();
afterAll(() => place[Symbol.dispose]());

const hex = (letter: string) => letter.repeat(64);
const digest = (letter: string) => `sha256:${hex(letter)}`;
const entry = (fields: object = {}) => ({
  id: hex('1'),
  image: hex('2'),
  layer: hex('3'),
  metadata: JSON.stringify({ 'image-name': 'quay.io/x:1' }),
  ...fields,
});
const image = {
  id: hex('2'),
  digest: digest('a'),
  names: ['quay.io/x:1', `quay.io/x@${digest('b')}`],
  'big-data-digests': {
    manifest: digest('a'),
    [`manifest-${digest('c')}`]: digest('c'),
    [digest('2')]: digest('2'),
  },
};

let count = 0;
function store(
  containers: Record<string, unknown>,
  images: unknown = [image],
  driver: 'overlay' | 'vfs' = 'overlay',
): string {
  const root = join(place.path, `store-${count++}`);
  for (const name of [`${driver}-containers`, `${driver}-images`]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  for (const [name, list] of Object.entries(containers)) {
    writeFileSync(
      join(root, `${driver}-containers`, name),
      typeof list === 'string' ? list : JSON.stringify(list),
    );
  }
  writeFileSync(join(root, `${driver}-images/images.json`), JSON.stringify(images));
  return root;
}
const rootOf = (root: string, layer = hex('3')) => join(root, 'overlay', layer, 'merged');

test.for([['containers.json'], ['volatile-containers.json']])(
  'finds the image of a container in %s',
  async ([list]) => {
    const root = store({ [list ?? '']: [entry({ id: hex('9') }), entry()] });
    expect(await findStoredContainer(hex('1'), rootOf(root))).toEqual({
      config: digest('2'),
      manifests: [digest('b'), digest('a'), digest('c')],
      typed: 'quay.io/x:1',
      names: image.names,
    });
  },
);

test('finds the image of a container of vfs, and not in the lists of another driver', async () => {
  const lists = { 'containers.json': [entry()] };
  const root = (graph: string) => join(graph, 'vfs/dir', hex('3'));
  expect(await findStoredContainer(hex('1'), root(store(lists, [image], 'vfs')))).toMatchObject({
    config: digest('2'),
  });
  await expect(findStoredContainer(hex('1'), root(store(lists)))).rejects.toThrow(/has no container/);
  const strange = store({ 'containers.json': [entry({ layer: hex('4') })] }, [image], 'vfs');
  await expect(findStoredContainer(hex('1'), root(strange))).rejects.toThrow(/is not its own/);
});

test('a container may have no name that was typed', async () => {
  const root = store({ 'containers.json': [entry({ metadata: '' })] });
  expect(await findStoredContainer(hex('1'), rootOf(root))).not.toHaveProperty('typed');
});

test.for<readonly [string, Record<string, unknown>, unknown, string, RegExp]>([
  [
    'a root that is not a layer',
    { 'containers.json': [entry()] },
    [image],
    '/srv/rootfs',
    /no image of containers-storage/,
  ],
  ['a root below the layer', { 'containers.json': [entry()] }, [image], 'ROOT/etc', /no image/],
  [
    'the root of another container',
    { 'containers.json': [entry({ layer: hex('4') })] },
    [image],
    'ROOT',
    /is not its own/,
  ],
  ['a container that is not there', { 'containers.json': [] }, [image], 'ROOT', /has no container/],
  ['no list of containers', {}, [image], 'ROOT', /has no container/],
  ['an image that is gone', { 'containers.json': [entry()] }, [], 'ROOT', /has lost the image/],
  [
    'an image id that is none',
    { 'containers.json': [entry({ image: 'x' })] },
    [image],
    'ROOT',
    /has lost the image/,
  ],
  ['a list that is no JSON', { 'containers.json': '[' }, [image], 'ROOT', /containers\.json/],
  [
    'metadata that is no JSON',
    { 'containers.json': [entry({ metadata: '{' })] },
    [image],
    'ROOT',
    /metadata/,
  ],
])('%s cannot tell', async ([, containers, images, root, message]) => {
  const graph = store(containers, images);
  await expect(findStoredContainer(hex('1'), root.replace('ROOT', rootOf(graph)))).rejects.toThrow(message);
});
