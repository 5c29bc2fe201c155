import { formatJson, printable } from '../base/text.ts';
import { formatPinnedRef, type PinnedRef } from '../oci/reference.ts';
import type { Decision, JudgedFinding, Verdict } from '../policy/decide.ts';
import { rules } from '../policy/rules/index.ts';
import type { Containerfile } from './containerfile.ts';
import type { GateOutcome } from './gate.ts';
import { sarifFingerprints, sarifPlaceOfImage } from './sarif-place.ts';
import { describeException } from './text.ts';

/**
 * Rules of the tool, with those that speak of trusted roots, where no scope covers an image and where no
 * policy was found.
 */
const descriptors: readonly { readonly id: string; readonly summary: string }[] = [
  ...rules.map(({ name, summary }) => ({ id: name, summary })),
  { id: 'trust', summary: 'The trusted roots are not too old.' },
  { id: 'scope', summary: 'A scope of each policy covers the image.' },
  { id: 'policy', summary: 'There is a policy.' },
  { id: 'error', summary: 'The question can be answered.' },
];

/**
 * The verdict as SARIF 2.1.0 with one result for each rule that did not pass. `version` is that of tcf. The
 * location is the image's name without its digest, and the fingerprint is made of policy, scope, rule and
 * name: the same trouble in the next build is the same alert.
 */
export function toSarif(verdict: Verdict, version: string): string {
  return toSarifLog([{ image: formatPinnedRef(verdict.image), verdict }], version);
}

/**
 * One run for each image, as code scanning takes at most 20 of them: from the 20th on they share the last.
 * Where nothing could be decided the reason is a result too: an upload without results would close every
 * alert.
 */
export function toSarifLog(
  outcomes: readonly GateOutcome[],
  version: string,
  containerfile?: Containerfile,
): string {
  const own = outcomes.length <= maxRuns ? outcomes : outcomes.slice(0, maxRuns - 1);
  const shared = outcomes.slice(own.length);
  const runs = [
    ...own.map((outcome) => toRun(nameOfOutcome(outcome), resultsOf(outcome, containerfile), version)),
    ...(shared.length === 0
      ? []
      : [
          toRun(
            'others',
            shared.flatMap((outcome) => resultsOf(outcome, containerfile)),
            version,
          ),
        ]),
  ];
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs };
  return formatJson(log, 2);
}

const maxRuns = 20;
/** Code scanning shows 5,000 of a run, the worst first; a policy has no more rules than that. */
const maxResults = 5000;

function nameOfOutcome(outcome: GateOutcome): string {
  return 'verdict' in outcome
    ? `${outcome.verdict.image.registry}/${outcome.verdict.image.repository}`
    : outcome.image.replace(/@sha\d+:[0-9a-f]+$/, '');
}

function resultsOf(outcome: GateOutcome, containerfile: Containerfile | undefined): readonly unknown[] {
  if ('error' in outcome) {
    return [errorResult(outcome, containerfile)];
  }
  const { verdict } = outcome;
  if (verdict.decisions.length === 0) {
    return [withoutPolicy(verdict.image, containerfile)];
  }
  return verdict.decisions.flatMap((decision) =>
    decision.findings
      .filter(({ outcome: own }) => own !== 'pass')
      .map((finding) => toResult(finding, decision, verdict.image, containerfile)),
  );
}

function errorResult(
  { error, image }: Extract<GateOutcome, { readonly error: unknown }>,
  containerfile: Containerfile | undefined,
): unknown {
  const name = image.replace(/@sha\d+:[0-9a-f]+$/, '');
  const hint = error.hint === undefined ? [] : [`Hint: ${error.hint}`];
  return {
    ruleId: 'error',
    ruleIndex: descriptors.findIndex(({ id }) => id === 'error'),
    level: 'error',
    kind: 'fail',
    message: { text: [error.message, ...hint].map((part) => printable(part, 4000)).join('\n') },
    locations: [
      {
        physicalLocation: sarifPlaceOfImage(name, containerfile),
        logicalLocations: [{ fullyQualifiedName: printable(image, 1000), kind: 'resource' }],
      },
    ],
    partialFingerprints: sarifFingerprints(['error', error.code, name]),
    properties: { outcome: error.exit === 3 ? 'asked-wrongly' : 'cannot-tell', code: error.code },
  };
}

function toRun(name: string, results: readonly unknown[], version: string): unknown {
  return {
    tool: {
      driver: {
        name: 'tcf',
        semanticVersion: version,
        rules: descriptors.map(({ id, summary }) => ({
          id,
          shortDescription: { text: summary },
          fullDescription: { text: summary },
          help: {
            text: `${summary} tcf policy explain IMAGE says what the policy asks.`,
            markdown: `${summary} \`tcf policy explain IMAGE\` says what the policy asks.`,
          },
          defaultConfiguration: { level: 'error' },
          properties: { tags: ['security'], 'security-severity': '8.0', precision: 'very-high' },
        })),
      },
    },
    automationDetails: { id: `tcf/${printable(name)}/` },
    columnKind: 'utf16CodeUnits',
    results: results.slice(0, maxResults),
  };
}

function withoutPolicy(image: PinnedRef, containerfile: Containerfile | undefined): unknown {
  const finding: JudgedFinding = {
    rule: 'policy',
    mode: 'enforce',
    outcome: 'fail',
    message: 'no policy was found, and without one nothing is allowed',
    hint: 'write one and name it with --policy',
  };
  return toResult(finding, undefined, image, containerfile);
}

function toResult(
  finding: JudgedFinding,
  decision: Decision | undefined,
  image: PinnedRef,
  containerfile: Containerfile | undefined,
): unknown {
  const name = `${image.registry}/${image.repository}`;
  const parts = [
    finding.message,
    ...(finding.expected === undefined ? [] : [`Expected: ${finding.expected}`]),
    ...(finding.actual === undefined ? [] : [`Actual: ${finding.actual}`]),
    ...(finding.nearMisses ?? []).map(({ message }) => `Close: ${message}`),
    ...(finding.hint === undefined ? [] : [`Hint: ${finding.hint}`]),
    ...(finding.exception === undefined ? [] : [`Exception: ${describeException(finding)}`]),
  ];
  const fingerprint = [finding.rule, decision?.policy.name ?? '', decision?.scope ?? '', name];
  return {
    ruleId: finding.rule,
    ruleIndex: descriptors.findIndex(({ id }) => id === finding.rule),
    level: finding.mode === 'warn' ? 'warning' : 'error',
    kind: 'fail',
    message: { text: parts.map((part) => printable(part, 4000)).join('\n') },
    locations: [
      {
        physicalLocation: sarifPlaceOfImage(name, containerfile),
        logicalLocations: [{ fullyQualifiedName: formatPinnedRef(image), kind: 'resource' }],
      },
    ],
    partialFingerprints: sarifFingerprints(fingerprint),
    properties: {
      outcome: finding.outcome,
      ...(decision === undefined
        ? {}
        : { policy: decision.policy.name, policyDigest: decision.policy.digest }),
    },
  };
}
