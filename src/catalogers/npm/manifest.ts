import { TcfError } from '../../base/error.ts';
import { isObject, parseJson } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { TreeFile } from '../contract.ts';

/** validate-npm-package-name, old packages with capitals included. */
export const npmPackageName: RegExp =
  /^(?=.{1,214}$)(?:@[A-Za-z0-9~!'()*_-][\w.~!'()*-]*\/)?[A-Za-z0-9~!'()*-][\w.~!'()*-]*$/;
/**
 * npm has not nested by default since its version 3; every level costs each dependency below it one more
 * look.
 */
const maxNesting = 32;
/** Texts of one line in package.json; longer ones are no names, addresses or licences. */
const maxText = 1000;

/** What a package.json says. */
export interface NpmManifest {
  readonly name: string;
  readonly version?: string;
  readonly fields: NpmFields;
}

export type NpmFields = Readonly<Record<string, unknown>>;

/** A manifest, or why it cannot be one. */
export function manifestIn(file: TreeFile): NpmManifest | string {
  if (file.path.split('/node_modules/').length > maxNesting) {
    return `is nested deeper than ${maxNesting} levels`;
  }
  const content = file.content();
  if (content === undefined) {
    return 'is too large to read';
  }
  let value: unknown;
  try {
    value = parseJson(content, 'package.json');
  } catch (error) {
    if (error instanceof TcfError) {
      return printable(error.message);
    }
    throw error;
  }
  const fields = npmFieldsOf(value);
  if (fields === undefined) {
    return 'is not an object';
  }
  const name = fields['name'];
  const version = fields['version'];
  if (typeof name !== 'string' || !npmPackageName.test(name)) {
    return 'has no name that is one';
  }
  // Only what is published must have a version; what stands there must be one.
  if (version === undefined) {
    return { name, fields };
  }
  if (typeof version !== 'string' || !/^[!-~]{1,200}$/.test(version)) {
    return 'has no version that is one';
  }
  return { name, version, fields };
}

/** The members of an object; of anything else `undefined`. */
export function npmFieldsOf(value: unknown): NpmFields | undefined {
  return isObject(value) ? value : undefined;
}

/** A text of one line that may be a name, an address or a licence. */
export function lineOf(value: unknown): string | undefined {
  const text = typeof value === 'string' && value.length <= maxText ? value.trim() : '';
  return text === '' ? undefined : text;
}
