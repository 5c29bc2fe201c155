import { compact } from '../../base/compact.ts';
import { byCodeUnit } from '../../base/text.ts';
import type { ComponentEvidence, Identity, Occurrence } from '../../bom/model.ts';
import { type Claim, type Declaration, methods } from './claims.ts';
import type { Thing } from './things.ts';

/** A prebuilt tree has hundreds of tools that all name their LLVM; this many tell enough. */
const maxOccurrences = 50;

/** Where an LLVM lies and how its version was learned; `concluded` is what the version stands on. */
export function evidenceOf(
  thing: Thing,
  concluded: readonly (Claim | Declaration)[],
  version: string | undefined,
): ComponentEvidence {
  return {
    identity: identityOf(concluded, [...thing.claims, ...thing.declarations], version),
    occurrences: occurrencesOf(thing),
  };
}

function identityOf(
  concluded: readonly (Claim | Declaration)[],
  all: readonly (Claim | Declaration)[],
  version: string | undefined,
): readonly Identity[] {
  const unique = new Map(
    all.map((entry) => {
      const { technique, confidence, word } = methods[entry.rung];
      const { commit, repository } = entry;
      const value = [
        word,
        entry.version,
        repository,
        commit ?? (entry.version === undefined ? 'unknown' : undefined),
      ]
        .filter((part) => part !== undefined)
        .join(' ');
      return [value, { technique, confidence, value: `${value} in ${entry.path}` }];
    }),
  );
  return [
    compact({
      field: 'version',
      confidence: Math.max(0, ...concluded.map(({ rung }) => methods[rung].confidence)),
      concludedValue: version,
      methods: [...unique.values()].sort((a, b) => byCodeUnit(a.value, b.value)),
    }),
  ];
}

function occurrencesOf({ claims, declarations }: Thing): readonly Occurrence[] {
  const places = new Map<string, Occurrence>();
  for (const entry of [...claims, ...declarations]) {
    if (places.has(entry.path)) {
      continue;
    }
    const offset = 'offset' in entry && entry.rung !== 'N' ? entry.offset : undefined;
    places.set(
      entry.path,
      compact({
        location: entry.path,
        layer: entry.layer,
        offset,
      }),
    );
  }
  return [...places.values()].sort((a, b) => byCodeUnit(a.location, b.location)).slice(0, maxOccurrences);
}
