import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import { parseJson } from '../../src/base/json.ts';
import { compile } from '../../src/policy/cel.ts';
import type { Variables } from '../../src/policy/expression.ts';
import { runs } from '../support/runs.ts';

const variables: Variables = {
  image: { registry: 'quay.io', repository: 'acme/app', digest: 'sha256:1', platform: 'sha256:2' },
  now: new Date('2026-11-23T12:00:00Z'),
  signatures: [
    {
      signer: 'release',
      identity: 'a@acme.example',
      time: new Date('2026-11-20T00:00:00Z'),
      annotations: { env: 'prod' },
    },
  ],
  attestations: [
    {
      type: 'https://example.com/scan',
      predicate: {
        critical: 0,
        ratio: 0.5,
        list: [1, 2, 3],
        nothing: null,
        $typeName: 'google.protobuf.Any',
      },
    },
  ],
  sbom: {
    components: Array.from({ length: 3000 }, (_, n) => ({
      name: `package-${n}`,
      version: '1.0',
      licenses: ['MIT'],
    })),
  },
};
const ask = (text: string, over: Partial<Variables> = {}) => compile(text)({ ...variables, ...over });

test.for([
  ['a name', 'image.repository.startsWith("acme/")', 'true'],
  [
    'a whole number of JSON',
    'attestations[0].predicate.critical == 0 && attestations[0].predicate.list[2] > 2',
    'true',
  ],
  ['a fraction of JSON', 'attestations[0].predicate.ratio < 0.6', 'true'],
  ['an age', 'signatures.all(s, now - s.time < duration("96h"))', 'true'],
  ['too old', 'signatures.all(s, now - s.time < duration("24h"))', 'false'],
  ['one of many', 'sbom.components.exists(c, c.name == "package-2999")', 'true'],
  ['none of many', '!sbom.components.exists(c, c.name in ["telnetd", "rsh"])', 'true'],
  ['a pattern', 'sbom.components.all(c, c.version.matches("^[0-9.]+$"))', 'true'],
  [
    'what is left of many',
    'sbom.components.filter(c, c.name.endsWith("9")).map(c, c.name).size() == 300',
    'true',
  ],
  ['a member that may be absent', 'has(signatures[0].key)', 'false'],
  [
    'a member of a map',
    '"env" in signatures[0].annotations && signatures[0].annotations["env"] == "prod"',
    'true',
  ],
  [
    "a stranger's name for a message",
    'attestations[0].predicate["$typeName"] == "google.protobuf.Any"',
    'true',
  ],
  ['a null of JSON', 'attestations[0].predicate.nothing == null', 'true'],
  ['two questions about every pair', 'signatures.all(s, attestations.all(a, a.type != s.signer))', 'true'],
] as const)('%s', ([, text, kind]) => {
  expect(ask(text)).toMatchObject({ kind });
});

test.for([
  ['a member that is absent', 'signatures[0].nothing == 1', 'nothing'],
  ['an index beyond the end', 'signatures[7].signer == "release"', ''],
  ['another kind of value', 'image.registry', 'neither true nor false'],
  ['an error that would be truthy', 'attestations[0].predicate.critical / 0', ''],
  ['kinds that cannot be compared', 'image.registry < 1', ''],
  ['an SBOM that is not there', 'sbom.components.size() == 0', ''],
  ['an SBOM that is not there, from the other side', '!(sbom.components.size() > 0)', ''],
] as const)('cannot tell: %s', ([, text, why]) => {
  expect(ask(text, { sbom: undefined })).toMatchObject({
    kind: 'cannot-tell',
    why: expect.stringContaining(why),
  });
});

const absentIn = (text: string, attestations: readonly unknown[]): readonly string[] => {
  const answer = ask(text, { attestations });
  return answer.kind === 'true' ? answer.absentTypes.map(({ wanted }) => wanted) : [answer.kind];
};
const scan = [{ type: 'https://example.com/scan' }];

test.for([
  ['one type', '!attestations.exists(a, a.type == "https://other")', ['https://other']],
  ['one of several', '!attestations.exists(a, a.type in ["https://other", "x"])', ['https://other']],
  ['a list of the types', 'attestations.map(a, a.type) != ["https://other"]', ['https://other']],
  ['a list of names', 'attestations.map(a, a.name + "") == ["name"]', []],
  ['a list that holds no text', 'attestations.map(a, 7) != ["https://other"]', []],
  ['the type that is there', 'attestations.exists(a, a.type == "https://example.com/scan")', []],
] as const)('says which types were asked for and are not attached: %s', ([, text, absent]) => {
  expect(absentIn(text, [{ ...scan[0], name: 'name' }])).toEqual(absent);
});

test('what one image was asked is not held against the next', () => {
  const expression = compile('attestations.all(a, a.type != "https://other")');
  const about = (attestations: readonly unknown[]) => expression({ ...variables, attestations });
  expect(about(scan)).toMatchObject({ absentTypes: [{ wanted: 'https://other' }] });
  expect(about([])).toMatchObject({ kind: 'true', absentTypes: [] });
});

test.for([[null], [7], ['text'], [{ type: 5 }], [{}]])(
  'an attestation that is %j has no type',
  (attestations) => {
    expect(ask('attestations.size() == 1', { attestations })).toEqual({ kind: 'true', absentTypes: [] });
  },
);

test.for([
  ['text', 'attestations[0].long + attestations[0].long + "x" != ""'],
  ['a list', '(attestations[0].list + attestations[0].list + [1]).size() > 0'],
] as const)('a sum of more than a million members is out of budget: %s', ([, text]) => {
  const parts = { long: 'x'.repeat(500_000), list: Array.from({ length: 100_000 }, () => 1) };
  const list = `(${Array.from({ length: 11 }, () => 'attestations[0].list').join(' + ')}).size() > 0`;
  const answer = ask(text.includes('list') ? list : text, { attestations: [parts] });
  expect(answer).toEqual({ kind: 'cannot-tell', why: 'it takes more than 1000000 steps' });
});

