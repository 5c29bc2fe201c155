import { createHash } from 'node:crypto';
import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { wrong } from './options.ts';

/** The files of a Triton checkout that say which prebuilt parts its build downloads into `~/.triton`. */
export const pinFiles = {
  info: 'cmake/llvm-info.json',
  hash: 'cmake/llvm-hash.txt',
  nvidia: 'cmake/nvidia-toolchain-version.json',
  json: 'cmake/json-version.txt',
} as const;

export type PinTexts = Readonly<Partial<Record<keyof typeof pinFiles, string>>>;

export interface CheckoutPin {
  /** Commit of LLVM, 7 to 40 hex digits. */
  readonly commit: string;
  readonly file: string;
  /** 12 hex digits over everything that the cache in `~/.triton` depends on. */
  readonly key: string;
}

/**
 * Which LLVM a checkout pins: `cmake/llvm-info.json`, before 2026-05 `cmake/llvm-hash.txt`. `undefined` where
 * it has neither. `llvm-build-info.json` says what CI builds next and is never asked.
 *
 * @throws TcfError `run.option` (exit 3) for a pin that is no commit: a build would go on with whatever LLVM
 *   there is.
 */
export function readPin(texts: PinTexts, checkout: string): CheckoutPin | undefined {
  const [file, text] = texts.info !== undefined ? [pinFiles.info, texts.info] : [pinFiles.hash, texts.hash];
  if (text === undefined) {
    return undefined;
  }
  const commit = texts.info === undefined ? text.trim() : commitOf(texts.info, file);
  if (!/^[0-9a-f]{7,40}$/.test(commit)) {
    throw wrong(
      `${file} of ${quoted(checkout)} pins no LLVM commit: ${quoted(commit)}`,
      'restore it with git checkout',
    );
  }
  const hash = createHash('sha256');
  for (const name of Object.keys(pinFiles).sort() as (keyof typeof pinFiles)[]) {
    // Length first, so that no two sets of files read the same.
    const content = texts[name] ?? '';
    hash.update(`${name} ${content.length}\n${content}`);
  }
  return { commit, file, key: hash.digest('hex').slice(0, 12) };
}

function commitOf(text: string, file: string): string {
  try {
    const value = new Shape(parseJson(text, file), file).get('llvm_hash').value;
    return typeof value === 'string' ? value : '';
  } catch (error) {
    if (error instanceof TcfError) {
      return '';
    }
    throw error;
  }
}
