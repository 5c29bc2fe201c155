import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { folder, type } from '../support/host.ts';

/*
 * tcf lock, with pip and apt as they answer: the report of pip 23 (PyPA, "Installation Report"), no apt on
 * PATH.
 */

const place = folder();
afterAll(() => place[Symbol.dispose]());
const hash = 'ab'.repeat(32);
const file = join(place.path, 'images/tool/lock.yaml');
mkdirSync(join(place.path, 'images/tool'), { recursive: true });
const lock = `version: 1
image: tool
platform: linux/amd64
epoch: "2026-11-01T00:00:00Z"
compression: zstd
base: { image: registry.example/debian:13, digest: "sha256:${hash}" }
want:
  triton: "3.6.0"
  python: [pytest]
python: { version: "3.13", wheels: [] }
`;

const installed = (name: string, version: string, requested: boolean, requires: readonly string[] = []) => ({
  download_info: {
    url: `https://files.example/${name}-${version}-py3-none-any.whl`,
    archive_info: { hashes: { sha256: hash } },
  },
  metadata: { name, version, requires_dist: requires },
  requested,
});

const pip = (version: string) => ({
  program: async (_file: string, args: readonly string[]) => {
    expect(args).toContain(`triton==${version}`);
    const install = [
      installed('triton', version, true),
      installed('pytest', '9.2.0', true, ['Pluggy<2,>=1.5', 'colorama>=0.4; sys_platform == "win32"']),
      installed('pluggy', '1.7.0', false),
    ];
    return { code: 0, stdout: Buffer.from(JSON.stringify({ version: '1', install })), stderr: '' };
  },
});

describe('tcf lock', () => {
  test('update pins what pip answers, Triton with its LLVM; a second one moves nothing', async () => {
    writeFileSync(file, lock);
    const first = await type(['lock', 'update', 'tool'], { cwd: place.path, ...pip('3.6.0') });
    expect(first).toMatchObject({ exit: 0 });
    expect(first.out).toBe(
      '+ llvm core f6ded0be897e2878612dd903f7e8bb85448269e5\n+ wheel pluggy 1.7.0\n+ wheel pytest 9.2.0\n+ wheel triton 3.6.0\n',
    );
    const second = await type(['lock', 'update', 'tool'], { cwd: place.path, ...pip('3.6.0') });
    expect(second).toMatchObject({ exit: 0, out: '' });
    expect(second.err).toMatch(/nothing moved/);
  });

  test('update --triton moves the pin and the LLVM; --dry-run writes nothing and answers 1', async () => {
    const before = readFileSync(file, 'utf8');
    const asked = ['lock', 'update', 'tool', '--triton', '3.5.1'];
    const dry = await type([...asked, '--dry-run'], { cwd: place.path, ...pip('3.5.1') });
    expect(dry.exit).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(before);
    const moved = await type(asked, { cwd: place.path, ...pip('3.5.1') });
    expect(moved.out).toBe(
      '~ llvm core f6ded0be897e2878612dd903f7e8bb85448269e5 -> 7d5de3033187c8a3bb4d2e322f5462cdaf49808f\n~ wheel triton 3.6.0 -> 3.5.1\n',
    );
    expect(readFileSync(file, 'utf8')).toMatch(/triton: "3\.5\.1"[\s\S]*epoch|epoch: "2026-11-23T00:00:00Z"/);
  });

  test('why goes from an input to what people asked for', async () => {
    const said = await type(['lock', 'why', 'tool', 'Pluggy'], { cwd: place.path });
    expect(said).toMatchObject({ exit: 0, out: 'tool: wheel pluggy 1.7.0 <- pytest <- want.python\n' });
    const unknown = await type(['lock', 'why', 'tool', 'torch'], { cwd: place.path });
    expect(unknown.exit).toBe(3);
    expect(unknown.err).toMatch(/no lock of tool pins "torch"/);
  });

  test('show lists what is pinned; --newer asks, and says what moved', async () => {
    const shown = await type(['lock', 'show', 'tool'], { cwd: place.path });
    expect(shown.out.split('\n')[0]).toMatch(/^IMAGE +KIND +NAME +PINNED +FOR$/);
    expect(shown.out).toMatch(/^tool +wheel +pluggy +1\.7\.0 +pytest$/m);
    const newer = await type(['lock', 'show', 'tool', '--newer'], {
      cwd: place.path,
      program: async () => ({
        code: 0,
        stdout: Buffer.from(
          JSON.stringify({
            install: [installed('triton', '3.5.1', true), installed('pytest', '9.3.0', true)],
          }),
        ),
        stderr: '',
      }),
    });
    expect(newer.out).toMatch(/^tool +wheel +pytest +9\.2\.0 +9\.3\.0/m);
    expect(newer.out).toMatch(/^tool +wheel +pluggy +1\.7\.0 +not needed/m);
  });
});

