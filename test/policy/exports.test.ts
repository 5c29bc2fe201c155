import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { compile } from '../../src/policy/cel.ts';
import { type Policy, parsePolicy } from '../../src/policy/document.ts';
import { exportTargets } from '../../src/policy/exports/index.ts';
import type { ExportTarget } from '../../src/policy/exports/target.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'fixtures/exports');
const read = (path: string): string => readFileSync(path, 'utf8');

/** Our own policies, and those of the fixtures. */
const policies = new Map(
  [join(root, 'policies'), join(folder, 'policies')].flatMap((path) =>
    readdirSync(path)
      .filter((file) => file.endsWith('.yaml'))
      .map((file): [string, Policy] => [
        file.slice(0, -'.yaml'.length),
        parsePolicy(read(join(path, file)), file, { compile }),
      ]),
  ),
);

const cases = exportTargets.flatMap((target) =>
  [...policies].map(([name, policy]) => [`${target.name} ${name}`, target, name, policy] as const),
);

/** What came out, as one text: the files, or why there are none. */
function shown(target: ExportTarget, policy: Policy): { readonly text: string; readonly file: string } {
  const outcome = target.toFiles(policy);
  if (!outcome.ok) {
    const lines = outcome.reason.map(({ message, subject }) => `${subject}: ${message}\n`);
    return { text: lines.join(''), file: 'refused.txt' };
  }
  const { files, notes } = outcome.value;
  const parts = files.map(({ content, path }) => (files.length === 1 ? content : `# ${path}\n${content}`));
  return { text: [...notes.map((note) => `# ${note}\n`), ...parts].join(''), file: 'expected.yaml' };
}

test.for(cases)(
  '%s comes out as it is written down (UPDATE_GOLDEN=1 rewrites it)',
  ([, target, name, policy]) => {
    const { file, text } = shown(target, policy);
    const path = join(folder, target.name, `${name}.${file}`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      writeFileSync(path, text);
    }
    expect(existsSync(path) ? read(path) : '').toBe(text);
  },
);

test('every golden file is about a target and a policy, and each target takes one and refuses one', () => {
  const known = exportTargets.map(({ name }) => name);
  expect(readdirSync(folder).sort()).toEqual([...known, 'policies'].sort());
  for (const target of known) {
    const files = readdirSync(join(folder, target));
    expect(files.map((file) => file.split('.')[0]).sort(), target).toEqual([...policies.keys()].sort());
    expect(
      files.some((file) => file.endsWith('.refused.txt')),
      target,
    ).toBe(true);
    expect(
      files.some((file) => file.endsWith('.expected.yaml')),
      target,
    ).toBe(true);
  }
});

const schemaOf: Readonly<Record<string, string>> = {
  'cluster-image-policy.yaml': 'cluster-image-policy',
  'image-validating-policy.yaml': 'image-validating-policy',
  'kyverno.yaml': 'kyverno',
  'policy.json': 'containers-policy',
  'registries.d/tcf.yaml': 'containers-registries',
};

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);

test.for(cases)('%s fits the schema of the target', ([, target, , policy]) => {
  const outcome = target.toFiles(policy);
  for (const { content, path } of outcome.ok ? outcome.value.files : []) {
    const validate = ajv.compile(
      JSON.parse(read(join(root, 'test/support/schemas', `${schemaOf[path]}.json`))) as object,
    );
    const documents = parseAllDocuments(content).map((document) => document.toJS() as unknown);
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) {
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    }
  }
});

test('a policy that believes another Sigstore is not exported as if it believed the public one', () => {
  const text = JSON.stringify({
    version: 1,
    trust: { instances: ['sigstore', 'corp'] },
    signers: { ada: { issuer: 'https://accounts.google.com', identity: 'ada@acme.example' } },
    scopes: [{ match: 'quay.io', require: { signed: { by: ['ada'] } } }],
  });
  for (const target of exportTargets) {
    const outcome = target.toFiles(parsePolicy(text, 'policy.json'));
    expect(outcome.ok ? [] : outcome.reason.map(({ subject }) => subject), target.name).toContain(
      'trust.instances',
    );
  }
});

test('each thing that a target cannot say is named, so that it can be left out on purpose', () => {
  const everything = policies.get('everything');
  if (everything === undefined) {
    throw new Error('fixtures/exports/policies/everything.yaml is missing');
  }
  for (const target of exportTargets) {
    const outcome = target.toFiles(everything);
    const places = outcome.ok ? [] : outcome.reason.map(({ subject }) => subject);
    expect(places, target.name).toEqual(
      expect.arrayContaining([
        'trust.root',
        'trust.maxAge',
        'trust.logs.keyless',
        'trust.logs.key',
        'signers.release',
        'signers.release.claims',
        'signers.release.github',
        'deny',
        'exceptions',
        'scopes[0].require.signed.maxAge',
        'scopes[0].require.signed.notBefore',
        'scopes[0].require.signed.annotations',
        'scopes[0].require.provenance.sourceRepository',
        'scopes[0].require.provenance.ref',
        'scopes[0].require.baseImage',
        'scopes[0].require.sbom',
        'scopes[0].require.llvm',
        'scopes[0].require.components',
        'scopes[0].require.licenses',
        'scopes[0].require.attested.predicates[0].maxAge',
        'scopes[0].require.expressions',
      ]),
    );
  }
});
