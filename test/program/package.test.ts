import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { verbs } from '../../src/commands/index.ts';
import { manualPages } from '../../toolchain/man.ts';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/*
 * The npm package: packed twice, installed by npm from the tarball without any network, and run on the pinned
 * Node and on what looks like others.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
const out = join(place.path, 'one');
const tarball = join(out, `triton-container-first-tcf-${manifest.version}.tgz`);
const installed = join(place.path, 'prefix/bin/tcf');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, ...args: readonly string[]): Promise<Ran> {
  const env = {
    // npm runs on the Node that it finds first.
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: place.path,
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: place.path, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const pack = (to: string) => run(process.execPath, join(root, 'toolchain/pack.ts'), to);

beforeAll(async () => {
  expect(await pack(out)).toEqual({ code: 0, stdout: `${tarball}\n`, stderr: '' });
  const prefix = join(place.path, 'prefix');
  expect(await run('npm', 'install', '--global', '--prefix', prefix, tarball)).toMatchObject({ code: 0 });
}, 60_000);

afterAll(() => place[Symbol.dispose]());

test('nothing is packed that is not in this list, and npm would pack the same', async () => {
  const { stdout } = await run('npm', 'pack', join(out, 'package'), '--dry-run', '--json');
  const packed = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>)
    .flatMap(({ files }) => files.map(({ path }) => path))
    .sort();
  const { stdout: listed } = await run('tar', 'tzf', tarball);
  expect(listed.trim().split('\n').sort()).toEqual(packed.map((path) => `package/${path}`));
  expect(packed.filter((path) => !/^dist\/parts\/[\w-]+\.js$/.test(path))).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'completions/_tcf',
    'completions/tcf.bash',
    'completions/tcf.fish',
    'dist/THIRD-PARTY.txt',
    'dist/package.json',
    'dist/tcf.js',
    ...readdirSync(join(root, 'images'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort(),
    ...[...(await manualPages()).keys()].map((name) => `man/${name}`).sort(),
    'package.json',
    'policies/baseline.yaml',
    'policies/schema.json',
    'policies/strict.yaml',
    'policies/triton-images.yaml',
  ]);
});

test('it needs nothing beside it, runs nothing when it is installed, and has a scope', () => {
  const packed = JSON.parse(readFileSync(join(out, 'package/package.json'), 'utf8')) as object;
  expect(Object.keys(packed).sort()).toEqual([
    'bin',
    'description',
    'engines',
    'files',
    'license',
    'man',
    'name',
    'version',
  ]);
  expect(packed).toMatchObject({
    name: expect.stringMatching(/^@triton-container-first\//),
    version: manifest.version,
    engines: manifest.engines,
  });
});

test('the licence of each package whose code is in it goes with it', () => {
  const notices = readFileSync(join(out, 'package/dist/THIRD-PARTY.txt'), 'utf8');
  const sections = [...notices.matchAll(/^-{80}\n(\S+) (\S+): (.+)$/gm)];
  const named = sections.map(([, name]) => name);
  expect(named).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  expect(new Set(named).size).toBe(named.length);
  // A package is in it as it was locked, and no tool of ours is.
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; license?: string; dev?: true }>;
  };
  for (const [, name, version, license] of sections) {
    const { dev, ...locked } = lock.packages[`node_modules/${name}`] ?? {};
    expect([name, dev]).toEqual([name, undefined]);
    expect(locked).toMatchObject({ version, license });
  }
});

test('two folders get the same bytes, and the checksum is theirs', async () => {
  const two = join(place.path, 'a folder/two');
  expect(await pack(two)).toMatchObject({ code: 0, stderr: '' });
  const bytes = readFileSync(tarball);
  const [name = '', ...others] = readdirSync(two).filter((entry) => entry.endsWith('.tgz'));
  expect(others).toEqual([]);
  expect(readFileSync(join(two, name)).equals(bytes)).toBe(true);
  const digest = createHash('sha256').update(bytes).digest('hex');
  expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8')).toBe(`${digest}  ${name}\n`);
});

test('nothing in it names the folder that it was made in', () => {
  const parts = readdirSync(join(out, 'package'), { recursive: true, withFileTypes: true });
  const files = parts.filter((part) => part.isFile()).map((part) => join(part.parentPath, part.name));
  expect(files.length).toBeGreaterThan(50);
  const naming = files.filter((path) => {
    const text = readFileSync(path, 'utf8');
    return text.includes(root) || text.includes(place.path);
  });
  expect(naming).toEqual([]);
});

test('npm install -g and npx start the same program, with nothing on standard error', async () => {
  const said = { code: 0, stdout: `tcf ${manifest.version}\n`, stderr: '' };
  expect(await run(installed, '--version')).toEqual(said);
  expect(await run('npx', '--yes', '--package', tarball, 'tcf', '--version')).toEqual(said);
});

test.for(verbs.map(({ name }) => name))('the installed tcf %s is there', async (verb) => {
  const help = { code: 0, stdout: expect.stringContaining(`tcf ${verb}`), stderr: '' };
  expect(await run(installed, verb, '--help')).toEqual(help);
});

test('the installed program makes an SBOM, with threads', async () => {
  const layers = ['one', 'two'].map((name) => archive(file(`${name}.txt`)));
  writeOciLayout(join(place.path, 'image'), { image: buildImage({ layers, compression: 'none' }) });
  const alone = await run(installed, 'sbom', 'oci:image', '--jobs', '1');
  expect(alone).toMatchObject({ code: 0, stdout: expect.stringContaining('"bomFormat"') });
  expect(await run(installed, 'sbom', 'oci:image', '--jobs', '2')).toEqual(alone);
});

/** The start of the program on a Node that says it has this version. */
async function onNode(version: string, ...args: readonly string[]): Promise<Ran> {
  const preload = join(place.path, 'version.cjs');
  const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
  return await run(process.execPath, '--require', preload, join(out, 'package/dist/tcf.js'), ...args);
}

