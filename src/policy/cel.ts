import {
  type CelInput,
  type CelList,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  listType,
  parse,
  plan,
} from '@bufbuild/cel';
import { askedWrongly, reasonOf, type TcfError } from '../base/error.ts';
import { wholeNumber } from '../base/json.ts';
import { printable, quoted } from '../base/text.ts';
import { absentTypes, type TypeNotes, toTypeNotes, typeNoteFunction, typeNoteOf } from './cel-types.ts';
import {
  type Compile,
  type Expression,
  type ExpressionResult,
  type Variables,
  variableNames,
} from './expression.ts';

/**
 * Compiles one expression of the Common Expression Language
 * (https://github.com/google/cel-spec/blob/master/doc/langdef.md). This module is loaded only where a policy
 * holds an expression: the library costs more time than all the rest of a verification.
 *
 * An expression is work that a policy orders, and a policy may come with a project: it has a budget of steps,
 * counted the same on every machine, and nothing in it can grow without being paid for. Whoever runs out of
 * it gets no answer, whatever was found so far.
 *
 * @throws TcfError `policy.expression` (exit 3) for text that is not an expression.
 */
export const compile: Compile = (text) => {
  if (text.length > maxLength) {
    throw wrong(`it is longer than ${maxLength} characters`);
  }
  try {
    return toExpression(metered(parse(text).expr, [...variableNames, ...typeNames]));
  } catch (error) {
    // The parser throws errors of its own, without a class to tell them by, and RangeError where nesting
    // outgrows the stack.
    throw wrong(reasonOf(error));
  }
};

function wrong(why: string): TcfError {
  return askedWrongly('policy.expression', `is not a CEL expression for policies: ${printable(why)}`);
}

/** A page of text; what needs more is a program and no expression. */
const maxLength = 2000;
/**
 * Some two seconds of work at most. The 5,000 components of a large SBOM may be walked a hundred times for
 * it.
 */
const maxSteps = 1_000_000;
/** A pattern is compiled each time it is used; those of names and versions have a tenth of that. */
const maxPattern = 200;
/** Characters of a text or items of a list that an expression puts together. */
const maxSize = 1_000_000;

const typeNames = ['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'];

type Node = ReturnType<typeof parse>['expr'];
type Call = Extract<Node['exprKind'], { readonly case: 'callExpr' }>['value'];

/** What has been spent; in a policy nothing runs beside anything else. */
interface Meter {
  left: number;
}

function toExpression(expression: Node): Expression {
  const meter: Meter = { left: 0 };
  const notes = toTypeNotes();
  const run = plan(celEnv({ funcs: [...functionsOf(meter), typeNoteFunction(notes)] }), expression);
  return (variables): ExpressionResult => {
    meter.left = maxSteps;
    prepareNotes(notes, variables.attestations ?? []);
    const bindings = toBindings(variables, meter);
    if (bindings === undefined) {
      return { kind: 'cannot-tell', why: 'it is asked about a number beyond 64 bits' };
    }
    const result = meter.left < 0 ? undefined : run(bindings);
    // First of all: an answer found after the budget was spent is the answer to another question.
    if (meter.left < 0) {
      return { kind: 'cannot-tell', why: `it takes more than ${maxSteps} steps` };
    }
    if (isCelError(result)) {
      return { kind: 'cannot-tell', why: printable(result.message) };
    }
    // The library's errors are truthy objects, so nothing but `true` is a yes.
    if (result === true) {
      return { kind: 'true', absentTypes: absentTypes(notes) };
    }
    return result === false
      ? { kind: 'false' }
      : { kind: 'cannot-tell', why: 'it says neither true nor false' };
  };
}

/** `undefined`: a number in them is none of CEL. */
function toBindings(variables: Variables, meter: Meter): Record<string, CelInput> | undefined {
  const present = Object.entries(variables).filter(([, value]) => value !== undefined);
  try {
    return Object.fromEntries(present.map(([name, value]) => [name, toInput(value, meter)] as const));
  } catch (error) {
    if (error instanceof BeyondNumbers) {
      return undefined;
    }
    throw error;
  }
}

