import { formatDocument } from '../cyclonedx.ts';
import { cyclonedxVersions } from '../cyclonedx-licenses.ts';
import type { SbomFormat } from './format.ts';

export const cyclonedxJson: SbomFormat = {
  name: 'cyclonedx-json',
  summary: 'CycloneDX as JSON, the format that is attested',
  specVersions: cyclonedxVersions,
  write: ({ document }) => formatDocument(document),
};
