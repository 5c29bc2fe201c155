import type { Tree } from '../contract.ts';
import { parseDirectUrl, sourceOf } from './direct-url.ts';
import type { Distribution } from './distributions.ts';
import { absolutePath, recordEntries } from './record.ts';
import { linesOf, utf8Text } from './text.ts';

/**
 * Whether a distribution brought a path: its own metadata, and what RECORD or installed-files.txt lists. The
 * list is read when first asked. It is a stranger's claim: assemble lets nobody own what the operating system
 * installed.
 */
export function recordedFiles(tree: Tree, { info, site }: Distribution): (path: string) => boolean {
  let listed: ReadonlySet<string> | undefined;
  const source = editableSource(tree, info, site);
  return (path) => {
    if (path === info || path.startsWith(`${info}/`)) {
      return true;
    }
    if (source !== undefined && path.startsWith(`${source}/`)) {
      return true;
    }
    listed ??= new Set([
      ...recordEntries(utf8Text(tree, `${info}/RECORD`) ?? '').map(({ path: entry }) =>
        absolutePath(site, entry),
      ),
      ...linesOf(utf8Text(tree, `${info}/installed-files.txt`) ?? '').map((entry) =>
        absolutePath(info, entry.trim()),
      ),
    ]);
    return listed.has(path);
  };
}

/**
 * The sources that an editable installation runs from. A claim to a directory around the environment itself
 * is none.
 */
function editableSource(tree: Tree, info: string, site: string): string | undefined {
  const direct = parseDirectUrl(tree.file(`${info}/direct_url.json`)?.content() ?? new Uint8Array());
  const source = direct?.editable === true ? (tree.resolve(sourceOf(direct) ?? '') ?? '') : '';
  return source === '' || `${site}/`.startsWith(`${source}/`) ? undefined : source;
}
