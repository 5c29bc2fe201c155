import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { openCrd } from './crd.ts';

/*
 * What the API server of a cluster says of every golden export, by the definitions that the engines publish.
 */

const folder = join(import.meta.dirname, '../../fixtures/exports');

const objectsOf = (target: string): readonly unknown[] =>
  readdirSync(join(folder, target))
    .filter((file) => file.endsWith('.expected.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, target, file), 'utf8')))
    .map((document) => document.toJS() as unknown);

describe.for(['cluster-image-policy', 'image-validating-policy', 'kyverno'] as const)('%s', (target) => {
  const validatorFor = openCrd(readFileSync(join(inject('schemas'), `${target}.yaml`), 'utf8'));
  const objects = objectsOf(target);

  test('every object fits, with no field that is not served', () => {
    expect(objects.length).toBeGreaterThan(2);
    for (const object of objects) {
      const validate = validatorFor(object);
      expect(validate(object), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test('one more field anywhere, or a number in place of a part, and it does not', () => {
    const wrong = objects.flatMap((object) => [
      ...variants(object, (part) => (isRecord(part) ? { ...part, unheardOf: true } : undefined)),
      ...variants(object, (part) => (isRecord(part) || Array.isArray(part) ? 7 : undefined)),
    ]);
    expect(wrong.length).toBeGreaterThan(100);
    const passed = wrong.filter(({ object }) => validatorFor(object)(object)).map(({ path }) => path);
    // Kyverno's definition leaves conditions to its webhook; what it makes of ours is asked of Kyverno
    // itself.
    expect(passed.filter((path) => !path.includes('/deny/conditions'))).toEqual([]);
  });
});

interface Variant {
  readonly path: string;
  readonly object: unknown;
}

/**
 * The value once for each of its parts, with that part replaced. Of metadata the definition says nothing, and
 * kind and version choose it.
 */
function variants(value: unknown, replace: (part: unknown) => unknown, path = ''): readonly Variant[] {
  const here = path === '' ? undefined : replace(value);
  const own = here === undefined ? [] : [{ path, object: here }];
  const parts = Object.entries(isRecord(value) || Array.isArray(value) ? value : {});
  return [
    ...own,
    ...parts
      .filter(([key]) => path !== '' || key === 'spec')
      .flatMap(([key, part]) =>
        variants(part, replace, `${path}/${key}`).map(({ object, path: at }) => ({
          path: at,
          object: Array.isArray(value)
            ? value.with(Number(key), object)
            : { ...(value as object), [key]: object },
        })),
      ),
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
