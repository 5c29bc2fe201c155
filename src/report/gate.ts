import { createHash } from 'node:crypto';
import type { TcfError } from '../base/error.ts';
import { formatJson, printable } from '../base/text.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { JudgedFinding, Verdict } from '../policy/decide.ts';
import { toJsonVerdict } from './json.ts';

/** What became of one image at the gate: a decision, or why there is none. */
export type GateOutcome = { readonly image: string } & (
  | { readonly verdict: Verdict }
  | { readonly error: TcfError }
);

type Code = 0 | 1 | 2 | 3;

function exitOfOutcome(outcome: GateOutcome): Code {
  return 'verdict' in outcome ? outcome.verdict.exit : outcome.error.exit;
}

/**
 * Of several images: a no is a no whatever the others are; then a wrong question, then what cannot be told.
 */
export function exitOfGate(outcomes: readonly GateOutcome[]): Code {
  const codes = outcomes.map(exitOfOutcome);
  return ([1, 3, 2] as const).find((code) => codes.includes(code)) ?? 0;
}

/** One line of a report: a rule that did not pass, or an image about which nothing could be said. */
export interface GateTrouble {
  readonly image: string;
  readonly policy: string;
  readonly rule: string;
  readonly level: 'error' | 'warning';
  readonly message: string;
  /** Stays the same in the next build. */
  readonly fingerprint: string;
}

function troublesOf(outcome: GateOutcome): readonly GateTrouble[] {
  if ('error' in outcome) {
    const { error, image } = outcome;
    return [
      trouble(
        withoutDigest(image),
        '',
        error.code,
        'error',
        error.hint === undefined ? error.message : `${error.message}; ${error.hint}`,
      ),
    ];
  }
  const { verdict } = outcome;
  const image = `${verdict.image.registry}/${verdict.image.repository}`;
  if (verdict.decisions.length === 0) {
    return [trouble(image, '', 'policy', 'error', 'no policy was found, and without one nothing is allowed')];
  }
  return verdict.decisions.flatMap(({ findings, policy }) =>
    findings
      .filter(({ outcome: own }) => own !== 'pass')
      .map((finding) =>
        trouble(
          image,
          policy.name,
          finding.rule,
          finding.mode === 'warn' ? 'warning' : 'error',
          messageOf(finding),
        ),
      ),
  );
}

function trouble(
  image: string,
  policy: string,
  rule: string,
  level: GateTrouble['level'],
  message: string,
): GateTrouble {
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([image, policy, rule]))
    .digest('hex');
  return { image, policy, rule, level, message: printable(message, 4000), fingerprint };
}

