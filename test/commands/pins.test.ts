import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parsePinsFile } from '../../src/catalogers/llvm/pins-file.ts';
import { elf } from '../support/elf.ts';
import { type Called, folder, type } from '../support/host.ts';
import { writeKeyPair } from '../support/scene.ts';
import { archive, file } from '../support/tar.ts';
import { zip } from '../support/zip.ts';

/*
 * Pins of releases that are newer than this tcf: read from wheels and checkouts, signed, and believed only
 * where the signer counts.
 */

const core = '0123456789abcdef0123456789abcdef01234567';
const amd = '89abcdef0123456789abcdef0123456789abcdef';
const site = 'triton/_C/libtriton.so';
const wheel = (version = '4.0.0', commit = core) =>
  zip({
    [site]: elf([
      `LLVM version 25.0.0git (${commit})`,
      `LLD 25.0.0 (https://github.com/llvm/llvm-project ${commit})`,
    ]),
    'triton/backends/amd/lib/libtriton_amd_codegen.so': elf([`LLVM version 25.0.0git (${amd})`]),
    [`triton-${version}.dist-info/METADATA`]: `Metadata-Version: 2.4\nName: triton\nVersion: ${version}\n\n`,
    [`triton-${version}.dist-info/RECORD`]: `${site},,\n`,
  });
let place: ReturnType<typeof folder>;
let now: Date;

let keys: ReturnType<typeof folder>;

beforeAll(() => {
  keys = folder();
  for (const name of ['mine', 'other']) {
    writeKeyPair(keys.path, name);
  }
});
afterAll(() => keys[Symbol.dispose]());
beforeEach(() => {
  place = folder();
  now = new Date('2026-11-30T12:00:00Z');
  write('triton.whl', wheel());
});
afterEach(() => place[Symbol.dispose]());

const at = (...parts: readonly string[]) => join(place.path, ...parts);
const write = (name: string, content: string | Uint8Array) => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
};
const tcf = (...args: readonly string[]): Promise<Called> =>
  type(args, { cwd: place.path, now, env: { COSIGN_PASSWORD: 'x' } });
const config = 'home/.config/tcf';
const kept = (folderName = config) => parsePinsFile(readFileSync(at(folderName, 'pins.json')));
const add = (...more: readonly string[]) => tcf('pins', 'add', '--key', join(keys.path, 'mine.key'), ...more);

test('the pins of a wheel are read from its bytes, signed, and shown', async () => {
  const added = await add('triton.whl');
  expect(added.exit, added.err).toBe(0);
  const digest = createHash('sha256').update(wheel()).digest('hex');
  expect(kept().pins).toEqual([
    {
      kind: 'release',
      distribution: 'triton',
      triton_version: '4.0.0',
      role: 'amd-codegen',
      llvm_commit: amd,
      llvm_version: '25.0.0git',
      source: `triton.whl sha256:${digest}:triton/backends/amd/lib/libtriton_amd_codegen.so`,
    },
    {
      kind: 'release',
      distribution: 'triton',
      triton_version: '4.0.0',
      role: 'core',
      llvm_commit: core,
      llvm_repository: 'llvm/llvm-project',
      llvm_version: '25.0.0git',
      source: `triton.whl sha256:${digest}:${site}`,
    },
  ]);
  const shown = await tcf('pins', 'show', '4.0.0');
  expect(shown).toMatchObject({
    exit: 0,
    out: expect.stringContaining(`triton 4.0.0 core ${core} llvm/llvm-project`),
  });
  expect(await tcf('pins', 'show', '4.0.1')).toMatchObject({ exit: 1, out: '' });
});

test('an SBOM of an image with that release says match then, and says mismatch with one byte changed', async () => {
  await add('triton.whl');
  const pinIn = async (commit: string): Promise<string> => {
    const packages = 'opt/venv/lib/python3.12/site-packages';
    const image = archive(
      file('opt/venv/pyvenv.cfg', 'home = /usr/bin\nversion = 3.12.3\n'),
      file(
        `${packages}/triton-4.0.0.dist-info/METADATA`,
        'Metadata-Version: 2.4\nName: triton\nVersion: 4.0.0\n\n',
      ),
      file(`${packages}/triton-4.0.0.dist-info/RECORD`, `${site},,\n`),
      file(`${packages}/${site}`, elf([`LLVM version 25.0.0git (${commit})`])),
    );
    write('image.tar', dockerArchive(image));
    const ran = await tcf('sbom', 'docker-archive:image.tar');
    expect(ran.exit, ran.err).toBe(0);
    return ran.out;
  };
  expect(await pinIn(core)).toMatch(/"tcf:llvm:pin",\s*"value": "match"/);
  expect(await pinIn(core)).toContain(`${core} by pins-file`);
  expect(await pinIn(core.replace('0', 'f'))).toMatch(/"tcf:llvm:pin",\s*"value": "mismatch"/);
});

