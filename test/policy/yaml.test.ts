import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { TcfError } from '../../src/base/error.ts';
import { no, type Outcome, yes } from '../../src/base/outcome.ts';
import { parseStrictYaml } from '../../src/policy/yaml.ts';

const root = join(import.meta.dirname, '../..');
const files = globSync(
  ['policies/*.yaml', 'fixtures/{fields,policies}/**/*.yaml', 'fixtures/exports/kyverno/*.yaml'],
  { cwd: root },
);
const second = (text: string): unknown =>
  parse(text, { version: '1.2', schema: 'core', stringKeys: true }) as unknown;

test.for(files.map((file) => [file]))('%s means the same to another reader', ([file = '']) => {
  const text = readFileSync(join(root, file), 'utf8');
  if (/^---$/m.test(text)) return;
  expect(parseStrictYaml(text, file).value).toEqual(second(text));
});

test.for(
  `~|null|Null|NULL|nULL||true|True|TRUE|tRue|yes|on|n|0|00|07|0o17|0O17|0x1f|0xFG|+1|-0|1_000|1:30|1e3|1.|.5|.|-|+.inf|-.INF|.nan|.NaN|2026-01-31|"1"|'true'|!|=|<<`.split(
    '|',
  ),
)('the scalar %s means the same to another reader, or nothing', (scalar) => {
  const read = readOrRefuse(`a: ${scalar}`);
  if (read.ok) expect(read.value).toEqual(second(`a: ${scalar}`));
  else expect(['!', '-', '|']).toContain(scalar);
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
    if (error instanceof TcfError) return no(error);
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
      if (read.ok) expect(read.value).toEqual(second(text));
      // Others are written by that library now and then in a way that only itself can read.
      else expect(defaultStringType).not.toBe('QUOTE_DOUBLE');
      expect(parseStrictYaml(JSON.stringify(value), 'x').value).toEqual(value);
    }),
    { numRuns: 5000 },
  );
});