test.for([
  ['9007199254740993', 'n == 9007199254740993 && n != 9007199254740992 && n != 9007199254740994', 'true'],
  ['9007199254740993', 'n == 9007199254740992', 'false'],
  ['9007199254740993.0', 'n == 9007199254740992', 'false'],
  ['-9223372036854775808', 'n < -9223372036854775807', 'true'],
  ['18446744073709551615', 'n == 18446744073709551615u', 'true'],
  ['18446744073709551615', 'n == 18446744073709551614u', 'false'],
  ['18446744073709551616', 'n != 18446744073709551615u', 'cannot-tell'],
  ['1e30', 'n > 5.0', 'cannot-tell'],
] as const)('a number %s of JSON is that number: %s is %s', ([text, condition, kind]) => {
  const predicate = parseJson(`{"n": ${text}}`, 'the predicate');
  const attestations = [{ type: 'https://example.com/run', predicate }];
  const asked = ask(condition.replace(/\bn\b/g, 'attestations[0].predicate.n'), { attestations });
  expect(asked.kind).toBe(kind);
});

const doubled = (count: number): string => `["x"]${'.map(a, a + a)'.repeat(count)}`;

test.for([
  ['loops in loops', 'sbom.components.all(a, sbom.components.all(b, a.name != "x" || b.name != "y"))'],
  [
    'loops in loops beside something true',
    'sbom.components.all(a, sbom.components.all(b, a.name != "x")) || true',
  ],
  ['a text that doubles', `${doubled(60)}[0].size() > 0 || true`],
  ['a list that doubles', '[1].map(a, [a, a])'.concat('.map(a, a + a)'.repeat(60), '[0].size() > 0')],
  ['a list of itself, compared', `[1]${'.map(a, [a, a])'.repeat(60)} == [1]${'.map(a, [a, a])'.repeat(60)}`],
  [
    'a list of itself, looked for',
    `[1]${'.map(a, [a, a])'.repeat(60)} in [[1]${'.map(a, [a, a])'.repeat(60)}]`,
  ],
  [
    'a map of itself, compared',
    `[1]${'.map(a, {"l": a, "r": a})'.repeat(25)} == [1]${'.map(a, {"l": a, "r": a})'.repeat(25)}`,
  ],
  ['comparing everything with everything', 'sbom.components.all(a, a in sbom.components)'],
  ['a long text, searched each time', 'sbom.components.all(c, !attestations[0].long.contains(c.name + "y"))'],
  ['a long text and a pattern', 'sbom.components.all(c, attestations[0].long.matches("(x+x+)+y") == false)'],
] as const)('out of budget, whatever was found: %s', ([, text]) => {
  const answer = ask(text, { attestations: [{ long: 'x'.repeat(500_000) }] });
  expect(answer).toEqual({ kind: 'cannot-tell', why: 'it takes more than 1000000 steps' });
});

test('evidence that is larger than the budget is not looked into', () => {
  const answer = ask('true', { attestations: Array.from({ length: 1_000_001 }, () => 1) });
  expect(answer).toMatchObject({ kind: 'cannot-tell' });
});

test('the budget is that of one question', () => {
  const expression = compile('sbom.components.all(c, c.name != "x")');
  for (let round = 0; round < 20; round += 1) {
    expect(expression(variables)).toMatchObject({ kind: 'true' });
  }
});

test.for([
  ['nothing', ''],
  ['half of it', 'image.'],
  ['two of them', 'true; true'],
  ['a name that is not there', 'images.size() == 0'],
  ['a name of JavaScript', 'constructor == null'],
  ['a loop variable outside of its loop', 'signatures.all(s, true) && s == 1'],
  ['our own names', '@loop(1) == 1'],
  ['a function that is not there', 'image.registry.reverse() == ""'],
  ['a pattern out of the evidence', 'image.registry.matches(image.repository)'],
  ['a long pattern', `image.registry.matches("${'a'.repeat(201)}")`],
  ['a message of protobuf', 'google.protobuf.Timestamp{seconds: 1} == now'],
  ['a page and more', `true${' && true'.repeat(300)}`],
  ['brackets without end', '('.repeat(1900)],
] as const)('refused: %s', ([, text]) => {
  expect(() => compile(text)).toThrow(TcfError);
});

test('what a pattern may be is said', () => {
  const message = 'the pattern of "matches" has to be a text of at most 200 characters';
  expect(() => compile('image.registry.matches(image.repository)')).toThrow(message);
  expect(() => compile(`image.registry.matches("${'a'.repeat(201)}")`)).toThrow(message);
  expect(ask(`image.registry.matches("${'a'.repeat(200)}")`)).toMatchObject({ kind: 'false' });
});

test('whatever is written, it is refused or answered', () => {
  const word = fc.constantFrom(
    'image',
    'sbom',
    'now',
    'signatures',
    '.all(x, ',
    '.map(x, ',
    '.components',
    'x',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '==',
    '+',
    '"a"',
    '1',
    'true',
    '!',
    '&&',
    '||',
    '?',
    ':',
    ',',
    '.size()',
    ' in ',
    '.name',
    'has(',
    '.matches("a*")',
    'duration("1h")',
    '-',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      try {
        expect(['true', 'false', 'cannot-tell']).toContain(ask(words.join('')).kind);
      } catch (error) {
        expect(error).toBeInstanceOf(TcfError);
      }
    }),
    { numRuns: runs(2000) },
  );
});
