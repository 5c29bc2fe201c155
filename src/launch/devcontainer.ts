import {
  applyEdits,
  type JSONPath,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { askedWrongly, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';
import { checkMount, parseRunArguments } from './arguments.ts';

/** A devcontainer.json as it was read: its members, each once. */
export interface DevContainer {
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Something that would let another image than the verified one start, or the verified one start unasked. */
export interface DevContainerFault {
  readonly message: string;
  readonly mend: string;
}

/** Where the CLI looks first (devcontainers specification, "devcontainer.json"). */
export const usualFiles: readonly string[] = ['.devcontainer/devcontainer.json', '.devcontainer.json'];

/**
 * What has to stand in `initializeCommand`: a list, so that no shell takes part, and nothing beside it that could end first or with 130. The CLI does
 * not say which of several files it read, so the file says it.
 */
export function initializeCommand(file: string): readonly string[] {
  return ['tcf', 'devcontainer', 'check', ...(usualFiles.includes(file) ? [] : ['--file', file])];
}

const maxCharacters = 1024 * 1024;
/** The devcontainer CLI asks no deeper; a document that nests without end would end us. */
const maxDepth = 64;

/**
 * Reads JSON with comments and trailing commas, as the devcontainer CLI does, but as one meaning or none: a key that stands twice is refused,
 * since the last one would win there.
 *
 * @throws TcfError `devcontainer.malformed` (exit 3).
 */
export function parseDevContainer(text: string, file: string): DevContainer {
  const value = parseJsonc(text, file);
  if (isObject(value)) return { text, members: value };
  throw malformed(file, 'it is not an object');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJsonc(text: string, file: string): unknown {
  if (text.length > maxCharacters) throw malformed(file, `it has more than ${maxCharacters} characters`);
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
    if (error instanceof RangeError) throw malformed(file, `it nests deeper than ${maxDepth} levels`);
    throw error;
  }
}

function toValue(node: Node, file: string, depth: number): unknown {
  if (depth > maxDepth) throw malformed(file, `it nests deeper than ${maxDepth} levels`);
  if (node.type === 'array') return (node.children ?? []).map((child) => toValue(child, file, depth + 1));
  if (node.type !== 'object') return node.value;
  const members: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    const name = String(key?.value);
    if (Object.hasOwn(members, name)) throw malformed(file, `the key ${quoted(name)} stands twice`);
    if (value !== undefined) members[name] = toValue(value, file, depth + 1);
  }
  return members;
}

function malformed(file: string, why: string): TcfError {
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

/** What makes the CLI build an image of its own, on top of the verified digest or beside it. */
const builders: Readonly<Record<string, string>> = {
  build: 'a Dockerfile is built on images that nothing has verified',
  dockerFile: 'a Dockerfile is built on images that nothing has verified',
  dockerComposeFile: 'Compose starts whatever images it names',
  features: 'Features are installed into a new image, on top of the verified one',
};

/** Everything in a devcontainer.json that lets something unverified start. None: it starts the image that it pins, after asking. */
export function faultsOf(container: DevContainer, file: string): readonly DevContainerFault[] {
  const { members } = container;
  const faults: DevContainerFault[] = [];
  const fault = (message: string, mend: string) => faults.push({ message, mend });
  for (const [key, why] of Object.entries(builders)) {
    if (members[key] !== undefined && !isEmptyObject(members[key]))
      fault(
        `${quoted(key)}: ${why}`,
        'put it into the image, build that in CI, sign it, and name it here by digest',
      );
  }
  if (pinnedImage(container) === undefined) {
    const { image = '' } = members;
    const name = typeof image === 'string' ? image : JSON.stringify(image);
    fault(`the image ${quoted(name)} is not named by its digest`, 'tcf devcontainer pin');
  }
  if (members['updateRemoteUserUID'] !== false)
    fault(
      'without "updateRemoteUserUID": false a new image with another user id is built on top',
      'tcf devcontainer pin',
    );
  const command = JSON.stringify(initializeCommand(file));
  if (JSON.stringify(members['initializeCommand']) !== command)
    fault(`"initializeCommand" is not ${command}`, 'tcf devcontainer pin');
  const wrongRunArgs = faultOfRunArgs(members['runArgs']);
  if (wrongRunArgs !== undefined) fault(wrongRunArgs, 'leave it out');
  for (const key of ['mounts', 'workspaceMount']) {
    const wrongMount = faultOfMounts(members[key]);
    if (wrongMount !== undefined) fault(`${quoted(key)}: ${wrongMount}`, 'leave it out');
  }
  return faults;
}

/** The engine takes `runArgs` as they are, before the image: the same closed list as for `tcf run`. */
function faultOfRunArgs(runArgs: unknown): string | undefined {
  if (runArgs === undefined) return undefined;
  if (!Array.isArray(runArgs) || runArgs.some((word) => typeof word !== 'string'))
    return '"runArgs" is no list of texts';
  const end = 'the-image';
  try {
    const { engineFlags, image } = parseRunArguments([...(runArgs as string[]), end], {});
    if (image !== end)
      return `"runArgs": ${quoted(image ?? '')} is no flag, and would stand in the place of the image`;
    const wrong = faultOfMounts(mountsOf(engineFlags));
    return wrong === undefined ? undefined : `"runArgs": ${wrong}`;
  } catch (error) {
    if (error instanceof TcfError) return `"runArgs": ${error.message}`;
    throw error;
  }
}

const mountsOf = (flags: readonly string[]): readonly string[] =>
  flags.flatMap((word, index) =>
    word === '--mount' ? (flags[index + 1] ?? '') : word.startsWith('--mount=') ? word.slice(8) : [],
  );

/** What makes a mount another than it looks: an image as its content, or a variable that could become one. `undefined`: nothing. */
function faultOfMounts(value: unknown): string | undefined {
  for (const mount of value === undefined ? [] : Array.isArray(value) ? value : [value]) {
    const text = mountText(mount);
    if (text === undefined) return 'it is no text, and no type, source and target';
    try {
      checkMount(text);
    } catch (error) {
      if (error instanceof TcfError) return error.message;
      throw error;
    }
    const field = text.replaceAll('"', '').split(',').find(isOpenField);
    if (field !== undefined) return `a variable in ${quoted(field)} could make another mount of it`;
  }
  return undefined;
}

/** The argument of `--mount` that the CLI makes of it. */
function mountText(mount: unknown): string | undefined {
  if (typeof mount === 'string') return mount;
  if (!isObject(mount)) return undefined;
  const { source = '', target, type } = mount;
  const isText = [source, target, type].every((part) => typeof part === 'string');
  return isText ? `type=${type},src=${source},dst=${target}` : undefined;
}

/**
 * The CLI puts variables in after we looked, and `${localEnv:NONE:any text}` puts in what the project likes: so they may name a place of the machine or of
 * the container, and nothing else.
 */
function isOpenField(field: string): boolean {
  const rest = field.replaceAll(
    /\$\{(?:(?:local|container)WorkspaceFolder(?:Basename)?|localEnv:\w+|devcontainerId)\}/g,
    '',
  );
  if (rest.includes('${')) return true;
  return rest !== field && !/^\s*(?:source|src|target|dst|destination)\s*=/i.test(rest);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * Keys of the image's label `devcontainer.metadata` that reach out of the container. The CLI merges the label into the configuration, so an image
 * could ask for them without a word in the project (devcontainers specification, "Image Metadata").
 */
const powers: ReadonlySet<string> = new Set(['capAdd', 'entrypoint', 'mounts', 'privileged', 'securityOpt']);

/**
 * What the label asks for beyond the container, and what the project did not ask for itself.
 *
 * @param label JSON: an object or a list of objects.
 * @throws TcfError `devcontainer.malformed` (exit 3).
 */
export function powersOfLabel(label: string, { members }: DevContainer): readonly string[] {
  const what = 'the label devcontainer.metadata';
  const read = parseJsonc(label, what);
  const asked = new Set<string>();
  for (const entry of Array.isArray(read) ? read : [read]) {
    if (!isObject(entry)) throw malformed(what, 'an entry is not an object');
    for (const [key, value] of Object.entries(entry)) {
      const isNothing = value === false || (Array.isArray(value) && value.length === 0);
      const isOurs = JSON.stringify(members[key]) === JSON.stringify(value);
      if (powers.has(key) && !isNothing && !isOurs) asked.add(key);
    }
  }
  return [...asked].sort();
}

/**
 * The text with the image by its digest and tcf asked before each start; comments and all else stay. What cannot be pinned is left, and is a fault
 * afterwards.
 *
 * @param pinned `registry/repository[:tag]@digest`.
 * @throws TcfError `devcontainer.command` (exit 3) where the project has a command of its own there.
 */
export function pinDevContainer({ members, text }: DevContainer, pinned: string, file: string): string {
  const own = members['initializeCommand'];
  if (own !== undefined && JSON.stringify(own) !== JSON.stringify(initializeCommand(file))) {
    throw askedWrongly('devcontainer.command', `"initializeCommand" is ${JSON.stringify(own)} already`, {
      hint: 'a command beside tcf could end with 130, which starts the container all the same; move it to "onCreateCommand", or into a script that people call',
    });
  }
  const set = (before: string, path: JSONPath, value: unknown) =>
    applyEdits(
      before,
      modify(before, path, value, { formattingOptions: { insertSpaces: true, tabSize: 2 } }),
    );
  return [
    [['image'], pinned],
    [['initializeCommand'], initializeCommand(file)],
    [['updateRemoteUserUID'], false],
  ].reduce((before, [path, value]) => set(before, path as JSONPath, value), text);
}

/** A devcontainer.json for a Triton checkout. `runArgs` give it the GPU. */
export function newDevContainer(pinned: string, runArgs: readonly string[], file: string): string {
  const config = {
    name: 'Triton',
    image: pinned,
    initializeCommand: initializeCommand(file),
    updateRemoteUserUID: false,
    // Ninja, compile_commands.json and an editable install keep absolute paths: the checkout is at the same one everywhere.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of devcontainer.json
    workspaceMount: 'source=${localWorkspaceFolder},target=/workspace/triton,type=bind',
    workspaceFolder: '/workspace/triton',
    ...(runArgs.length === 0 ? {} : { runArgs }),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
