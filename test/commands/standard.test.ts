import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../src/commands/index.ts';
import { readCalls } from '../../src/commands/options/calls.ts';
import { folder, type } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/* `-` is standard input or output wherever a file is named. */

const place = folder();
const env = { COSIGN_PASSWORD: 'test' };
const tcf = (args: readonly string[], stdin = '') => type(args, { cwd: place.path, env, stdin });
const read = (name: string) => readFileSync(join(place.path, name), 'utf8');

beforeAll(async () => {
  const layers = [archive(file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'))];
  writeOciLayout(join(place.path, 'image'), { image: buildImage({ layers }) });
  writeFileSync(join(place.path, 'art'), 'hello\n');
  writeFileSync(
    join(place.path, 'policy.yaml'),
    'version: 1\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: registry.example, require: { signed: { by: [team] } } }]\n',
  );
  for (const args of [
    ['keygen', '--output-key-prefix', 'team'],
    ['sbom', 'oci:image', '-o', 'sbom.json'],
    ['sign-bundle', 'art', '--bundle', 'art.json', '--key', 'team.key'],
  ]) {
    expect(await tcf(args)).toMatchObject({ exit: 0 });
  }
});
afterAll(() => place[Symbol.dispose]());

/**
 * Every option that names a file, a folder or the like, by what `-` means there. `place`: a folder, a socket,
 * a file that is read in pieces or written in place, which no stream can be.
 */
const meanings: Readonly<Record<string, 'input' | 'output' | 'place'>> = {
  '--against': 'input',
  '--baseline': 'input',
  '--bundle': 'input',
  '--containerfile': 'input',
  '--identity-token': 'input',
  '--key': 'input',
  '--policy': 'input',
  '--sbom': 'input',
  '--signing-config': 'input',
  '--trusted-root': 'input',
  '--vex': 'input',
  '--codequality': 'output',
  '--junit': 'output',
  '--output': 'output',
  '--sarif': 'output',
  '--summary': 'output',
  '--address': 'place',
  '--bin-dir': 'place',
  '--db': 'place',
  '--file': 'place',
  '--hooks-dir': 'place',
  '--root': 'place',
};

test('every option that names a file is in this table', async () => {
  const options = (await readCalls(verbs)).flatMap((call) =>
    call.options.filter(({ value }) => value === 'file'),
  );
  const names = [...new Set(options.map(({ names }) => names.at(-1) ?? ''))];
  expect(names.filter((name) => !Object.hasOwn(meanings, name))).toEqual([]);
});

/** Why a verb has no --timeout: nothing that it does waits for a registry or a service. */
const withoutTimeout: Readonly<Record<string, string>> = {
  'tcf completion': 'prints what it knows',
  'tcf db import': 'reads a file',
  'tcf db status': 'reads a file',
  'tcf db verify': 'reads a file',
  'tcf devcontainer allow': 'writes a file',
  'tcf doctor': 'looks at this machine, and gives each question its own time',
  'tcf down': 'speaks to an engine; --time is for the container',
  'tcf hook status': 'asks a runtime for images of a registry of its own',
  'tcf hook uninstall': 'removes files',
  'tcf keygen': 'makes a key',
  'tcf lock schema': 'prints what it knows',
  'tcf lock why': 'reads a file',
  'tcf log archive': 'moves a file',
  'tcf log prune': 'writes a file',
  'tcf log show': 'reads a file',
  'tcf log verify': 'reads a file',
  'tcf pins show': 'reads files',
  'tcf policy check': 'reads files',
  'tcf policy explain': 'reads policies and asks no registry',
  'tcf policy export': 'reads and writes files',
  'tcf policy schema': 'prints what it knows',
  'tcf trust import': 'reads a file',
  'tcf trust show': 'reads files',
  'tcf verify-bundle': 'reads files',
};

test('every verb has --quiet, and --timeout unless it waits for nobody', async () => {
  const calls = await readCalls(verbs);
  const isGroup = (path: string) => calls.some((call) => call.path.startsWith(`${path} `));
  const verbCalls = calls.filter(({ path }) => !isGroup(path));
  const lacking = (name: string) =>
    verbCalls
      .filter(({ options }) => !options.some(({ names }) => names.includes(name)))
      .map(({ path }) => path);
  expect(lacking('--quiet')).toEqual([]);
  expect(lacking('--timeout').sort()).toEqual(Object.keys(withoutTimeout));
});

describe('standard input in place of a file gives the same answer', () => {
  test.for<readonly [string, readonly string[], string]>([
    ['policy.yaml', ['policy', 'check', 'FILE'], 'a policy'],
    ['policy.yaml', ['policy', 'export', 'FILE', '--to', 'kyverno'], 'kind:'],
    ['policy.yaml', ['policy', 'explain', 'registry.example/a', '--policy', 'FILE'], 'registry.example'],
    ['policy.yaml', ['verify', 'oci:image', '--as', 'registry.example/a', '--policy', 'FILE'], 'denied'],
    ['sbom.json', ['policy', 'check', 'policy.yaml', '--against', 'FILE'], 'policy.yaml is a policy'],
    ['sbom.json', ['diff', 'FILE', 'oci:image'], 'unchanged: 1'],
    ['sbom.json', ['diff', 'oci:image', 'FILE'], 'unchanged: 1'],
    ['sbom.json', ['licenses', 'FILE'], '1 component'],
    [
      'art',
      ['verify-bundle', '--bundle', 'art.json', '--key', 'team.pub', '--allow-unlogged', 'FILE'],
      'good',
    ],
    [
      'art.json',
      ['verify-bundle', '--bundle', 'FILE', '--key', 'team.pub', '--allow-unlogged', 'art'],
      'good',
    ],
    [
      'team.pub',
      ['verify-bundle', '--bundle', 'art.json', '--key', 'FILE', '--allow-unlogged', 'art'],
      'good',
    ],
  ])('%s: tcf %j', async ([name, call, told]) => {
    const named = await tcf(call.map((word) => (word === 'FILE' ? name : word)));
    expect(named.out + named.err).toContain(told);
    const piped = await tcf(
      call.map((word) => (word === 'FILE' ? '-' : word)),
      read(name),
    );
    expect(piped.exit).toBe(named.exit);
    expect(piped.out + piped.err).toContain(told);
  });

  test('a key, and what is signed', async () => {
    const [key, art] = [read('team.key'), read('art')];
    expect(await tcf(['sign-bundle', 'art', '--bundle', 'one.json', '--key', '-'], key)).toMatchObject({
      exit: 0,
    });
    expect(await tcf(['sign-bundle', '-', '--bundle', 'two.json', '--key', 'team.key'], art)).toMatchObject({
      exit: 0,
    });
    const verify = (name: string) =>
      tcf(['verify-bundle', '--bundle', name, '--key', 'team.pub', '--allow-unlogged', 'art']);
    expect([(await verify('one.json')).exit, (await verify('two.json')).exit]).toEqual([0, 0]);
  });
});

describe('standard output in place of a file takes the same bytes, and no file is made', () => {
  test.for<readonly [readonly string[], string]>([
    [['sbom', 'oci:image', '-o', 'FILE'], '"bomFormat"'],
    [['report', 'sbom.json', '-o', 'FILE'], '<!doctype html>'],
    [['policy', 'export', 'policy.yaml', '--to', 'kyverno', '-o', '-'], 'kind:'],
    [['sign-bundle', 'art', '--bundle', '-', '--key', 'team.key'], '"mediaType"'],
  ])('tcf %j', async ([call, told]) => {
    const before = readdirSync(place.path).sort();
    const written = await tcf(call.map((word) => (word === 'FILE' ? '-' : word)));
    expect(written).toMatchObject({ exit: 0, out: expect.stringContaining(told) });
    expect(readdirSync(place.path).sort()).toEqual(before);
    if (call.includes('FILE')) {
      await tcf(call.map((word) => (word === 'FILE' ? 'out.file' : word)));
      expect(read('out.file')).toBe(written.out);
    }
  });
});

test.for<readonly [readonly string[], string]>([
  [['sign-bundle', '-', '--bundle', 'x.json', '--key', '-'], 'standard input is the artifact already'],
  [
    ['gate', 'oci:image', '--as', 'registry.example/a', '--policy', 'policy.yaml', '--sarif', '-', '--json'],
    'both write standard output',
  ],
  [['hook', 'install', 'podman', '--policy', '-'], 'a hook reads its files at each start'],
  [['pins', 'update', '-'], 'nothing stands beside standard input'],
])('tcf %j is refused', async ([call, told]) => {
  expect(await tcf(call, 'x')).toMatchObject({ exit: 3, out: '', err: expect.stringContaining(told) });
});

test('a file of that name is ./-', async () => {
  writeFileSync(join(place.path, '-'), read('policy.yaml'));
  expect(await tcf(['policy', 'check', './-'])).toMatchObject({ exit: 0 });
});
