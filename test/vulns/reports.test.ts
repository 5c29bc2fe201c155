import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { toVulnsSarif } from '../../src/report/vulns/sarif.ts';
import { findVulnerabilities } from '../../src/vulns/match.ts';
import { gitlabProblems } from '../support/gitlab.ts';
import { folder, testHost } from '../support/host.ts';
import { publishedSchema } from '../support/published-schema.ts';
import { sarifProblems } from '../support/sarif.ts';
import { dataOf, sbomOf } from './support.ts';

/*
 * What platforms are handed: by their schemas, at the right lines, and whatever stands in an SBOM or a
 * record.
 */

const place = folder();
const at = (name: string): string => join(place.path, name);
const sarifSchema = publishedSchema('sarif-schema-2.1.0.json');
const gitlabSchema = publishedSchema('container-scanning-report-format.json');

async function tcf(...argv: readonly string[]) {
  const host = testHost({ cwd: place.path, now: new Date('2026-11-30T00:00:00Z') });
  return { exit: await main([...argv], host), out: host.out(), err: host.err() };
}

const hostile = [
  'plain',
  '<script>alert(1)</script>&"\'',
  'a]]>b',
  'line\nfeed\r\u0000\u001b[31mred',
  '::error title=x::y%0A%25',
  '\u202eright to left\u2066',
  '| a | `b` | ![x](http://x) |',
  'x'.repeat(5000),
  'https://example.org/a:b?c#d',
  '../../etc/passwd',
  '\ud83d\ude00 emoji and \u00e9',
  '{"a": "b"}',
];

const layer = (index: number, step: string) => `layer ${index} sha256:${'a'.repeat(64)}: ${step}`;

const component = (name: string, version: string, context?: string, origin?: string) => ({
  type: 'library',
  'bom-ref': `${name}@${version}`,
  name,
  version,
  purl: `pkg:pypi/${encodeURIComponent(name.slice(0, 200))}@${version}`,
  ...(context === undefined
    ? {}
    : { evidence: { occurrences: [{ location: `/opt/${name}`, additionalContext: context }] } }),
  ...(origin === undefined ? {} : { properties: [{ name: 'tcf:origin', value: origin }] }),
});

const record = (id: string, name: string, more: object = {}) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  affected: [
    { package: { ecosystem: 'PyPI', name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] },
  ],
  ...more,
});

beforeAll(async () => {
  mkdirSync(at('in'));
  hostile.forEach((text, index) => {
    const name = `pkg${index}`;
    writeFileSync(
      at(`in/${index}.json`),
      JSON.stringify(record(`GHSA-${index}`, name, { summary: text, aliases: [`CVE-2026-${1000 + index}`] })),
    );
  });
  writeFileSync(
    at('in/word.json'),
    JSON.stringify(record('GHSA-word', 'rated', { database_specific: { severity: 'HIGH' } })),
  );
  const components = [
    ...hostile.map((text, index) => component(`pkg${index}`, '1.0', layer(1, text.slice(0, 180)))),
    ...hostile.map((text) => ({ type: 'library', 'bom-ref': `r${text}`, name: text, version: text })),
    component('rated', '1', layer(2, 'RUN pip install rated')),
    component('below', '1', layer(0, 'ADD debian.tar /'), 'base'),
  ];
  writeFileSync(at('in/below.json'), JSON.stringify(record('GHSA-below', 'below')));
  writeFileSync(
    at('bom.json'),
    JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { component: { type: 'container', name: hostile.join(' '), 'bom-ref': 'image' } },
      components,
    }),
  );
  writeFileSync(at('Containerfile'), 'ARG A\nFROM debian:13\n\nRUN pip install \\\n    rated\n');
  expect((await tcf('db', 'build', 'in', '-o', 'db.sqlite')).err).toContain('wrote 14 records');
});

afterAll(() => place[Symbol.dispose]());

const ask = async (format: string, ...more: readonly string[]) =>
  await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--format', format, ...more);

interface Result {
  readonly ruleId: string;
  readonly locations: readonly [
    {
      readonly physicalLocation: {
        readonly region: object;
        readonly artifactLocation: { readonly uri: string };
      };
    },
  ];
  readonly partialFingerprints: { readonly primaryLocationLineHash: string };
}

