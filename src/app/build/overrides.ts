import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { encodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { digestOf } from '../../oci/digest.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { formatLock } from '../lock/format-lock.ts';
import { openInputStore, type StoreRequest } from '../lock/input-store.ts';
import type { OpenLock } from '../lock/load-lock.ts';
import type { Lock, LockedLlvm } from '../lock/lock.ts';
import { parseLock } from '../lock/parse-lock.ts';
import { resolveLock } from '../lock/update-lock.ts';
import { readCheckout } from './checkout.ts';
import { bringLlvm } from './llvm-input.ts';

export interface Overrides {
  /**
   * Release of Triton, or the root of a checkout to develop: its image has the LLVM that it pins, and no
   * wheel of Triton.
   */
  readonly triton?: string | undefined;
  /** A prebuilt LLVM: its tarball, or its folder. */
  readonly llvm?: string | undefined;
}

/**
 * The lock as the command line wants it. The result is a lock like any other, by its own digest: it is
 * written beside the image, and building that one gives the same.
 *
 * @throws TcfError `build.triton`, `build.llvm` (exit 3), and as the archives do.
 */
export async function withOverrides(
  host: Host,
  open: OpenLock,
  { llvm, triton, ...request }: Overrides & StoreRequest,
): Promise<OpenLock> {
  if (triton === undefined && llvm === undefined) {
    return open;
  }
  const store = await openInputStore(host, request);
  const isCheckout = triton !== undefined && isFolder(host, triton);
  let lock = open.lock;
  if (isCheckout) {
    lock = await forCheckout(host, lock, triton, llvm !== undefined);
  } else if (triton !== undefined) {
    lock = (await resolveLock(host, open, store, { triton, mirrors: request.mirrors, parts: ['python'] }))
      .lock;
  }
  if (llvm !== undefined) {
    lock = withLlvm(lock, await bringLlvm(host, store, llvm, lock));
  }
  const text = formatLock(lock);
  parseLock(text, 'the lock of this command line');
  return { ...open, lock, text, digest: digestOf(encodeUtf8(text)) };
}

function isFolder(host: Host, path: string): boolean {
  return fileExists(host, path) && statSync(resolve(host.cwd, path)).isDirectory();
}

/**
 * An image to develop a checkout in: what its sources pin, and no Triton that somebody could import in place
 * of it.
 */
async function forCheckout(host: Host, lock: Lock, path: string, bringsLlvm: boolean): Promise<Lock> {
  if (lock.want?.triton === undefined) {
    throw askedWrongly('build.triton', `the image ${lock.image} has no Triton of its own`, {
      hint: 'name cpu',
    });
  }
  const { commit, llvm, repository } = await readCheckout(host, path, lock.platform);
  if (llvm.sha256 === undefined && !bringsLlvm) {
    throw askedWrongly('build.llvm', `${quoted(path)} pins ${llvm.commit} without a checksum`, {
      hint: 'bring the prebuilt that you trust: --llvm TARBALL (checksums are in cmake/llvm-info.json from Triton 3.8 on)',
    });
  }
  const { triton: _, ...want } = lock.want;
  const wheels = (lock.python?.wheels ?? []).filter(
    ({ name, for: why }) => name !== 'triton' && why !== 'triton',
  );
  return {
    ...lock,
    want,
    triton: repository === undefined ? { commit } : { commit, repository },
    llvm: [llvm],
    ...(lock.python === undefined ? {} : { python: { ...lock.python, wheels } }),
  };
}

/** @throws TcfError `build.llvm` (exit 3) where a checkout pins another one. */
function withLlvm(lock: Lock, brought: LockedLlvm): Lock {
  const pinned = lock.llvm?.find(({ in: where, role }) => where === 'tarball' && role === brought.role);
  if (lock.triton !== undefined && pinned !== undefined) {
    const isOther =
      pinned.sha256 === undefined
        ? !pinned.commit.startsWith(brought.commit.slice(0, 8))
        : pinned.sha256 !== brought.sha256;
    if (isOther) {
      throw askedWrongly(
        'build.llvm',
        `the checkout pins LLVM ${pinned.commit} (sha256 ${pinned.sha256 ?? 'not said'}), and --llvm is ${brought.commit} (sha256 ${brought.sha256 ?? ''})`,
        {
          hint: 'bring the prebuilt that cmake/llvm-info.json names',
        },
      );
    }
  }
  const others = (lock.llvm ?? []).filter((pin) => pin !== pinned);
  // The name of a tarball has eight digits of the commit; the checkout says all of them.
  const commit = pinned?.commit.startsWith(brought.commit) ? pinned.commit : brought.commit;
  return { ...lock, llvm: [...others, { ...brought, commit }] };
}
