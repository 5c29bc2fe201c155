import { compact } from '../../base/compact.ts';
import { byCodeUnit } from '../../base/text.ts';
import { compareEvr } from '../../bom/versions/rpm.ts';

/** `name >= evr` as rpm stores it: sense bits 2 (less), 4 (greater), 8 (equal). */
export interface Relation {
  readonly name: string;
  readonly flags: number;
  readonly evr: string;
}

/** What the resolver needs of a package. */
export interface Related {
  readonly name: string;
  readonly provides: readonly Relation[];
  /** `undefined` where they were too many to read. */
  readonly requires: readonly Relation[] | undefined;
}

const less = 2;
const greater = 4;
const equal = 8;
const sense = less | greater | equal;
const rpmlib = 1 << 24;
/** Weak dependencies of old packages stand among the requires. */
const missingOk = 1 << 19;

/** Whether two ranges of versions meet (rpmdsCompare); without a version on either side they always do. */
export function overlaps(a: Relation, b: Relation): boolean {
  if ((a.flags & sense) === 0 || (b.flags & sense) === 0 || a.evr === '' || b.evr === '') {
    return true;
  }
  const order = compareEvr(a.evr, b.evr);
  if (order < 0) {
    return (a.flags & greater) !== 0 || (b.flags & less) !== 0;
  }
  if (order > 0) {
    return (a.flags & less) !== 0 || (b.flags & greater) !== 0;
  }
  return (a.flags & b.flags & sense) !== 0;
}

/**
 * Comparisons of one relation with another. A system of 2,000 packages takes 200,000; a hostile one would
 * take hours.
 */
const maxComparisons = 5_000_000;

/**
 * Which packages satisfy the requires of a package: one for each, the one of that name before those that
 * provide it, none where the package provides it itself. `undefined` where a boolean dependency cannot be
 * read, and where finding out takes too long.
 */
export function rpmResolver<P extends Related>(
  packages: readonly P[],
  ownersOf: (path: string) => readonly P[],
): (rpm: P) => readonly P[] | undefined {
  const providers = new Map<string, { readonly rpm: P; readonly provide: Relation }[]>();
  for (const rpm of [...packages].sort((a, b) => byCodeUnit(a.name, b.name))) {
    for (const provide of rpm.provides) {
      const list = providers.get(provide.name);
      if (list === undefined) {
        providers.set(provide.name, [{ rpm, provide }]);
      } else {
        list.push({ rpm, provide });
      }
    }
  }
  let comparisons = 0;
  const everyone = (relation: Relation): readonly P[] => {
    const candidates = providers.get(relation.name) ?? [];
    comparisons += candidates.length + 1;
    if (comparisons > maxComparisons) {
      return [];
    }
    const found = candidates.filter(({ provide }) => overlaps(provide, relation)).map(({ rpm }) => rpm);
    return found.length === 0 && relation.name.startsWith('/') ? ownersOf(relation.name.slice(1)) : found;
  };
  const choose = (found: readonly P[], name: string, asker: P): P | undefined =>
    found.includes(asker) ? asker : (found.find((rpm) => rpm.name === name) ?? found[0]);
  return (asker) => {
    const targets = new Set<P>();
    if (asker.requires === undefined) {
      return undefined;
    }
    for (const relation of asker.requires) {
      if ((relation.flags & (rpmlib | missingOk)) !== 0 || relation.name.startsWith('rpmlib(')) {
        continue;
      }
      if (!relation.name.startsWith('(')) {
        const target = choose(everyone(relation), relation.name, asker);
        if (target !== undefined) {
          targets.add(target);
        }
        continue;
      }
      const rich = parseRich(relation.name);
      if (rich === undefined) {
        return undefined;
      }
      const chosen = (found: readonly P[], name: string): P | undefined => choose(found, name, asker);
      for (const target of evaluate(rich, everyone, chosen) ?? []) {
        targets.add(target);
      }
    }
    targets.delete(asker);
    return comparisons > maxComparisons ? undefined : [...targets];
  };
}

type Rich =
  | Relation
  | { readonly operator: string; readonly operands: readonly Rich[]; readonly otherwise?: Rich };

