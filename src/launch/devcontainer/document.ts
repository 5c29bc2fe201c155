import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { askedWrongly, type TcfError } from '../../base/error.ts';
import { isObject } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import { type ImageRef, parseImageRef } from '../../oci/reference.ts';
import { scriptFile } from './script.ts';

/** A devcontainer.json as it was read: its members, each once. */
export interface DevContainer {
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Where the CLI looks first (devcontainers specification, "devcontainer.json"). */
export const usualFiles: readonly string[] = ['.devcontainer/devcontainer.json', '.devcontainer.json'];

/**
 * What has to stand in `initializeCommand`: a list, so that the editor puts no shell in between, and nothing
 * beside it that could end first or with 130. The CLI does not say which of several files it read, so each
 * file has a script of its own beside it.
 */
export function initializeCommand(file: string): readonly string[] {
  return ['sh', scriptFile(file)];
}

/** The same without a script, for those who have tcf on PATH everywhere. */
function directCommand(file: string): readonly string[] {
  return ['tcf', 'devcontainer', 'check', ...(usualFiles.includes(file) ? [] : ['--file', file])];
}

const sameWords = (value: unknown, words: readonly string[]): boolean =>
  JSON.stringify(value) === JSON.stringify(words);

/** Whether the file has tcf asked by the script beside it, which has to be looked at too. */
export function asksByScript({ members }: DevContainer, file: string): boolean {
  return sameWords(members['initializeCommand'], initializeCommand(file));
}

/** By the script or without. */
export const asksTcf = (container: DevContainer, file: string): boolean =>
  asksByScript(container, file) || sameWords(container.members['initializeCommand'], directCommand(file));

const maxCharacters = 1024 * 1024;
/** The devcontainer CLI asks no deeper; a document that nests without end would end us. */
const maxDepth = 64;

/**
 * Reads JSON with comments and trailing commas, as the devcontainer CLI does, but as one meaning or none: a
 * key that stands twice is refused, since the last one would win there.
 *
 * @throws TcfError `devcontainer.malformed` (exit 3).
 */
export function parseDevContainer(text: string, file: string): DevContainer {
  const value = parseJsonc(text, file);
  if (isObject(value)) {
    return { text, members: value };
  }
  throw malformed(file, 'it is not an object');
}

export function parseJsonc(text: string, file: string): unknown {
  if (text.length > maxCharacters) {
    throw malformed(file, `it has more than ${maxCharacters} characters`);
  }
  const errors: ParseError[] = [];
  const tree = parseNodes(text, file, errors);
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split('\n').length;
    throw malformed(file, `line ${line}: ${printParseErrorCode(error.error)}`);
  }
  return tree === undefined ? undefined : toValue(tree, file, 0);
}

/** The parser calls itself for each level, and has no limit but the stack. */
function parseNodes(text: string, file: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  } catch (error) {
    if (error instanceof RangeError) {
      throw malformed(file, `it nests deeper than ${maxDepth} levels`);
    }
    throw error;
  }
}

function toValue(node: Node, file: string, depth: number): unknown {
  if (depth > maxDepth) {
    throw malformed(file, `it nests deeper than ${maxDepth} levels`);
  }
  if (node.type === 'array') {
    return (node.children ?? []).map((child) => toValue(child, file, depth + 1));
  }
  if (node.type !== 'object') {
    return node.value;
  }
  const members: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    const name = String(key?.value);
    if (Object.hasOwn(members, name)) {
      throw malformed(file, `the key ${quoted(name)} stands twice`);
    }
    if (value !== undefined) {
      members[name] = toValue(value, file, depth + 1);
    }
  }
  return members;
}

export function malformed(file: string, why: string): TcfError {
  return askedWrongly('devcontainer.malformed', `cannot read ${quoted(file)}: ${why}`);
}

/** The image by its digest; `undefined` where the name can move, or where there is none. */
export function pinnedImage({ members }: DevContainer): (ImageRef & { readonly digest: Digest }) | undefined {
  const ref = imageOf(members);
  return ref?.digest === undefined ? undefined : { ...ref, digest: ref.digest };
}

/** @throws TcfError `reference.malformed` (exit 3). */
export function imageOf(members: DevContainer['members']): ImageRef | undefined {
  const image = members['image'];
  return typeof image === 'string' ? parseImageRef(image) : undefined;
}
