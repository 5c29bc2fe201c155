import type { FoundVulnerabilities } from './found.ts';
import { toGitLabReport } from './gitlab.ts';
import { toVulnsJson } from './json.ts';
import { toVulnsPredicateJson } from './predicate.ts';
import { toVulnsSarif } from './sarif.ts';
import { toVulnsText } from './text.ts';
import { toCycloneDxVex, toOpenVex } from './vex-documents.ts';

/** An answer as the text of one format; `now` is when it is said, `version` that of tcf. */
export type VulnsForm = (found: FoundVulnerabilities, now: Date, version: string) => string;

/** By the name that `--format` takes. */
export const vulnsForms: ReadonlyMap<string, VulnsForm> = new Map<string, VulnsForm>([
  ['table', toVulnsText],
  ['json', toVulnsJson],
  ['sarif', (found, _, version) => toVulnsSarif(found, version)],
  ['cyclonedx-vex', toCycloneDxVex],
  ['openvex', toOpenVex],
  ['in-toto', toVulnsPredicateJson],
  ['gitlab', toGitLabReport],
]);
