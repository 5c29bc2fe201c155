import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, type Ran, run, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * Images from their locks: the image `cpu` (compilers, Triton, numpy) on a base that mmdebstrap makes of the lock. Needs the
 * archive that apt is configured with and the index of pip once, for a cold store; builds have no network.
 */

const minute = 60_000;
const images = join(import.meta.dirname, '../../images');
const place = scratch();
const work = place.path;
const store = join(work, 'store');
/** Of Triton 3.6.0. */
const llvm = 'f6ded0be897e2878612dd903f7e8bb85448269e5';
let host = '';
let stop = async () => {};
let digest = '';
const image = () => `${host}/triton/cpu`;
const builder = 'https://builder.example/images';
const signing = ['--allow-http', '--key', join(work, 'builder.key')];
const runtime = ['--runtime', '/usr/sbin/runc'];

beforeAll(async () => {
  const registry = await startDockerRegistry(work);
  host = registry.host;
  stop = registry.stop;
  for (const name of ['builder', 'second']) {
    await must(process.execPath, [join(images, '../src/main.ts'), 'keygen', '--output-key-prefix', name], {
      cwd: work,
      env: { COSIGN_PASSWORD: 'e2e password' },
    });
  }
  cpSync(images, join(work, 'one/images'), { recursive: true });
  cpSync(images, join(work, 'two/deeper/images'), { recursive: true });
  writeFileSync(join(work, 'policy.yaml'), policy(llvm));
}, minute);

afterAll(async () => {
  const names = await run('podman', ['images', '--quiet', '--filter', `reference=${host}/triton/*`]);
  await run('podman', ['rmi', '--force', ...new Set(names.stdout.split('\n').filter((line) => line !== ''))]);
  await stop();
  place[Symbol.dispose]();
}, minute);

function policy(commit: string): string {
  // The most specific scope decides alone, so it asks for all of it.
  const rules = `      signed: { by: [builder] }
      sbom: { by: [builder] }
      llvm: { commit: ${commit} }
      provenance: { by: [builder], buildType: "urn:tcf:build:1", builder: "${builder}" }
      expressions:
        by: [builder]
        all:
          - that: attestations.exists(a, a.type == "https://slsa.dev/provenance/v1" && !(a.predicate.buildDefinition.internalParameters.runtime.user in ["", "0"]))
            because: the image starts as root
          - that: attestations.exists(a, a.type == "https://slsa.dev/provenance/v1" && a.predicate.buildDefinition.internalParameters.runtime.entrypoint.size() == 0)
            because: the image runs a program of its own before the command`;
  return `version: 1
trust: { logs: { key: 0 } }
signers: { builder: { keyFile: builder.pub }, second: { keyFile: second.pub } }
scopes:
  - match: ${host}
    require:
${rules}
  - match: ${host}/triton/cpu
    require:
${rules}
      vsa: { by: [second], verifier: "urn:example:second", levels: [TCF_REPRODUCED] }
`;
}

const verify = (ref: string, file = 'policy.yaml') =>
  tcf(['verify', '--policy', file, '--allow-http', ref], { cwd: work });

/** A command in a container that tcf starts after verification, without network. */
const inContainer = (flags: readonly string[], command: readonly string[]): Promise<Ran> =>
  tcf(
    [
      ...['run', '--policy', 'policy.yaml', '--allow-http', '--rm', ...runtime, '--network', 'none'],
      ...[...flags, `${image()}:1`, ...command],
    ],
    { cwd: work },
  );

