import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Component } from '../../src/bom/model.ts';
import { memoryImage } from '../support/image.ts';
import { openTools, type Tools, writeProject } from './python-tools.ts';
import { layerBetween, type Snapshot, snapshotOf } from './snapshot.ts';
import { must } from './support.ts';

/*
 * Installations of Python packages as the real installers make them: tool x layout x kind of link x place of
 * the environment x place of the cache, each after an installation, an upgrade and a removal, which are
 * layers of their own. What tcf lists is what importlib.metadata of the interpreter lists.
 */

let tools: Tools;
let folder: string;
beforeAll(async () => {
  tools = await openTools(inject('work'));
  folder = mkdtempSync(join(inject('work'), 'py-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const truth = `import importlib.metadata, re, sys
seen = {}
for each in importlib.metadata.distributions():
    seen.setdefault(re.sub('[-_.]+', '-', each.metadata['Name']).lower(), each.version)
print('\\n'.join(sorted(name + ' ' + version for name, version in seen.items())))`;

interface Place {
  /** Where everything of the case lies: the image's root, as far as it matters. */
  readonly root: string;
  readonly environment: string;
  readonly cache: string;
}

/** What an interpreter and tcf say, with PYTHONPATH where packages lie in a folder of their own. */
async function compare(place: Place, layers: readonly Buffer[], searched?: string): Promise<void> {
  const env = searched === undefined ? [] : [`PYTHONPATH=${searched}`];
  const said = await must(join(place.environment, 'bin/python'), ['-c', truth], {
    env: { PYTHONPATH: searched ?? '', PYTHONNOUSERSITE: '1' },
  });
  const bom = await makeBom(memoryImage({ layers, env }), undefined, { jobs: 1 });
  const told = bom.properties.filter(({ name }) => name === 'tcf:skipped').map(({ value }) => value);
  expect(told.filter((text) => text.startsWith('python: '))).toEqual([]);
  expect(said).toContain('alpha ');
  expect(listed(bom.components, [place.environment, ...(searched === undefined ? [] : [searched])])).toEqual(
    said
      .trim()
      .split('\n')
      .filter((line) => line !== ''),
  );
}

function listed(components: readonly Component[], places: readonly string[]): readonly string[] {
  const here = components.filter(({ properties = [] }) => {
    const value = (name: string) =>
      properties.find((property) => property.name === `tcf:python:${name}`)?.value;
    return (
      places.includes(value('environment') ?? '') &&
      value('vendored') === undefined &&
      value('shadowed-by') === undefined
    );
  });
  return here.map(({ name, version }) => `${name.replace(/[-_.]+/g, '-').toLowerCase()} ${version}`).sort();
}

/** The states of a case, each a layer above the one before. */
class Layers {
  readonly #folders: readonly string[];
  #before: Snapshot = new Map();
  readonly layers: Buffer[] = [];

  constructor(place: Place) {
    this.#folders = [place.root];
  }

  add(): readonly Buffer[] {
    const after = snapshotOf(this.#folders);
    this.layers.push(layerBetween(this.#before, after));
    this.#before = after;
    return this.layers;
  }
}

const places = [
  ['opt/venv', 'plain'],
  ['root/.cache/pypoetry/virtualenvs/app-LSCD9T7U-py3', "poetry's"],
  ['workspace/.cache/venvs/dev', 'below .cache'],
  ['opt/environments-v2/prod', 'called as one of uv'],
  ['srv/archive-v0/prod', 'called as a cache of uv'],
] as const;
const makers = ['uv', 'venv', 'virtualenv'] as const;
const caches = ['root/.cache/uv', 'var/lib/uv-cache'] as const;
const links = ['copy', 'hardlink', 'symlink'] as const;

async function makeEnvironment(maker: (typeof makers)[number], path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const quiet = { env: { UV_OFFLINE: '1', UV_PYTHON: tools.python } };
  if (maker === 'uv') {
    await must(tools.uv, ['venv', '--quiet', '--python', tools.python, path], quiet);
  } else if (maker === 'venv') {
    await must(tools.python, ['-m', 'venv', '--without-pip', path]);
  } else {
    await must(tools.virtualenv, ['--quiet', '--no-seed', '--python', tools.python, path]);
  }
}

const from = () => ['--no-index', '--find-links', tools.wheels];

/** Installs, upgrades and removes; after each of the three, an image is compared. */
async function threeStates(
  place: Place,
  install: (...words: string[]) => Promise<unknown>,
  remove: (name: string) => Promise<unknown>,
): Promise<number> {
  const layers = new Layers(place);
  await install('gamma', 'alpha==1.0');
  await compare(place, layers.add());
  await install('alpha==2.0');
  await compare(place, layers.add());
  await remove('gamma');
  await compare(place, layers.add());
  return 3;
}

let combinations = 0;
/** Both caches where uv made the environment; else one of them, in turn. */
const uvCases = makers.flatMap((maker) =>
  places.flatMap(([path, word], at) =>
    links.flatMap((link, turn) =>
      caches
        .filter((_, which) => maker === 'uv' || which === (at + turn) % 2)
        .map((cache) => [maker, word, link, cache, path] as const),
    ),
  ),
);
test.for(uvCases)(
  '%s makes it, %s; uv installs by %s from %s',
  async ([maker, , link, cache, path], { task }) => {
    const root = join(folder, task.id.replace(/\W/g, ''));
    const place = { root, environment: join(root, path), cache: join(root, cache) };
    await makeEnvironment(maker, place.environment);
    const env = { UV_CACHE_DIR: place.cache, UV_LINK_MODE: link, UV_OFFLINE: '1' };
    const uv = (...words: string[]) =>
      must(tools.uv, ['pip', ...words, '--quiet', '--python', join(place.environment, 'bin/python')], {
        env,
      });
    combinations += await threeStates(
      place,
      (...names) => uv('install', ...from(), ...names),
      (name) => uv('uninstall', name),
    );
    rmSync(root, { recursive: true });
  },
);

const pip = (environment: string, ...words: string[]) =>
  must(join(dirname(tools.uv), 'python'), [
    '-m',
    'pip',
    '--quiet',
    '--disable-pip-version-check',
    '--python',
    join(environment, 'bin/python'),
    ...words,
  ]);
const pipCases = makers.flatMap((maker) => places.map(([path, word]) => [maker, word, path] as const));
test.for(pipCases)('%s makes it, %s; pip installs', async ([maker, , path], { task }) => {
  const root = join(folder, task.id.replace(/\W/g, ''));
  const place = { root, environment: join(root, path), cache: root };
  await makeEnvironment(maker, place.environment);
  combinations += await threeStates(
    place,
    (...names) => pip(place.environment, 'install', '--no-cache-dir', ...from(), ...names),
    (name) => pip(place.environment, 'uninstall', '--yes', name),
  );
});

const editables = (['flat', 'src'] as const).flatMap((layout) =>
  (['pip', 'uv'] as const).map((tool) => [layout, tool] as const),
);
test.for(editables)(
  'an editable installation of a project with a %s layout by %s',
  async ([layout, tool], { task }) => {
    const root = join(folder, task.id.replace(/\W/g, ''));
    const place = { root, environment: join(root, 'opt/venv'), cache: join(root, 'cache') };
    writeProject(join(root, 'work/epsilon'), layout);
    await makeEnvironment('venv', place.environment);
    const words = ['--no-build-isolation', ...from(), '--editable', join(root, 'work/epsilon')];
    if (tool === 'pip') {
      await pip(place.environment, 'install', '--no-cache-dir', ...words);
    } else {
      await must(
        tools.uv,
        ['pip', 'install', '--quiet', '--python', join(place.environment, 'bin/python'), ...words],
        {
          env: { UV_CACHE_DIR: place.cache, UV_OFFLINE: '1' },
        },
      );
    }
    await compare(place, new Layers(place).add());
    combinations += 1;
  },
);

test.for([['pip'], ['uv']] as const)(
  'packages in a folder of their own (%s --target), found through PYTHONPATH',
  async ([tool], { task }) => {
    const root = join(folder, task.id.replace(/\W/g, ''));
    const place = { root, environment: join(root, 'opt/venv'), cache: join(root, 'cache') };
    const target = join(root, 'srv/packages');
    await makeEnvironment('venv', place.environment);
    if (tool === 'pip') {
      await pip(place.environment, 'install', '--no-cache-dir', ...from(), '--target', target, 'gamma');
    } else {
      await must(
        tools.uv,
        [
          'pip',
          'install',
          '--quiet',
          '--python',
          join(place.environment, 'bin/python'),
          ...from(),
          '--target',
          target,
          'gamma',
        ],
        {
          env: { UV_CACHE_DIR: place.cache, UV_OFFLINE: '1' },
        },
      );
    }
    await compare(place, new Layers(place).add(), target);
    combinations += 1;
  },
);

test('poetry installs into its own cache, where its environments lie by default', async () => {
  const root = join(folder, 'poetry');
  const cache = join(root, 'root/.cache/pypoetry');
  const project = join(root, 'work/epsilon');
  writeProject(project, 'src');
  const env = {
    POETRY_CACHE_DIR: cache,
    POETRY_NO_INTERACTION: '1',
    POETRY_VIRTUALENVS_OPTIONS_NO_PIP: 'true',
    PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
  };
  await must(tools.poetry, ['--directory', project, 'env', 'use', tools.python], { env });
  const environment = (
    await must(tools.poetry, ['--directory', project, 'env', 'info', '--path'], { env })
  ).trim();
  expect(environment.startsWith(`${cache}/virtualenvs/`)).toBe(true);
  const place = { root, environment, cache };
  await pip(environment, 'install', '--no-cache-dir', ...from(), 'gamma');
  await compare(place, new Layers(place).add());
  combinations += 1;
});

test('a link into a cache that the image does not hold is said, not silent', async () => {
  const root = join(folder, 'dangling');
  const place = { root, environment: join(root, 'opt/venv'), cache: join(root, 'gone') };
  await makeEnvironment('uv', place.environment);
  await must(
    tools.uv,
    ['pip', 'install', '--quiet', '--python', join(place.environment, 'bin/python'), ...from(), 'alpha==1.0'],
    {
      env: { UV_CACHE_DIR: place.cache, UV_LINK_MODE: 'symlink', UV_OFFLINE: '1' },
    },
  );
  rmSync(place.cache, { recursive: true });
  const bom = await makeBom(
    memoryImage({ layers: [new Layers(place).add()[0] ?? Buffer.alloc(0)] }),
    undefined,
    { jobs: 1 },
  );
  expect(bom.components.filter(({ name }) => name === 'alpha')).toEqual([]);
  expect(
    bom.properties.some(({ name, value }) => name === 'tcf:skipped' && value.includes('alpha-1.0.dist-info')),
  ).toBe(true);
});

test('at least 200 combinations were compared', () => {
  expect(combinations).toBeGreaterThanOrEqual(200);
});
