import type { SbomFormat } from './format.ts';

/** `.cdx.json`, by which other tools know what is in a file. */
export function fileEnding({ name }: SbomFormat): string {
  if (name === 'table') {
    return '.txt';
  }
  const [kind = '', form = 'json'] = name.split('-');
  return `.${kind === 'cyclonedx' ? 'cdx' : kind}.${form}`;
}
