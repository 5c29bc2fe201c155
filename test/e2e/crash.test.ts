import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { must, type Ran, run, scratch } from './support.ts';

/* Killed, out of space, without its files: nothing starts that should not, and nothing is left broken. */

const folder = scratch();
const marker = join(folder.path, 'started');
const main = join(import.meta.dirname, '../../src/main.ts');
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'signed' });
  const config = imageIdsOn(registry)[0] ?? '';
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'unsigned', deb: 'other' });
  mkdirSync(join(folder.path, 'bin'));
  // An engine that leaves a mark where it would have started something.
  writeFileSync(
    join(folder.path, 'bin/podman'),
    `#!/bin/sh\ncase "$1" in image) echo ${config};; run) : >"${marker}";; esac\n`,
  );
  chmodSync(join(folder.path, 'bin/podman'), 0o755);
  expect((await tcf(['keygen', '--output-key-prefix', 'team'])).code).toBe(0);
  writeFileSync(
    join(folder.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  const signed = await tcf(['sign', image('signed'), '--key', 'team.key', '--allow-http', '--no-sbom']);
  expect(signed.code, signed.stderr).toBe(0);
});
afterAll(async () => {
  await registry.close();
  folder[Symbol.dispose]();
});
beforeEach(() => rmSync(marker, { force: true }));

const image = (tag: string) => `${registry.host}/dev:${tag}`;
const env = (home = folder.path) => ({
  HOME: home,
  PATH: `${folder.path}/bin:/usr/bin:/bin`,
  COSIGN_PASSWORD: 'x',
});
const tcf = (args: readonly string[], home?: string): Promise<Ran> =>
  run(process.execPath, [main, ...args], { cwd: folder.path, env: env(home) });
const line = (tag: string, ...more: readonly string[]) => [
  'run',
  '--policy',
  'policy.yaml',
  '--allow-http',
  ...more,
  image(tag),
];

test('killed at any moment, it starts no unsigned image and leaves log and cache whole', async () => {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const tag = attempt % 3 === 0 ? 'signed' : 'unsigned';
    const child = spawn(process.execPath, [main, ...line(tag)], {
      cwd: folder.path,
      env: env(),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await sleep(attempt * 20);
    child.kill('SIGKILL');
    await ended;
    if (tag === 'unsigned') {
      expect(existsSync(marker)).toBe(false);
    }
    rmSync(marker, { force: true });
  }
  expect(await tcf(['log', 'verify'])).toMatchObject({ code: 0 });
  expect(await tcf(line('signed'))).toMatchObject({ code: 0 });
  expect(existsSync(marker)).toBe(true);
  // Half a file has no name that anybody reads.
  const cache = readdirSync(join(folder.path, '.cache/tcf/evidence'));
  expect(cache.filter((name) => /^[0-9a-f]{64}\.json$/.test(name))).toHaveLength(1);
});

describe('a full disk', () => {
  const home = join(folder.path, 'full');
  beforeAll(async () => {
    mkdirSync(home);
    await must('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=1k', 'tmpfs', home]);
    await run('dd', ['if=/dev/zero', `of=${home}/fill`, 'bs=4096']);
  });
  afterAll(() => must('umount', [home]));

  test('stops no signed image, and starts no other', async () => {
    const signed = await tcf(line('signed'), home);
    expect(signed.code, signed.stderr).toBe(0);
    expect(signed.stderr).toMatch(/warning: .*(?:ENOSPC|no space)/i);
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    expect(await tcf(line('unsigned'), home)).toMatchObject({ code: 125 });
    expect(existsSync(marker)).toBe(false);
  });

  test('leaves the SBOM that was there', async () => {
    const sbom = join(home, 'old.cdx.json');
    rmSync(join(home, 'fill'));
    writeFileSync(sbom, 'old');
    await run('dd', ['if=/dev/zero', `of=${home}/fill`, 'bs=4096']);
    const ran = await tcf(['sbom', `docker://${image('signed')}`, '--allow-http', '-o', sbom], home);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/hint:|cannot write/);
    expect(
      readdirSync(home)
        .filter((name) => !/^\.(?:cache|local)$/.test(name))
        .sort(),
    ).toEqual(['fill', 'old.cdx.json']);
    expect(await must('cat', [sbom])).toBe('old');
  });
});

test.for<readonly [string, readonly string[], RegExp]>([
  ['a policy that is a folder', ['--policy', '.'], /cannot read the policy/],
  ['a policy that is a device without end', ['--policy', '/dev/zero'], /larger than the limit/],
  [
    'a trusted root that is not there',
    ['--policy', 'policy.yaml', '--trusted-root', 'nowhere'],
    /cannot read the trusted root/,
  ],
])('%s starts nothing', async ([, flags, message]) => {
  const ran = await tcf(['run', ...flags, '--allow-http', image('signed')]);
  expect(ran.stderr).toMatch(message);
  expect(ran.code).toBe(125);
  expect(existsSync(marker)).toBe(false);
});

test('a project whose policy is a pipe that nobody writes to holds nobody up', async () => {
  const project = join(folder.path, 'project');
  mkdirSync(join(project, '.tcf'), { recursive: true });
  await must('mkfifo', [join(project, '.tcf/policy.yaml')]);
  const words = [
    '20',
    process.execPath,
    main,
    'run',
    '--policy',
    join(folder.path, 'policy.yaml'),
    '--allow-http',
    image('signed'),
  ];
  const ran = await run('timeout', words, { cwd: project, env: env() });
  expect(ran.stderr).toMatch(/is not a regular file/);
  expect(ran.code).toBe(125);
  expect(existsSync(marker)).toBe(false);
});
