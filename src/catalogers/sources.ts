import { compact } from '../base/compact.ts';
import type { ExternalReference } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';

/** First parts of GitHub's own pages. */
const pages: ReadonlySet<string> = new Set([
  ...['about', 'apps', 'collections', 'enterprise', 'features', 'login', 'marketplace', 'orgs', 'search'],
  ...['security', 'settings', 'site', 'sponsors', 'topics', 'users'],
]);

/**
 * The repository that an address of a project names. On GitHub owner and name are a repository, which git
 * clones under this very address; elsewhere the same form may be a group or a page.
 */
export function repositoryAt(url: string): ExternalReference | undefined {
  const [, owner = '', name = ''] =
    /^https?:\/\/(?:www\.)?github\.com\/([A-Za-z0-9-]{1,39})\/([\w.-]{1,100}?)(?:\.git)?(?:[/?#].*)?$/i.exec(
      url.slice(0, 2000),
    ) ?? [];
  if (owner === '' || name === '' || pages.has(owner.toLowerCase())) {
    return undefined;
  }
  return { type: 'vcs', url: `https://github.com/${owner}/${name}` };
}

/**
 * The source package that a distribution built a package from, by its name: a purl, which is a URI as well.
 */
export function sourcePackage(source: {
  readonly type: 'deb' | 'rpm';
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly distro: string | undefined;
}): ExternalReference {
  const { distro, type, ...named } = source;
  const qualifiers = compact({
    arch: type === 'deb' ? 'source' : 'src',
    distro,
  });
  return { type: 'source-distribution', url: toPurl({ type, ...named, qualifiers }) };
}
