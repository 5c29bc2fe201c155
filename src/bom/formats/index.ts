import { cyclonedxJson } from './cyclonedx-json.ts';
import { cyclonedxXml } from './cyclonedx-xml.ts';
import type { SbomFormat } from './format.ts';

/** The output formats of an SBOM, the default first. One line each; `--format`, its help and the tests follow. */
export const sbomFormats: readonly [SbomFormat, ...SbomFormat[]] = [cyclonedxJson, cyclonedxXml];
