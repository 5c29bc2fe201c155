import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import type { ComponentHash } from '../../bom/model.ts';
import { normalPath } from './text.ts';

/** Where a distribution was installed from, when it was not from an index (PEP 610). */
export interface DirectUrl {
  /** Without user, password, query and fragment: tokens stand there. */
  readonly url: string;
  readonly editable: boolean;
  /** `git` and a commit. */
  readonly vcs?: { readonly kind: string; readonly commit: string };
  /** Of the archive that was installed. */
  readonly hashes: readonly ComponentHash[];
}

const algorithms: ReadonlyMap<
  string,
  { readonly algorithm: ComponentHash['algorithm']; readonly length: number }
> = new Map([
  ['sha256', { algorithm: 'SHA-256', length: 64 }],
  ['sha384', { algorithm: 'SHA-384', length: 96 }],
  ['sha512', { algorithm: 'SHA-512', length: 128 }],
]);

/** Reads `direct_url.json`; `undefined` where it is not one. */
export function parseDirectUrl(content: Uint8Array): DirectUrl | undefined {
  try {
    const shape = new Shape(parseJson(content, 'direct_url.json'), 'direct_url');
    const url = cleanUrl(shape.get('url').string());
    if (url === undefined) {
      return undefined;
    }
    const vcs = shape.optional('vcs_info');
    const kind = vcs?.get('vcs').string(20) ?? '';
    const commit = vcs?.get('commit_id').string(200) ?? '';
    return {
      url,
      editable: shape.optional('dir_info')?.optional('editable')?.boolean() ?? false,
      ...(/^[a-z]+$/.test(kind) && /^[\w.+-]+$/.test(commit) ? { vcs: { kind, commit } } : {}),
      hashes: hashesOf(shape.optional('archive_info')),
    };
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

/** The directory of a `file:` URL without a leading slash; `undefined` for any other. */
export function sourceOf({ url }: DirectUrl): string | undefined {
  if (!url.startsWith('file:///')) {
    return undefined;
  }
  const path = url.slice('file:///'.length);
  try {
    return normalPath(decodeURIComponent(path));
  } catch (error) {
    if (error instanceof URIError) {
      return normalPath(path);
    }
    throw error;
  }
}

function hashesOf(archive: Shape | undefined): readonly ComponentHash[] {
  const pairs = Object.entries(archive?.optional('hashes')?.strings(20) ?? {});
  const [, name, value] = /^(\w+)=(\w+)$/.exec(archive?.optional('hash')?.string() ?? '') ?? [];
  if (pairs.length === 0 && name !== undefined && value !== undefined) {
    pairs.push([name, value]);
  }
  return pairs.flatMap(([key, text]): ComponentHash[] => {
    const known = algorithms.get(key);
    const hex = text.toLowerCase();
    if (known === undefined || hex.length !== known.length || !/^[0-9a-f]+$/.test(hex)) {
      return [];
    }
    return [{ algorithm: known.algorithm, value: hex, subject: 'distribution archive' }];
  });
}

/** `https://token@host/x.whl?sig=..` is `https://host/x.whl`: an SBOM is published, the token must not be. */
function cleanUrl(text: string): string | undefined {
  if (!URL.canParse(text)) {
    return undefined;
  }
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}
