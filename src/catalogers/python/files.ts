import type { Tree } from '../contract.ts';
import type { Distribution } from './distributions.ts';
import { absolutePath, recordEntries } from './record.ts';
import { linesOf, textOf } from './text.ts';

/**
 * Whether a distribution brought a path: its own metadata, and what RECORD or installed-files.txt lists. The list is read when first
 * asked. It is a stranger's claim: assemble lets nobody own what the operating system installed.
 */
export function filesOf(tree: Tree, { info, site }: Distribution): (path: string) => boolean {
  let listed: ReadonlySet<string> | undefined;
  return (path) => {
    if (path === info || path.startsWith(`${info}/`)) return true;
    listed ??= new Set([
      ...recordEntries(textOf(tree, `${info}/RECORD`) ?? '').map(({ path: entry }) =>
        absolutePath(site, entry),
      ),
      ...linesOf(textOf(tree, `${info}/installed-files.txt`) ?? '').map((entry) =>
        absolutePath(info, entry.trim()),
      ),
    ]);
    return listed.has(path);
  };
}
