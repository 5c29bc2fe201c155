import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { must, scratch, tcf } from './support.ts';

/* The real wheel of triton 3.9.0 as PyPI serves it, by its hash: 286 MB, downloaded once. */

const sha256 = '1622118a038b0c6e16fa4a0305da62c8b3c15904ee1cc4d4e65846a25969e41e';
const name = 'triton-3.9.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl';

test('the pins in the wheel of triton 3.9.0 are those of the table, and another hash is refused', async () => {
  const store = join(inject('work'), 'triton-3.9.0');
  mkdirSync(store, { recursive: true });
  const wheel = join(store, name);
  if (!existsSync(wheel)) {
    const platform = [
      '--python-version',
      '3.11',
      '--implementation',
      'cp',
      '--platform',
      'manylinux_2_28_x86_64',
    ];
    await must('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', store],
      ...[...platform, '--platform', 'manylinux_2_27_x86_64', 'triton==3.9.0'],
    ]);
  }
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
