import { compact } from '../../base/compact.ts';
import { formatJson } from '../../base/text.ts';
import { adviseOn } from '../../vulns/advice.ts';
import { affectedOf, doubtsOf } from '../../vulns/scan.ts';
import { exitOf, type FoundVulnerabilities } from './found.ts';

/** Everything, for machines; of one SBOM and one database always the same bytes. */
export function toVulnsJson(found: FoundVulnerabilities): string {
  const { database, scan, source, subject, unused } = found;
  return formatJson(
    {
      source,
      subject,
      exit: exitOf(found),
      database: compact({
        digest: database.file.digest,
        taken: database.taken,
        image: database.origin?.image,
        sources: database.facts.sources,
      }),
      summary: {
        affected: affectedOf(scan).length,
        cannotTell: doubtsOf(scan),
        judged: scan.judged,
        answeredByOwner: scan.answeredByOwner,
      },
      advice: adviseOn(scan).map(({ findings, kind, text, updates }) => ({
        kind,
        text,
        ids: findings.map(({ id }) => id),
        updates,
      })),
      findings: scan.findings,
      updates: scan.updates,
      unjudged: scan.unjudged,
      unusedVex: unused,
    },
    2,
  );
}
