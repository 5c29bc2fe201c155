import { TcfError } from '../../src/base/error.ts';

/** A document that somebody wrote, and what reads it. */
export interface Seed {
  readonly bytes: Uint8Array;
  /** What the reader makes of other bytes in its place; anything that can be compared. May throw TcfError. */
  readonly read: (bytes: Uint8Array) => unknown;
}

/** A reader of foreign bytes, with documents to change. */
export interface Target {
  readonly name: string;
  /** Exports of `src` that it runs, as `attest/bundle.ts parseBundle`; `table.test.ts` asks for every one. */
  readonly covers: readonly string[];
  readonly seeds: readonly Seed[];
}

export type TextReader = (text: string) => unknown;

/** A target whose seeds are documents for one and the same reader. */
export function target(
  covers: string | readonly string[],
  documents: readonly (string | Uint8Array)[],
  read: (bytes: Uint8Array) => unknown,
): Target {
  const all = typeof covers === 'string' ? [covers] : covers;
  const seeds = documents.map((document) => ({ bytes: Buffer.from(document as string), read }));
  return { name: all[0] ?? '', covers: all, seeds };
}

/** As `target`, for a reader of text. Bytes that are not UTF-8 are no text, so they reach it as U+FFFD. */
export function textTarget(
  covers: string | readonly string[],
  documents: readonly string[],
  read: TextReader,
): Target {
  return target(covers, documents, (bytes) => read(Buffer.from(bytes).toString()));
}

/** What a run ended with. Refusals are answers; any other error is a fault of tcf. */
export type End =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'fault'; readonly error: unknown };

export async function endOf({ read }: Seed, bytes: Uint8Array): Promise<End> {
  try {
    return { kind: 'value', value: plain(await read(bytes)) };
  } catch (error) {
    if (error instanceof TcfError) {
      return { kind: 'refused', code: error.code, message: error.message };
    }
    return { kind: 'fault', error };
  }
}

/** The value without its functions, which are new ones each time. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'function') {
    return 'a function';
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 80) {
    return value;
  }
  if (value instanceof Date) {
    return value.getTime();
  }
  const inner = (each: unknown) => plain(each, depth + 1);
  if (Array.isArray(value)) {
    return value.map(inner);
  }
  if (value instanceof Set) {
    return [...value].map(inner);
  }
  if (value instanceof Map) {
    return [...value].map(([key, one]) => [inner(key), inner(one)]);
  }
  return Object.entries(value).map(([key, one]) => [key, inner(one)]);
}
