import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/*
 * Writes src/bom/data/cyclonedx-schemas.json: the JSON schemas of CycloneDX that the CycloneDX library
 * brings, without what only people read. A test compares the file with the library that is installed.
 */

/** Keywords without effect on what is valid. */
const forPeople = new Set(['$comment', 'deprecated', 'description', 'examples', 'meta:enum', 'title']);
/** Keywords whose members are names and not keywords. */
const named = new Set(['definitions', '$defs', 'dependentSchemas', 'patternProperties', 'properties']);

export const schemaFile: string = join(import.meta.dirname, '../src/bom/data/cyclonedx-schemas.json');

/** By spec version, and what they refer to by file name. Where a version has a strict schema, that. */
export function condensedSchemas(): Readonly<Record<string, unknown>> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema');
  const read = (name: string): unknown =>
    condense(JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8')));
  return {
    '1.2': read('bom-1.2-strict'),
    '1.3': read('bom-1.3-strict'),
    '1.4': read('bom-1.4'),
    '1.5': read('bom-1.5'),
    '1.6': read('bom-1.6'),
    '1.7': read('bom-1.7'),
    'cryptography-defs': read('cryptography-defs'),
    'jsf-0.82': read('jsf-0.82'),
    spdx: read('spdx'),
  };
}

function condense(value: unknown, areNames = false): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => condense(item));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => areNames || !forPeople.has(key))
      .map(([key, member]) => [key, condense(member, !areNames && named.has(key))]),
  );
}

/** One line a schema, so that a change of the library reads as one. */
export function formatSchemas(schemas: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(schemas).map(([name, schema]) => `"${name}": ${JSON.stringify(schema)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

if (import.meta.main) {
  writeFileSync(schemaFile, formatSchemas(condensedSchemas()));
}