/** Boolean dependencies nest two or three deep. */
const maxDepth = 16;
const maxRichLength = 16 * 1024;

/** `(a or b)`, `(a if b else c)`, nested; `undefined` for what is not in rpm's grammar. */
export function parseRich(text: string): Rich | undefined {
  if (text.length > maxRichLength) {
    return undefined;
  }
  // A bracket inside a name, as in libc.so.6(GLIBC_2.4)(64bit), belongs to the name.
  const words = text.match(/\s*(?:[^\s()]+(?:\([^\s()]*\))*|[()])/g)?.map((word) => word.trim()) ?? [];
  let at = 0;
  const operand = (depth: number): Rich | undefined => {
    const word = words[at];
    if (word === '(') {
      return group(depth + 1);
    }
    if (word === undefined || word === ')') {
      return undefined;
    }
    at += 1;
    const operator = words[at] ?? '';
    if (!/^[<>=]{1,2}$/.test(operator)) {
      return { name: word, flags: 0, evr: '' };
    }
    const evr = words[at + 1];
    if (evr === undefined) {
      return undefined;
    }
    at += 2;
    const flags =
      (operator.includes('<') ? less : 0) |
      (operator.includes('>') ? greater : 0) |
      (operator.includes('=') ? equal : 0);
    return { name: word, flags, evr };
  };
  const group = (depth: number): Rich | undefined => {
    if (depth > maxDepth) {
      return undefined;
    }
    at += 1;
    const first = operand(depth);
    if (first === undefined) {
      return undefined;
    }
    const operands = [first];
    let operator = 'and';
    let otherwise: Rich | undefined;
    while (words[at] !== ')') {
      const word = words[at] ?? '';
      if (!/^(?:and|or|if|unless|with|without|else)$/.test(word)) {
        return undefined;
      }
      at += 1;
      const next = operand(depth);
      if (next === undefined) {
        return undefined;
      }
      if (word === 'else') {
        otherwise = next;
      } else {
        if (operands.length > 1 && word !== operator) {
          return undefined;
        }
        operator = word;
        operands.push(next);
      }
    }
    at += 1;
    return compact({ operator, operands, otherwise });
  };
  const rich = group(0);
  return at === words.length ? rich : undefined;
}

/** The packages that make it true; `undefined` where it is false. */
function evaluate<P>(
  rich: Rich,
  everyone: (leaf: Relation) => readonly P[],
  choose: (found: readonly P[], name: string) => P | undefined,
): readonly P[] | undefined {
  const of = (part: Rich | undefined): readonly P[] | undefined =>
    part === undefined ? [] : evaluate(part, everyone, choose);
  if ('name' in rich || rich.operator === 'with' || rich.operator === 'without') {
    const target = choose(oneWith(rich, everyone), firstName(rich));
    return target === undefined ? undefined : [target];
  }
  const [first, second] = rich.operands;
  if (rich.operator === 'or') {
    for (const part of rich.operands) {
      const found = of(part);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }
  if (rich.operator === 'if' || rich.operator === 'unless') {
    const holds = of(second) !== undefined;
    return holds === (rich.operator === 'if') ? of(first) : of(rich.otherwise);
  }
  const all = rich.operands.map(of);
  return all.includes(undefined) ? undefined : all.flatMap((found) => found ?? []);
}

/**
 * `with` and `without` speak of one package that satisfies all parts, or the first and none of the others;
 * each of them may have an `or` inside.
 */
function oneWith<P>(rich: Rich, everyone: (leaf: Relation) => readonly P[]): readonly P[] {
  if ('name' in rich) {
    return everyone(rich);
  }
  const [first = [], ...others] = rich.operands.map((part) => oneWith(part, everyone));
  if (rich.operator === 'or') {
    return [...new Set([...first, ...others.flat()])];
  }
  const sets = others.map((other) => new Set(other));
  return first.filter((each) => sets.every((set) => set.has(each) === (rich.operator !== 'without')));
}

function firstName(rich: Rich): string {
  if ('name' in rich) {
    return rich.name;
  }
  const [first] = rich.operands;
  return first === undefined ? '' : firstName(first);
}
