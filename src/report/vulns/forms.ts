import type { FoundVulnerabilities } from './found.ts';
import { toGitLabReport } from './gitlab.ts';
import { toVulnsJson } from './json.ts';
import { toVulnsPredicateJson } from './predicate.ts';
import { toVulnsErrorSarif, toVulnsSarif } from './sarif.ts';
import { toVulnsText } from './text.ts';
import { toCycloneDxVex, toOpenVex } from './vex-documents.ts';

/**
 * An answer as the text of one format; `now` is when it is said, `version` that of tcf, `columns` the width of what
 * people read it on.
 */
export type VulnsForm = (found: FoundVulnerabilities, now: Date, version: string, columns?: number) => string;

const toSarif: VulnsForm = (found, _, version) => toVulnsSarif(found, version);

/** By the name that `--format` takes. */
export const vulnsForms: ReadonlyMap<string, VulnsForm> = new Map<string, VulnsForm>([
  ['table', toVulnsText],
  ['json', toVulnsJson],
  ['sarif', toSarif],
  ['cyclonedx-vex', toCycloneDxVex],
  ['openvex', toOpenVex],
  ['in-toto', toVulnsPredicateJson],
  ['gitlab', toGitLabReport],
]);

/**
 * What is written where there is no answer: only an upload of SARIF needs that, for it closes what it does
 * not name.
 */
export function vulnsErrorForm(form: VulnsForm): typeof toVulnsErrorSarif | undefined {
  return form === toSarif ? toVulnsErrorSarif : undefined;
}
