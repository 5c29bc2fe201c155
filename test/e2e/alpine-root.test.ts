import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { differences, graphOf, propertyOf, type Truth } from './graph.ts';
import { must, type Ran, run, tcf } from './support.ts';

/*
 * A real Alpine, and on top of it packages that its own apk makes, installs, upgrades and removes here, with
 * every kind of dependency. What tcf says of it is compared with what that apk says.
 */

const long: readonly string[] = Array.from(
  { length: 400 },
  (_, at) => `so:lib${'long'.repeat(40)}${at}.so.9`,
);

/**
 * By name: the fields of `apk mkpkg`. Version 1.0-r0 and architecture noarch where nothing else stands there.
 */
const packages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'gives-so': {
    provides: 'so:libmade.so.1=1.2.3 cmd:made=1.0-r0 pc:made=2.1 py3.12:made=0.5_rc1 dev/made[x]=1',
  },
  'needs-so': { depends: 'so:libmade.so.1 cmd:made pc:made>=2 py3.12:made<0.5' },
  'needs-so-in-range': { depends: 'so:libmade.so.1>=1 so:libmade.so.1<2 pc:made=2.1 dev/made[x]' },
  tilde: { version: '3.12.4-r7', license: 'GPL-2.0-or-later AND (MIT OR custom)' },
  'needs-tilde': { depends: 'tilde~3.12' },
  'needs-tilde-in-full': { depends: 'tilde~=3.12.4' },
  'needs-between': { depends: 'tilde>3.10 tilde<3.13 tilde<=3.12.4-r7 tilde>=3.12.4-r7' },
  'needs-revision': { depends: 'tilde=3.12.4-r7' },
  against: { depends: '!absent !tilde<3 !editor-three tilde' },
  'editor-one': { provides: 'editor', 'provider-priority': '10' },
  'editor-two': { provides: 'editor', 'provider-priority': '100' },
  'needs-editor': { depends: 'editor' },
  'gives-virtual': { provides: 'virtual=2.0-r0 bare-virtual' },
  'needs-virtual': { depends: 'virtual>=1.5 virtual<3 bare-virtual' },
  'needs-itself': { provides: 'own-thing=1', depends: 'own-thing tilde' },
  'loop-a': { depends: 'loop-b' },
  'loop-b': { depends: 'loop-a>=1' },
  'pre-release': { version: '1.0_rc2-r0' },
  'needs-pre-release': { depends: 'pre-release<1.0 pre-release>1.0_rc1 pre-release>0.9' },
  snapshot: { version: '1.0_git20240101-r0' },
  'needs-snapshot': { depends: 'snapshot>1.0 snapshot<1.0.1' },
  hashed: { version: '1.0~0abc12-r1' },
  'needs-hashed': { depends: 'hashed~1.0' },
  lettered: { version: '1.0b-r0' },
  'needs-lettered': { depends: 'lettered>1.0a lettered<1.0c' },
  'made-c++': { license: 'BSL-1.0' },
  'UPPER.dotted_name': { depends: 'made-c++' },
  docs: {},
  'tilde-doc': { 'install-if': 'tilde=3.12.4-r7 docs' },
  'replaces-file': { replaces: 'gives-file', depends: 'gives-file' },
  'gives-file': {},
  triggered: { depends: 'gives-file' },
  // Both in lines of more than 64 KiB.
  long: { provides: long.map((name) => `${name}=9.0`).join(' ') },
  'needs-end-of-long': { depends: long.at(-1) ?? '' },
  'needs-all-of-long': { depends: long.join(' ') },
  'needs-alpine': { depends: 'so:libc.musl-x86_64.so.1 /bin/sh cmd:curl busybox>1.30' },
  native: { arch: 'x86_64', depends: 'gives-so' },
  pinned: { depends: 'tilde' },
  'from-file': { depends: 'tilde' },
  'goes-away': {},
  'is-upgraded': { depends: 'tilde' },
  'needs-goes-along': { depends: 'goes-along' },
  'goes-along': {},
};

/** Files by package, below the root. */
const files: Readonly<Record<string, readonly string[]>> = {
  'gives-file': ['usr/share/made/contested', 'usr/share/made/own'],
  'replaces-file': ['usr/share/made/contested'],
  native: ['usr/lib/made-native/tool'],
};

const recipe = join(import.meta.dirname, 'build-alpine-image.sh');
const sum = createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12);
const alpine = `localhost/tcf-e2e-alpine:${sum}`;
const image = 'localhost/tcf-e2e-alpine:made';

interface Said {
  readonly info: readonly string[];
  readonly truth: Truth;
  readonly world: readonly string[];
  /** Programs and libraries that no package owns. */
  readonly unowned: readonly string[];
}

const inside = (root: string, ...command: string[]): Promise<Ran> =>
  run('chroot', [root, ...command], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });

