import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { TcfError } from '../../src/base/error.ts';
import { no, type Outcome, yes } from '../../src/base/outcome.ts';
import { parseStrictYaml } from '../../src/policy/yaml.ts';
import { runs } from '../support/runs.ts';

const root = join(import.meta.dirname, '../..');
const files = globSync(
  ['policies/*.yaml', 'fixtures/{fields,policies}/**/*.yaml', 'fixtures/exports/kyverno/*.yaml'],
  { cwd: root },
);
const second = (text: string): unknown =>
  parse(text, { version: '1.2', schema: 'core', stringKeys: true }) as unknown;

test.for(files.map((file) => [file]))('%s means the same to another reader', ([file = '']) => {
  const text = readFileSync(join(root, file), 'utf8');
  if (/^---$/m.test(text)) {
    return;
  }
  expect(parseStrictYaml(text, file).value).toEqual(second(text));
});

test.for(
  `~|null|Null|NULL|nULL||true|True|TRUE|tRue|yes|on|n|0|00|07|0o17|0O17|0x1f|0xFG|+1|-0|1_000|1:30|1e3|1.|.5|.|-|+.inf|-.INF|.nan|.NaN|2026-01-31|"1"|'true'|!|=|<<`.split(
    '|',
  ),
)('the scalar %s means the same to another reader, or nothing', (scalar) => {
  const read = readOrRefuse(`a: ${scalar}`);
  if (read.ok) {
    expect(read.value).toEqual(second(`a: ${scalar}`));
  } else {
    expect(['!', '-', '|']).toContain(scalar);
  }
});

test.for([
  ['an anchor on text', 'a: &x b', '1:4: anchors and aliases'],
  ['an anchor on a list', 'a: &x [b]', '1:4: anchors and aliases'],
  ['an anchor on a mapping', 'a: &x { b: c }', '1:4: anchors and aliases'],
  ['an anchor on a key', '&x a: b', '1:1: anchors and aliases'],
  ['an alias', 'a: *x', '1:4: anchors and aliases'],
  ['an alias as a key', '*x : b', '1:1: a key is not text'],
  ['a tag on text', 'a: !!str b', '1:4: tags'],
  ['a tag on a list', 'a: !!seq [b]', '1:4: tags'],
  ['a tag on a mapping', 'a: !!map { b: c }', '1:4: tags'],
  ['a tag on a key', '!!str a: b', '1:1: tags'],
  ['a list as a key', '? [a]\n: b', '1:1: a key is not text'],
  ['a mapping as a key', '{ { a: b }: c }', '1:1: a key is not text'],
  ['another document', 'a: b\n---\nc: d', '3:5: the policy has multiple documents'],
  ['a document of nothing behind it', 'a: b\n---\n', '3:1: the policy has multiple documents'],
  ['a list in a hundred lists', '['.repeat(101), '1:'],
] as const)('%s is refused where it stands', ([, text, why]) => {
  expect(() => parseStrictYaml(text, 'x')).toThrow(`x:${why}`);
});

test.for([
  ['a value', ['a', 1, 'b'], undefined, '3:8: a[1].b'],
  ['a value in quotes', ['a', 2], undefined, '4:5: a[2]'],
  ['a value that is not written, by its key', ['d', 'e f'], undefined, '6:3: d."e f"'],
  ['a key', ['d'], 'e f', '6:3: d'],
  ['what is not there, by what is above it', ['d', 'g', 'h'], undefined, '6:3: d.g.h'],
  ['a key that is not there, by its mapping', ['d'], 'z', '6:3: d'],
  ['the document', [], undefined, '1:1: '],
] as const)('%s is found again', ([, path, key, where]) => {
  const text = 'a:\n  - text\n  - b: c\n  - "x"\nd:\n  "e f":\n';
  const { message } = parseStrictYaml(text, 'x').wrong(path, 'is wrong', key === undefined ? {} : { key });
  expect(message).toBe(`x:${where}${where.endsWith(' ') ? '' : ' '}is wrong`);
});

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('list'), tie('map')),
  leaf: fc.oneof(
    fc.string({ unit: fc.constantFrom(...`aZ0 \n\t:#-?,[]{}&*!|>'"%@\`~\\\u00e9\u2028\u{1f600}`) }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  ),
  list: fc.array(tie('tree')),
  map: fc.dictionary(fc.string({ maxLength: 8 }), tie('tree')),
}));

function readOrRefuse(text: string): Outcome<unknown, TcfError> {
  try {
    return yes(parseStrictYaml(text, 'x').value);
  } catch (error) {
    if (error instanceof TcfError) {
      return no(error);
    }
    throw error;
  }
}

const styles = fc.constantFrom('BLOCK_LITERAL', 'PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE');
const collections = fc.constantFrom('any', 'block', 'flow');

test('whatever is written in some style means the same to another reader', () => {
  fc.assert(
    fc.property(tree, styles, collections, (value, defaultStringType, collectionStyle) => {
      const text = stringify(
        { top: value },
        { defaultStringType, collectionStyle, aliasDuplicateObjects: false },
      );
      const read = readOrRefuse(text);
      if (read.ok) {
        expect(read.value).toEqual(second(text));
      }
      // Others are written by that library now and then in a way that only itself can read.
      else {
        expect(defaultStringType).not.toBe('QUOTE_DOUBLE');
      }
      expect(parseStrictYaml(JSON.stringify(value), 'x').value).toEqual(value);
    }),
    { numRuns: runs(1500) },
  );
});
