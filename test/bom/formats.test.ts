import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type CycloneDxOptions, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import type { MadeSbom } from '../../src/bom/formats/format.ts';
import { sbomFormats } from '../../src/bom/formats/index.ts';
import { richBom } from '../support/bom.ts';

const golden = new URL('../../fixtures/bom/formats/', import.meta.url);
const options: CycloneDxOptions = {
  specVersion: '1.7',
  toolVersion: '0.1.0',
  timestamp: '2026-11-20T10:00:00Z',
};

function rich(): MadeSbom {
  const bom = richBom();
  return { bom, options, document: toCycloneDx(bom, options) };
}

test('each format has a name of its own that can be typed, and a line of help', () => {
  const names = sbomFormats.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(sbomFormats.length).toBeGreaterThan(1);
  for (const { name, summary } of sbomFormats) {
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(summary).toMatch(/^\S.{5,80}$/);
  }
});

test('each file of the folder is in the list', () => {
  const folder = new URL('../../src/bom/formats/', import.meta.url);
  const files = readdirSync(folder).filter((file) => !['format.ts', 'index.ts'].includes(file));
  for (const { name } of sbomFormats) {
    expect(files).toContain(`${name}.ts`);
  }
});

test.for(sbomFormats.map((format) => [format.name, format] as const))(
  '%s: the same BOM, byte for byte',
  ([name, format]) => {
    const env = { GITHUB_SHA: 'a'.repeat(40), GITHUB_REF: 'refs/heads/main', GITHUB_JOB: 'sbom' };
    const text = format.write(rich(), env);
    expect(format.write(rich(), env)).toBe(text);
    expect(text.endsWith('\n')).toBe(true);
    expect(text).toContain('torch');
    const file = new URL(`rich.${name}`, golden);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      mkdirSync(golden, { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(readFileSync(file, 'utf8'));
  },
);