function prepareNotes(notes: TypeNotes, attestations: readonly unknown[]): void {
  notes.compared.clear();
  notes.attached = new Set(
    attestations.flatMap((one) =>
      typeof one === 'object' && one !== null && 'type' in one && typeof one.type === 'string'
        ? [one.type]
        : [],
    ),
  );
}

/**
 * JSON as the library takes it. Objects become maps: with a member `$typeName` a stranger's object would be
 * taken for a protobuf message. Whole numbers become ints, times timestamps.
 */
function toInput(value: unknown, meter: Meter): CelInput {
  spend(meter, 1);
  if (meter.left < 0) {
    return null;
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) {
    return value;
  }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  const large = wholeNumber(value);
  if (large !== undefined) {
    return toLarge(large);
  }
  if (value instanceof Date) {
    return toTimestamp(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => toInput(item, meter));
  }
  if (typeof value === 'object') {
    return new Map(
      Object.entries(value).flatMap(([key, inner]) =>
        inner === undefined ? [] : [[key, toInput(inner, meter)] as const],
      ),
    );
  }
  return null;
}

/** Whole numbers of CEL are int64 and uint64; beyond them a double would stand for many numbers. */
function toLarge(value: bigint): CelInput {
  if (BigInt.asIntN(64, value) === value) {
    return value;
  }
  if (BigInt.asUintN(64, value) === value) {
    return celUint(value);
  }
  throw new BeyondNumbers();
}

class BeyondNumbers extends Error {}

const timestampOf = plan(celEnv(), parse('timestamp(text)'));

function toTimestamp(time: Date): CelInput {
  const value = timestampOf({ text: time.toISOString() });
  return isCelError(value) ? null : value;
}

function spend(meter: Meter, steps: number): void {
  meter.left -= steps;
}

class Spent extends Error {}

function pay(meter: Meter, steps: number): void {
  spend(meter, steps);
  if (meter.left < 0) {
    throw new Spent('the budget is spent');
  }
}

const { DYN, STRING } = CelScalar;
const LIST = listType(DYN);

/**
 * The functions that `metered` puts around everything, and additions that stay within bounds. The parser
 * takes no name with "@".
 */
function functionsOf(meter: Meter): ReturnType<typeof celFunc>[] {
  const flat = new WeakMap<object, readonly CelValue[]>();
  const itemsOf = (list: CelList): readonly CelValue[] => flat.get(list) ?? [...list];
  const toll = (name: string, cost: (value: CelValue) => void) =>
    celFunc(name, [DYN], DYN, (value) => {
      cost(value as CelValue);
      return value;
    });
  return [
    toll(tolls.loop, (value) => pay(meter, 1 + (isCelList(value) || isCelMap(value) ? value.size : 0))),
    toll(tolls.look, (value) => pay(meter, 1 + sizeOf(value))),
    toll(tolls.scan, (value) => pay(meter, 1 + (typeof value === 'string' ? value.length : 0))),
    toll(tolls.compare, (value) => weigh(value, meter)),
    celFunc('_+_', [STRING, STRING], STRING, (a, b) => {
      if (a.length + b.length > maxSize) {
        pay(meter, Number.POSITIVE_INFINITY);
      }
      return a + b;
    }),
    // Side by side, as the library keeps them, ten thousand sums of lists would be ten thousand deep.
    celFunc('_+_', [LIST, LIST], LIST, (a, b) => {
      const [left, right] = [itemsOf(a), itemsOf(b)];
      if (left.length + right.length > maxSize) {
        pay(meter, Number.POSITIVE_INFINITY);
      }
      const items = left.concat(right);
      const list = celList(items);
      flat.set(list, items);
      return list;
    }),
  ];
}

/** What it costs to go over a value once; text and lists are copied and searched in large pieces. */
function sizeOf(value: CelValue): number {
  if (typeof value === 'string') {
    return Math.floor(value.length / 100);
  }
  return isCelList(value) || isCelMap(value) ? Math.floor(value.size / 100) : 0;
}

