import { compact } from '../base/compact.ts';
import { byCodeUnit } from '../base/text.ts';
import type { Advisory, AffectedPackage, Severity } from './advisory.ts';
import { groupByAlias, namesOfGroup } from './aliases.ts';
import type { VersionAnswer, VulnVerdict } from './evaluate.ts';
import type { PlacedComponent } from './owners.ts';
import type { FoundComponent, Justification, SourceAnswer, VulnFinding } from './scan.ts';

/** Whose word counts where sources differ, first ones first; `distribution` stands for all of them. */
export type SourceOrder = readonly (readonly string[])[];

export const defaultOrder: SourceOrder = [['distribution'], ['GHSA', 'PYSEC']];

/** The package that sources were asked about. */
export interface AboutPackage {
  readonly ecosystem: string;
  readonly name: string;
  readonly version?: string;
}

/** What one advisory says of it. */
export interface StatedAnswer {
  readonly source: string;
  readonly isDistribution: boolean;
  readonly advisory: Advisory;
  readonly affected: AffectedPackage;
  readonly answer: VersionAnswer & { readonly justification?: Justification };
}

/** One finding for each vulnerability, under whatever names sources know it. */
export function mergeAnswers(
  about: AboutPackage,
  components: readonly PlacedComponent[],
  stated: readonly StatedAnswer[],
  order: SourceOrder,
): readonly VulnFinding[] {
  const found = components
    .map(toFoundComponent)
    .sort((a, b) => byCodeUnit(a.bomRef ?? a.name, b.bomRef ?? b.name));
  return groupByAlias(stated, ({ advisory }) => advisory).map((group) =>
    mergeGroup(about, found, group, order),
  );
}

function mergeGroup(
  { ecosystem, name, version }: AboutPackage,
  components: readonly FoundComponent[],
  group: readonly StatedAnswer[],
  order: SourceOrder,
): VulnFinding {
  const [id, ...aliases] = namesOfGroup(group.map(({ advisory }) => advisory));
  const ranked = group.toSorted(
    (a, b) => rankOf(a, order) - rankOf(b, order) || byCodeUnit(a.advisory.id, b.advisory.id),
  );
  const chosen = choose(ranked, order);
  const answers = ranked.map(toSourceAnswer);
  const fixes = group.filter(({ answer }) => answer.fixedIn !== undefined);
  const severity = severityOfGroup([chosen, ...ranked]);
  const informational = group.every(({ advisory }) => advisory.informational !== undefined)
    ? chosen.advisory.informational
    : undefined;
  return compact({
    id,
    aliases,
    upstream: distinct(group.flatMap(({ advisory }) => advisory.upstream)),
    ecosystem,
    package: name,
    version,
    components,
    verdict: chosen.answer.verdict,
    why: chosen.answer.why,
    justification: chosen.answer.justification,
    answers,
    differs: new Set(answers.map(({ verdict }) => yesOrNo(verdict))).size > 1,
    severity,
    urgency: ranked.map(({ affected }) => affected.urgency).find((word) => word !== undefined),
    fixedIn: chosen.answer.fixedIn ?? fixes[0]?.answer.fixedIn,
    fixedSince: fixes.flatMap(({ advisory }) => advisory.published ?? []).sort(byCodeUnit)[0],
    summary: ranked.map(({ advisory }) => advisory.summary).find((text) => text !== undefined),
    disputed: group.every(({ advisory }) => advisory.disputed === true) ? (true as const) : undefined,
    informational,
  });
}

function distinct(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)].sort(byCodeUnit);
}

/** Fixed and not affected are both a no. */
function yesOrNo(verdict: VulnVerdict): VulnVerdict {
  return verdict === 'fixed' ? 'not-affected' : verdict;
}

function rankOf({ isDistribution, source }: StatedAnswer, order: SourceOrder): number {
  const at = order.findIndex(
    (names) => names.includes(source) || (isDistribution && names.includes('distribution')),
  );
  return at < 0 ? order.length : at;
}

/** From what counts most. */
const byWeight: readonly VulnVerdict[] = ['affected', 'fixed', 'not-affected'];

/** The source that counts most and can tell; of equal ones the one that says the worst. */
function choose(ranked: readonly StatedAnswer[], order: SourceOrder): StatedAnswer {
  const [first, second] = ranked;
  if (first !== undefined && second === undefined) {
    return first;
  }
  for (let rank = 0; rank <= order.length; rank += 1) {
    const equals = ranked.filter((one) => rankOf(one, order) === rank);
    for (const verdict of byWeight) {
      const found = equals.find(({ answer }) => answer.verdict === verdict);
      if (found === undefined) {
        continue;
      }
      // Beside a source of the same weight that cannot tell, a no is not proven.
      const doubt = equals.find(({ answer }) => answer.verdict === 'cannot-tell');
      return verdict === 'affected' || doubt === undefined ? found : doubt;
    }
  }
  return ranked[0] as StatedAnswer;
}

function severityOfGroup(group: readonly StatedAnswer[]): Severity {
  const all = group.flatMap(({ advisory, affected }) => [
    ...(affected.severity === undefined ? [] : [affected.severity]),
    advisory.severity,
  ]);
  return (
    all.find(({ score }) => score !== undefined) ??
    all.find(({ level }) => level !== 'unknown') ?? { level: 'unknown' }
  );
}

function toSourceAnswer({ advisory, affected, answer, source }: StatedAnswer): SourceAnswer {
  return compact({
    source,
    id: advisory.id,
    verdict: answer.verdict,
    why: answer.why,
    fixedIn: answer.fixedIn,
    published: advisory.published,
    severity: affected.severity ?? advisory.severity,
    urgency: affected.urgency,
  });
}

function toFoundComponent({ component, owners }: PlacedComponent): FoundComponent {
  const { bomRef, context, location, name, properties, purl, version } = component;
  const outermost = owners.at(-1)?.component;
  const origin = properties['tcf:origin'];
  return compact({
    bomRef,
    name,
    version,
    purl,
    location,
    context,
    origin: origin === 'added' || origin === 'base' ? origin : undefined,
    inside:
      outermost === undefined
        ? undefined
        : [outermost.name, outermost.version].filter((word) => word !== undefined).join(' '),
    insidePurl: outermost?.purl,
  });
}
