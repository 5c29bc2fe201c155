import { formatDocument } from '../cyclonedx.ts';
import type { SbomFormat } from './format.ts';

export const cyclonedxJson: SbomFormat = {
  name: 'cyclonedx-json',
  summary: 'CycloneDX as JSON, the format that is attested',
  write: ({ document }) => formatDocument(document),
};
