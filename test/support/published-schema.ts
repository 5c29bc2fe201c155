import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

/**
 * A schema that somebody else publishes, read from the folder TCF_SCHEMAS where somebody has put it: OASIS'
 * own `sarif-schema-2.1.0.json`, GitLab's `container-scanning-report-format.json`. None of them stands in
 * this project.
 *
 * @returns What is wrong with a document, or `undefined` where the schema is not there.
 */
export function publishedSchema(name: string): ((document: unknown) => readonly string[]) | undefined {
  const path = join(process.env['TCF_SCHEMAS'] ?? '/nowhere', name);
  if (!existsSync(path)) {
    return undefined;
  }
  const schema = JSON.parse(readFileSync(path, 'utf8'));
  // The drafts differ in nothing that these schemas use.
  const { $schema: _, id: __, ...plain } = schema;
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default(ajv);
  const validate = ajv.compile(plain);
  return (document) =>
    validate(document)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