describe('an image from its lock', () => {
  test(
    'is built from a cold store, agrees with its lock both ways, is pushed and signed',
    async () => {
      const args = [
        ...['build', 'cpu', '--store', store, '--to', `${image()}:1`],
        ...['--builder', builder, ...signing],
      ];
      const built = await tcf(args, { cwd: join(work, 'one') });
      expect(built, built.stderr).toMatchObject({ code: 0 });
      expect(built.stderr).toMatch(/inputs: 1\d\d fetched/);
      expect(built.stderr).toMatch(/the SBOM and the lock agree on 1\d\d inputs/);
      digest = built.stdout.trim().split('@')[1] ?? '';
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      const denied = await verify(`${image()}:1`);
      expect(denied.code).toBe(1);
      expect(denied.stderr).toMatch(/no verification summary of this image/);
    },
    30 * minute,
  );

  test(
    'another builder in another folder gets the same digest, and says so; then the policy allows it',
    async () => {
      const args = ['build', 'cpu', '--store', store, '--offline', '--check', `${image()}:1`, '--allow-http'];
      const checked = await tcf(
        [...args, '--key', join(work, 'second.key'), '--builder', 'urn:example:second'],
        {
          cwd: join(work, 'two/deeper'),
        },
      );
      expect(checked, checked.stderr).toMatchObject({ code: 0, stdout: `${digest}\n` });
      expect((await verify(`${image()}:1`)).code).toBe(0);
      // The second builder is one: a policy that asks for another one, or for another first one, is not met.
      for (const [wanted, other, why] of [
        ['urn:example:second', 'urn:example:third', /verifier/],
        [builder, 'https://other.example', /builder/],
      ] as const) {
        writeFileSync(join(work, 'other.yaml'), policy(llvm).replaceAll(wanted, other));
        const denied = await verify(`${image()}:1`, 'other.yaml');
        expect(denied.code).toBe(1);
        expect(denied.stderr).toMatch(why);
      }
    },
    30 * minute,
  );

  test(
    'the provenance has every input of every lock by its hash, and names no host of an archive',
    async () => {
      const provenance = JSON.parse(readFileSync(join(work, 'one/build/cpu/provenance.json'), 'utf8'));
      const { resolvedDependencies } = provenance.buildDefinition;
      const hashes = new Set(
        resolvedDependencies.map(({ digest: { sha256 } }: { digest: { sha256: string } }) => sha256),
      );
      for (const name of ['base', 'cpu']) {
        const lock = readFileSync(join(images, name, 'lock.yaml'), 'utf8');
        const locked = [...lock.matchAll(/sha256: "?([0-9a-f]{64})/g)].map(([, sha256]) => sha256);
        expect(locked.length).toBeGreaterThan(80);
        expect(locked.filter((sha256) => !hashes.has(sha256))).toEqual([]);
      }
      for (const { name, uri } of resolvedDependencies.filter(({ uri: at }: { uri?: string }) => at)) {
        expect(uri, name).toMatch(/^pkg:(?:deb|pypi)\//);
      }
    },
    minute,
  );

  test(
    'starts as any user, without network, with a read-only root; kernels compile for NVIDIA and AMD, and are interpreted',
    async () => {
      const start = (what: string): Promise<Ran> =>
        inContainer(['--read-only', '--user', '54321', '-e', 'HOME=/tmp'], ['selftest.py', what]);
      const compiled = await start('compile');
      expect(compiled, compiled.stderr).toMatchObject({ code: 0 });
      for (const kernel of [
        'add cuda:90 cubin',
        'add hip:gfx942 hsaco',
        'softmax cuda:90 cubin',
        'softmax hip:gfx942 hsaco',
      ]) {
        expect(compiled.stdout).toContain(`compiled ${kernel}`);
      }
      const interpreted = await start('interpret');
      expect(interpreted.stdout).toContain('add equal True\nsoftmax equal True\n');
    },
    10 * minute,
  );

  test(
    'holds no program that makes one another user, no index of packages, and no log',
    async () => {
      const listed = await inContainer(
        [],
        [
          'sh',
          '-c',
          'find / -xdev \\( -perm /6000 -type f -o -path "/var/log/*" -type f -o -path "/var/lib/apt/lists/?*" -o -name sudo \\); id -u',
        ],
      );
      expect(listed.stdout).toBe('1000\n');
    },
    5 * minute,
  );

  test(
    'one changed byte of an input: nothing is built',
    async () => {
      const hashes = readFileSync(join(images, 'cpu/lock.yaml'), 'utf8').match(
        /name: numpy.*sha256: "?([0-9a-f]{64})/,
      );
      const file = join(work, 'altered/sha256', hashes?.[1] ?? '');
      cpSync(store, join(work, 'altered'), { recursive: true });
      const bytes = readFileSync(file);
      bytes[5000] = (bytes[5000] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const args = ['build', 'cpu', '--store', join(work, 'altered'), '--offline', '--check', digest];
      const checked = await tcf(args, { cwd: join(work, 'one') });
      expect(checked.code).toBe(2);
      expect(checked.stderr).toMatch(/wheel numpy .* is sha256:[0-9a-f]{64}, not sha256:/);
    },
    20 * minute,
  );
});

/** An image on the one above, by its digest: seconds to build. */
function variant(
  name: string,
  containerfile: string,
  wheels = '',
  files: Readonly<Record<string, string>> = {},
): void {
  const folder = join(work, 'variants', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'lock.yaml'),
    `version: 1\nimage: ${name}\nplatform: linux/amd64\nepoch: "2026-11-30T00:00:00Z"\ncompression: zstd\nbase: { image: "${image()}", digest: "${digest}" }\n${wheels}`,
  );
  writeFileSync(join(folder, 'Containerfile'), `ARG BASE\nFROM \${BASE}\n${containerfile}\n`);
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(folder, file), content);
  }
}

const buildVariant = (name: string): Promise<Ran> =>
  tcf(
    [
      ...['build', `./variants/${name}`, '--store', store, '--to', `${host}/triton/${name}:1`],
      ...['--builder', builder, ...signing],
    ],
    { cwd: work },
  );

describe('what the policy denies', () => {
  test.for([
    ['root user', 'root', 'USER 0', /the image starts as root/],
    [
      'a start-time installer',
      'entry',
      'COPY --chmod=755 start.sh /start.sh\nENTRYPOINT ["/start.sh"]',
      /runs a program of its own/,
    ],
  ] as const)('%s', { timeout: 15 * minute }, async ([, name, containerfile, why]) => {
    variant(name, containerfile, '', { 'start.sh': '#!/bin/sh\npip install torch\nexec "$@"\n' });
    const built = await buildVariant(name);
    expect(built, built.stderr).toMatchObject({ code: 0 });
    const verified = await verify(`${host}/triton/${name}:1`);
    expect(verified.code).toBe(1);
    expect(verified.stderr).toMatch(why);
  });

  test(
    'an unlocked input: it is not pushed',
    async () => {
      const metadata = 'Metadata-Version: 2.1\\nName: smuggled\\nVersion: 1\\n';
      const folder = '/opt/venv/lib/python3.13/site-packages/smuggled-1.dist-info';
      variant(
        'unlocked',
        `USER 0\nRUN mkdir ${folder} && printf '${metadata}' >${folder}/METADATA\nUSER 1000:1000`,
      );
      const built = await buildVariant('unlocked');
      expect(built.code).toBe(1);
      expect(built.stderr).toMatch(/in the image and in no lock: wheel smuggled 1/);
      expect(
        (await run('skopeo', ['inspect', '--tls-verify=false', `docker://${host}/triton/unlocked:1`])).code,
      ).not.toBe(0);
    },
    15 * minute,
  );

  test(
    'a changed hash in the lock: nothing is built',
    async () => {
      const lock = readFileSync(join(images, 'cpu/lock.yaml'), 'utf8');
      const line = lock.split('\n').find((each) => each.includes('name: pip,')) ?? '';
      const changed = line.replace(/sha256: "?[0-9a-f]{64}"?/, `sha256: "${'0'.repeat(64)}"`);
      variant('changed', 'USER 1000:1000', `python:\n  version: "3.13"\n  wheels:\n${changed}\n`);
      const built = await buildVariant('changed');
      expect(built.code).toBe(2);
      expect(built.stderr).toMatch(
        /pip could not get the wheels of the lock.*pip==26.*Expected sha256 0000/s,
      );
    },
    5 * minute,
  );

  test(
    'a package added by hand, signed by the very key of the builder',
    async () => {
      const container = (
        await must('buildah', ['from', '--tls-verify=false', `${image()}@${digest}`])
      ).trim();
      const root = (await must('buildah', ['mount', container])).trim();
      const folder = join(root, 'opt/venv/lib/python3.13/site-packages/byhand-1.dist-info');
      mkdirSync(folder);
      writeFileSync(join(folder, 'METADATA'), 'Metadata-Version: 2.1\nName: byhand\nVersion: 1\n');
      await must('buildah', ['umount', container]);
      await must('buildah', [
        'commit',
        '--quiet',
        '--rm',
        '--tls-verify=false',
        container,
        `docker://${host}/triton/byhand:1`,
      ]);
      const signed = await tcf(['sign', `${host}/triton/byhand:1`, ...signing], { cwd: work });
      expect(signed, signed.stderr).toMatchObject({ code: 0 });
      const verified = await verify(`${host}/triton/byhand:1`);
      expect(verified.code).toBe(1);
      expect(verified.stderr).toMatch(/no provenance of this image/);
    },
    15 * minute,
  );
});

test(
  'one command moves the pin from 3.6.0 to 3.9.0: both diffs say what follows, and the old policy says why not',
  async () => {
    const folder = join(work, 'one');
    const before = readFileSync(join(folder, 'build/cpu/bom.json'));
    writeFileSync(join(work, 'before.json'), before);
    const moved = await tcf(
      ['lock', 'update', 'cpu', '--triton', '3.9.0', '--only', 'python', '--store', store],
      { cwd: folder },
    );
    expect(moved, moved.stderr).toMatchObject({ code: 0 });
    expect(moved.stdout).toMatch(/^~ llvm core f6ded0be\w+ -> [0-9a-f]{40}$/m);
    expect(moved.stdout).toMatch(/^~ wheel triton 3\.6\.0 -> 3\.9\.0$/m);
    const built = await tcf(
      [
        ...['build', 'cpu', '--store', store, '--to', `${host}/triton/new:1`],
        ...['--builder', builder, ...signing],
      ],
      { cwd: folder },
    );
    expect(built, built.stderr).toMatchObject({ code: 0 });
    const diff = await tcf(['diff', join(work, 'before.json'), join(folder, 'build/cpu/bom.json')], {
      cwd: work,
    });
    expect(diff.stdout).toMatch(/llvm.*f6ded0be/);
    expect(diff.stdout).toMatch(/cuobjdump.*12\.8\.55/);
    const old = await verify(`${host}/triton/new:1`);
    expect(old.code).toBe(1);
    expect(old.stderr).toMatch(/llvm/);
    const now =
      /role: core, commit: "?([0-9a-f]{40})/.exec(
        readFileSync(join(folder, 'images/cpu/lock.yaml'), 'utf8'),
      )?.[1] ?? '';
    writeFileSync(join(work, 'new.yaml'), policy(now));
    expect((await verify(`${host}/triton/new:1`, 'new.yaml')).code).toBe(0);
    const started = await tcf(
      [
        ...[
          'run',
          '--policy',
          'new.yaml',
          '--allow-http',
          '--rm',
          ...runtime,
          '--network',
          'none',
          '--read-only',
        ],
        ...['-e', 'HOME=/tmp', `${host}/triton/new:1`, 'selftest.py', 'interpret'],
      ],
      { cwd: work },
    );
    expect(started.stdout, started.stderr).toContain('triton 3.9.0\nadd equal True\nsoftmax equal True\n');
    expect(readdirSync(join(folder, 'build/cpu')).sort()).toEqual([
      'bom.json',
      'image',
      'lock.yaml',
      'provenance.json',
    ]);
  },
  40 * minute,
);