async function apk(root: string, ...args: string[]): Promise<string> {
  const ran = await inside(root, 'apk', '--no-network', '--allow-untrusted', ...args);
  if (ran.code !== 0) {
    throw new Error(`apk ${args.join(' ')} exited ${ran.code}: ${ran.stderr}`);
  }
  return ran.stdout;
}

async function ask(root: string): Promise<Said> {
  const fields = ['--fields', 'package,name,version,arch'];
  const rows = JSON.parse(
    await apk(root, 'query', '--installed', '--format', 'json', ...fields, '*'),
  ) as readonly Readonly<Record<'arch' | 'name' | 'package' | 'version', string>>[];
  const names = new Map(rows.map((row) => [row.package, `${row.name} ${row.version} ${row.arch}`]));
  const needs = new Map<string, { readonly from: string; readonly need: string; readonly by: string[] }>();
  for (const [, one = '', other = '', rest = ''] of (await apk(root, 'dot', '--installed')).matchAll(
    /^ {2}"([^"]+)" -> "([^"]+)"\[(.*)\];$/gm,
  )) {
    const [from, to] = [names.get(one), names.get(other)];
    // A name that nobody provides has no version, and is nobody.
    if (from === undefined || to === undefined) {
      continue;
    }
    const need = /label="([^"]+)"/.exec(rest)?.[1] ?? to.replace(/ .*/, '');
    const known = needs.get(`${from} ${need}`) ?? { from, need, by: [] };
    known.by.push(to);
    needs.set(`${from} ${need}`, known);
  }
  return {
    info: (await apk(root, 'info', '-vv'))
      .trim()
      .split('\n')
      .map((line) => line.replace(/ - .*/, ''))
      .sort(),
    truth: { packages: [...names.values()].sort(), needs: [...needs.values()] },
    world: readFileSync(join(root, 'etc/apk/world'), 'utf8').trim().split('\n'),
    unowned: await unownedIn(root),
  };
}

async function unownedIn(root: string): Promise<readonly string[]> {
  const paths = elfFilesIn(root).map((path) => `/${path}`);
  if (paths.length === 0) {
    return [];
  }
  const { stderr, stdout } = await inside(root, 'apk', 'info', '--who-owns', ...paths);
  const owned = [...stdout.matchAll(/^(\S+) is owned by /gm)].map(([, path]) => path);
  const not = [...stderr.matchAll(/^ERROR: (\S+): Could not find owner package$/gm)].map(([, path]) => path);
  expect([...owned, ...not].sort()).toEqual([...paths].sort());
  return not.map((path = '') => path.slice(1)).sort();
}

function elfFilesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF')
    .map((path) => relative(folder, path));
}

/** Makes packages in a folder of a root with the apk that is in it, and an index of them. */
async function make(root: string, folder: string, made: typeof packages): Promise<void> {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, 'trigger'), '#!/bin/sh\n');
  for (const [name, fields] of Object.entries(made)) {
    const from = join(root, folder, name);
    mkdirSync(from, { recursive: true });
    for (const path of files[name] ?? []) {
      mkdirSync(dirname(join(from, path)), { recursive: true });
      writeFileSync(join(from, path), name === 'native' ? '\x7fELF of a test' : name, { mode: 0o755 });
    }
    const all = { name, version: '1.0-r0', arch: 'noarch', description: `${name} of a test`, ...fields };
    await apk(
      root,
      ...['mkpkg', '--files', `/${folder}/${name}`],
      ...['--output', `/${folder}/${all.name}-${all.version}.apk`],
      ...Object.entries(all).flatMap(([key, value]) => ['--info', `${key}:${value}`]),
      ...(name === 'triggered'
        ? ['--script', `trigger:/${folder}/trigger`, '--trigger', '/usr/share/made']
        : []),
    );
  }
  const archives = readdirSync(join(root, folder)).filter((name) => name.endsWith('.apk'));
  await apk(
    root,
    'mkndx',
    ...['--output', `/${folder}/Packages.adb`],
    ...archives.map((name) => `/${folder}/${name}`),
  );
}

const said = new Map<string, Said>();
const boms = new Map<string, string>();

/** One layer more, made in the root of the container, which is then asked. */
async function layer(from: string, to: string, change: (root: string) => Promise<void>) {
  const container = (await must('buildah', ['from', from])).trim();
  const root = (await must('buildah', ['mount', container])).trim();
  await change(root);
  said.set(to, await ask(root));
  await must('buildah', ['umount', container]);
  await must('buildah', ['commit', '--quiet', '--rm', container, to]);
}

