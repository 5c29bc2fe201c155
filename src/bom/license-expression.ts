import parseSpdx from 'spdx-expression-parse';
import { currentIds } from './license-names.ts';

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

/**
 * Whether a licence is not on the SPDX list: its author chose the name, and only a reader of the text knows
 * what it allows, whatever exception stands behind it.
 */
export function isLicenseRef(license: string): boolean {
  return /^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-/.test(license);
}

/**
 * The one spelling of a licence among those of the SPDX list: `GPL-2.0+`, `AGPL-3.0` and
 * `GPL-2.0-with-classpath-exception` are withdrawn ids of `GPL-2.0-or-later`, `AGPL-3.0-only` and
 * `GPL-2.0-only WITH Classpath-exception-2.0`. What has one spelling stays.
 */
export function canonicalLicense(license: string): string {
  const [id = '', ...exception] = license.split(' WITH ');
  const current = currentIds.get(id) ?? gnuId(id);
  return [current, ...exception].join(' WITH ');
}

/**
 * Plain ids of the GNU family were withdrawn for `-only` and `-or-later`; `GPL-2.0-only+` says the latter
 * too.
 */
function gnuId(id: string): string {
  const [, base, suffix = '', plus] = /^((?:[AL]?GPL|GFDL)-\d+\.\d+)(-only|-or-later)?(\+)?$/.exec(id) ?? [];
  if (base === undefined) {
    return id;
  }
  return `${base}${plus !== undefined || suffix === '-or-later' ? '-or-later' : '-only'}`;
}

/**
 * Whether one may use the work by licences that `accepts` takes: with OR one side is enough, with AND both
 * are needed. A licence is given in its canonical spelling, `Apache-2.0 WITH LLVM-exception` whole.
 * `undefined` where the text is not an SPDX expression.
 */
export function isUsable(expression: string, accepts: (license: string) => boolean): boolean | undefined {
  const tree = read(expression);
  return tree === undefined ? undefined : walk(tree, accepts);
}

function walk(tree: Tree, accepts: (license: string) => boolean): boolean {
  if ('license' in tree) {
    return accepts(canonicalOf(tree));
  }
  const left = walk(tree.left, accepts);
  return tree.conjunction === 'or' ? left || walk(tree.right, accepts) : left && walk(tree.right, accepts);
}

function canonicalOf({ exception, license, plus }: Leaf): string {
  const name = `${license}${plus === true ? '+' : ''}`;
  return canonicalLicense(exception === undefined ? name : `${name} WITH ${exception}`);
}

function read(expression: string): Tree | undefined {
  if (expression.length > maxLength) {
    return undefined;
  }
  try {
    return parseSpdx(expression) as Tree;
  } catch (error) {
    // The parser has one kind of refusal, a plain Error; RangeError is its stack on thousands of brackets.
    if (error instanceof Error) {
      return undefined;
    }
    throw error;
  }
}

/** The licences that an SPDX expression names, each whole with its exception; what is none stands for itself. */
export function licensesNamed(expression: string): readonly string[] {
  const tree = read(expression);
  return tree === undefined ? [expression] : [...new Set(leavesOf(tree))];
}

function leavesOf(tree: Tree): readonly string[] {
  return 'conjunction' in tree ? [...leavesOf(tree.left), ...leavesOf(tree.right)] : [canonicalOf(tree)];
}
