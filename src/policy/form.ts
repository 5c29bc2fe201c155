import { isObject } from '../base/json.ts';
import { no, type Outcome, yes } from '../base/outcome.ts';
import { quoted } from '../base/text.ts';
import type { Path } from './yaml.ts';

/**
 * The form that a part of a policy must have: plain data in, the same with a type out. What fits no form is
 * refused, so every mapping is closed, a list is not a mapping, and names that JavaScript inherits
 * (`constructor`) are keys like any other.
 *
 * One description gives the type, the error in our words and the JSON Schema for editors.
 */
export interface Form<Value> {
  /** @throws Misfit about the first thing that is wrong, in the order of the form. */
  readonly read: (value: unknown, at: Path) => Value;
  /** Keys that a mapping lacks or has too many of for this form; far for another kind of value. */
  readonly distance: (value: unknown) => number;
  /** JSON Schema 2020-12 of it. */
  readonly schema: () => JsonSchema;
}

export interface OptionalForm<Value> extends Form<Value> {
  readonly isOptional: true;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Why a value does not fit its form. */
export class Misfit extends Error {
  readonly path: Path;
  /** The key of the mapping at `path` that is meant, and what to do about it. */
  readonly more: { readonly key?: string; readonly hint?: string };

  constructor(path: Path, why: string, more: Misfit['more'] = {}) {
    super(why);
    this.path = path;
    this.more = more;
  }
}

/** What a value says in a form, or why it says nothing. */
export function readForm<Value>(form: Form<Value>, value: unknown): Outcome<Value, Misfit> {
  try {
    return yes(form.read(value, []));
  } catch (error) {
    if (error instanceof Misfit) {
      return no(error);
    }
    throw error;
  }
}

const far = 1000;

function ofKind<Value>(
  is: (value: unknown) => value is Value,
  name: string,
  schema: JsonSchema,
): Form<Value> {
  return {
    read: (value, at) => {
      if (is(value)) {
        return value;
      }
      throw new Misfit(at, `is not ${name}`);
    },
    distance: (value) => (is(value) ? 0 : far),
    schema: () => schema,
  };
}

type Mapping = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Text, the empty one too. */
export const textOrNothing: Form<string> = ofKind(isText, 'a string', { type: 'string' });
const anyList = ofKind(isList, 'a list', { type: 'array' });
const anyMapping = ofKind(isObject, 'a mapping', { type: 'object' });
const anyWhole = ofKind(isWhole, 'a whole number', { type: 'integer' });

/**
 * The form, narrowed: `problem` says why a value that fits it does not do all the same, about itself or one
 * of its members.
 */
export function such<Value>(
  form: Form<Value>,
  problem: (value: Value) => string | undefined,
  { member, schema = {} }: { readonly member?: string; readonly schema?: JsonSchema } = {},
): Form<Value> {
  return {
    ...form,
    read: (value, at) => {
      const read = form.read(value, at);
      const why = problem(read);
      if (why !== undefined) {
        throw new Misfit(member === undefined ? at : [...at, member], why);
      }
      return read;
    },
    schema: () => ({ ...form.schema(), ...schema }),
  };
}

/** At least one of these members, or of all: what asks for nothing was meant to ask for something. */
export function asking<Value extends object>(
  form: Form<Value>,
  why = 'asks for nothing',
  among?: readonly (keyof Value)[],
): Form<Value> {
  const asks = (key: string) => among === undefined || among.some((one) => one === key);
  return such(form, (value) => (Object.keys(value).some(asks) ? undefined : why));
}

/** Text that is not empty. */
export const text: Form<string> = such(textOrNothing, (value) => (value === '' ? 'is empty' : undefined), {
  schema: { minLength: 1 },
});

/** Text of a pattern without flags. `why` ends a sentence that begins with the place. */
export function textLike(pattern: RegExp, why: string): Form<string> {
  const schema = { pattern: pattern.source };
  return such(textOrNothing, (value) => (pattern.test(value) ? undefined : why), { schema });
}

/** Text that a function knows. */
export function textThat(is: (text: string) => boolean, why: string): Form<string> {
  return such(textOrNothing, (value) => (is(value) ? undefined : why));
}

export function whole(minimum: number, maximum: number): Form<number> {
  return such(
    anyWhole,
    (value) => {
      if (value < minimum) {
        return 'is too small';
      }
      return value > maximum ? 'is too big' : undefined;
    },
    { schema: { minimum, maximum } },
  );
}

/** One of these values. */
export function choice<const Value extends string | number | boolean>(
  ...values: readonly Value[]
): Form<Value> {
  const schema = values.length === 1 ? { const: values[0] } : { enum: values };
  const is = (value: unknown): value is Value => values.some((known) => known === value);
  return ofKind(is, values.map(String).join(' or '), { type: typeof values[0], ...schema });
}

/** At least one of them, at most `maximum`. */
export function list<Item>(
  item: Form<Item>,
  maximum: number = Number.POSITIVE_INFINITY,
): Form<readonly Item[]> {
  const ofLength = such(anyList, ({ length }) => {
    if (length === 0) {
      return 'is empty';
    }
    return length > maximum ? 'is too big' : undefined;
  });
  return {
    read: (value, at) => ofLength.read(value, at).map((each, index) => item.read(each, [...at, index])),
    distance: anyList.distance,
    schema: () => ({
      ...anyList.schema(),
      items: item.schema(),
      minItems: 1,
      ...(Number.isFinite(maximum) ? { maxItems: maximum } : {}),
    }),
  };
}

type Members = Readonly<Record<string, Form<unknown>>>;
type ValueOf<F> = F extends Form<infer Value> ? Value : never;
type Read<M extends Members> = {
  readonly [K in keyof M as M[K] extends OptionalForm<unknown> ? never : K]: ValueOf<M[K]>;
} & {
  readonly [K in keyof M as M[K] extends OptionalForm<unknown> ? K : never]?: ValueOf<M[K]> | undefined;
};

/** Exactly these keys; those that are `optional` may be left away. */
export function mapping<M extends Members>(members: M): Form<Read<M>> {
  const forms = Object.entries<Form<unknown>>(members);
  const required = forms.filter(([, form]) => !('isOptional' in form)).map(([key]) => key);
  const unknownKeys = (value: Mapping) => Object.keys(value).filter((key) => !Object.hasOwn(members, key));
  const readMembers = (value: Mapping, at: Path) =>
    forms.flatMap(([key, form]) => {
      if (Object.hasOwn(value, key)) {
        return [[key, form.read(value[key], [...at, key])]];
      }
      if (required.includes(key)) {
        throw new Misfit([...at, key], 'is missing');
      }
      return [];
    });
  return {
    read: (value, at) => {
      const given = anyMapping.read(value, at);
      const read = Object.fromEntries(readMembers(given, at)) as Read<M>;
      const [key] = unknownKeys(given);
      if (key !== undefined) {
        const hint = `known here are ${forms.map(([name]) => name).join(', ')}`;
        throw new Misfit(at, `does not know the key ${quoted(key)}`, { key, hint });
      }
      return read;
    },
    distance: (value) =>
      isObject(value)
        ? unknownKeys(value).length + required.filter((key) => !Object.hasOwn(value, key)).length
        : far,
    schema: () => ({
      ...anyMapping.schema(),
      properties: Object.fromEntries(forms.map(([key, form]) => [key, form.schema()])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    }),
  };
}

/** Keys of the author's choice, all with the same form of value. */
export function table<Value>(key: Form<string>, value: Form<Value>): Form<Readonly<Record<string, Value>>> {
  return {
    read: (given, at) =>
      Object.fromEntries(
        Object.entries(anyMapping.read(given, at)).map(([name, each]) => {
          const inner = [...at, name];
          return [key.read(name, inner), value.read(each, inner)];
        }),
      ),
    distance: anyMapping.distance,
    schema: () => ({
      ...anyMapping.schema(),
      propertyNames: key.schema(),
      additionalProperties: value.schema(),
    }),
  };
}

/** The form that is closest to the value, the first of several. */
export function either<Forms extends readonly [Form<unknown>, ...Form<unknown>[]]>(
  ...forms: Forms
): Form<ValueOf<Forms[number]>> {
  type Value = ValueOf<Forms[number]>;
  const distance = (value: unknown) => Math.min(...forms.map((form) => form.distance(value)));
  return {
    read: (value, at) => {
      const least = distance(value);
      const closest = forms.find((form) => form.distance(value) === least) ?? forms[0];
      return closest.read(value, at) as Value;
    },
    distance,
    schema: () => ({ anyOf: forms.map((form) => form.schema()) }),
  };
}

/** Whatever JSON can say. */
export const json: Form<unknown> = ofKind((value): value is unknown => isJson(value), 'a JSON value', {});

function isJson(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isFinite(value);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).every(isJson);
  }
  return value === null || isText(value) || typeof value === 'boolean';
}

/** Read as `form`, kept as something else. */
export function as<From, To>(form: Form<From>, convert: (value: From) => To): Form<To> {
  return { ...form, read: (value, at) => convert(form.read(value, at)) };
}

/** With a sentence for editors. */
export function described<Value>(form: Form<Value>, description: string): Form<Value> {
  return { ...form, schema: () => ({ ...form.schema(), description }) };
}

/** A member that may be left away, with its sentence. */
export function optional<Value>(form: Form<Value>, description?: string): OptionalForm<Value> {
  return { ...(description === undefined ? form : described(form, description)), isOptional: true };
}
