import { expect, test } from 'vitest';
import { namesWithTwoMeanings, readSources } from '../bench/figures.ts';

/* What a machine can judge of words without annoying anybody; the rest is taste: docs/glossary.md. */

const sources = readSources();

test('an exported name means one thing', () => {
  expect(Object.fromEntries(namesWithTwoMeanings(sources))).toEqual({});
});

/** Phrases that came from another language, with what is said in their place. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/(?<!there )\bis no (?!longer|more|less)\w/i, 'is not a'],
  [/\b(?:name|version|type|size|status|architecture)s? that (?:is|are) none\b/, 'an invalid name'],
  [/\bso many\b/, 'COUNT'],
  [/\banew\b/, 'again'],
  [/\bby now\b/, 'now'],
  [/\bleave (?:it|that|--[\w-]+) away\b/, 'leave it out'],
  [/\bthat speak of\b/, 'referrers'],
  [/^ *mend:/m, 'hint:'],
];

test.for(phrases)('no message says %s, but %s', ([phrase]) => {
  const found = sources.flatMap(({ path, texts }) =>
    texts.filter((text) => phrase.test(text)).map((text) => `${path}: ${text}`),
  );
  expect(found).toEqual([]);
});
