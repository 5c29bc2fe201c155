import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/*
 * What a shell gives a program: full disks, closed pipes, devices, descriptors, a folder that is gone. tcf
 * runs as a process of its own; test/commands/outputs.test.ts asks every verb in this process.
 */

const main = join(import.meta.dirname, '../../src/main.ts');
const place = folder();
const isRoot = process.getuid?.() === 0;

beforeAll(() => {
  const layers = [archive(file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'))];
  writeOciLayout(join(place.path, 'image'), { image: buildImage({ layers, compression: 'none' }) });
  mkdirSync(join(place.path, 'tiny'));
});
afterAll(() => place[Symbol.dispose]());

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script of bash in which `tcf` is tcf; `as`: what starts bash. */
function bash(script: string, as: readonly string[] = []): Promise<Ran> {
  const [program = '', ...args] = [
    ...as,
    'bash',
    '-c',
    `tcf() { '${process.execPath}' '${main}' "$@"; }\n${script}`,
  ];
  const env = { PATH: process.env['PATH'], HOME: place.path };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: place.path, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const sbom = 'tcf sbom oci:image';

describe('what could not be written whole is never a success', () => {
  test('a disk that takes a part', async ({ skip }) => {
    const script = `mount -t tmpfs -o size=16k tmpfs tiny && head -c 12k /dev/zero > tiny/fill
tcf completion bash > tiny/part; echo "$? $(stat -c %s tiny/part)"`;
    const { stderr, stdout } = await bash(script, ['unshare', isRoot ? '-m' : '-rm']);
    if (/unshare|mount:/.test(stderr)) {
      skip('this machine lets nobody mount');
    }
    expect(stdout).toBe('2 4096\n');
    expect(stderr).toContain('no space left on device (ENOSPC)');
  });

  test('a reader that went away is no trouble, and standard error that cannot be written keeps the exit code', async () => {
    expect(await bash(`${sbom} 2>/dev/null | head -c 1; echo "$\{PIPESTATUS[0]}"`)).toMatchObject({
      stdout: '{0\n',
    });
    expect(await bash('tcf policy check none.yaml 2> /dev/full')).toMatchObject({ code: 3 });
  });
});

describe('an output goes to what stands there', () => {
  test.for([
    ['/dev/stdout', `${sbom} -o /dev/stdout`],
    ['-', `${sbom} -o -`],
    ['/proc/self/fd/1', `${sbom} -o /proc/self/fd/1`],
    ['a link to /dev/stdout', `ln -sf /dev/stdout out; ${sbom} -o out`],
    ['a descriptor', `${sbom} -o /dev/fd/5 5>&1`],
    ['>(...)', `${sbom} -o >(cat); wait $!; sleep 0.2`],
    ['a FIFO', `mkfifo fifo; cat fifo & ${sbom} -o fifo; wait`],
    ['a file', `${sbom} -o file.json && cat file.json`],
    ['/dev/null', `${sbom} -o /dev/null; [ -c /dev/null ] && ${sbom}`],
  ] as const)('%s', async ([, script]) => {
    const { stdout } = await bash(sbom);
    expect(stdout).toContain('"bomFormat"');
    expect(await bash(script)).toMatchObject({ code: 0, stdout });
  });

  test.for(['/dev/stdout', '/dev/fd/1', '-'])(
    'what others wrote to the same file stays: %s',
    async (path) => {
      const { stdout } = await bash(sbom);
      await bash(`(echo before; ${sbom} -o ${path}; echo after) > mixed`);
      expect(readFileSync(join(place.path, 'mixed'), 'utf8')).toBe(`before\n${stdout}after\n`);
    },
  );
});

describe('an output that cannot be written fails before the work', () => {
  const absent = 'oci:there-is-no-such-image';
  mkdirSync(join(place.path, 'folder'), { recursive: true });
  writeFileSync(join(place.path, 'plain'), 'plain');
  symlinkSync('loop', join(place.path, 'loop'));
  test.for([
    [`tcf sbom ${absent} -o none/out.json`, 'no such file or directory (ENOENT)'],
    [`tcf sbom ${absent} -o folder`, 'it is a folder'],
    [`tcf sbom ${absent} -o plain/x`, 'ENOTDIR'],
    [`tcf sbom ${absent} -o loop`, 'ELOOP'],
    [`tcf sbom ${absent} -o /dev/fd/77`, 'EBADF'],
    [`tcf sbom ${absent} -o /proc/none`, '/proc/none'],
    [`tcf gate ${absent} --sarif none/out.sarif`, 'ENOENT'],
    [`tcf gate ${absent} --summary folder`, 'it is a folder'],
    [`tcf gate ${absent} --sarif - --json`, 'both write standard output'],
    ['tcf sign-bundle none --bundle none/x --key none', 'ENOENT'],
  ] as const)('%s', async ([script, told]) => {
    const before = readdirSync(place.path);
    expect(await bash(script)).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(told) });
    expect(readdirSync(place.path)).toEqual(before);
  });
});

describe('a current folder that was removed', () => {
  test('is one sentence, and what needs no folder still works', async () => {
    const gone = (script: string) => bash(`mkdir gone; cd gone; rmdir ../gone; ${script}`);
    expect(await gone('tcf --version')).toMatchObject({ code: 0, stderr: '' });
    const told = 'tcf: error: the current folder was removed\ntcf: hint: change to a folder that is there\n';
    expect(await gone('tcf verify quay.io/a/b:c')).toMatchObject({ code: 2, stdout: '', stderr: told });
    expect(await gone('tcf run quay.io/a/b:c')).toMatchObject({ code: 125, stdout: '', stderr: told });
  });
});
