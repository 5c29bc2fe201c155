import type { Diagnostic } from '../base/diagnostic.ts';
import { readPurl } from '../bom/purl.ts';
import type { SbomFacts } from '../bom/read.ts';
import {
  type ComponentShape,
  formatComponent,
  matchComponent,
  toComponentPattern,
} from './component-pattern.ts';
import type { Policy, Scope } from './document.ts';
import type { ComponentsParams } from './rules/components.ts';

/** A list of a policy and the place where it stands. */
interface Listed {
  readonly place: string;
  readonly entries: readonly ComponentShape[];
}

/**
 * The entries of `components` that match nothing in an SBOM, so that a name that was misspelled shows. A deny
 * list is meant to match nothing, so its entries are notes; a required component that matches nothing denies
 * the image.
 */
export function unmatchedEntries(policy: Policy, { components }: SbomFacts): readonly Diagnostic[] {
  const packages = components.flatMap(({ purl = '' }) => readPurl(purl) ?? []);
  return policy.scopes.flatMap(listsOf).flatMap(({ entries, place }) =>
    entries
      .filter((entry) => {
        const pattern = toComponentPattern(entry);
        return packages.every((found) => matchComponent(pattern, found) === 'none');
      })
      .map(
        (entry): Diagnostic => ({
          level: place.endsWith('require') ? 'warning' : 'note',
          code: 'policy.entry-unmatched',
          subject: place,
          message: `${formatComponent(entry)} matches nothing in the SBOM`,
        }),
      ),
  );
}

function listsOf({ match, require }: Scope): readonly Listed[] {
  const { deny = [], require: required = [] } = (require['components'] ?? {}) as ComponentsParams;
  return [
    { place: `${match}: components.deny`, entries: deny },
    { place: `${match}: components.require`, entries: required },
  ];
}
