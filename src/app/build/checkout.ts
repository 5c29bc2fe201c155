import { join, resolve } from 'node:path';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { Lock, LockedLlvm } from '../lock/lock.ts';

/** Where Triton's setup.py downloads prebuilt LLVMs from (3.0 and later). */
export const prebuiltFolder = 'https://oaitriton.blob.core.windows.net/public/llvm-builds';

export interface ReadCheckout {
  /** The commit that is checked out. */
  readonly commit: string;
  readonly repository?: string;
  readonly llvm: LockedLlvm;
}

/**
 * What a checkout of Triton pins: `cmake/llvm-info.json` with its checksums, or the `llvm-hash.txt` of
 * before, which has none. A checkout without either is refused: the LLVM of the day would be built in its
 * place.
 *
 * @throws TcfError `build.triton` (exit 3), `document.malformed` (exit 2).
 */
export async function readCheckout(
  host: Host,
  path: string,
  platform: Lock['platform'],
): Promise<ReadCheckout> {
  const root = resolve(host.cwd, path);
  const commit = await commitOf(host, root);
  return { commit, llvm: (await fromInfo(host, root, platform)) ?? (await fromHash(host, root)) };
}

async function commitOf(host: Host, root: string): Promise<string> {
  const ran = await host.run('git', ['-C', root, 'rev-parse', '--verify', 'HEAD']);
  const commit = ran.stdout.trim();
  if (ran.code !== 0 || !/^[0-9a-f]{40}$/.test(commit)) {
    throw askedWrongly('build.triton', `${quoted(root)} is not a git checkout with a commit`, {
      hint: 'name a release (3.6.0), or the root of a clone of Triton',
    });
  }
  return commit;
}

async function fromInfo(
  host: Host,
  root: string,
  platform: Lock['platform'],
): Promise<LockedLlvm | undefined> {
  const file = join(root, 'cmake/llvm-info.json');
  if (!fileExists(host, file)) {
    return undefined;
  }
  const bytes = await readPlainFile(host, file, jsonLimits.small.maxBytes, 'the pin of LLVM');
  const info = new Shape(parseJson(bytes, 'llvm-info.json', jsonLimits.small), 'llvm-info.json');
  const commit = info.get('llvm_hash').string(40);
  if (!/^[0-9a-f]{40}$/.test(commit)) {
    throw info.get('llvm_hash').wrong('is not a commit');
  }
  const suffix = platform === 'linux/amd64' ? 'ubuntu-x64' : 'ubuntu-arm64';
  const build = info.get('build_number').whole();
  const sha256 = info.get('sha256sum').get(suffix).string(64);
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw info.get('sha256sum').get(suffix).wrong('is not a SHA-256');
  }
  const url = `${prebuiltFolder}/llvm-${commit.slice(0, 8)}-${suffix}-${build}.tar.gz`;
  return { role: 'core', commit, in: 'tarball', url, sha256 };
}

async function fromHash(host: Host, root: string): Promise<LockedLlvm> {
  const file = join(root, 'cmake/llvm-hash.txt');
  const text = fileExists(host, file)
    ? Buffer.from(await readPlainFile(host, file, 1000, 'the pin of LLVM'))
        .toString()
        .trim()
    : '';
  if (!/^[0-9a-f]{7,40}$/.test(text)) {
    throw cannotTell(
      'build.triton',
      `${quoted(root)} does not say which LLVM it pins: no cmake/llvm-info.json, and no commit in cmake/llvm-hash.txt`,
      {
        hint: 'check out a commit of Triton from 2023-11 on',
      },
    );
  }
  return { role: 'core', commit: text, in: 'tarball' };
}
