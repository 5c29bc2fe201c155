import type { SbomSubject } from '../../bom/read.ts';
import type { UnusedVex } from '../../vulns/apply-vex.ts';
import { affectedOf, doubtsOf, type VulnScan } from '../../vulns/scan.ts';
import type { Containerfile } from '../containerfile.ts';
import type { DatabaseStatus } from '../database.ts';

/** The answer to "what is vulnerable in it", for every form in which it is told. */
export interface FoundVulnerabilities {
  /** As the user named it. */
  readonly source: string;
  readonly subject: SbomSubject;
  readonly database: DatabaseStatus;
  readonly scan: VulnScan;
  readonly unused: readonly UnusedVex[];
  /** From which the image was built, for reports that point into it. */
  readonly containerfile?: Containerfile;
}

/**
 * 1 where something is affected, or an update for security is missing; 2 where nothing is and something
 * cannot be told.
 */
export function exitOf({ scan }: Pick<FoundVulnerabilities, 'scan'>): 0 | 1 | 2 {
  if (affectedOf(scan).length > 0 || scan.updates.some(({ isSecurity }) => isSecurity)) {
    return 1;
  }
  const { findings, unjudged, unread } = doubtsOf(scan);
  return findings + unjudged + unread > 0 ? 2 : 0;
}