beforeAll(async () => {
  if ((await run('podman', ['image', 'exists', alpine])).code !== 0) {
    await must('bash', [recipe, inject('work'), alpine]);
  }
  const { pinned = {}, 'from-file': fromFile = {}, ...others } = packages;
  await layer(alpine, `${image}-1`, async (root) => {
    said.set(alpine, await ask(root));
    writeFileSync(
      join(root, 'etc/apk/repositories'),
      ['made', 'newer', 'edge']
        .map((name) => `${name === 'edge' ? '@edge ' : ''}/${name}/Packages.adb\n`)
        .join(''),
    );
    await make(root, 'made', others);
    await make(root, 'edge', { pinned });
    await make(root, 'file', { 'from-file': fromFile });
    const chosen = Object.keys(others).filter((name) => !['tilde-doc', 'goes-along'].includes(name));
    await apk(root, 'add', ...chosen, 'pinned@edge', 'long>0.5');
    await apk(root, 'add', '/file/from-file-1.0-r0.apk');
    await apk(root, 'add', '--virtual', '.made-deps', 'tilde', 'docs');
  });
  await layer(`${image}-1`, image, async (root) => {
    const newer = { version: '2.0-r0', depends: 'docs' };
    await make(root, 'newer', { 'is-upgraded': newer });
    await apk(root, 'upgrade', 'is-upgraded');
    await apk(root, 'del', 'goes-away', 'needs-goes-along', '.made-deps');
    await apk(root, 'add', '--virtual', '.more-deps', 'made-c++');
    for (const folder of ['made', 'edge', 'file', 'newer']) {
      rmSync(join(root, folder), { recursive: true });
    }
  });
  for (const name of said.keys()) {
    const ran = await tcf(['sbom', `containers-storage:${name}`]);
    expect(ran.code, ran.stderr).toBe(0);
    boms.set(name, ran.stdout);
  }
});

afterAll(async () => {
  await must('podman', ['rmi', '--force', ...[...said.keys()].filter((name) => name !== alpine)]);
});

describe.for([
  ['Alpine as it is', alpine, 50],
  ['after installations', `${image}-1`, 95],
  ['after an upgrade and removals', image, 90],
] as const)('%s', ([, name, atLeast]) => {
  const heard = (): Said => said.get(name) ?? expect.fail('apk was not asked');
  const graph = () => graphOf(boms.get(name) ?? '', 'apk');

  test('has the packages that apk lists, no one more, no one less', () => {
    expect(graph().packages).toEqual(heard().truth.packages);
    expect(
      graph()
        .packages.map((each) => each.replace(/^(\S+) (\S+) .*/, '$1-$2'))
        .sort(),
    ).toEqual(heard().info);
    expect(heard().info.length).toBeGreaterThan(atLeast);
  });

  test('has the edges that apk draws', () => {
    expect(differences(graph(), heard().truth)).toEqual([]);
    expect(heard().truth.needs.length).toBeGreaterThan(100);
  });

  test('says of which packages apk was asked to install them', () => {
    const found = graph();
    const asked = found.packages.filter((each) => propertyOf(found, each, 'tcf:apk:world') === 'true');
    expect(asked.map((each) => each.replace(/ .*/, '')).sort()).toEqual(
      heard()
        .world.map((each) => each.replace(/[@<>=~].*/, ''))
        .sort(),
    );
  });

  test('lists the programs and libraries that apk finds no owner of', () => {
    const { properties } = JSON.parse(boms.get(name) ?? '') as {
      readonly properties: readonly Property[];
    };
    const found = properties.filter((each) => each.name === 'tcf:unowned-executable');
    expect(found.map(({ value }) => value.replace(/ \(build-id .*/, '')).sort()).toEqual(heard().unowned);
    expect(heard().unowned).toContain('usr/local/bin/quicksand-guest-agent');
  });
});

interface Property {
  readonly name: string;
  readonly value: string;
}

test('every kind of entry of a world was among them', () => {
  const world = said.get(`${image}-1`)?.world ?? [];
  for (const kind of [/^pinned@edge$/, /^long>0\.5$/, /^from-file><Q1/, /^\.made-deps=\d+/, /^tilde$/]) {
    expect(world).toContainEqual(expect.stringMatching(kind));
  }
});

test('tells layers and virtual packages apart', () => {
  const graph = graphOf(boms.get(image) ?? '', 'apk');
  const named = (name: string) => graph.packages.find((each) => each.startsWith(`${name} `)) ?? name;
  const layerOf = (name: string) =>
    /layer (\d+)/.exec(JSON.stringify(graph.components.get(named(name))?.evidence))?.[1];
  expect(['musl', 'tilde', 'tilde-doc', 'is-upgraded', '.more-deps'].map(layerOf)).toEqual([
    '0',
    '1',
    '1',
    '2',
    '2',
  ]);
  const virtual = graph.packages.filter((each) => propertyOf(graph, each, 'tcf:apk:virtual') === 'true');
  expect(virtual).toEqual([named('.more-deps')]);
  expect(graph.components.get('native 1.0-r0 x86_64')?.purl).toBe(
    'pkg:apk/alpine/native@1.0-r0?arch=x86_64&distro=alpine-3.23.6',
  );
});