test('a checkout declares its pins under the commit that is checked out, or under the release it is said to be', async () => {
  const head = 'a'.repeat(40);
  write('t/cmake/llvm-info.json', JSON.stringify({ llvm_hash: core, build_number: 1 }));
  write('t/cmake/amd-llvm-info.json', JSON.stringify({ llvm_hash: amd }));
  write('t/cmake/llvm-build-info.json', JSON.stringify({ llvm_hash: 'f'.repeat(40) }));
  write('t/python/triton/__init__.py', "__version__ = '4.1.0'\n");
  expect(await add('t')).toMatchObject({ exit: 3, err: expect.stringContaining('--release') });
  write('t/.git/HEAD', 'ref: refs/heads/main\n');
  write('t/.git/refs/heads/main', `${head}\n`);
  expect((await add('t')).exit).toBe(0);
  expect(
    kept().pins.map(({ role, triton_commit, triton_version }) => [role, triton_version, triton_commit]),
  ).toEqual([
    ['amd-codegen', '4.1.0', head],
    ['core', '4.1.0', head],
  ]);
  expect((await add('t', '--release', '4.1.0')).exit).toBe(0);
  expect(kept().pins).toHaveLength(4);
});

test('a checkout with two files for one pin says it once, and where they differ nothing is added', async () => {
  write('t/cmake/llvm-info.json', JSON.stringify({ llvm_hash: core }));
  write('t/cmake/llvm-hash.txt', `${amd}\n`);
  expect(await add('t', '--release', '4.1.0')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('two pins'),
  });
  expect(existsSync(at(config, 'pins.json'))).toBe(false);
  write('t/cmake/llvm-hash.txt', `${core}\n`);
  expect((await add('t', '--release', '4.1.0')).exit).toBe(0);
  expect(kept().pins).toHaveLength(1);
});

test.for([
  ['no zip', 'x.whl', () => Buffer.from('PK'), 'zip.malformed'],
  [
    'a wheel of something else',
    'x.whl',
    () => zip({ 'a-1.dist-info/METADATA': 'Name: a\nVersion: 1\n' }),
    'pins.none',
  ],
  [
    'a wheel without metadata',
    'x.whl',
    () => zip({ [site]: elf([`LLVM version 25.0.0git (${core})`]) }),
    'pins.none',
  ],
  [
    'a wheel that names no commit',
    'x.whl',
    () =>
      zip({ [site]: elf(['LLVM25.0.0git']), 'triton-5.dist-info/METADATA': 'Name: triton\nVersion: 5\n' }),
    'pins.none',
  ],
  [
    'a wheel with two LLVMs',
    'x.whl',
    () =>
      zip({
        [site]: elf([`LLVM version 25.0.0git (${core})`, `LLVM version 25.0.0git (${amd})`]),
        'triton-5.dist-info/METADATA': 'Name: triton\nVersion: 5\n',
      }),
    'pins.ambiguous',
  ],
  ['a wheel that contradicts what tcf knows', 'x.whl', () => wheel('3.9.0'), 'pins.conflict'],
  ['a name that leads out', 'x.whl', () => zip({ '../x': '' }), 'zip.malformed'],
] as const)('%s adds nothing', async ([, name, content, code]) => {
  write(name, content());
  const ran = await add(name, '--json');
  expect(ran.exit, ran.err).toBe(2);
  expect(ran.err + ran.out).toContain(messageOf[code]);
  expect(existsSync(at(config, 'pins.json'))).toBe(false);
});

const messageOf = {
  'pins.ambiguous': 'more than one LLVM',
  'pins.conflict': 'is known',
  'pins.none': '',
  'zip.malformed': 'cannot read',
} as const;

