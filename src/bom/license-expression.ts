import parseSpdx from 'spdx-expression-parse';

/** A real expression has fewer characters; the parser descends once for each bracket. */
const maxLength = 4096;

interface Leaf {
  readonly license: string;
  readonly plus?: boolean;
  readonly exception?: string;
}

interface Pair {
  readonly conjunction: 'and' | 'or';
  readonly left: Tree;
  readonly right: Tree;
}

type Tree = Leaf | Pair;

/** Whether a licence is on no list of SPDX: its name is the word of whoever wrote it, and what the text allows only its reader knows, whatever exception stands behind it. */
export function isLicenseRef(license: string): boolean {
  return /^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-/.test(license);
}

/**
 * Whether one may use the work by licences that `accepts` takes: with OR one side is enough, with AND both are needed. A licence is given as
 * SPDX writes it, `Apache-2.0 WITH LLVM-exception` whole. `undefined` where the text is no SPDX expression.
 */
export function isUsable(expression: string, accepts: (license: string) => boolean): boolean | undefined {
  const tree = read(expression);
  return tree === undefined ? undefined : walk(tree, accepts);
}

function walk(tree: Tree, accepts: (license: string) => boolean): boolean {
  if ('license' in tree) {
    const name = `${tree.license}${tree.plus === true ? '+' : ''}`;
    return accepts(tree.exception === undefined ? name : `${name} WITH ${tree.exception}`);
  }
  const left = walk(tree.left, accepts);
  return tree.conjunction === 'or' ? left || walk(tree.right, accepts) : left && walk(tree.right, accepts);
}

function read(expression: string): Tree | undefined {
  if (expression.length > maxLength) return undefined;
  try {
    return parseSpdx(expression) as Tree;
  } catch (error) {
    // The parser has one kind of refusal, a plain Error; RangeError is its stack on thousands of brackets.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
