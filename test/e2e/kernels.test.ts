import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { must, type Ran, run, scratch, tcf } from './support.ts';

/*
 * Caches that a real Triton makes: two kernels for NVIDIA's and AMD's targets, compiled here without a GPU by
 * the wheel of triton 3.6.0, in an image that is signed with its SBOM and judged by the policy rule
 * `kernels`.
 */

const source = `
import triton, triton.language as tl
from triton.compiler import ASTSource
from triton.backends.compiler import GPUTarget

def add(x, y, o, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(o + i, tl.load(x + i, mask=i < n) + tl.load(y + i, mask=i < n), mask=i < n)

def twice(x, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(x + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)

for kernel, names in ((add, "xyo"), (twice, "x")):
    for target in (GPUTarget("cuda", 90, 32), GPUTarget("hip", "gfx942", 64)):
        signature = {name: "*fp32" for name in names} | {"n": "i32", "B": "constexpr"}
        triton.compile(ASTSource(triton.JITFunction(kernel), signature=signature, constexprs={"B": 256}), target=target)
`;

const folder = scratch();
const image = 'localhost/tcf-e2e-kernels';
const root = join(folder.path, 'root');
const cache = join(root, 'root/.triton/cache');
const at = {
  cwd: folder.path,
  env: { HOME: folder.path, XDG_CONFIG_HOME: '', XDG_CACHE_HOME: '', COSIGN_PASSWORD: 'x' },
};

interface Kernel {
  readonly name: string;
  readonly hashes?: readonly { readonly content: string }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}
const said = ({ properties }: Kernel, key: string): string | undefined =>
  properties.find(({ name }) => name === `tcf:kernel:${key}`)?.value;

/** Builds and signs the image as it lies in `root`; gives back what the SBOM says of kernels. */
async function sign(): Promise<readonly Kernel[]> {
  await must('bash', [
    '-c',
    'set -e; c=$(buildah from scratch); buildah add --quiet $c "$1" / >/dev/null; buildah commit --quiet --rm $c "$2" >/dev/null',
    'build',
    root,
    image,
  ]);
  for (const args of [
    ['sbom', `containers-storage:${image}`, '-o', 'bom.json'],
    ['sign', `containers-storage:${image}`, '--key', 'cosign.key', '--sbom', 'bom.json'],
  ]) {
    const ran = await tcf(args, at);
    expect(ran.code, ran.stderr).toBe(0);
  }
  const { components = [] } = JSON.parse(readFileSync(join(folder.path, 'bom.json'), 'utf8')) as {
    readonly components?: readonly Kernel[];
  };
  return components.filter((component) => said(component, 'kind') !== undefined);
}

function judge(allow: 'image' | 'none'): Promise<Ran> {
  writeFileSync(
    join(folder.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: cosign.pub } }\nscopes: [{ match: "localhost", require: { kernels: { allow: ${allow} }, sbom: { by: [team] } } }]\n`,
  );
  return tcf(['verify', `containers-storage:${image}`, '--policy', 'policy.yaml'], at);
}

beforeAll(async () => {
  const wheel = join(
    inject('work'),
    'wheels/triton-3.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl',
  );
  const packages = join(folder.path, 'packages');
  await must('unzip', ['-q', wheel, '-d', packages]);
  writeFileSync(join(folder.path, 'kernels.py'), source);
  await must('/usr/bin/python3', ['kernels.py'], {
    cwd: folder.path,
    env: { PYTHONPATH: packages, TRITON_CACHE_DIR: cache, HOME: folder.path },
  });
  const info = 'triton-3.6.0.dist-info/METADATA';
  const installed = join(root, 'opt/v/lib/python3.11/site-packages', info);
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(installed, readFileSync(join(packages, info)));
  rmSync(packages, { recursive: true });
  expect((await tcf(['keygen'], at)).code).toBe(0);
});
afterAll(async () => {
  await run('podman', ['image', 'rm', '--force', image]);
  folder[Symbol.dispose]();
});

test('all that Triton compiled is named, with target, maker and hash', async () => {
  const kernels = await sign();
  const code = globSync(join(cache, '*/*.{cubin,hsaco}'));
  expect(code).toHaveLength(4);
  expect(kernels.map((kernel) => `${kernel.name} ${said(kernel, 'target')}`).sort()).toEqual([
    'add cuda:90',
    'add hip:gfx942',
    'twice cuda:90',
    'twice hip:gfx942',
  ]);
  for (const kernel of kernels) {
    expect(said(kernel, 'triton')).toBe('3.6.0');
    expect(said(kernel, 'made-by')).toBe('image');
    expect(said(kernel, 'reason')).toBeUndefined();
  }
  const sums = (await must('sha256sum', code)).split('\n').map((line) => line.split(' ')[0]);
  expect(kernels.map(({ hashes }) => hashes?.[0]?.content).sort()).toEqual(sums.filter(Boolean).sort());
});

test('allow: none denies them, allow: image allows them', async () => {
  const none = await judge('none');
  expect(none.code, none.stderr).toBe(1);
  expect(none.stdout + none.stderr).toMatch(/holds a compiled kernel/);
  const own = await judge('image');
  expect(own.code, own.stdout + own.stderr).toBe(0);
});

test('one byte of the key that the metadata states: denied', async () => {
  const [metadata = ''] = globSync(join(cache, '*/add.json'));
  const before = readFileSync(metadata, 'utf8');
  writeFileSync(
    metadata,
    before.replace(
      /("hash": ?")(.)/,
      (_, start: string, digit: string) => start + (digit === '0' ? '1' : '0'),
    ),
  );
  await sign();
  const ran = await judge('image');
  expect(ran.code, ran.stderr).toBe(1);
  expect(ran.stdout + ran.stderr).toMatch(/is not what its cache says/);
  writeFileSync(metadata, before);
});

test('without the Triton that made them: denied; without kernels: allowed', async () => {
  rmSync(join(root, 'opt'), { recursive: true });
  expect((await sign()).map((kernel) => said(kernel, 'made-by'))).toEqual(Array(4).fill('other'));
  const foreign = await judge('image');
  expect(foreign.code, foreign.stderr).toBe(1);
  rmSync(join(root, 'root'), { recursive: true });
  writeFileSync(join(root, 'content'), 'x');
  expect(existsSync(cache)).toBe(false);
  expect(await sign()).toEqual([]);
  expect((await judge('none')).code).toBe(0);
});
