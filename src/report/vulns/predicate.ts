import { compact } from '../../base/compact.ts';
import { formatJson } from '../../base/text.ts';
import { doubtsOf } from '../../vulns/scan.ts';
import type { FoundVulnerabilities } from './found.ts';

/**
 * The predicate of a scan. Each result is a finding with its verdict among the annotations; what nobody could
 * tell is counted, so that an empty list of results is not read as clean.
 */
export function toVulnsPredicate(found: FoundVulnerabilities, now: Date, version: string): object {
  const { database, scan } = found;
  const dates = database.facts.sources.flatMap(({ date }) => date ?? []).toSorted();
  const lastUpdate = database.taken ?? dates.at(-1);
  return {
    scanner: {
      uri: 'pkg:generic/tcf',
      version,
      db: compact({
        uri: database.origin?.image ?? 'pkg:generic/tcf-vulnerabilities',
        version: database.file.digest,
        lastUpdate: lastUpdate ?? now.toISOString(),
      }),
      result: scan.findings.map((finding) => ({
        id: finding.id,
        severity: [
          finding.severity.score === undefined
            ? { method: 'word', score: finding.severity.level }
            : {
                method: finding.severity.from?.split('/')[0] ?? 'CVSS',
                score: String(finding.severity.score),
              },
        ],
        annotations: [{ 'tcf:finding': finding }],
      })),
    },
    metadata: { scanStartedOn: now.toISOString(), scanFinishedOn: now.toISOString() },
    'tcf:cannotTell': doubtsOf(scan),
    'tcf:updates': scan.updates,
    'tcf:sources': scan.database.sources,
  };
}

export function toVulnsPredicateJson(found: FoundVulnerabilities, now: Date, version: string): string {
  return formatJson(toVulnsPredicate(found, now, version), 2);
}
