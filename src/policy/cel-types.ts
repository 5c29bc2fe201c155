import { CelScalar, type CelValue, celEnv, celFunc, isCelList, parse, plan } from '@bufbuild/cel';
import type { AbsentType } from './expression.ts';

type Node = ReturnType<typeof parse>['expr'];
type Call = Extract<Node['exprKind'], { readonly case: 'callExpr' }>['value'];

/**
 * Which predicate types an expression asks for, seen while it runs: every comparison of a constant text with
 * a value that is the type of an attached attestation. `attestations.all(a, a.type != "scan" ||
 * a.predicate.critical == 0)` is true of an image without a scan, and the text alone does not show it: the
 * type may have gone through a list or another name before it is compared.
 */
export interface TypeNotes {
  /** Types of the attestations that are attached. */
  attached: ReadonlySet<string>;
  /** Comparisons made with one of them, each once, as JSON of `Comparison`. */
  readonly compared: Set<string>;
}

interface Comparison {
  readonly how: string;
  readonly texts: readonly string[];
}

const equal = 'type == text';

/** How a text is compared, as CEL that says whether an attached type would have satisfied it. */
const comparisons: Readonly<Record<string, string>> = {
  '_==_': equal,
  '_!=_': equal,
  '@in': equal,
  startsWith: 'type.startsWith(text)',
  endsWith: 'type.endsWith(text)',
  contains: 'type.contains(text)',
  matches: 'type.matches(text)',
};

const noteName = '@type';

export function toTypeNotes(): TypeNotes {
  return { attached: new Set(), compared: new Set() };
}

/** The function that `typeNoteOf` puts around the operands of a comparison: it hands the value through. */
export function typeNoteFunction(notes: TypeNotes): ReturnType<typeof celFunc> {
  const { DYN, STRING } = CelScalar;
  return celFunc(noteName, [DYN, STRING], DYN, (value, comparison) => {
    if (holdsType(value as CelValue, notes.attached)) {
      notes.compared.add(comparison);
    }
    return value;
  });
}

function holdsType(value: CelValue, types: ReadonlySet<string>): boolean {
  if (typeof value === 'string') {
    return types.has(value);
  }
  return isCelList(value) && [...value].some((item) => typeof item === 'string' && types.has(item));
}

/**
 * What to put around an operand of a call, given as written and as planned: a note where the call compares it
 * with constant texts.
 */
export function typeNoteOf(call: Call): (written: Node, planned: Node) => Node {
  const operands = [...(call.target === undefined ? [] : [call.target]), ...call.args];
  const texts = Object.hasOwn(comparisons, call.function) ? operands.flatMap(constantTexts) : [];
  if (texts.length === 0) {
    return (_, planned) => planned;
  }
  const comparison: Comparison = { how: call.function, texts };
  return (written, planned) =>
    constantTexts(written).length > 0 ? planned : noted(planned, JSON.stringify(comparison));
}

function constantTexts({ exprKind }: Node): readonly string[] {
  if (exprKind.case === 'listExpr') {
    return exprKind.value.elements.flatMap(constantTexts);
  }
  const constant = exprKind.case === 'constExpr' ? exprKind.value.constantKind : undefined;
  return constant?.case === 'stringValue' ? [constant.value] : [];
}

/** Types that were asked for and that no attestation has. */
export function absentTypes({ attached, compared }: TypeNotes): readonly AbsentType[] {
  return [...compared].flatMap((text) => {
    const { how, texts } = JSON.parse(text) as Comparison;
    const isThere = [...attached].some((type) => texts.some((wanted) => isSatisfied(how, type, wanted)));
    return isThere ? [] : texts.slice(0, 1).map((wanted) => ({ wanted, isPattern: how === 'matches' }));
  });
}

const plans = new Map(
  [...new Set(Object.values(comparisons))].map((cel) => [cel, plan(celEnv(), parse(cel))] as const),
);

function isSatisfied(how: string, type: string, text: string): boolean {
  return plans.get(comparisons[how] ?? equal)?.({ type, text }) === true;
}

function noted(argument: Node, comparison: string): Node {
  const text: Node = {
    $typeName: 'cel.expr.Expr',
    id: argument.id,
    exprKind: {
      case: 'constExpr',
      value: { $typeName: 'cel.expr.Constant', constantKind: { case: 'stringValue', value: comparison } },
    },
  };
  const call: Call = { $typeName: 'cel.expr.Expr.Call', function: noteName, args: [argument, text] };
  return { $typeName: 'cel.expr.Expr', id: argument.id, exprKind: { case: 'callExpr', value: call } };
}
