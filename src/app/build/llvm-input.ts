import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { fileBytes } from '../../image/files.ts';
import { Digester, hexOf } from '../../oci/digest.ts';
import { replaceFile } from '../../system/atomic.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import type { InputStore } from '../lock/input-store.ts';
import { inputsOf } from '../lock/inputs.ts';
import type { Lock, LockedLlvm } from '../lock/lock.ts';
import { prebuiltFolder } from './checkout.ts';
import { runCleanly } from './clean-run.ts';

/** How Triton names its prebuilts (from 2023-11 on). */
const prebuiltName = /^llvm-([0-9a-f]{8})-[a-z]+-(?:x64|arm64)(?:-\d+)?\.tar\.gz$/;

/**
 * Puts a prebuilt LLVM that somebody has into the store and says what a lock says of it. A folder is packed
 * so that the same files give the same hash.
 *
 * @throws TcfError `build.llvm` (exit 3) for what does not say which commit it is.
 */
export async function bringLlvm(
  host: Host,
  store: InputStore,
  path: string,
  lock: Lock,
): Promise<LockedLlvm> {
  const full = resolve(host.cwd, path);
  if (!fileExists(host, full)) {
    throw askedWrongly('build.llvm', `there is nothing at ${quoted(path)}`, {
      hint: 'name the tarball of a prebuilt LLVM, or the folder it was unpacked to',
    });
  }
  if (!statSync(full).isDirectory()) {
    return await keep(store, full, { commit: commitOfName(path), url: urlOfName(path) }, lock);
  }
  const commit = await commitOfFolder(host, full);
  return await withScratchFolder(async (work) => {
    const tar = join(work, 'llvm.tar');
    const epoch = Date.parse(lock.epoch) / 1000;
    const options = [
      '--sort=name',
      `--mtime=@${epoch}`,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--format=gnu',
    ];
    await runCleanly(host, epoch, 'tar', [
      '--create',
      `--file=${tar}`,
      ...options,
      `--directory=${join(full, '..')}`,
      basename(full),
    ]);
    return await keep(store, tar, { commit, url: undefined }, lock);
  });
}

async function keep(
  store: InputStore,
  file: string,
  { commit, url }: { readonly commit: string; readonly url: string | undefined },
  { platform }: Lock,
): Promise<LockedLlvm> {
  const digester = new Digester();
  for await (const chunk of fileBytes(file)) {
    digester.update(chunk);
  }
  const sha256 = hexOf(digester.digest());
  const llvm: LockedLlvm = {
    role: 'core',
    commit,
    in: 'tarball',
    sha256,
    ...(url === undefined ? {} : { url }),
  };
  const [input] = inputsOf({ platform, llvm: [llvm] }, '/');
  if (input !== undefined) {
    await replaceFile(store.path(input), fileBytes(file));
  }
  return llvm;
}

function commitOfName(path: string): string {
  const commit = prebuiltName.exec(basename(path))?.[1];
  if (commit === undefined) {
    throw askedWrongly('build.llvm', `${quoted(basename(path))} does not say which LLVM it is`, {
      hint: 'keep the name of the download: llvm-COMMIT-ubuntu-x64-1.tar.gz',
    });
  }
  return commit;
}

function urlOfName(path: string): string {
  return `${prebuiltFolder}/${basename(path)}`;
}

/** By the file that the download left, or by what LLVM's build writes for `--version`. */
async function commitOfFolder(host: Host, folder: string): Promise<string> {
  const read = async (name: string): Promise<string> =>
    fileExists(host, join(folder, name))
      ? Buffer.from(await readPlainFile(host, join(folder, name), 65_536, 'the LLVM')).toString()
      : '';
  const commit =
    /#define LLVM_REVISION "([0-9a-f]{40})"/.exec(await read('include/llvm/Support/VCSRevision.h'))?.[1] ??
    prebuiltName.exec(basename((await read('version.txt')).trim()))?.[1];
  if (commit === undefined) {
    throw askedWrongly('build.llvm', `${quoted(folder)} does not say which LLVM it is`, {
      hint: 'it has neither version.txt nor a revision in include/llvm/Support/VCSRevision.h',
    });
  }
  return commit;
}
