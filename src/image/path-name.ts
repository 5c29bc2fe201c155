import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** `PATH[:REFERENCE]`: a path has no colon, a reference may. */
export interface PathName {
  readonly path: string;
  readonly reference?: string;
}

/** @throws TcfError `image.transport` (exit 3) where no path is named. */
export function parsePathName(rest: string, text: string): PathName {
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const reference = colon < 0 ? '' : rest.slice(colon + 1);
  if (path === '' || path.includes('\0')) {
    throw askedWrongly('image.transport', `${quoted(text)} names no path`);
  }
  return { path, ...(reference === '' ? {} : { reference }) };
}
