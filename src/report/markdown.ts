import { plural, printable } from '../base/text.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { Decision, JudgedFinding, Verdict } from '../policy/decide.ts';
import { describeException, signOf, wordOf } from './text.ts';

/** The verdict as GitHub Markdown for a job summary, with a line feed at its end. */
export function toMarkdown(verdict: Verdict): string {
  const sections = [
    `## ${verdict.verdict === 'allow' ? '✓' : '✗'} ${escapedMarkdown(wordOf(verdict))}`,
    escapedMarkdown(formatPinnedRef(verdict.image)),
    ...(verdict.decisions.length === 0 ? ['No policy was found, and without one nothing is allowed.'] : []),
    ...verdict.decisions.flatMap(decisionSections),
    candidateSection(verdict),
  ];
  return `${sections.join('\n\n')}\n`;
}

function decisionSections(decision: Decision): readonly string[] {
  const scope = decision.scope === undefined ? 'no scope' : `scope ${escapedMarkdown(decision.scope)}`;
  const rows = decision.findings.map(
    (finding) => `| ${signOf(finding)} | ${escapedMarkdown(finding.rule)} | ${details(finding)} |`,
  );
  return [
    `### Policy ${escapedMarkdown(decision.policy.name)}, ${scope}`,
    ['| | rule | finding |', '| --- | --- | --- |', ...rows].join('\n'),
  ];
}

function details(finding: JudgedFinding): string {
  const { actual, expected, hint, message, nearMisses = [], outcome } = finding;
  if (outcome === 'pass') {
    return escapedMarkdown(message);
  }
  return [
    escapedMarkdown(message),
    ...(expected === undefined ? [] : [`expected: ${escapedMarkdown(expected)}`]),
    ...(actual === undefined ? [] : [`actual: ${escapedMarkdown(actual)}`]),
    ...nearMisses.map((miss) => `close: ${escapedMarkdown(miss.message)}`),
    ...(hint === undefined ? [] : [`hint: ${escapedMarkdown(hint)}`]),
    ...(finding.exception === undefined
      ? []
      : [`exception: ${escapedMarkdown(describeException(finding) ?? '')}`]),
  ].join('<br>');
}

function candidateSection({ candidates }: Verdict): string {
  if (candidates.length === 0) {
    return 'Nothing is attached to the image.';
  }
  const rows = candidates.map(
    ({ message, source, verified }) => `- ${verified ? '✓' : '✗'} ${source} ${escapedMarkdown(message)}`,
  );
  return [
    `<details><summary>${plural(candidates.length, 'candidate')} looked at</summary>`,
    rows.join('\n'),
    '</details>',
  ].join('\n\n');
}

/** A stranger's text stays text: no links, images, tables, markup or mentions. */
export function escapedMarkdown(text: string): string {
  return printable(text, 4000)
    .replace(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//');
}
