import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compile } from '../../src/policy/cel.ts';
import { decide } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { toPolicyJsonSchema } from '../../src/policy/schema.ts';
import { type EvidenceSpec, toEvidence } from '../support/evidence.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const names = readdirSync(join(root, 'policies'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -5));

const cases = names.flatMap((name) =>
  (['allows', 'denies'] as const).flatMap((folder) => {
    const path = join('fixtures/policies', name, folder);
    return readdirSync(join(root, path)).map(
      (file) => [`${name} ${folder} ${file.slice(0, -5)}`, name, folder, join(path, file)] as const,
    );
  }),
);

test.for(cases)('%s', ([, name, folder, path]) => {
  const policy = parsePolicy(read(`policies/${name}.yaml`), `${name}.yaml`, { compile });
  const decision = decide(policy, toEvidence(JSON.parse(read(path)) as EvidenceSpec));
  expect(decision.verdict, JSON.stringify(decision.findings)).toBe(folder === 'allows' ? 'allow' : 'deny');
});

test('every policy we ship has an image it allows and one it denies', () => {
  expect(readdirSync(join(root, 'fixtures/policies')).sort()).toEqual(names.sort());
  for (const name of names) {
    expect(
      cases.filter((entry) => entry[1] === name && entry[2] === 'allows'),
      name,
    ).not.toEqual([]);
    expect(
      cases.filter((entry) => entry[1] === name && entry[2] === 'denies'),
      name,
    ).not.toEqual([]);
  }
});

test('policies/schema.json is what the code reads (UPDATE_GOLDEN=1 rewrites it)', () => {
  const schema = `${JSON.stringify(toPolicyJsonSchema(), null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(join(root, 'policies/schema.json'), schema);
  }
  expect(read('policies/schema.json')).toBe(schema);
});

test('the schema takes our policies and refuses a misspelled one', () => {
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(read('policies/schema.json')) as object);
  for (const name of names) {
    expect(validate(parse(read(`policies/${name}.yaml`))), JSON.stringify(validate.errors)).toBe(true);
  }
  const misspelled = read('policies/baseline.yaml').replace('require:', 'requires:');
  expect(validate(parse(misspelled))).toBe(false);
});
