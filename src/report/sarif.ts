import { createHash } from 'node:crypto';
import { formatJson, printable } from '../base/text.ts';
import { formatPinnedRef, type PinnedRef } from '../oci/reference.ts';
import type { Decision, JudgedFinding, Verdict } from '../policy/decide.ts';
import { rules } from '../policy/rules/index.ts';
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
];

/**
 * The verdict as SARIF 2.1.0 with one result for each rule that did not pass. `version` is that of tcf. The
 * location is the image's name without its digest, and the fingerprint is made of policy, scope, rule and
 * name: the same trouble in the next build is the same alert.
 */
export function toSarif(verdict: Verdict, version: string): string {
  const results = verdict.decisions.flatMap((decision) =>
    decision.findings
      .filter(({ outcome }) => outcome !== 'pass')
      .map((finding) => toResult(finding, decision, verdict.image)),
  );
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'tcf',
            semanticVersion: version,
            rules: descriptors.map(({ id, summary }) => ({
              id,
              shortDescription: { text: summary },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: verdict.decisions.length === 0 ? [withoutPolicy(verdict.image)] : results,
      },
    ],
  };
  return formatJson(log, 2);
}

function withoutPolicy(image: PinnedRef): unknown {
  const finding: JudgedFinding = {
    rule: 'policy',
    mode: 'enforce',
    outcome: 'fail',
    message: 'no policy was found, and without one nothing is allowed',
    hint: 'write one and name it with --policy',
  };
  return toResult(finding, undefined, image);
}

function toResult(finding: JudgedFinding, decision: Decision | undefined, image: PinnedRef): unknown {
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
        physicalLocation: { artifactLocation: { uri: toUri(name) }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: formatPinnedRef(image), kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'tcf/v1': createHash('sha256').update(JSON.stringify(fingerprint)).digest('hex') },
    properties: {
      outcome: finding.outcome,
      ...(decision === undefined
        ? {}
        : { policy: decision.policy.name, policyDigest: decision.policy.digest }),
    },
  };
}

/**
 * A relative reference (RFC 3986): code scanning takes no other, and a port would make a scheme of the host.
 */
function toUri(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
