import { formatCycloneDxXml } from '../cyclonedx-xml.ts';
import type { SbomFormat } from './format.ts';

export const cyclonedxXml: SbomFormat = {
  name: 'cyclonedx-xml',
  summary: 'the same as XML',
  write: ({ document, options }) => formatCycloneDxXml(document, options.specVersion),
};
