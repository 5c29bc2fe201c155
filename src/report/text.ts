import { plural, printable } from '../base/text.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { Decision, JudgedFinding, Verdict } from '../policy/decide.ts';

/**
 * Findings are ours but hold strangers' words: escaped where they were made, and once more where they are
 * printed (A-121).
 */
const line = (text: string): string => printable(text, 4000);

/** The sign before a finding: `✓`, `✗`, `?`, and `!` where a failing rule only warns. */
export function signOf({ mode, outcome }: Pick<JudgedFinding, 'mode' | 'outcome'>): '!' | '?' | '✓' | '✗' {
  if (outcome === 'pass') {
    return '✓';
  }
  if (mode === 'warn') {
    return '!';
  }
  return outcome === 'fail' ? '✗' : '?';
}

/** `allowed`, `denied`, or `denied: cannot tell`. */
export function wordOf({ exit }: Pick<Verdict, 'exit'>): string {
  return ['allowed', 'denied', 'denied: cannot tell'][exit] ?? 'denied';
}

/**
 * The verdict for people, with a line feed at its end: what each policy said, rule by rule, and what was
 * found beside the image.
 */
export function formatVerdict(verdict: Verdict): string {
  const lines = [
    `${formatPinnedRef(verdict.image)}: ${wordOf(verdict)}`,
    ...(verdict.decisions.length === 0 ? ['no policy was found, and without one nothing is allowed'] : []),
    ...verdict.decisions.flatMap(decisionLines),
    ...candidateLines(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function decisionLines(decision: Decision): readonly string[] {
  const scope = decision.scope === undefined ? 'no scope' : `scope ${line(decision.scope)}`;
  return ['', `policy ${line(decision.policy.name)}, ${scope}`, ...decision.findings.flatMap(findingLines)];
}

function findingLines(finding: JudgedFinding): readonly string[] {
  const head = `  ${signOf(finding)} ${finding.rule}: ${line(finding.message)}`;
  if (finding.outcome === 'pass') {
    return [head];
  }
  const detail = (name: string, text: string | undefined): readonly string[] =>
    text === undefined || text === '' ? [] : [`      ${name}: ${line(text)}`];
  return [
    head,
    ...detail('expected', finding.expected),
    ...detail('actual', finding.actual),
    ...(finding.nearMisses ?? []).flatMap((miss) => [
      ...detail('close', miss.message),
      ...detail('to trust it, under signers', miss.suggestion && `NAME: ${miss.suggestion}`),
    ]),
    ...detail('hint', finding.hint),
    ...detail('exception', describeException(finding)),
  ];
}

/** `until 2027-01-01 by ada: moving`; `undefined` where the policy makes none. */
export function describeException({ exception }: JudgedFinding): string | undefined {
  if (exception === undefined) {
    return undefined;
  }
  const { expired, expires, owner, reason } = exception;
  return `${expired ? 'ended' : 'until'} ${expires}, by ${owner}: ${reason}`;
}

function candidateLines({ candidates }: Verdict): readonly string[] {
  if (candidates.length === 0) {
    return ['', 'nothing is attached to the image'];
  }
  const verified = candidates.filter((candidate) => candidate.verified).length;
  return [
    '',
    `${plural(candidates.length, 'candidate')} looked at, ${verified} verified`,
    ...candidates.map(
      (candidate) => `  ${candidate.verified ? '✓' : '✗'} ${candidate.source} ${line(candidate.message)}`,
    ),
  ];
}
