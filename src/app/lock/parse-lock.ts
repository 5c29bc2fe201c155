import { readForm } from '../../policy/form.ts';
import { parseStrictYaml } from '../../policy/yaml.ts';
import type { Lock } from './lock.ts';
import { lockForm } from './lock-form.ts';

/** A lock of 600 packages has 150 KiB, one of a whole desktop 600. */
export const maxLockSize: number = 8 * 1024 * 1024;

/**
 * Reads a lock. What it does not know it refuses: an input that somebody mistyped would otherwise be left out
 * of a build that says it has them all.
 *
 * @throws TcfError `policy.malformed` (exit 3) with line and column.
 */
export function parseLock(source: string, name: string): Lock {
  const document = parseStrictYaml(source, name, 'lock', maxLockSize);
  const read = readForm(lockForm, document.value);
  if (read.ok) {
    return read.value;
  }
  const { message, more, path } = read.reason;
  throw document.wrong(path, message, more);
}

/** The JSON Schema of a lock, for editors. */
export function toLockJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'lock of an image (tcf)',
    ...lockForm.schema(),
  };
}
