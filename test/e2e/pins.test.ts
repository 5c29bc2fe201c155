import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { must, type Ran, run, scratch, tcf } from './support.ts';

/*
 * Real wheels as PyPI serves them, by their hashes, each downloaded once: triton 3.9.0 (286 MB), which tcf
 * knows, and a distribution of Triton that it does not know (95 MB).
 */

const sha256 = '1622118a038b0c6e16fa4a0305da62c8b3c15904ee1cc4d4e65846a25969e41e';
const name = 'triton-3.9.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl';

/** Where the wheel lies now. */
async function download(requirement: string, file: string): Promise<string> {
  const store = join(inject('work'), 'pins-wheels');
  mkdirSync(store, { recursive: true });
  const wheel = join(store, file);
  if (!existsSync(wheel)) {
    await must('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', store],
      ...['--python-version', '3.11', '--implementation', 'cp'],
      ...['--platform', 'manylinux_2_28_x86_64', '--platform', 'manylinux_2_27_x86_64', requirement],
    ]);
  }
  return wheel;
}

test('the pins in the wheel of triton 3.9.0 are those of the table, and another hash is refused', async () => {
  const wheel = await download('triton==3.9.0', name);
  using folder = scratch();
  const env = { HOME: folder.path, XDG_CONFIG_HOME: '', COSIGN_PASSWORD: 'x' };
  const at = { cwd: folder.path, env };
  expect((await tcf(['keygen'], at)).code).toBe(0);
  const add = (digest: string) =>
    tcf(['pins', 'add', wheel, '--sha256', digest, '--key', 'cosign.key', '--json'], at);
  const ran = await add(sha256);
  expect(ran.code, ran.stderr).toBe(0);
  const rows = JSON.parse(ran.stdout) as readonly Readonly<Record<string, string>>[];
  expect(
    rows.map((row) => [row['role'], row['llvm_commit'], row['llvm_repository'], row['llvm_version']]),
  ).toEqual([
    ['amd-codegen', '6bc4aaf6641c56ee104f6200c96a6a571bc77052', undefined, '24.0.0git'],
    ['core', 'b010a18d2b648cab83c83967ff26b8fde11acdc6', 'llvm/llvm-project', '24.0.0git'],
  ]);
  expect(ran.stderr).toContain('known already: triton 3.9.0 core');
  expect((await add(sha256.replace('1', '2'))).code).toBe(2);
});

