import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { bundleProgram } from '../../toolchain/bundle.ts';
import { writeChecksums } from '../../toolchain/checksums.ts';
import { makeExecutable } from '../../toolchain/executable.ts';
import { folder } from '../support/host.ts';
import { type Ended, runProgram } from '../support/run-program.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

/*
 * install.sh by a user who is not root, from a release that is served over HTTP on loopback, signed as the workflow signs
 * it, and checked by the real cosign, or by the tcf that stands there. The Sigstore is our own, so both are told of its
 * trusted root; everything else of their calls is what install.sh says.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
const version = '9.8.7';
const release = join(place.path, 'release');
const bin = join(place.path, 'bin');
const archives = [`tcf-${version}-linux-x64.gz`, `tcf-${version}-linux-x64.zst`];
let server: Server;
let sigstore: SigstoreServer;

const identity = `https://github.com/triton-container-first/tcf/.github/workflows/release.yml@refs/tags/v${version}`;

beforeAll(async () => {
  for (const path of [release, bin]) {
    mkdirSync(path);
  }
  await bundleProgram(join(place.path, 'dist'));
  const executable = join(place.path, 'tcf');
  await makeExecutable(join(place.path, 'dist/parts'), process.execPath, executable);
  const bytes = readFileSync(executable);
  writeFileSync(join(release, archives[0] ?? ''), gzipSync(bytes, { level: 1 }));
  writeFileSync(join(release, archives[1] ?? ''), zstdCompressSync(bytes));
  const script = readFileSync(join(root, 'toolchain/install.sh'), 'utf8');
  writeFileSync(join(release, 'install.sh'), script.replace('VERSION_OF_RELEASE', version));
  await writeChecksums(release, readdirSync(release));

  sigstore = await startSigstore();
  writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
  writeFileSync(join(place.path, 'services.json'), sigstore.signingConfig(2));
  await sign('SHA256SUMS.sigstore.json', identity);
  await sign('of-somebody-else.json', identity.replace('triton-container-first', 'evil'));
  execFileSync('cp', ['-r', release, join(place.path, 'whole')]);
  copyFileSync(inject('cosign'), join(place.path, 'real-cosign'));
  chmodSync(place.path, 0o755);
  server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(release, new URL(request.url ?? '', 'http://x').pathname.slice(1))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}, 300_000);

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await sigstore[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

async function sign(bundle: string, sub: string): Promise<void> {
  const token = sigstore.token({
    iss: 'https://token.actions.githubusercontent.com',
    sub,
    email: undefined,
    email_verified: undefined,
  });
  const services = ['--signing-config', 'services.json', '--trusted-root', 'root.json'];
  const call = ['sign-bundle', join(release, 'SHA256SUMS'), '--bundle', join(release, bundle), ...services];
  const signed = await runProgram(join(place.path, 'tcf'), call, {
    cwd: place.path,
    env: { HOME: place.path, SIGSTORE_ID_TOKEN: token },
  });
  expect(signed.code, signed.stderr).toBe(0);
}

/** Programs that install.sh finds: those of the system, and a cosign where it is asked for. */
function useCosign(isThere: boolean): void {
  rmSync(join(bin, 'cosign'), { force: true });
  if (isThere) {
    const told = `--trusted-root ${place.path}/root.json --insecure-ignore-sct`;
    writeFileSync(join(bin, 'cosign'), `#!/bin/sh\nexec ${place.path}/real-cosign "$@" ${told}\n`, {
      mode: 0o755,
    });
  }
}

const prefix = join(place.path, 'home/.local');
const installed = join(prefix, 'bin/tcf');
const nobody = 65_534;

/** As a user who owns nothing but a home. */
function asUser(...call: readonly string[]): Promise<Ended> {
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: join(place.path, 'home') };
  const others = ['--reuid', `${nobody}`, '--regid', `${nobody}`, '--clear-groups'];
  const [program = '', ...args] = process.getuid?.() === 0 ? ['setpriv', ...others, ...call] : call;
  return runProgram(program, args, { cwd: '/', env });
}

const install = (...args: readonly string[]) => {
  const { port } = server.address() as AddressInfo;
  return asUser('sh', join(place.path, 'whole/install.sh'), '--from', `http://127.0.0.1:${port}`, ...args);
};

/** The old tcf knows the trusted root by a script around it, which names itself as the program does. */
function installOldTcf(): void {
  mkdirSync(join(prefix, 'bin'), { recursive: true });
  const told = `--trusted-root ${place.path}/root.json`;
  writeFileSync(
    installed,
    `#!/bin/sh\n# Triton Container First: SBOM\nexec ${place.path}/tcf "$@" ${told}\n`,
    {
      mode: 0o755,
    },
  );
}

