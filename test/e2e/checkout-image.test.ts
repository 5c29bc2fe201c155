import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, run, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * tcf build --triton CHECKOUT and --llvm DIR or TARBALL, built for real: small stand-ins for a checkout of Triton (cmake/llvm-info.json
 * since 3.8, llvm-hash.txt before) and for its prebuilt LLVM, laid out as upstream's are, on a small base. Triton itself is not
 * compiled: on two cores that takes hours.
 */

const minute = 60_000;
const place = scratch();
const work = place.path;
const commit = '5f07f818b51b786b0a87b4e514882600ecba112f';
const tarball = 'llvm-5f07f818-ubuntu-x64-1.tar.gz';
let host = '';
let stop = async () => {};

const script = '#!/bin/sh\necho 23.0.0git\n';

function makeLlvm(folder: string, of: string): void {
  for (const path of ['bin', 'include/llvm/Support', 'include/llvm/Config', 'lib/cmake/llvm']) {
    mkdirSync(join(work, folder, path), { recursive: true });
  }
  const write = (path: string, text: string) => writeFileSync(join(work, folder, path), text);
  write('bin/llvm-config', script);
  chmodSync(join(work, folder, 'bin/llvm-config'), 0o755);
  write(
    'include/llvm/Support/VCSRevision.h',
    `#define LLVM_REVISION "${of}"\n#define LLVM_REPOSITORY "https://github.com/triton-lang/llvm-project"\n`,
  );
  write('include/llvm/Config/llvm-config.h', '#define LLVM_VERSION_STRING "23.0.0git"\n');
  write('lib/cmake/llvm/LLVMConfigVersion.cmake', 'set(PACKAGE_VERSION "23.0.0git")\n');
}

async function makeCheckout(name: string, file: string, content: string): Promise<void> {
  const folder = join(work, name);
  mkdirSync(join(folder, 'cmake'), { recursive: true });
  writeFileSync(join(folder, 'cmake', file), content);
  const git = (...args: readonly string[]) =>
    must('git', ['-C', folder, '-c', 'user.name=e2e', '-c', 'user.email=e2e@example.org', ...args]);
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'a pin');
}

const containerfile = `ARG BASE
FROM \${BASE}
RUN --mount=type=bind,source=inputs,target=/inputs \\
    set -- /inputs/llvm/* \\
 && if [ -e "$1" ]; then mkdir -p /opt/llvm && case $1 in *.gz) z=z ;; *) z= ;; esac && tar x\${z}f "$1" -C /opt/llvm --strip-components=1; fi
USER 1000:1000
`;

beforeAll(async () => {
  const registry = await startDockerRegistry(work);
  host = registry.host;
  stop = registry.stop;
  const recipe = `set -e
c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/tmp; cp /bin/busybox $m/bin/
for name in sh tar mkdir gunzip cat; do ln -s busybox $m/bin/$name; done
buildah umount $c >/dev/null; buildah config --env PATH=/bin $c
buildah commit --quiet --rm --tls-verify=false $c docker://$1/small:1 >/dev/null
skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://$1/small:1`;
  const digest = (await must('bash', ['-c', recipe, 'bash', host])).trim().split('\n').at(-1);
  makeLlvm('llvm-5f07f818-ubuntu-x64-1', commit);
  await must('tar', ['-czf', join(work, tarball), '-C', work, 'llvm-5f07f818-ubuntu-x64-1']);
  const sha256 = createHash('sha256')
    .update(readFileSync(join(work, tarball)))
    .digest('hex');
  const info = { llvm_hash: commit, build_number: 1, sha256sum: { 'ubuntu-x64': sha256 } };
  await makeCheckout('new', 'llvm-info.json', JSON.stringify(info));
  await makeCheckout('old', 'llvm-hash.txt', `${commit}\n`);
  makeLlvm('other', 'a'.repeat(40));
  mkdirSync(join(work, 'images/dev'), { recursive: true });
  writeFileSync(join(work, 'images/dev/Containerfile'), containerfile);
  writeFileSync(
    join(work, 'images/dev/lock.yaml'),
    `version: 1
image: dev
platform: linux/amd64
epoch: "2026-11-30T00:00:00Z"
compression: gzip
base: { image: "${host}/small", digest: "${digest}" }
want: { triton: "3.8.0" }
llvm: [{ role: core, commit: ${commit}, repository: triton-lang/llvm-project, in: wheel }]
python:
  version: "3.13"
  wheels: [{ name: triton, version: "3.8.0", sha256: "${'ab'.repeat(32)}", file: triton-3.8.0-cp313-cp313-manylinux_2_27_x86_64.whl }]
`,
  );
}, 2 * minute);