/** What it costs to compare a value whole. One that holds another many times is as large as it looks. */
function weigh(value: CelValue, meter: Meter): void {
  pay(meter, 1 + sizeOf(value));
  if (isCelList(value)) {
    for (const item of value) {
      weigh(item, meter);
    }
  } else if (isCelMap(value)) {
    for (const [, item] of value) {
      weigh(item, meter);
    }
  }
}

const tolls = { loop: '@loop', look: '@look', scan: '@scan', compare: '@compare' } as const;
const comparisons = ['_==_', '_!=_', '@in'];
/** They look at nothing but what has been paid for. */
const free = ['_&&_', '_||_', '!_', '_?_:_', '_[_]', '@not_strictly_false'];
const library = celEnv().funcs;

/**
 * Puts a toll before each loop and each call, in the expression itself. Throws at what no policy means:
 * unknown names.
 */
function metered(node: Node, names: readonly string[]): Node {
  const kind = node.exprKind;
  const walk = (inner: Node | undefined, more: readonly string[] = []): Node =>
    metered(inner ?? node, [...names, ...more]);
  switch (kind.case) {
    case 'identExpr':
      if (!names.includes(kind.value.name)) {
        throw new Error(`nothing is called ${quoted(kind.value.name)}`);
      }
      return node;
    case 'callExpr': {
      const call = kind.value;
      if (!free.includes(call.function) && library.find(call.function) === undefined) {
        throw new Error(`no function is called ${quoted(call.function)}`);
      }
      if (call.function === 'matches') {
        checkPattern(call);
      }
      const toll = tollOf(call.function);
      const note = typeNoteOf(call);
      const pay = (inner: Node): Node =>
        note(inner, toll === undefined ? walk(inner) : charged(toll, walk(inner)));
      if (call.target !== undefined) {
        call.target = pay(call.target);
      }
      call.args = call.args.map(pay);
      return node;
    }
    case 'comprehensionExpr': {
      const loop = kind.value;
      loop.iterRange = charged(tolls.loop, walk(loop.iterRange));
      loop.loopStep = walk(loop.loopStep, [loop.accuVar, loop.iterVar]);
      loop.loopCondition = walk(loop.loopCondition, [loop.accuVar, loop.iterVar]);
      loop.result = walk(loop.result, [loop.accuVar]);
      return node;
    }
    case 'listExpr':
      kind.value.elements = kind.value.elements.map((element) => walk(element));
      return node;
    case 'structExpr':
      if (kind.value.messageName !== '') {
        throw new Error('messages of protobuf have no place in it');
      }
      for (const entry of kind.value.entries) {
        if (entry.keyKind.case === 'mapKey') {
          entry.keyKind.value = walk(entry.keyKind.value);
        }
        if (entry.value !== undefined) {
          entry.value = walk(entry.value);
        }
      }
      return node;
    case 'selectExpr':
      kind.value.operand = walk(kind.value.operand);
      return node;
    default:
      return node;
  }
}

function tollOf(name: string): string | undefined {
  if (free.includes(name)) {
    return undefined;
  }
  if (comparisons.includes(name)) {
    return tolls.compare;
  }
  return name === 'matches' ? tolls.scan : tolls.look;
}

/** A pattern out of the evidence would be a program by a stranger. */
function checkPattern({ args, target }: Call): void {
  const pattern = (target === undefined ? args[1] : args[0])?.exprKind;
  const constant = pattern?.case === 'constExpr' ? pattern.value.constantKind : undefined;
  if (constant?.case !== 'stringValue' || constant.value.length > maxPattern) {
    throw new Error(`the pattern of "matches" has to be a text of at most ${maxPattern} characters`);
  }
}

function charged(name: string, argument: Node): Node {
  const call: Call = { $typeName: 'cel.expr.Expr.Call', function: name, args: [argument] };
  return { $typeName: 'cel.expr.Expr', id: argument.id, exprKind: { case: 'callExpr', value: call } };
}
