import { createHash } from 'node:crypto';
import { compact } from '../../base/compact.ts';
import { formatJson, printable } from '../../base/text.ts';
import { counts, type Unjudged, type VulnFinding } from '../../vulns/scan.ts';
import type { FoundVulnerabilities } from './found.ts';

/**
 * GitHub's code scanning takes 25,000 results of a run and 25,000 rules, and 10 MB gzipped (docs, "SARIF
 * support"); results of 4 KB each stay below the latter up to this many.
 */
const maxResults = 5000;
const doubt = 'tcf/cannot-tell';
const update = 'tcf/missing-update';

interface SarifRule {
  readonly id: string;
  readonly summary: string;
  readonly help: string;
  /** 0.0 to 10.0, of the worst finding. */
  readonly score?: number;
}

interface SarifResult {
  readonly rule: SarifRule;
  readonly level: 'error' | 'note' | 'warning';
  readonly text: string;
  readonly where: string;
  /** What stays the same in the next build. */
  readonly identity: readonly string[];
}

/**
 * SARIF 2.1.0 as code scanning reads it. What cannot be told is a result too. Cut after 5,000 results, the
 * worst first, and said.
 */
export function toVulnsSarif(found: FoundVulnerabilities, version: string): string {
  const { database, scan, source, subject } = found;
  const all = [
    ...scan.findings
      .filter((one) => counts(one) && (one.verdict === 'affected' || one.verdict === 'cannot-tell'))
      .map(findingResult),
    ...scan.updates
      .filter(({ isSecurity }) => isSecurity)
      .map(({ installed, name, offered }) => ({
        rule: {
          id: update,
          summary: 'An update for security is missing.',
          help: 'Run the upgrade of the package manager in the image, or rebuild on a newer base.',
        },
        level: 'error' as const,
        text: `${name} ${installed} is installed, and ${offered.suite} has ${offered.version}`,
        where: name,
        identity: [name],
      })),
    ...scan.unjudged.map(unjudgedResult),
  ];
  const shown = all.slice(0, maxResults);
  const rules = [...new Map(shown.map(({ rule }) => [rule.id, rule])).values()];
  const name = subject.name ?? source;
  return formatJson(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'tcf vulns',
              semanticVersion: version,
              rules: rules.map(toRule),
            },
          },
          automationDetails: { id: `tcf-vulns/${printable(name)}/` },
          columnKind: 'utf16CodeUnits',
          results: shown.map((result) => toResult(result, rules, name)),
          properties: compact({
            database: database.file.digest,
            taken: database.taken,
            leftOut: all.length > shown.length ? all.length - shown.length : undefined,
          }),
        },
      ],
    },
    2,
  );
}

function findingResult(finding: VulnFinding): SarifResult {
  const {
    aliases,
    components,
    fixedIn,
    id,
    package: name,
    severity,
    summary,
    verdict,
    version,
    why,
  } = finding;
  const first = components[0];
  const isDoubt = verdict === 'cannot-tell';
  const fix = fixedIn === undefined ? 'No fix is known.' : `Fixed in ${fixedIn}.`;
  return {
    rule: compact({
      id: isDoubt ? `${id}/cannot-tell` : id,
      summary: summary ?? `${id} in ${name}`,
      help: `${[id, ...aliases].join(', ')}. ${fix}`,
      score: severity.score,
    }),
    level: isDoubt ? 'warning' : levelOf(severity.level),
    text: `${isDoubt ? 'cannot tell whether ' : ''}${name} ${version ?? ''} is affected by ${id}: ${why}. ${fix}${first?.context === undefined ? '' : ` Brought by ${first.context}`}`,
    where: first?.location ?? first?.purl ?? name,
    identity: [id, finding.ecosystem, name, first?.location ?? ''],
  };
}

function levelOf(level: VulnFinding['severity']['level']): SarifResult['level'] {
  if (level === 'low' || level === 'none') {
    return 'note';
  }
  return level === 'medium' ? 'warning' : 'error';
}

function unjudgedResult({ bomRef, name, purl, version, why }: Unjudged): SarifResult {
  return {
    rule: {
      id: doubt,
      summary: 'Nobody can tell whether a component has vulnerabilities.',
      help: 'Get data about it with tcf db, or accept in the policy that nobody can tell.',
    },
    level: 'note',
    text: `cannot tell about ${name} ${version ?? ''}: ${why}`,
    where: purl ?? bomRef ?? name,
    identity: [doubt, name, why],
  };
}

function toRule({ help, id, score, summary }: SarifRule): object {
  return {
    id,
    shortDescription: { text: printable(summary, 1000) },
    fullDescription: { text: printable(summary, 1000) },
    ...(/^CVE-/.test(id)
      ? { helpUri: `https://www.cve.org/CVERecord?id=${encodeURIComponent(id.replace(/\/.*/, ''))}` }
      : {}),
    help: { text: printable(help, 4000), markdown: printable(help, 4000) },
    properties: compact({
      tags: ['security'],
      precision: 'very-high',
      'security-severity': score === undefined ? undefined : score.toFixed(1),
    }),
  };
}

function toResult(
  { identity, level, rule, text, where }: SarifResult,
  rules: readonly SarifRule[],
  image: string,
): object {
  const hash = createHash('sha256')
    .update(JSON.stringify([image, ...identity]))
    .digest('hex');
  return {
    ruleId: rule.id,
    ruleIndex: rules.findIndex(({ id }) => id === rule.id),
    level,
    message: { text: printable(text, 4000) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(image) },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: printable(where, 1000), kind: 'resource' }],
      },
    ],
    partialFingerprints: { primaryLocationLineHash: `${hash.slice(0, 16)}:1`, 'tcf/v1': hash },
  };
}

/**
 * A relative reference (RFC 3986): code scanning takes no other, and a port would make a scheme of the host.
 */
function uriOf(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
