import { describe, expect, test } from 'vitest';
import { checkPredicate, predicateNames, toPredicateType } from '../../src/attest/predicate.ts';
import { predicateTypes } from '../../src/attest/statement.ts';
import { Shape } from '../../src/base/shape.ts';

test.for([
  ['cyclonedx', predicateTypes.cyclonedx],
  ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
  ['https://acme.test/scan/v1', 'https://acme.test/scan/v1'],
  ['toString', undefined],
  ['scan', undefined],
  ['x https://acme.test', undefined],
  ['https://acme.test/a b', undefined],
] as const)('%s is a name of the predicate type %s', ([name, type]) => {
  expect(toPredicateType(name)).toBe(type);
});

const check = (type: string, predicate: unknown) => checkPredicate(type, new Shape(predicate, 'predicate'));
const builder = { id: 'https://builder.test' };
const slsa = {
  buildDefinition: { buildType: 'https://build.test', externalParameters: {} },
  runDetails: { builder },
};
const slsa02 = { buildType: 'https://build.test', builder };
const vex = {
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://acme.test/vex',
  author: 'acme',
  timestamp: '2026-01-01T00:00:00Z',
  statements: [{ vulnerability: { name: 'CVE-2026-1' }, status: 'not_affected' }],
};
const vexType = predicateNames['openvex'] ?? '';
const slsa02Type = predicateNames['slsaprovenance02'] ?? '';

describe('a predicate that has what its readers need', () => {
  test.for<[string, string, unknown]>([
    ['SLSA 1', predicateTypes.provenance, slsa],
    ['SLSA 0.2', slsa02Type, slsa02],
    ['OpenVEX', vexType, vex],
    ['SPDX', predicateTypes.spdx, { spdxVersion: 'SPDX-2.3' }],
    ['a type that is not known', 'https://acme.test/scan', { any: 'thing' }],
    ['a type with a member that a statement has too', 'https://acme.test/scan', { _type: 'scan' }],
    ['a type with another one', 'https://acme.test/scan', { predicateType: 'scan' }],
  ])('%s', ([, type, predicate]) => {
    expect(() => check(type, predicate)).not.toThrow();
  });
});

describe('is refused before it is signed', () => {
  test.for<[string, string, unknown]>([
    ['a list', 'https://acme.test/scan', []],
    [
      'a whole statement',
      'https://acme.test/scan',
      { _type: 'https://in-toto.io/Statement/v1', predicateType: 'x' },
    ],
    [
      'SLSA 1 without a type of build',
      predicateTypes.provenance,
      { ...slsa, buildDefinition: { externalParameters: {} } },
    ],
    [
      'SLSA 1 without parameters',
      predicateTypes.provenance,
      { ...slsa, buildDefinition: { buildType: 'https://build.test' } },
    ],
    [
      'SLSA 1 with a builder that is not a URI',
      predicateTypes.provenance,
      { ...slsa, runDetails: { builder: { id: 'us' } } },
    ],
    ['SLSA 0.2 with a type of build that is not a URI', slsa02Type, { ...slsa02, buildType: 'make' }],
    [
      'SLSA 0.2 with a builder behind other text',
      slsa02Type,
      { ...slsa02, builder: { id: '- https://a.test' } },
    ],
    [
      'SLSA 0.2 with a builder before other text',
      slsa02Type,
      { ...slsa02, builder: { id: 'https://a.test b' } },
    ],
    ['OpenVEX in another context', vexType, { ...vex, '@context': 'https://acme.test' }],
    ['OpenVEX without an author', vexType, { ...vex, author: undefined }],
    [
      'OpenVEX with another status',
      vexType,
      { ...vex, statements: [{ vulnerability: {}, status: 'unknown' }] },
    ],
    ['OpenVEX without a vulnerability', vexType, { ...vex, statements: [{ status: 'fixed' }] }],
    ['SPDX of no version', predicateTypes.spdx, { spdxVersion: '2.3' }],
    ['SPDX with more before its version', predicateTypes.spdx, { spdxVersion: 'xSPDX-2.3' }],
    ['SPDX with more behind its version', predicateTypes.spdx, { spdxVersion: 'SPDX-2.3x' }],
  ])('%s', ([, type, predicate]) => {
    expect(() => check(type, predicate)).toThrow(
      expect.objectContaining({ code: 'document.malformed', exit: 2 }),
    );
  });
});