beforeEach(() => {
  rmSync(release, { recursive: true });
  execFileSync('cp', ['-r', join(place.path, 'whole'), release]);
  rmSync(join(place.path, 'home'), { recursive: true, force: true });
  mkdirSync(join(place.path, 'home'));
  if (process.getuid?.() === 0) {
    execFileSync('chown', [`${nobody}:${nobody}`, join(place.path, 'home')]);
  }
});

const file = (name: string) => join(release, name);

function damage(name: string): void {
  const bytes = readFileSync(file(name));
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
  writeFileSync(file(name), bytes);
}

/** As whoever can write to a mirror would do it: archive and checksum fit, the signature does not. */
async function replaceRelease(): Promise<void> {
  for (const name of archives) {
    writeFileSync(file(name), name.endsWith('gz') ? gzipSync('evil') : zstdCompressSync(Buffer.from('evil')));
  }
  const bundles = readdirSync(release).filter((name) => name.endsWith('.json'));
  for (const name of bundles) {
    renameSync(file(name), join(place.path, name));
  }
  rmSync(file('SHA256SUMS'));
  await writeChecksums(release, readdirSync(release));
  for (const name of bundles) {
    renameSync(join(place.path, name), file(name));
  }
}

describe.for([
  ['the real cosign', () => useCosign(true), 'asked: cosign'],
  [
    'the tcf that stands there',
    () => {
      useCosign(false);
      installOldTcf();
      if (process.getuid?.() === 0) {
        execFileSync('chown', ['-R', `${nobody}:${nobody}`, join(place.path, 'home')]);
      }
    },
    `asked: ${installed}`,
  ],
] as const)('checked by %s', ([, prepare, asked]) => {
  test('a signed release is installed, over what stands there, and nothing else is left', async () => {
    prepare();
    const first = await install();
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain(`signed by the release workflow of`);
    expect(first.stdout).toContain(asked);
    expect(readdirSync(join(prefix, 'bin'))).toEqual(['tcf']);
    expect(readFileSync(installed).length).toBeGreaterThan(50_000_000);
    expect((await asUser(installed, '--version')).stdout).toMatch(/^tcf \d/);
  });

  test.for<readonly [string, () => unknown, RegExp]>([
    [
      'an archive of another byte',
      () => archives.forEach(damage),
      /has the SHA-256 [0-9a-f]{64}, expected was/,
    ],
    [
      'a checksum of another byte',
      () => damage('SHA256SUMS'),
      /not signed by the release workflow|expected was/,
    ],
    ['a release that was replaced', replaceRelease, /not signed by the release workflow/],
    [
      'no bundle',
      () => rmSync(file('SHA256SUMS.sigstore.json')),
      /cannot download .*SHA256SUMS\.sigstore\.json/,
    ],
    ['no checksums', () => rmSync(file('SHA256SUMS')), /cannot download .*SHA256SUMS/],
    [
      'a bundle of somebody else',
      () => copyFileSync(file('of-somebody-else.json'), file('SHA256SUMS.sigstore.json')),
      /not signed by the release workflow/,
    ],
    [
      'a bundle that is none',
      () => writeFileSync(file('SHA256SUMS.sigstore.json'), '{}'),
      /not signed by the release workflow/,
    ],
  ])('%s is refused, and what stood there stays', async ([, hurt, told]) => {
    prepare();
    const before = await asUser(
      'sh',
      '-c',
      `cat ${installed} 2>/dev/null | sha256sum; ls -a ${prefix}/bin 2>/dev/null`,
    );
    await hurt();
    const refused = await install();
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(told);
    const after = await asUser(
      'sh',
      '-c',
      `cat ${installed} 2>/dev/null | sha256sum; ls -a ${prefix}/bin 2>/dev/null`,
    );
    // The folder is made, and nothing in it.
    expect(after.stdout.replace('.\n..\n', '')).toBe(before.stdout.replace('.\n..\n', ''));
  });
});

test('the digest from elsewhere is enough, and the wrong one is not', async () => {
  useCosign(false);
  const sums = readFileSync(file('SHA256SUMS'), 'utf8');
  rmSync(file('SHA256SUMS'));
  const name =
    execFileSync('sh', ['-c', 'command -v zstd || true'], { encoding: 'utf8' }) === ''
      ? archives[0]
      : archives[1];
  const digest = new RegExp(`^([0-9a-f]{64}) {2}${name}$`, 'm').exec(sums)?.[1] ?? '';
  expect(await install('--sha256', '0'.repeat(64))).toMatchObject({ code: 2, stdout: '' });
  const right = await install('--sha256', digest);
  expect(right.code, right.stderr).toBe(0);
  expect(right.stdout).toContain('who made it was not checked');
});

test('a folder that may not be written is said', async () => {
  useCosign(false);
  expect(await install('--prefix', '/usr')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot write to /usr/bin'),
  });
});
