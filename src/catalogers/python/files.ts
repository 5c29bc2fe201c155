import type { Tree } from '../contract.ts';
import type { Distribution } from './distributions.ts';
import { linesOf, normalPath, textOf } from './text.ts';

/**
 * Whether a distribution brought a path: its own metadata, and what RECORD or installed-files.txt lists. The list is read when first
 * asked. It is a stranger's claim: assemble lets nobody own what the operating system installed.
 */
export function filesOf(tree: Tree, { info, site }: Distribution): (path: string) => boolean {
  let listed: ReadonlySet<string> | undefined;
  return (path) => {
    if (path === info || path.startsWith(`${info}/`)) return true;
    listed ??= new Set([
      ...recordPaths(textOf(tree, `${info}/RECORD`) ?? '').map((entry) => absolute(site, entry)),
      ...linesOf(textOf(tree, `${info}/installed-files.txt`) ?? '').map((entry) =>
        absolute(info, entry.trim()),
      ),
    ]);
    return listed.has(path);
  };
}

/** The first column of a CSV file; a name with a comma or a quote stands in quotes. */
function recordPaths(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const [, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^,]+))(?:,|$)/.exec(line) ?? [];
    const path = quoted?.replaceAll('""', '"') ?? plain;
    return path === undefined ? [] : [path];
  });
}

function absolute(directory: string, entry: string): string {
  return normalPath(entry.startsWith('/') ? entry : `${directory}/${entry}`);
}