afterAll(async () => {
  await stop();
  place[Symbol.dispose]();
});

const build = (...args: readonly string[]) =>
  tcf(['build', 'dev', '--allow-http', '--store', join(work, 'store'), ...args], { cwd: work });

describe('an image to develop a checkout in', () => {
  test.for([
    ['the tarball that llvm-info.json names', 'new', tarball],
    ['a folder, for a checkout that pins a commit without a checksum', 'old', 'llvm-5f07f818-ubuntu-x64-1'],
  ] as const)('with %s', { timeout: 5 * minute }, async ([, checkout, llvm]) => {
    const built = await build('--triton', checkout, '--llvm', llvm, '-o', `out-${checkout}`);
    expect(built, built.stderr).toMatchObject({ code: 0 });
    // The LLVM is in the SBOM, by what its headers say, and no wheel of Triton is.
    expect(built.stderr).toMatch(/agree on 1 input$/m);
    const lock = readFileSync(join(work, `out-${checkout}/lock.yaml`), 'utf8');
    const head = (await must('git', ['-C', join(work, checkout), 'rev-parse', 'HEAD'])).trim();
    expect(lock.replaceAll('"', '')).toContain(`triton: { commit: ${head} }`);
    expect(lock).not.toContain('name: triton');
    const image = `oci:${work}/out-${checkout}/image:dev`;
    const config = JSON.parse(await must('skopeo', ['inspect', '--config', image]));
    expect(config.config).toMatchObject({ Env: expect.arrayContaining(['LLVM_SYSPATH=/opt/llvm']) });
    // podman takes no capital letters in the path of a layout.
    const id = 'localhost/tcf-e2e-checkout:1';
    await must('skopeo', ['copy', '--quiet', image, `containers-storage:${id}`]);
    const ran = await run('podman', [
      ...['run', '--rm', '--runtime', '/usr/sbin/runc', '--network', 'none', '--read-only', id],
      ...['sh', '-c', '"$LLVM_SYSPATH/bin/llvm-config" --version'],
    ]);
    await run('podman', ['rmi', '--force', id]);
    expect(ran.stdout, ran.stderr).toBe('23.0.0git\n');
    // The lock that was written is one: building it gives the same.
    const again = await build('--triton', checkout, '--llvm', llvm, '-o', `again-${checkout}`);
    expect(again.stdout).toBe(built.stdout);
  });

  test.for([
    [
      'another LLVM than the one that is pinned',
      ['--triton', 'old', '--llvm', 'other'],
      /pins LLVM 5f07f818/,
    ],
    ['no LLVM where the pin has no checksum', ['--triton', 'old'], /without a checksum/],
  ] as const)('not with %s', { timeout: minute }, async ([, args, why]) => {
    const built = await build(...args);
    expect(built.code).toBe(3);
    expect(built.stderr).toMatch(why);
  });

  test('not with a tarball of other bytes under the right name', { timeout: minute }, async () => {
    mkdirSync(join(work, 'bad'));
    writeFileSync(join(work, 'bad', tarball), 'other bytes');
    const built = await build('--triton', 'new', '--llvm', join('bad', tarball));
    expect(built.code).toBe(3);
    expect(built.stderr).toMatch(/the checkout pins LLVM 5f07f818.*and --llvm is/);
  });
});
