import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { TcfError } from '../../src/base/error.ts';
import { compile } from '../../src/policy/cel.ts';
import { decide } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { toPolicyJsonSchema } from '../../src/policy/schema.ts';
import { claimNames } from '../../src/policy/signer-schema.ts';
import { type EvidenceSpec, issuer, toEvidence, toRoots } from '../support/evidence.ts';

/** One policy that uses the field, images that it allows and images that it denies, by name. */
interface FieldCase {
  readonly policy: Readonly<Record<string, unknown>>;
  readonly allows: Readonly<Record<string, EvidenceSpec>>;
  readonly denies: Readonly<Record<string, EvidenceSpec>>;
}

const folder = join(import.meta.dirname, '../../fixtures/fields');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

/** Some fields are not decided about in this room. */
const elsewhere: Readonly<Record<string, string>> = {
  version: 'there is only one',
  'trust.root': 'whom a proof believes: test/commands/keyless.test.ts',
  'trust.instances': 'whom a proof believes: test/commands/instances.test.ts',
  'trust.experimental': 'whom a proof believes: test/commands/instances.test.ts',
  'layerCache.signers': 'whose word about layers counts: test/commands/shared-cache.test.ts',
  'trust.pins': 'whose files of pins tcf sbom believes: test/commands/pins.test.ts',
  'trust.maxAge.warn': 'a warning decides nothing: test/policy/root-age.test.ts',
};

const keyFiles = { 'team.pub': readFileSync(join(folder, 'team.pub'), 'utf8') };
const verdictOf = (policy: unknown, spec: EvidenceSpec): string => {
  const parsed = parsePolicy(JSON.stringify(policy), 'policy.json', { compile, keyFiles });
  return decide(parsed, toEvidence(spec), toRoots(spec)).verdict;
};
const readCase = (field: string): FieldCase =>
  parse(readFileSync(join(folder, `${field}.yaml`), 'utf8')) as FieldCase;

type Schema = Readonly<Record<string, unknown>>;

/** Every key that the schema knows and that holds no more keys, as a path: `scopes.require.signed.by`. */
function fieldsOf(schema: Schema, path: readonly string[] = []): readonly string[] {
  const forms = [schema['anyOf'], schema['oneOf']].flatMap((list) =>
    Array.isArray(list) ? list : [],
  ) as Schema[];
  const members = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const named = path.at(-1) === 'signers' ? [schema['additionalProperties']] : [];
  const inner = [
    ...members.flatMap(([key, child]) => fieldsOf(child, [...path, key])),
    ...[schema['items'], ...named, ...forms].flatMap((child) =>
      typeof child === 'object' && child !== null ? fieldsOf(child as Schema, path) : [],
    ),
  ];
  return inner.length > 0 ? inner : [path.join('.')];
}

const fields = [...new Set(fieldsOf(toPolicyJsonSchema() as Schema))].filter(
  (field) => !(field in elsewhere),
);

test('every field of the policy has a file, and every file is about a field', () => {
  expect(files.toSorted()).toEqual(fields.toSorted());
});

test.for(files.map((field) => [field]))('%s has images it allows and images it denies', ([field = '']) => {
  const { allows, denies, policy } = readCase(field);
  expect(Object.keys(allows).length).toBeGreaterThan(0);
  expect(Object.keys(denies).length).toBeGreaterThan(0);
  for (const [name, spec] of Object.entries(allows)) {
    expect(verdictOf(policy, spec), name).toBe('allow');
  }
  for (const [name, spec] of Object.entries(denies)) {
    expect(verdictOf(policy, spec), name).toBe('deny');
  }
});

test.for(files.map((field) => [field]))(
  '%s is what decides there: without it, it is another policy',
  ([field = '']) => {
    const { allows, denies, policy } = readCase(field);
    const without = remove(policy, field.split('.'));
    expect(without, 'the policy uses the field').not.toEqual(policy);
    const images = [...Object.values(allows), ...Object.values(denies)];
    const verdicts = (of: unknown): readonly string[] => images.map((spec) => verdictOf(of, spec));
    try {
      expect(verdicts(without)).not.toEqual(verdicts(policy));
    } catch (error) {
      // A field that cannot be left away decides whether there is a policy at all.
      if (!(error instanceof TcfError && error.code === 'policy.malformed')) {
        throw error;
      }
    }
  },
);

/** The same without that key, wherever it stands. */
function remove(value: unknown, [key = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => remove(item, [key, ...rest]));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (rest.length === 0) {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  }
  // Signers have names of the author's choice, which are no part of a path.
  const descend = (inner: unknown): unknown =>
    key === 'signers' ? mapValues(inner as object, (one) => remove(one, rest)) : remove(inner, rest);
  return mapValues(value, (inner, name) => (name === key ? descend(inner) : inner));
}

function mapValues(members: object, map: (value: unknown, name: string) => unknown): unknown {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, map(value, name)]));
}

test.for(claimNames.map((claim) => [claim] as const))(
  'the claim %s allows its value and no other',
  ([claim]) => {
    const identity = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
    const policy = {
      version: 1,
      signers: { release: { issuer, identity, claims: { [claim]: 'wanted' } } },
      scopes: [{ match: 'quay.io', require: { signed: { by: ['release'] } } }],
    };
    const by = (claims: Readonly<Record<string, string>>): EvidenceSpec => ({
      candidates: [{ signer: { kind: 'keyless', issuer, identity, claims } }],
    });
    expect(verdictOf(policy, by({ [claim]: 'wanted' }))).toBe('allow');
    expect(verdictOf(policy, by({ [claim]: 'wanted ' }))).toBe('deny');
    expect(verdictOf(policy, by({}))).toBe('deny');
  },
);
