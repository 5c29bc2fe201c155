import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { cutSummary, toAnnotations } from '../../src/report/gate.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { gitlabProblems } from '../support/gitlab.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { sarifProblems } from '../support/sarif.ts';

/* A gate about images that are signed with a key, one that is not, and one that is not there. */

let registry: TestRegistry;
const place = folder();
const at = (name: string): string => join(place.path, name);

async function tcf(...argv: readonly string[]) {
  const host = testHost({ cwd: place.path, env: { COSIGN_PASSWORD: 'x' } });
  const exit = await main(argv, host);
  return { exit, out: host.out(), err: host.err() };
}

const image = (name: string) => `${registry.host}/${name}`;
const gate = async (...argv: readonly string[]) =>
  await tcf('gate', ...argv, '--policy', 'policy.json', '--allow-http');

beforeAll(async () => {
  registry = await startRegistry();
  for (const repository of ['signed', 'naked']) {
    await pushDemoImage({ host: registry.host, repository, tag: '1' });
  }
  expect((await tcf('keygen')).exit).toBe(0);
  const signed = await tcf('sign', image('signed:1'), '--key', 'cosign.key', '--no-sbom', '--allow-http');
  expect(signed.exit, signed.err).toBe(0);
  writeFileSync(
    at('policy.json'),
    JSON.stringify({
      version: 1,
      trust: { logs: { key: 0 } },
      signers: { team: { keyFile: 'cosign.pub' } },
      scopes: [{ match: registry.host, require: { signed: { by: ['team'] } } }],
    }),
  );
});

afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

test.for<[string, readonly string[], number]>([
  ['one that is allowed', ['signed:1'], 0],
  ['one that is denied beside one that is allowed', ['signed:1', 'naked:1'], 1],
  ['one that is not there beside one that is allowed', ['signed:1', 'none:1'], 2],
  ['a denial outweighs what cannot be told', ['none:1', 'naked:1'], 1],
])('%s', async ([, names, exit]) => {
  expect((await gate(...names.map(image))).exit).toBe(exit);
});

describe('the reports of three images', () => {
  const names = ['signed:1', 'naked:1', 'none:1'];
  beforeAll(async () => {
    const { exit, out } = await gate(
      ...names.map(image),
      ...[
        '--sarif',
        'out.sarif',
        '--junit',
        'out.xml',
        '--codequality',
        'out.json',
        '--summary',
        'out.md',
        '--json',
      ],
    );
    expect(exit).toBe(1);
    writeFileSync(at('out'), out);
  });

  test('JSON has each of them', () => {
    const { exit, images } = JSON.parse(readFileSync(at('out'), 'utf8'));
    expect(exit).toBe(1);
    expect(images.map((one: { exit: number }) => one.exit)).toEqual([0, 1, 2]);
  });

  test('SARIF has a run for each, and a result for what cannot be told', () => {
    const sarif = JSON.parse(readFileSync(at('out.sarif'), 'utf8'));
    expect(sarifProblems(sarif)).toEqual([]);
    expect(sarif.runs.map((run: { results: readonly unknown[] }) => run.results.length)).toEqual([0, 1, 1]);
    const ids = sarif.runs.map((run: { automationDetails: { id: string } }) => run.automationDetails.id);
    expect(new Set(ids).size).toBe(3);
    for (const { partialFingerprints } of sarif.runs.flatMap((run: { results: object[] }) => run.results)) {
      expect(partialFingerprints.primaryLocationLineHash).toMatch(/^[0-9a-f]{16}:1$/);
    }
  });

  test('JUnit counts them', () => {
    expect(readFileSync(at('out.xml'), 'utf8')).toContain(
      '<testsuites name="tcf gate" tests="3" failures="1" errors="1">',
    );
  });

  test("GitLab's report has exactly the members that it reads", () => {
    const list = JSON.parse(readFileSync(at('out.json'), 'utf8'));
    expect(gitlabProblems('code quality', list)).toEqual([]);
    expect(list).toHaveLength(2);
    for (const one of list) {
      expect(Object.keys(one).toSorted()).toEqual([
        'check_name',
        'description',
        'fingerprint',
        'location',
        'severity',
      ]);
      expect(['info', 'minor', 'major', 'critical', 'blocker']).toContain(one.severity);
    }
    expect(new Set(list.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size).toBe(2);
  });
});

test('with --containerfile alerts stand at what the image is built on', async () => {
  writeFileSync(at('Containerfile'), 'ARG X\n\nFROM debian:13\nRUN x\n');
  await gate(image('naked:1'), '--sarif', 'lines.sarif', '--containerfile', 'Containerfile');
  const log = JSON.parse(readFileSync(at('lines.sarif'), 'utf8'));
  expect(sarifProblems(log)).toEqual([]);
  expect(log.runs[0].results[0].locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'Containerfile' },
    region: { startLine: 3 },
  });
  expect((await gate(image('naked:1'), '--containerfile', '/etc/passwd')).exit).toBe(3);
});

test('SARIF is written where nothing can be told, and where the question is wrong', async () => {
  const missing = await gate(image('none:1'), '--sarif', 'none.sarif');
  expect(missing.exit).toBe(2);
  expect(JSON.parse(readFileSync(at('none.sarif'), 'utf8')).runs[0].results).toMatchObject([
    { ruleId: 'error', properties: { outcome: 'cannot-tell' } },
  ]);
  const wrong = await tcf(
    'gate',
    image('signed:1'),
    '--policy',
    'nowhere.json',
    '--allow-http',
    '--sarif',
    'wrong.sarif',
  );
  expect(wrong.exit).toBe(3);
  expect(JSON.parse(readFileSync(at('wrong.sarif'), 'utf8')).runs[0].results).toMatchObject([
    { properties: { outcome: 'asked-wrongly' } },
  ]);
});

test('annotations: ten are shown, the rest is said, and no text ends a command', () => {
  const error = (at: number) =>
    ({
      image: `r/i-${at}\n::error::x`,
      error: { code: 'a,b', message: '100%', hint: undefined, exit: 2 },
    }) as never;
  const lines = toAnnotations(Array.from({ length: 12 }, (_, at) => error(at)))
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(10);
  expect(lines.at(-1)).toContain('and 3 more');
  expect(lines[0]).toBe('::error title=tcf%3A a%2Cb::r/i-0%0A::error::x: 100%25');
});

test('a summary stays below what the platform shows', () => {
  const text = cutSummary(Array.from({ length: 40 }, () => 'x'.repeat(100_000)));
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toMatch(/The rest did not fit/);
});