test('a flipped byte of a wheel is found, and a wheel with another digest than asked for too', async () => {
  const whole = wheel();
  const flipped = Buffer.from(whole);
  flipped[60] = (flipped[60] ?? 0) ^ 1;
  write('x.whl', flipped);
  expect((await add('x.whl')).exit).toBe(2);
  const ran = await add('triton.whl', '--sha256', 'ab'.repeat(32));
  expect(ran).toMatchObject({ exit: 2, err: expect.stringContaining('SHA-256') });
  expect(existsSync(at(config, 'pins.json'))).toBe(false);
});

const sbom = async () => {
  write('image.tar', dockerArchive(archive(file('etc/os-release', 'ID=debian\n'))));
  return await tcf('sbom', 'docker-archive:image.tar');
};

test.for<[string, () => void]>([
  [
    'a changed row',
    () => write(`${config}/pins.json`, readFileSync(at(config, 'pins.json'), 'utf8').replace(core, amd)),
  ],
  ['no signature', () => rmSync(at(config, 'pins.json.sigstore.json'))],
  ['the signature of another file', () => write(`${config}/pins.json.sigstore.json`, '{}')],
  ['another key that counts', () => write(`${config}/pins.pub`, readFileSync(join(keys.path, 'other.pub')))],
  ['nobody that counts', () => rmSync(at(config, 'pins.pub'))],
])('pins with %s stop the SBOM', async ([, spoil]) => {
  expect((await add('triton.whl')).exit).toBe(0);
  expect((await sbom()).exit).toBe(0);
  spoil();
  const ran = await sbom();
  expect(ran.exit, ran.out).toBe(2);
  expect(ran.err).toContain('pins');
});

test('a second signer has to be named: by the key of the machine, or by a policy of the user or the machine', async () => {
  expect((await add('triton.whl')).exit).toBe(0);
  write('next.whl', wheel('4.2.0'));
  const other = (...more: readonly string[]) =>
    tcf('pins', 'add', '--key', join(keys.path, 'other.key'), 'next.whl', ...more);
  const before = readFileSync(at(config, 'pins.json'));
  expect(await other()).toMatchObject({ exit: 2, err: expect.stringContaining('does not count') });
  expect(readFileSync(at(config, 'pins.json'))).toEqual(before);
  const policy = (pins: string) =>
    `version: 1\ntrust: { logs: { key: 0 }${pins} }\nsigners:\n  release: { keyFile: ${join(keys.path, 'other.pub')} }\nscopes: [{ match: registry.example, require: { signed: { by: [release] } } }]\n`;
  write('.tcf/policy.yaml', policy(', pins: [release]'));
  expect((await other()).exit, 'the policy of a project says nothing').toBe(2);
  write(`${config}/policy.yaml`, policy(''));
  expect(await other()).toMatchObject({ exit: 2, err: expect.stringContaining('does not count') });
  write(`${config}/policy.yaml`, policy(', pins: [release]'));
  const named = await other();
  expect(named.exit, named.err).toBe(0);
  expect(named.err).toContain('release of');
});

test('a file of pins is taken over from somebody whose signature counts, and never an older one', async () => {
  expect((await add('triton.whl')).exit).toBe(0);
  const old = [
    readFileSync(at(config, 'pins.json')),
    readFileSync(at(config, 'pins.json.sigstore.json')),
  ] as const;
  write('shared/pins.json', old[0]);
  write('shared/pins.json.sigstore.json', old[1]);
  now = new Date('2026-12-01T12:00:00Z');
  write('next.whl', wheel('4.2.0'));
  expect((await add('next.whl')).exit).toBe(0);
  expect(await tcf('pins', 'update', 'shared/pins.json')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('kept of 2026-12-01'),
  });
  for (const name of ['pins.json', 'pins.json.sigstore.json']) {
    rmSync(at(config, name));
  }
  expect(await tcf('pins', 'update', 'shared/pins.json')).toMatchObject({
    exit: 0,
    out: expect.stringContaining('2 pins'),
  });
  expect(
    (await tcf('pins', 'update', 'shared/pins.json', '--machine')).exit,
    'the user says nothing for the machine',
  ).toBe(2);
});

/** One layer as `docker save` writes it. */
function dockerArchive(layer: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(layer).digest('hex');
  const image = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [],
  };
  return archive(
    file('layer.tar', layer),
    file('config.json', JSON.stringify(image)),
    file(
      'manifest.json',
      JSON.stringify([{ Config: 'config.json', RepoTags: ['x:latest'], Layers: ['layer.tar'] }]),
    ),
  );
}
