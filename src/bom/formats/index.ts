import { cyclonedxJson } from './cyclonedx-json.ts';
import { cyclonedxXml } from './cyclonedx-xml.ts';
import type { SbomFormat } from './format.ts';
import { githubJson } from './github-json.ts';
import { spdxJson } from './spdx-json.ts';
import { tableFormat } from './table.ts';

/**
 * The output formats of an SBOM, the default first. One line each; `--format`, its help and the tests follow.
 */
export const sbomFormats: readonly [SbomFormat, ...SbomFormat[]] = [
  cyclonedxJson,
  cyclonedxXml,
  spdxJson,
  githubJson,
  tableFormat,
];
