import { decodeUtf8 } from '../../base/bytes.ts';
import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable } from '../../base/text.ts';
import type { Tree, TreeFile } from '../contract.ts';
import type { Declaration } from './claims.ts';
import type { PinTable } from './pins.ts';
import { roleOfName } from './places.ts';

// `llvm-build-info.json` beside them only asks CI for a build: never a pin.
const pinFile = /^(.+)\/cmake\/(?:(?:(?:amd|nvidia)-)?llvm-info\.json|llvm-hash\.txt)$/s;

export const pinPlaces: readonly string[] = ['**/cmake/*llvm-info.json', '**/cmake/llvm-hash.txt'];

/** Whether a file may hold the pin of a Triton source tree. */
export function isPinFile(path: string): boolean {
  return pinFile.test(path);
}

/** Roots of Triton source trees that carry a pin file, with their pin files. */
export function checkoutsIn(tree: Tree): ReadonlyMap<string, readonly TreeFile[]> {
  const found = new Map<string, TreeFile[]>();
  for (const file of tree.wanted()) {
    const root = pinFile.exec(file.path)?.[1];
    if (root === undefined || !isTritonTree(tree, root)) {
      continue;
    }
    found.set(root, [...(found.get(root) ?? []), file]);
  }
  return found;
}

/** Another project may have a `cmake/llvm-hash.txt`; only Triton has these beside it. */
function isTritonTree(tree: Tree, root: string): boolean {
  return tree.exists(`${root}/python/triton`) || tree.exists(`${root}/include/triton`);
}

/**
 * Rung K: the pin a source tree declares about `sites`. One that cannot be read is an unknown pin, never no
 * pin.
 */
export function pinOfCheckout(file: TreeFile, sites: readonly string[], pins: PinTable): Declaration {
  const { path, layer } = file;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const about = { rung: 'K' as const, path, layer, role: roleOfName(name), sites, prebuilts: true };
  const commit = commitIn(file);
  if (commit === undefined) {
    return { ...about, reason: `${printable(path)} holds no commit` };
  }
  const known = pins.lookUp(commit);
  return {
    ...about,
    commit,
    ...(known?.version === undefined ? {} : { version: known.version }),
    ...(known?.repository === undefined ? {} : { repository: known.repository }),
  };
}

/** The commit in a pin file, 7 to 40 hexadecimal digits; `undefined` where it holds none. */
export function commitIn(file: Pick<TreeFile, 'content' | 'path'>): string | undefined {
  const content = file.content();
  const text = content === undefined ? undefined : decodeUtf8(content);
  if (text === undefined) {
    return undefined;
  }
  const commit = file.path.endsWith('.json') ? hashIn(text, file.path) : text.trim();
  return commit !== undefined && /^[0-9a-f]{7,40}$/.test(commit) ? commit : undefined;
}

function hashIn(text: string, path: string): string | undefined {
  try {
    return new Shape(parseJson(text, path), 'llvm-info').get('llvm_hash').string(100);
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}
