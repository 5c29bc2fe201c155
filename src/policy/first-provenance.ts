import type { ProvenanceFacts } from '../attest/provenance.ts';

/** What a first policy asks of the provenance, beside who attests it: what it says today. */
export interface BuildTerms {
  readonly builder?: string;
  readonly sourceRepository?: string;
  readonly ref?: string;
}

/**
 * What all of the provenances say alike, as far as the rule has words for it. Another branch than today's is
 * refused; a tag is another one for each release, so any is taken.
 */
export function buildTermsOf(facts: readonly ProvenanceFacts[]): BuildTerms {
  const sources = facts.flatMap((one) => one.sources);
  const ref = onlyOne(sources.map((source) => source.ref));
  const terms = {
    builder: onlyOne(facts.map(({ builder }) => builder)),
    sourceRepository: onlyOne(sources.map(({ repository }) => repository)),
    ref: ref?.startsWith('refs/tags/') ? 'refs/tags/*' : ref,
  };
  const said = Object.entries(terms).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.filter(([key, value]) => isExact[key as keyof BuildTerms](value ?? '')));
}

/** In a policy a star is a pattern, and a text with blanks is no term: neither is what was attested. */
const isExact: Readonly<Record<keyof BuildTerms, (value: string) => boolean>> = {
  builder: (value) => /^[!-)+-~]+$/.test(value),
  sourceRepository: (value) => /^[a-z][a-z0-9+.-]*:\/\/[!-"$-)+-?A-~]+$/.test(value),
  ref: (value) => value === 'refs/tags/*' || /^refs\/[!-)+-~]+$/.test(value),
};

function onlyOne(values: readonly (string | undefined)[]): string | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}

const wordsOf: Readonly<Record<keyof BuildTerms, string>> = {
  builder: 'That builder made it:',
  sourceRepository: 'of that repository:',
  ref: 'at that branch or tag:',
};

/** The lines below `provenance:`, with the reason of each above it. */
export function formatBuildTerms(terms: BuildTerms): readonly string[] {
  return (Object.keys(wordsOf) as (keyof BuildTerms)[]).flatMap((key) => {
    const value = terms[key];
    return value === undefined ? [] : [`# ${wordsOf[key]}`, `${key}: ${JSON.stringify(value)}`];
  });
}
