declare const brand: unique symbol;

/**
 * A value that only one function may mint. `Branded<string, 'Digest'>` is a string to every reader, but a
 * string is not a Digest: the function that checks it casts, in one file, and `test/architecture.test.ts`
 * refuses every other cast.
 */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
