import { expect, test } from 'vitest';
import { nextLink } from '../../src/registry/link.ts';
import { refusal } from './support.ts';

test.for<readonly [string, string, string | undefined]>([
  ['nothing', '', undefined],
  ['one link', '</v2/a/referrers/x?n=2>; rel="next"', '/v2/a/referrers/x?n=2'],
  ['a bare relation', '</next>;rel=next', '/next'],
  ['a relation in capitals', '</next>; REL="NEXT"', '/next'],
  ['a comma in the target', '</next?last=a,b>; rel="next"', '/next?last=a,b'],
  ['a semicolon in the target', '</next?a;b>; rel="next"', '/next?a;b'],
  ['several links', '</first>; rel="first", </next>; rel="next", </last>; rel="last"', '/next'],
  ['several relations', '</next>; rel="last next"', '/next'],
  ['other parameters', '</next>; title="a, \\"b\\"; rel=prev"; rel="next"', '/next'],
  ['a second rel, which is ignored', '</a>; rel="prev"; rel="next"', undefined],
  ['a relation that only begins so', '</a>; rel="nextish"', undefined],
  ['no next', '</a>; rel="prev"', undefined],
])('%s', ([, header, expected]) => {
  expect(nextLink(header)).toBe(expected);
});

test.for([
  ['no end of the target', '</next; rel="next"'],
  ['text after a link', '</a>; rel="prev" junk'],
  ['text instead of a link', 'next page: /v2/'],
  ['too much of it', `<${'a'.repeat(20_000)}>; rel="next"`],
] as const)('A-61: %s is no end of the list', async ([, header]) => {
  expect(await refusal((async () => nextLink(header))())).toMatch(/^registry\.protocol/);
});

// The work is counted by what can be matched in two ways: a header of 16 KiB took 300 ms before.
test.for([
  ['targets', '<>,'.repeat(5000)],
  ['openings', '<'.repeat(16_000)],
  ['parameters', `<a>${';rel'.repeat(4000)}`],
  ['spaces', `<a>${' '.repeat(16_000)}x`],
  ['quotes', `<a>;rel="${'\\"'.repeat(8000)}`],
] as const)('a header full of %s ends', async ([, header]) => {
  expect(await refusal((async () => nextLink(header))())).toMatch(
    /^(?:registry\.protocol|nothing was thrown)/,
  );
});
