import { compact } from '../base/compact.ts';
import type { ExternalReference } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';

/** First parts of GitHub's own pages. */
const pages: ReadonlySet<string> = new Set([
  ...['about', 'apps', 'collections', 'enterprise', 'features', 'login', 'marketplace', 'orgs', 'search'],
  ...['security', 'settings', 'site', 'sponsors', 'topics', 'users'],
]);

/**
 * The repository that an address of a project names, or a page of it: by the host's rule that owner and name
 * are a repository (GitHub, git.sr.ht), by git's (`NAME.git`, `git://`), or by GitLab's that the pages of a
 * project follow `/-/`.
 * Elsewhere the same form may be a group or a page.
 */
export function repositoryAt(url: string): ExternalReference | undefined {
  const text = url.slice(0, 2000);
  const repository =
    onGitHub(text) ?? forms.map((form) => form.exec(text)?.[1]).find((part) => part !== undefined);
  return repository === undefined ? undefined : { type: 'vcs', url: repository };
}

const host = String.raw`[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?`;
const step = String.raw`[\w.~+@%-]{1,200}`;
const forms: readonly RegExp[] = [
  new RegExp(String.raw`^(git:\/\/${host}(?:\/${step}){1,20}?)\/?$`, 'i'),
  new RegExp(
    String.raw`^(https?:\/\/${host}(?:\/${step}){0,20}?\/[\w.~+@%-]{1,200}?\.git)(?:[/?#].*)?$`,
    'i',
  ),
  new RegExp(String.raw`^(https?:\/\/${host}\/${step}(?:\/${step}){1,20}?)\/-(?:\/.*)$`, 'i'),
  /^(https?:\/\/git\.sr\.ht\/~[\w.-]{1,100}\/[\w.-]{1,100})(?:[/?#].*)?$/i,
];

function onGitHub(url: string): string | undefined {
  const [, owner = '', name = ''] =
    /^https?:\/\/(?:www\.)?github\.com\/([A-Za-z0-9-]{1,39})\/([\w.-]{1,100}?)(?:\.git)?(?:[/?#].*)?$/i.exec(
      url,
    ) ?? [];
  return owner === '' || name === '' || pages.has(owner.toLowerCase())
    ? undefined
    : `https://github.com/${owner}/${name}`;
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
