import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verbs } from '../../src/commands/index.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { archive, file } from '../support/tar.ts';

/* What is published: the built program, as a user runs it, in a folder with nothing beside it. */

const root = join(import.meta.dirname, '../..');
const place = folder();
const built = join(place.path, 'dist');
let registry: TestRegistry;
let image: string;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function node(...args: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], HOME: place.path, COSIGN_PASSWORD: 'test' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: place.path, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const tcf = (...args: readonly string[]) => node(join(built, 'tcf.js'), ...args);

beforeAll(async () => {
  expect(await node(join(root, 'toolchain/build.ts'), built)).toMatchObject({ code: 0, stderr: '' });
  registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'triton-dev', tag: '1' });
  image = `${registry.host}/triton-dev:1`;
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
  );
}, 120_000);

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

test.for(verbs.map(({ name }) => name))('tcf %s is there with all that it loads', async (verb) => {
  expect(await tcf(verb, '--help')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`tcf ${verb}`),
    stderr: '',
  });
});

test('the main job ends as it does from source', async () => {
  const policy = ['--policy', 'policy.yaml', '--allow-http'];
  const source = await node(join(root, 'src/main.ts'), 'sbom', image, '--allow-http');
  expect(await tcf('sbom', image, '--allow-http')).toEqual(source);
  expect(source.code).toBe(0);

  expect(await tcf('keygen', '--output-key-prefix', 'team')).toMatchObject({ code: 0 });
  expect(await tcf('verify', image, ...policy)).toMatchObject({ code: 1 });
  expect(await tcf('sign', image, '--key', 'team.key', '--allow-http')).toMatchObject({ code: 0 });
  expect(await tcf('gate', image, ...policy)).toMatchObject({ code: 0 });
  const pinned = (await tcf('verify', image, ...policy, '--quiet', '--print-digest')).stdout.trim();
  expect(pinned).toMatch(/@sha256:[0-9a-f]{64}$/);
});

test('layers are read by threads, which begin in a file of their own', async () => {
  const layers = ['one', 'two'].map((name) =>
    archive(file(name, randomBytes(9_000_000)), file(`${name}.txt`)),
  );
  writeOciLayout(join(place.path, 'large'), { image: buildImage({ layers, compression: 'none' }) });
  const alone = await tcf('sbom', 'oci:large', '--jobs', '1');
  expect(alone).toMatchObject({ code: 0, stdout: expect.stringContaining('"bomFormat"') });
  const { code, stderr, stdout } = await node('-e', traced, 'sbom', 'oci:large', '--jobs', '2');
  expect({ code, stdout }).toEqual({ code: 0, stdout: alone.stdout });
  expect(stderr.match(/result from scan-thread\.js/g)).toHaveLength(2);
});

/** The built program, with a word about each thread that gave a result. */
const traced = `const threads = require('node:worker_threads');
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(url) {
    super(url);
    this.on('message', ({ kind }) => {
      if (kind === 'scan') console.error('result from ' + String(url).split('/').at(-1));
    });
  }
};
process.argv.splice(1, 0, ${JSON.stringify(join(built, 'tcf.js'))});
require(process.argv[1]);`;

const kept = join(built, 'compiled', `${process.version}-${process.platform}-${process.arch}`);

/** The parts that a call loads, and whether V8 took their compiled code. */
async function partsOf(...args: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const program = join(built, 'tcf.js');
  const script = `process.argv.splice(1, 0, ${JSON.stringify(program)});
const { modules } = require(${JSON.stringify(program)});
process.on('exit', () => console.log(JSON.stringify([...modules].map(([name, { script }]) => [name, script.cachedDataRejected === false]))));`;
  const { stdout } = await node('-e', script, '--', ...args);
  return new Map(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as [string, boolean][]);
}

test('what stands before a start was compiled when the program was built, and lies beside it', async () => {
  const policy = ['--policy', 'policy.yaml', '--allow-http', '--quiet'];
  const parts = await partsOf('verify', image, ...policy);
  expect(parts.size).toBeGreaterThan(10);
  expect([...parts].filter(([, isTaken]) => !isTaken)).toEqual([]);
  expect(existsSync(join(place.path, '.cache/node-compile-cache'))).toBe(false);
});

test('what loads a module of Node late says nothing of it', async () => {
  // It starts podman or, where there is none, looks for it only.
  expect(await tcf('hook', 'status', 'podman')).toMatchObject({ code: 1, stderr: '' });
});

test.for([
  ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['of another version of V8', (bytes: Buffer) => Buffer.concat([Buffer.alloc(16, 7), bytes.subarray(16)])],
  ['empty', () => Buffer.alloc(0)],
] as const)('compiled code that is %s is compiled anew', async ([, spoil]) => {
  const file = join(kept, 'main.js');
  const whole = readFileSync(file);
  try {
    writeFileSync(file, spoil(whole));
    expect((await partsOf('verify', '--help')).get('main.js')).toBe(false);
    expect(await tcf('verify', '--help')).toMatchObject({ code: 0, stderr: '' });
  } finally {
    writeFileSync(file, whole);
  }
});

test('for another version of Node its own compile cache takes the place, beside the program', async () => {
  renameSync(kept, `${kept}.other`);
  try {
    expect(await tcf('verify', '--help')).toMatchObject({ code: 0, stderr: '' });
    const made = readdirSync(join(built, 'compiled')).filter((name) => !name.endsWith('.other'));
    expect(made).toHaveLength(1);
  } finally {
    renameSync(`${kept}.other`, kept);
  }
});