describe('SARIF', () => {
  test('whatever stands in it, it is SARIF', async () => {
    const { exit, out } = await ask('sarif');
    expect(exit).toBe(1);
    const log = JSON.parse(out);
    expect(sarifProblems(log)).toEqual([]);
    expect(sarifSchema?.(log) ?? []).toEqual([]);
    // A terminal or a log that shows the file is not told anything by it.
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    const rules = log.runs[0].tool.driver.rules;
    for (const rule of rules) {
      expect(rule.help.text.length).toBeGreaterThan(0);
      expect(rule.properties.tags).toContain('security');
    }
    expect(rules.find(({ id }: { id: string }) => id === 'GHSA-word').properties['security-severity']).toBe(
      '7.0',
    );
  });

  test('alerts stand at the instruction that brought the component, and at FROM for what came with the base', async () => {
    const { out } = await ask('sarif', '--containerfile', 'Containerfile');
    const log = JSON.parse(out);
    expect(sarifProblems(log)).toEqual([]);
    expect(sarifSchema?.(log) ?? []).toEqual([]);
    const results: readonly Result[] = log.runs[0].results;
    const placed = (id: string) => results.find(({ ruleId }) => ruleId === id)?.locations[0].physicalLocation;
    expect(placed('GHSA-word')).toEqual({
      artifactLocation: { uri: 'Containerfile' },
      region: { startLine: 4, endLine: 5 },
    });
    expect(placed('GHSA-below')).toEqual({
      artifactLocation: { uri: 'Containerfile' },
      region: { startLine: 2 },
    });
    expect(placed('CVE-2026-1001')).toEqual({
      artifactLocation: { uri: 'Containerfile' },
      region: { startLine: 1 },
    });
    const again: readonly Result[] = JSON.parse((await ask('sarif')).out).runs[0].results;
    const hashes = (list: readonly Result[]) =>
      list.map((one) => one.partialFingerprints.primaryLocationLineHash);
    // A line that moves is no other alert.
    expect(hashes(results)).toEqual(hashes(again));
    expect(new Set(hashes(results)).size).toBe(results.length);
  });

  test('what is asked wrongly about the Containerfile', async () => {
    expect(await ask('json', '--containerfile', 'Containerfile')).toMatchObject({ exit: 3 });
    expect(await ask('sarif', '--containerfile', '../Containerfile')).toMatchObject({ exit: 3 });
    expect(await ask('sarif', '--containerfile', 'none')).toMatchObject({ exit: 3 });
    expect(await ask('sarif', '--containerfile', 'bom.json')).toMatchObject({ exit: 2 });
  });

  test.for<[string, readonly string[], number, string]>([
    ['no data', ['bom.json', '--db', 'in/word.json'], 2, 'cannot-tell'],
    ['no image', ['none.json', '--db', 'none.sqlite'], 3, 'asked-wrongly'],
  ])('where there is no answer (%s) the file says so', async ([, argv, exit, outcome]) => {
    const answer = await tcf('vulns', ...argv, '--format', 'sarif', '-o', 'error.sarif');
    expect(answer.exit).toBe(exit);
    const log = JSON.parse(readFileSync(at('error.sarif'), 'utf8'));
    expect(sarifProblems(log)).toEqual([]);
    expect(sarifSchema?.(log) ?? []).toEqual([]);
    expect(log.runs[0]).toMatchObject({ results: [{ level: 'error' }], properties: { outcome } });
  });
});

test("GitLab's container scanning report", async () => {
  const { exit, out } = await ask('gitlab');
  expect(exit).toBe(1);
  const report = JSON.parse(out);
  expect(gitlabProblems('container scanning', report)).toEqual([]);
  expect(gitlabSchema?.(report) ?? []).toEqual([]);
  expect(report.vulnerabilities).toHaveLength(14);
  expect(new Set(report.vulnerabilities.map(({ id }: { id: string }) => id)).size).toBe(14);
});

test('the table has one line for each line of ours, at most as wide as it is said to be', async () => {
  const { out } = await ask('table');
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
});

test('more than code scanning shows is cut from the least severe on, and the count is a result', () => {
  const records = Array.from({ length: 5100 }, (_, index) =>
    record(`GHSA-m${index}`, 'many', {
      database_specific: { severity: index < 5000 ? 'LOW' : 'CRITICAL' },
    }),
  );
  const scan = findVulnerabilities(sbomOf('pkg:pypi/many@1'), dataOf({ records }));
  const text = toVulnsSarif(
    {
      source: 'many',
      subject: { digests: [], hashes: [], ancestors: [] },
      database: { path: 'db', file: { digest: 'sha256:x', size: 1 }, facts: scan.database },
      scan,
      unused: [],
    },
    '1.0.0',
  );
  const log = JSON.parse(text);
  expect(sarifProblems(log)).toEqual([]);
  const { results, tool } = log.runs[0];
  expect(results).toHaveLength(5000);
  expect(results.slice(0, 100).every(({ level }: { level: string }) => level === 'error')).toBe(true);
  expect(results.at(-1)).toMatchObject({
    ruleId: 'tcf/left-out',
    message: { text: expect.stringContaining('101 results') },
  });
  expect(tool.driver.rules.length).toBeLessThanOrEqual(25_000);
  expect(gzipSync(text).length).toBeLessThan(10 * 1024 * 1024);
});
