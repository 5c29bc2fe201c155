import { cyclonedxVersions } from '../cyclonedx-licenses.ts';
import { formatCycloneDxXml } from '../cyclonedx-xml.ts';
import type { SbomFormat } from './format.ts';

export const cyclonedxXml: SbomFormat = {
  name: 'cyclonedx-xml',
  summary: 'the same as XML',
  specVersions: cyclonedxVersions,
  write: ({ document, options }) => formatCycloneDxXml(document, options.specVersion),
};
