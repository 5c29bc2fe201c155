import type { Tree } from '../contract.ts';
import { type DirectUrl, parseDirectUrl, sourceOf } from '../python/direct-url.ts';
import { belowInfo, type InfoFind, infoAround, isInfoName, readInfo } from '../python/info.ts';
import { normalName } from '../python/metadata.ts';
import { recordEntries } from '../python/record.ts';
import { utf8Text } from '../python/text.ts';
import { tritonDistributions } from './pins.ts';
import { directoryOf } from './places.ts';

/** The distribution that brought a Triton package, whatever its name. */
export interface Installation extends InfoFind {
  /** The directory of sources it was installed from, by its real path. */
  readonly source?: string;
}

/** Texts that say which distribution a package belongs to. */
export const installationTexts: readonly string[] = belowInfo([
  'METADATA',
  'PKG-INFO',
  'RECORD',
  'direct_url.json',
]);

export function isInstallationText(path: string): boolean {
  return /\/(?:METADATA|PKG-INFO|RECORD|direct_url\.json)$/.test(path) && infoAround(path) !== undefined;
}

/**
 * Who installed the Triton package at `root`, whose library has this SHA-256 (hexadecimal). Whoever lists the
 * library in RECORD owns it; of several the one with its hash, then the one that came last. Without any
 * RECORD the editable installations that lead there are asked, then the distributions of Triton beside it.
 */
export function installationsOf(
  tree: Tree,
  root: string,
  library: string,
  sha256: string | undefined,
): readonly Installation[] {
  const site = directoryOf(root);
  const beside = tree
    .list(site)
    .filter((name) => isInfoName(site, name) && !name.startsWith('~'))
    .flatMap((name) => readInfo(tree, site, name) ?? [])
    .filter((found): found is InfoFind => 'version' in found);
  const entry = library.slice(site === '' ? 0 : site.length + 1);
  const owners = beside.flatMap((find) => {
    const listed = recordEntries(utf8Text(tree, `${find.info}/RECORD`) ?? '').find(
      ({ path }) => path === entry,
    );
    return listed === undefined
      ? []
      : [{ find, fits: sha256 !== undefined && listed.hash === recordHash(sha256) }];
  });
  const fitting = owners.some(({ fits }) => fits) ? owners.filter(({ fits }) => fits) : owners;
  const last = Math.max(...fitting.map(({ find }) => find.file.layer.index));
  const owning = fitting.map(({ find }) => find).filter(({ file }) => file.layer.index === last);
  const named = beside.filter(
    ({ info, name }) => tritonDistributions.has(normalName(name)) && !tree.exists(`${info}/RECORD`),
  );
  if (owning.length > 0) {
    return owning.map((find) => withSource(tree, find));
  }
  const editables = editablesOf(tree, root);
  return editables.length > 0 ? editables : named;
}

/** Editable installations whose sources hold the package. */
function editablesOf(tree: Tree, root: string): readonly Installation[] {
  return tree.wanted().flatMap(({ path }): readonly Installation[] => {
    const info = path.endsWith('/direct_url.json') ? infoAround(path) : undefined;
    if (info === undefined || !directOf(tree, info)?.editable) {
      return [];
    }
    const find = readInfo(tree, directoryOf(info), info.slice(info.lastIndexOf('/') + 1));
    if (find === undefined || !('version' in find)) {
      return [];
    }
    const installation = withSource(tree, find);
    const { source } = installation;
    return source !== undefined && root.startsWith(`${source}/`) ? [installation] : [];
  });
}

function withSource(tree: Tree, find: InfoFind): Installation {
  const direct = directOf(tree, find.info);
  const source = direct === undefined ? undefined : tree.resolve(sourceOf(direct) ?? '');
  return source === undefined || source === '' || !direct?.url.startsWith('file:')
    ? find
    : { ...find, source };
}

function directOf(tree: Tree, info: string): DirectUrl | undefined {
  const content = tree.file(`${info}/direct_url.json`)?.content();
  return content === undefined ? undefined : parseDirectUrl(content);
}

function recordHash(sha256: string): string {
  return `sha256=${Buffer.from(sha256, 'hex').toString('base64url')}`;
}
