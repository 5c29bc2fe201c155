import { below, pick, type Random } from './random.ts';

type Path = readonly (string | number)[];

/** What a member may be in place of what its reader waits for. */
const values: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => 1e308,
  () => '',
  () => ' ',
  () => '\u0000',
  () => '\ud83d\ude00',
  () => '__proto__',
  () => '../../x',
  () => '1970-13-01T00:00:00Z',
  () => '+275760-09-13T00:00:00.001Z',
  () => 'sha256:'.padEnd(71, 'A'),
  () => 'AAAA',
  () => 'MAA=',
  () => '=',
  () => 'a'.repeat(70_000),
  () => [],
  () => [null],
  () => [[]],
  () => ({}),
  () => ({ toString: 1, valueOf: 1 }),
  () => JSON.parse('{"__proto__":{"a":1}}'),
  () => JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`),
  (random) => Array<unknown>(pick(random, [10, 100, 2000])).fill({}),
];

const parsed = new WeakMap<
  Uint8Array,
  { readonly value: unknown; readonly paths: readonly Path[] } | undefined
>();

function open(bytes: Uint8Array) {
  if (!parsed.has(bytes)) {
    parsed.set(bytes, read(bytes));
  }
  return parsed.get(bytes);
}

function read(bytes: Uint8Array): { readonly value: unknown; readonly paths: readonly Path[] } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? { value, paths: [...pathsIn(value)] } : undefined;
  } catch {
    // It is no JSON, and changed byte by byte.
    return undefined;
  }
}

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) {
    yield path;
  }
  if (typeof value !== 'object' || value === null) {
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    yield* pathsIn(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/**
 * The document with one to three members changed, gone, twice or in another place; `undefined` where it is no
 * JSON.
 */
export function jsonMutants(bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const document = open(bytes);
  if (document === undefined || document.paths.length === 0) {
    return undefined;
  }
  let { value } = document;
  for (let left = 1 + below(random, 3); left > 0; left -= 1) {
    const path = pick(random, document.paths);
    value = changed(value, path, random, document);
  }
  return Buffer.from(JSON.stringify(value));
}

/** Base64 inside JSON is what its reader looks into next. */
function inside(value: unknown, random: Random): unknown {
  if (typeof value !== 'string' || value.length < 8 || random() < 0.5) {
    return pick(random, values)(random);
  }
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64') !== value) {
    const at = below(random, value.length);
    return value.slice(0, at) + pick(random, ['', '0', '-', ' ', '\n', '%', 'é']) + value.slice(at + 1);
  }
  const at = below(random, bytes.length);
  bytes[at] = below(random, 256);
  return bytes.subarray(0, random() < 0.2 ? at : bytes.length).toString('base64');
}

function changed(
  value: unknown,
  [key, ...rest]: Path,
  random: Random,
  document: { readonly value: unknown; readonly paths: readonly Path[] },
): unknown {
  if (typeof value !== 'object' || value === null || key === undefined) {
    return value;
  }
  // An earlier change may have put a list here.
  if (Array.isArray(value) && typeof key === 'string') {
    return value;
  }
  const copy: Record<string | number, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
  const members = copy as Record<string | number, unknown>;
  const kind = random();
  if (rest.length > 0) {
    members[key] = changed(members[key], rest, random, document);
  } else if (kind < 0.15) {
    delete members[key];
  } else if (kind < 0.3 && Array.isArray(copy)) {
    copy.push(members[key]);
  } else if (kind < 0.4) {
    members[key] = at(document.value, pick(random, document.paths));
  } else {
    members[key] = inside(members[key], random);
  }
  return Array.isArray(copy) ? copy.filter(() => true) : copy;
}

function at(value: unknown, path: Path): unknown {
  let result = value;
  for (const key of path) {
    result = (result as Record<string | number, unknown> | null | undefined)?.[key];
  }
  return result;
}