test('show --unsafe says what is published about a pinned version, and of how many nobody can tell', async () => {
  const record = {
    ...{ schema_version: '1.6.0', id: 'PYSEC-2026-1', modified: '2026-11-01T00:00:00Z' },
    affected: [
      {
        package: { ecosystem: 'PyPI', name: 'pluggy' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.7.1' }] }],
      },
    ],
  };
  writeFileSync(join(place.path, 'PYSEC-2026-1.json'), JSON.stringify(record));
  const built = await type(['db', 'build', 'PYSEC-2026-1.json', '-o', 'v.sqlite'], { cwd: place.path });
  expect(built, built.err).toMatchObject({ exit: 0 });
  const shown = await type(['lock', 'show', 'tool', '--unsafe', '--db', 'v.sqlite'], { cwd: place.path });
  expect(shown, shown.err).toMatchObject({ exit: 0 });
  expect(shown.out).toMatch(/^tool +wheel +pluggy +1\.7\.0 +PYSEC-2026-1/m);
  expect(shown.out.match(/PYSEC/g)).toHaveLength(1);
  const before = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    `${before}debian: { suite: trixie, packages: [{ name: git, version: "1:2", sha256: "${hash}", size: 7, path: pool/main/g/git/git_2_amd64.deb }] }\n`,
  );
  const more = await type(['lock', 'show', 'tool', '--unsafe', '--db', 'v.sqlite'], { cwd: place.path });
  writeFileSync(file, before);
  // Not found is not safe: the database has no advisories for Debian.
  expect(more.err).toMatch(/nobody can tell about 1 of these/);
});

test.for([
  [
    'pip fails',
    ['tool'],
    { code: 1, stdout: new Uint8Array(), stderr: 'no match\u001b[2J' },
    2,
    /pip found no wheels.*no match\\x1b/,
  ],
  [
    'pip says nonsense',
    ['tool'],
    { code: 0, stdout: Buffer.from('{"install":[{}]}'), stderr: '' },
    2,
    /metadata/,
  ],
  [
    'an archive that gives no hash',
    ['tool'],
    {
      code: 0,
      stdout: Buffer.from(
        JSON.stringify({
          install: [{ ...installed('triton', '1', true), download_info: { url: 'https://x.example/a.whl' } }],
        }),
      ),
      stderr: '',
    },
    2,
    /archive_info/,
  ],
  ['no such image', ['nothing'], undefined, 3, /there is no image "nothing" with a lock/],
] as const)('%s: an error in one sentence, and the lock stays', async ([, args, answer, exit, message]) => {
  const before = readFileSync(file, 'utf8');
  const said = await type(['lock', 'update', ...args], {
    cwd: place.path,
    ...(answer === undefined ? {} : { program: async () => answer }),
  });
  expect(said.exit).toBe(exit);
  expect(said.err).toMatch(message);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('packages of Debian without apt: what to do instead', async () => {
  mkdirSync(join(place.path, 'images/deb'), { recursive: true });
  writeFileSync(
    join(place.path, 'images/deb/lock.yaml'),
    `${lock.replace('image: tool', 'image: deb')}debian: { suite: trixie, packages: [] }\n`,
  );
  const said = await type(['lock', 'update', 'deb'], { cwd: place.path, ...pip('3.6.0') });
  expect(said.exit).toBe(2);
  expect(said.err).toMatch(/found no apt-get on PATH[\s\S]*hint: update the lock on Debian/);
});