/** `^22.22.2 || >=26`: the first of each range. */
const oldest = manifest.engines.node.split(' || ').map((range) => {
  const [major = 0, minor = 0, patch = 0] = range
    .replace(/^(?:\^|>=)/, '')
    .split('.')
    .map(Number);
  return { range, major, minor, patch };
});
const supported = oldest.flatMap(({ major, minor, patch, range }) => [
  `${major}.${minor}.${patch}`,
  `${major}.${minor}.${patch + 1}`,
  `${major}.${minor + 1}.0`,
  ...(range.startsWith('>=') ? [`${major + 1}.0.0`, `${major + 74}.1.2`] : []),
]);
const tooOld = [
  ...oldest.map(({ major, minor, patch }) =>
    patch > 0
      ? `${major}.${minor}.${patch - 1}`
      : minor > 0
        ? `${major}.${minor - 1}.99`
        : `${major - 1}.99.99`,
  ),
  '0.12.18',
  '18.20.8',
  '20.20.2',
  '21.7.3',
  '23.11.1',
  '25.9.0',
];

test.for(supported)('Node %s is new enough', async (version) => {
  expect(await onNode(version, '--version')).toMatchObject({ code: 0, stderr: '' });
});

test.for(tooOld)('Node %s is told in a sentence what tcf needs', async (version) => {
  const told = await onNode(version, 'sbom', 'oci:image');
  expect(told).toMatchObject({ code: 2, stdout: '' });
  const needed = 'Node 22 (from 22.22.2), 24 (from 24.15.0), or 26 and newer';
  expect(told.stderr).toBe(`tcf: error: tcf needs ${needed}, and this is Node ${version}\n`);
});

test.for(['run', 'up', 'exec'])(
  'tcf %s on an old Node starts nothing, and says so as engines do',
  async (verb) => {
    expect(await onNode('20.20.2', verb, 'x')).toMatchObject({ code: 125, stdout: '' });
  },
);

test.skipIf(!existsSync('/usr/bin/node'))(
  'the Node of the machine, whatever it is, runs tcf or is refused',
  async () => {
    const told = await run('/usr/bin/node', join(out, 'package/dist/tcf.js'), '--version');
    expect([0, 2]).toContain(told.code);
    expect(told.stderr).toMatch(told.code === 0 ? /^$/ : /^tcf: error: tcf needs Node .+\n$/);
  },
);