function messageOf({ actual, hint, message }: JudgedFinding): string {
  return [
    message,
    ...(actual === undefined ? [] : [`found: ${actual}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ].join('; ');
}

function withoutDigest(image: string): string {
  return image.replace(/@sha\d+:[0-9a-f]+$/, '');
}

/** The decisions about several images; about one it is `toJson`. */
export function toGateJson(outcomes: readonly GateOutcome[]): string {
  return formatJson(
    {
      format: 'tcf.gate/1',
      exit: exitOfGate(outcomes),
      images: outcomes.map((outcome) =>
        'verdict' in outcome
          ? toJsonVerdict(outcome.verdict)
          : {
              image: outcome.image,
              verdict: 'deny',
              exit: outcome.error.exit,
              error: {
                code: outcome.error.code,
                message: outcome.error.message,
                hint: outcome.error.hint ?? null,
              },
            },
      ),
    },
    2,
  );
}

const xmlNames: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function xml(text: string): string {
  return printable(text, 4000).replace(/[&<>"]/g, (character) => xmlNames[character] ?? character);
}

/** JUnit as Jenkins and GitLab read it: an image is a suite, a rule of a policy is a case. */
export function toJunit(outcomes: readonly GateOutcome[]): string {
  const suites = outcomes.map(suiteOf);
  const sum = (pick: (suite: Suite) => number): number =>
    suites.reduce((total, suite) => total + pick(suite), 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="tcf gate" tests="${sum(({ tests }) => tests)}" failures="${sum(({ failures }) => failures)}" errors="${sum(({ errors }) => errors)}">`,
    ...suites.flatMap(({ errors, failures, lines, name, tests }) => [
      `  <testsuite name="${xml(name)}" tests="${tests}" failures="${failures}" errors="${errors}" skipped="0">`,
      ...lines,
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Suite {
  readonly name: string;
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly lines: readonly string[];
}

function suiteOf(outcome: GateOutcome): Suite {
  if ('error' in outcome) {
    const { code, message } = outcome.error;
    const lines = [testCase('tcf', code, `<error type="${xml(code)}" message="${xml(message)}"/>`)];
    return { name: outcome.image, tests: 1, failures: 0, errors: 1, lines };
  }
  const { verdict } = outcome;
  const name = formatPinnedRef(verdict.image);
  if (verdict.decisions.length === 0) {
    const lines = [testCase('tcf', 'policy', '<failure type="policy" message="no policy was found"/>')];
    return { name, tests: 1, failures: 1, errors: 0, lines };
  }
  const cases = verdict.decisions.flatMap(({ findings, policy }) =>
    findings.map((finding) => ({ finding, policy: policy.name })),
  );
  const isFailure = ({ mode, outcome: own }: JudgedFinding): boolean => own !== 'pass' && mode === 'enforce';
  return {
    name,
    tests: cases.length,
    failures: cases.filter(({ finding }) => isFailure(finding)).length,
    errors: 0,
    lines: cases.map(({ finding, policy }) =>
      testCase(policy, finding.rule, contentOf(finding, isFailure(finding))),
    ),
  };
}

function contentOf(finding: JudgedFinding, isFailure: boolean): string {
  if (finding.outcome === 'pass') {
    return '';
  }
  return isFailure
    ? `<failure type="${finding.outcome}" message="${xml(messageOf(finding))}"/>`
    : `<system-out>${xml(`warning: ${messageOf(finding)}`)}</system-out>`;
}

function testCase(className: string, name: string, content: string): string {
  const head = `    <testcase classname="${xml(className)}" name="${xml(name)}" time="0"`;
  return content === '' ? `${head}/>` : `${head}>${content}</testcase>`;
}

/** GitLab's Code Quality report: a list with exactly these members. */
export function toCodeQuality(outcomes: readonly GateOutcome[]): string {
  return formatJson(
    outcomes.flatMap(troublesOf).map(({ fingerprint, image, level, message, policy, rule }) => ({
      description: `${image}: ${message}`,
      check_name: `tcf/${rule}`,
      fingerprint,
      severity: level === 'error' ? 'critical' : 'minor',
      location: { path: policy === '' ? 'policy' : policy, lines: { begin: 1 } },
    })),
    2,
  );
}

/** GitHub shows ten errors and ten warnings of a step, and cuts the rest without a word. */
const maxAnnotations = 10;

/** Workflow commands of GitHub Actions; what they may not hold is escaped as its toolkit does. */
export function toAnnotations(outcomes: readonly GateOutcome[]): string {
  const troubles = outcomes.flatMap(troublesOf);
  return (['error', 'warning'] as const)
    .flatMap((level) => {
      const own = troubles.filter((one) => one.level === level);
      const shown = own.length > maxAnnotations ? own.slice(0, maxAnnotations - 1) : own;
      const rest = own.length - shown.length;
      return [
        ...shown.map(
          ({ image, message, rule }) =>
            `::${level} title=${property(`tcf: ${rule}`)}::${data(`${image}: ${message}`)}\n`,
        ),
        ...(rest === 0
          ? []
          : [`::${level} title=tcf::${data(`and ${rest} more; the log and the reports have them`)}\n`]),
      ];
    })
    .join('');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** GitHub takes 1 MiB of a step's summary and shows nothing of a longer one. */
const maxSummary = 1024 * 1024;

/** The parts of a summary that fit; what is left out is said. */
export function cutSummary(parts: readonly string[]): string {
  const note = 'The rest did not fit into the summary; the other reports have it.\n';
  let text = '';
  for (const part of parts) {
    if (Buffer.byteLength(text) + Buffer.byteLength(part) + note.length > maxSummary) {
      return `${text}${note}`;
    }
    text += part;
  }
  return text;
}