describe('a release that this tcf does not know', () => {
  const file =
    'tokenspeed_triton-3.9.10.post20261028-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl';
  const digest = 'ed7c77d99e5c8cded500b26f9c63d2d845fb6734fe09ea3b3121012894b71bdd';
  const image = 'localhost/tcf-e2e-pins';
  const folder = scratch();
  const at = {
    cwd: folder.path,
    env: { HOME: folder.path, XDG_CONFIG_HOME: '', XDG_CACHE_HOME: '', COSIGN_PASSWORD: 'x' },
  };
  const site = join(folder.path, 'root/opt/v/lib/python3.11/site-packages');
  const library = join(site, 'tokenspeed_triton/_C/libtriton.so');
  let wheel = '';

  /** Builds the image of what lies in `root`, signs it with its SBOM, and asks the policy. */
  const judge = async (): Promise<Ran> => {
    await must('bash', [
      '-c',
      'set -e; c=$(buildah from scratch); buildah add --quiet $c "$1" / >/dev/null; buildah commit --quiet --rm $c "$2" >/dev/null',
      'build',
      join(folder.path, 'root'),
      image,
    ]);
    for (const args of [
      ['sbom', `containers-storage:${image}`, '-o', 'bom.json'],
      ['sign', `containers-storage:${image}`, '--key', 'cosign.key', '--sbom', 'bom.json'],
    ]) {
      const ran = await tcf(args, at);
      if (ran.code !== 0) {
        return ran;
      }
    }
    return await tcf(['verify', `containers-storage:${image}`, '--policy', 'policy.yaml'], at);
  };

  const overwrite = (path: string, place: number, byte: number): void => {
    const handle = openSync(path, 'r+');
    writeSync(handle, Buffer.of(byte), 0, 1, place);
    closeSync(handle);
  };

  /** The verdict with one byte of a file changed; the file is as it was afterwards. */
  const judgeChanged = async (path: string, place: number): Promise<Ran> => {
    const before = readFileSync(path)[place] ?? 0;
    overwrite(path, place, before ^ 1);
    try {
      return await judge();
    } finally {
      overwrite(path, place, before);
    }
  };

  beforeAll(async () => {
    wheel = await download('tokenspeed-triton==3.9.10.post20261028', file);
    mkdirSync(site, { recursive: true });
    const parts = ['tokenspeed_triton/_C/*', 'tokenspeed_triton/backends/amd/lib/*.so', '*.dist-info/*'];
    await must('unzip', ['-q', wheel, ...parts, '-d', site]);
    expect((await tcf(['keygen'], at)).code).toBe(0);
    writeFileSync(
      join(folder.path, 'policy.yaml'),
      'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: cosign.pub } }\nscopes: [{ match: "localhost", require: { sbom: { by: [team] }, llvm: { is: pinned } } }]\n',
    );
  });
  afterAll(async () => {
    await run('podman', ['image', 'rm', '--force', image]);
    folder[Symbol.dispose]();
  });

  test('is allowed once its pins were read from the wheel, and not before', async () => {
    const before = await judge();
    expect(before.code, before.stderr).toBe(2);
    expect(before.stdout + before.stderr).toMatch(/is the pinned one is not known/);
    const added = await tcf(['pins', 'add', wheel, '--sha256', digest, '--key', 'cosign.key'], at);
    expect(added.code, added.stderr).toBe(0);
    const after = await judge();
    expect(after.code, after.stdout + after.stderr).toBe(0);
  });

  test('one byte of libtriton.so, wherever it stands: denied', async () => {
    const bytes = readFileSync(library);
    const commit = bytes.indexOf('18f9e623e4c891ba31ff817c07197707ac9bc593');
    expect(commit).toBeGreaterThan(0);
    const inCommit = await judgeChanged(library, commit);
    expect(inCommit.code, inCommit.stderr).toBe(1);
    expect(inCommit.stdout + inCommit.stderr).toMatch(/is not the pinned one/);
    const elsewhere = await judgeChanged(library, bytes.length >> 1);
    expect(elsewhere.code, elsewhere.stderr).toBe(1);
    expect(elsewhere.stdout + elsewhere.stderr).toMatch(/is not the one that its RECORD lists/);
  });

  test('one byte of the pins: nothing is said at all', async () => {
    const pins = join(folder.path, '.config/tcf/pins.json');
    const ran = await judgeChanged(pins, readFileSync(pins).indexOf('18f9e623'));
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/pins/);
  });

  test('one byte of the pin in a checkout that the image is built from: denied', async () => {
    const checkout = join(folder.path, 'root/src/triton');
    const pin = join(checkout, 'cmake/llvm-info.json');
    mkdirSync(join(checkout, 'cmake'), { recursive: true });
    mkdirSync(join(checkout, 'python'));
    writeFileSync(pin, '{"llvm_hash": "18f9e623e4c891ba31ff817c07197707ac9bc593", "build_number": 1}\n');
    writeFileSync(
      join(checkout, 'cmake/amd-llvm-info.json'),
      '{"llvm_hash": "08b05a3352eeadd10eba4a25ffc19c2abb226448", "build_number": 1}\n',
    );
    writeFileSync(join(checkout, 'python/setup.py'), '');
    await must('bash', ['-c', `mv ${site}/tokenspeed_triton ${checkout}/python/triton`]);
    const info = join(site, 'tokenspeed_triton-3.9.10.post20261028.dist-info');
    writeFileSync(
      join(info, 'direct_url.json'),
      '{"url": "file:///src/triton", "dir_info": {"editable": true}}',
    );
    writeFileSync(join(info, 'RECORD'), '__editable__.tokenspeed_triton.pth,,\n');
    writeFileSync(join(site, '__editable__.tokenspeed_triton.pth'), '/src/triton/python\n');
    const whole = await judge();
    expect(whole.code, whole.stdout + whole.stderr).toBe(0);
    const changed = await judgeChanged(pin, readFileSync(pin).indexOf('18f9e623'));
    expect(changed.code, changed.stdout + changed.stderr).toBe(1);
  });
});
