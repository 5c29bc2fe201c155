import { decodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import type { Tree } from './contract.ts';

export const gitPlaces: readonly string[] = ['HEAD', 'config', 'packed-refs', 'refs/heads/**'].map(
  (name) => `**/.git/${name}`,
);

/** The files of a `.git` directory that say which commit is checked out, and whence. */
export function isGitFile(path: string): boolean {
  return /(?:^|\/)\.git\/(?:HEAD|config|packed-refs|refs\/heads\/.+)$/s.test(path);
}

/**
 * The commit that is checked out below `root`, 40 hexadecimal digits; `undefined` where `.git` does not tell,
 * as in a work tree whose repository lies elsewhere. It says nothing about files that were changed and not
 * committed.
 */
export function headCommit(tree: Pick<Tree, 'file'>, root: string): string | undefined {
  const git = `${root}/.git`;
  const head = gitText(tree, `${git}/HEAD`)?.trim() ?? '';
  if (isCommit(head)) {
    return head;
  }
  const ref = /^ref: (refs\/heads\/[^\s\0]{1,255})$/.exec(head)?.[1];
  if (ref === undefined || ref.split('/').includes('..')) {
    return undefined;
  }
  const loose = gitText(tree, `${git}/${ref}`)?.trim() ?? '';
  if (isCommit(loose)) {
    return loose;
  }
  const line = gitText(tree, `${git}/packed-refs`)
    ?.split('\n')
    .find((entry) => entry.endsWith(` ${ref}`) && isCommit(entry.slice(0, 40)));
  return line?.slice(0, 40);
}

/** A repository as a remote names it. */
export interface Origin {
  /** Without user, password, query and fragment: tokens stand there. */
  readonly url: string;
  /** `owner/name` in lower case, where it lies on GitHub. */
  readonly github?: string;
}

/**
 * The remote `origin` of the clone at `root`, where it is a URL or `git@host:path`; a path of another machine
 * says nothing.
 */
export function originOf(tree: Tree, root: string): Origin | undefined {
  const lines = (gitText(tree, `${root}/.git/config`) ?? '').split(/\r?\n/).slice(0, maxConfigLines);
  const start = lines.findIndex((line) => /^\[remote "origin"\]\s*$/.test(line));
  if (start < 0) {
    return undefined;
  }
  for (const line of lines.slice(start + 1)) {
    if (line.startsWith('[')) {
      return undefined;
    }
    const url = /^\s*url\s*=\s*(\S{1,1000})\s*$/.exec(line)?.[1];
    if (url !== undefined) {
      return toOrigin(url);
    }
  }
  return undefined;
}

/** A clone with a thousand branches has 3,000. */
const maxConfigLines = 20_000;

function toOrigin(text: string): Origin | undefined {
  const short = /^(?:[\w.-]+@)?([\w.-]+\.[\w-]+):(?!\/\/)\/?(.+)$/.exec(text);
  const spelled = short === null ? text : `https://${short[1]}/${short[2]}`;
  if (!/^(?:https?|git|ssh):\/\//.test(spelled) || !URL.canParse(spelled)) {
    return undefined;
  }
  const { host, hostname, pathname, protocol } = new URL(spelled);
  const path = pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  const github =
    hostname === 'github.com' ? /^\/([\w-]{1,39}\/[\w.-]{1,100})$/.exec(path)?.[1]?.toLowerCase() : undefined;
  // The port of ssh is not the port of https.
  const authority = /^https?:$/.test(protocol) ? host : hostname;
  return compact({ url: `https://${authority}${path}`, github });
}

/** The UTF-8 text of a wanted file; `undefined` where there is none. */
function gitText(tree: Pick<Tree, 'file'>, path: string): string | undefined {
  const content = tree.file(path)?.content();
  return content === undefined ? undefined : decodeUtf8(content);
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
