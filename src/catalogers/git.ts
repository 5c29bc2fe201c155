import { decodeUtf8 } from '../base/bytes.ts';
import type { Tree } from './contract.ts';

/** The files of a `.git` directory that say which commit is checked out. */
export function isGitFile(path: string): boolean {
  return /(?:^|\/)\.git\/(?:HEAD|packed-refs|refs\/heads\/.+)$/.test(path);
}

/**
 * The commit that is checked out below `root`, 40 hexadecimal digits; `undefined` where `.git` does not tell, as in a work tree
 * whose repository lies elsewhere. It says nothing about files that were changed and not committed.
 */
export function commitOf(tree: Tree, root: string): string | undefined {
  const git = `${root}/.git`;
  const head = textOf(tree, `${git}/HEAD`)?.trim() ?? '';
  if (isCommit(head)) return head;
  const ref = /^ref: (refs\/heads\/[^\s\0]{1,255})$/.exec(head)?.[1];
  if (ref === undefined || ref.split('/').includes('..')) return undefined;
  const loose = textOf(tree, `${git}/${ref}`)?.trim() ?? '';
  if (isCommit(loose)) return loose;
  const line = textOf(tree, `${git}/packed-refs`)
    ?.split('\n')
    .find((entry) => entry.endsWith(` ${ref}`) && isCommit(entry.slice(0, 40)));
  return line?.slice(0, 40);
}

/** The UTF-8 text of a wanted file; `undefined` where there is none. */
export function textOf(tree: Tree, path: string): string | undefined {
  const content = tree.file(path)?.content();
  return content === undefined ? undefined : decodeUtf8(content);
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
