import { describe, expect, test } from 'vitest';
import { isProvenance, parseProvenance } from '../../src/attest/provenance.ts';

const current = 'https://slsa.dev/provenance/v1';
const old = 'https://slsa.dev/provenance/v0.2';
const builder = { id: 'https://builder.test' };
const buildType = 'https://build.test';

const build = (externalParameters: unknown, resolvedDependencies?: unknown) => ({
  buildDefinition: { buildType, externalParameters, resolvedDependencies },
  runDetails: { builder },
});
const repository = 'https://github.com/acme/app';
const ref = 'refs/heads/main';
const commit = 'a'.repeat(40);

test.for([
  [current, true],
  ['https://slsa.dev/provenance/v1.2', true],
  [old, true],
  ['https://slsa.dev/provenance/v0.1', false],
  ['https://slsa.dev/provenance/v1.23', false],
  [`x${current}`, false],
  [`${current}/x`, false],
] as const)('%s is a type of provenance: %s', ([type, is]) => {
  expect(isProvenance(type)).toBe(is);
});

describe('the source of a build', () => {
  test.for<[string, string, unknown, unknown]>([
    ['a workflow', current, build({ workflow: { repository, ref } }), [{ repository, ref }]],
    ['a workflow without a ref', current, build({ workflow: { repository } }), [{ repository }]],
    ['an address', current, build({ source: `git+${repository}@${ref}` }), [{ repository, ref }]],
    ['an address in an object', current, build({ source: { uri: repository } }), [{ repository }]],
    [
      'a commit is not a ref',
      current,
      build({ source: `git+${repository}.git#${commit}` }),
      [{ repository }],
    ],
    ['a folder of it', current, build({ source: `${repository}.git#${ref}:docs` }), [{ repository, ref }]],
    ['a slash at its end', current, build({ source: `${repository}/` }), [{ repository }]],
    ['an object that says nothing', current, build({ source: {} }), []],
    [
      'git+ and .git inside an address',
      current,
      build({ source: 'https://acme.github.io/git+app' }),
      [{ repository: 'https://acme.github.io/git+app' }],
    ],
    [
      'several places',
      current,
      build({ workflow: { repository, ref }, configSource: { uri: 'https://other.test' } }),
      [{ repository, ref }, { repository: 'https://other.test' }],
    ],
    [
      'one git repository among the materials',
      current,
      build({}, [{ uri: 'pkg:docker/debian@12' }, { uri: `git+${repository}@${ref}` }]),
      [{ repository, ref }],
    ],
    [
      'two git repositories among the materials: nobody says which',
      current,
      build({}, [{ uri: `git+${repository}` }, { uri: 'git+https://other.test' }]),
      [],
    ],
    [
      'the old format',
      old,
      { builder, buildType, invocation: { configSource: { uri: `git+${repository}@${ref}` } } },
      [{ repository, ref }],
    ],
    ['the old format, without an invocation', old, { builder, buildType }, []],
  ])('%s', ([, type, predicate, sources]) => {
    expect(parseProvenance(type, predicate)).toMatchObject({
      ok: true,
      value: { builder: builder.id, buildType, sources },
    });
  });
});

test('materials have the digests that are texts', () => {
  const predicate = build({}, [{ uri: 'pkg:generic/a', digest: { sha256: 'aa', size: 5 } }, {}]);
  expect(parseProvenance(current, predicate)).toMatchObject({
    value: {
      materials: [
        { uri: 'pkg:generic/a', digests: ['sha256:aa'] },
        { uri: '', digests: [] },
      ],
    },
  });
});

test.for<[string, string, unknown]>([
  ['nothing', current, undefined],
  ['no builder', current, { ...build({}), runDetails: {} }],
  ['no parameters', current, build(undefined)],
  ['parameters that are a list', current, build([])],
  ['no type of build', old, { builder }],
])('%s is refused', ([, type, predicate]) => {
  expect(parseProvenance(type, predicate)).toMatchObject({
    ok: false,
    reason: { code: 'document.malformed' },
  });
});
