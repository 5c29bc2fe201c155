import { type Statement, toStatement } from '../../attest/statement.ts';
import { parseSbom } from '../../bom/read.ts';
import type { Digest } from '../../oci/digest.ts';
import { toVulnsPredicate } from '../../report/vulns/predicate.ts';
import type { Host } from '../../system/host.ts';
import { version } from '../../version.ts';
import { vulnsPredicateType } from '../../vulns/attested-scan.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { statusOf } from './find-vulnerabilities.ts';
import { useDatabase } from './place.ts';

export interface ScanSubject {
  readonly digest: Digest;
  /** `registry/repository`. */
  readonly name: string;
  /** The SBOM that is attested beside it. */
  readonly sbom: unknown;
}

/**
 * What the database says of an SBOM, as a statement about its image.
 *
 * @throws TcfError `db.*` (exit 2).
 */
export async function toScanStatement(
  host: Host,
  { digest, name, sbom }: ScanSubject,
  database?: string,
): Promise<Statement> {
  using used = await useDatabase(host, database);
  const facts = parseSbom(sbom, 'the SBOM');
  const found = {
    source: name,
    subject: facts.subject,
    database: statusOf(used),
    scan: findVulnerabilities(facts, used.data),
    unused: [],
  };
  return toStatement({
    subject: digest,
    name,
    predicateType: vulnsPredicateType,
    predicate: toVulnsPredicate(found, host.now(), version),
  });
}
