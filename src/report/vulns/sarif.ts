import { compact } from '../../base/compact.ts';
import type { TcfError } from '../../base/error.ts';
import { formatJson, plural, printable } from '../../base/text.ts';
import { counts, type FoundComponent, type Unjudged, type VulnFinding } from '../../vulns/scan.ts';
import { type Containerfile, instructionOfStep, lastFrom } from '../containerfile.ts';
import { type SarifPlace, sarifFingerprints, sarifPlace } from '../sarif-place.ts';
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
  /** The component that it is about, where that is known: it says which instruction brought it. */
  readonly component?: FoundComponent | undefined;
  /** What stays the same in the next build. */
  readonly identity: readonly string[];
}

/**
 * SARIF 2.1.0 as code scanning reads it. What cannot be told is a result too. Cut after 5,000 results, the
 * worst first, and said.
 */
export function toVulnsSarif(found: FoundVulnerabilities, version: string): string {
  const { containerfile, database, scan, source, subject } = found;
  const counted = scan.findings.filter(counts);
  const all: readonly SarifResult[] = [
    ...counted.filter(({ verdict }) => verdict === 'affected').map(findingResult),
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
    ...counted.filter(({ verdict }) => verdict === 'cannot-tell').map(findingResult),
    ...scan.unjudged.map(unjudgedResult),
  ];
  const shown = cutResults(all);
  // The worst of a rule stands first, and speaks for it.
  const rules = [...new Map(shown.toReversed().map(({ rule }) => [rule.id, rule])).values()].toReversed();
  const ruleIndex = new Map(rules.map(({ id }, at) => [id, at]));
  const name = subject.name ?? source;
  return toLog(name, version, {
    rules: rules.map(toRule),
    results: shown.map((result) => toResult(result, ruleIndex.get(result.rule.id) ?? 0, name, containerfile)),
    properties: compact({ database: database.file.digest, taken: database.taken }),
  });
}

/**
 * Where nothing can be told, or the question was wrong: one result that says so. Without it an upload would
 * close every alert, or there would be no file to upload.
 */
export function toVulnsErrorSarif(source: string, error: TcfError, version: string): string {
  const result: SarifResult = {
    rule: {
      id: 'tcf/error',
      summary: 'Nobody can tell which vulnerabilities the image has.',
      help: 'Nothing was looked at. The alert says why, and what to do about it.',
    },
    level: 'error',
    text: error.hint === undefined ? error.message : `${error.message}. Hint: ${error.hint}`,
    where: source,
    identity: ['error', error.code],
  };
  return toLog(source, version, {
    rules: [toRule(result.rule)],
    results: [toResult(result, 0, source, undefined)],
    properties: { outcome: error.exit === 3 ? 'asked-wrongly' : 'cannot-tell', code: error.code },
  });
}

interface SarifRun {
  readonly rules: readonly object[];
  readonly results: readonly object[];
  readonly properties: object;
}

function toLog(name: string, version: string, { properties, results, rules }: SarifRun): string {
  return formatJson(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'tcf vulns', semanticVersion: version, rules } },
          automationDetails: { id: `tcf-vulns/${printable(name)}/` },
          columnKind: 'utf16CodeUnits',
          results,
          properties,
        },
      ],
    },
    2,
  );
}

/** The worst first; what does not fit is counted, and the count is a result. */
function cutResults(all: readonly SarifResult[]): readonly SarifResult[] {
  if (all.length <= maxResults) {
    return all;
  }
  const shown = all.slice(0, maxResults - 1);
  return [
    ...shown,
    {
      rule: {
        id: 'tcf/left-out',
        summary: 'Some results did not fit.',
        help: 'tcf vulns IMAGE --format json has all of them.',
      },
      level: 'note',
      text: `${plural(all.length - shown.length, 'result')} less severe than these did not fit; tcf vulns --format json has all`,
      where: 'results',
      identity: ['tcf/left-out'],
    },
  ];
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
      help: `${[id, ...aliases].join(', ')}${summary === undefined ? '' : `: ${summary}`}. Each alert says which version has the fix.`,
      score: severity.score ?? lowest[severity.level],
    }),
    level: isDoubt ? 'warning' : levelOf(severity.level),
    text: `${isDoubt ? 'cannot tell whether ' : ''}${name} ${version ?? ''} is affected by ${id}: ${why}. ${fix}${first?.context === undefined ? '' : ` Brought by ${first.context}`}`,
    where: first?.location ?? first?.purl ?? name,
    component: first,
    identity: [id, finding.ecosystem, name, first?.location ?? ''],
  };
}

/** The lowest score of a level that somebody said in words. */
const lowest: Readonly<Partial<Record<VulnFinding['severity']['level'], number>>> = {
  critical: 9,
  high: 7,
  medium: 4,
  low: 0.1,
};

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
  { component, identity, level, rule, text, where }: SarifResult,
  ruleIndex: number,
  image: string,
  containerfile: Containerfile | undefined,
): object {
  return {
    ruleId: rule.id,
    ruleIndex,
    level,
    message: { text: printable(text, 4000) },
    locations: [
      {
        physicalLocation: placeOf(component, image, containerfile),
        logicalLocations: [{ fullyQualifiedName: printable(where, 1000), kind: 'resource' }],
      },
    ],
    partialFingerprints: sarifFingerprints([image, ...identity]),
  };
}

/** At the step that brought the component; what came with the base stands at the last `FROM`. */
function placeOf(
  component: FoundComponent | undefined,
  image: string,
  containerfile: Containerfile | undefined,
): SarifPlace {
  if (containerfile === undefined || component === undefined) {
    return sarifPlace(image, containerfile);
  }
  const [, step] = /^layer \d+ \w+:[0-9a-f]+: (.*)$/s.exec(component.context ?? '') ?? [];
  const own = step === undefined ? undefined : instructionOfStep(containerfile, step);
  const base = component.origin === 'base' ? lastFrom(containerfile) : undefined;
  return sarifPlace(image, containerfile, own ?? base);
}
