import { resolve } from 'node:path';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { readPlainFile, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { during } from '../waiting.ts';
import { resolveDebian } from './debian.ts';
import { formatLock } from './format-lock.ts';
import { type InputStore, openInputStore, type StoreRequest } from './input-store.ts';
import { llvmOfWheel } from './llvm-pins.ts';
import { type OpenLock, openLock } from './load-lock.ts';
import type { Lock, LockedDeb, LockedFile, LockedWheel } from './lock.ts';
import { type LockChange, lockChanges } from './lock-changes.ts';
import { type Mirrors, parseMirrors } from './mirrors.ts';
import { parseLock } from './parse-lock.ts';
import { resolvePython } from './python.ts';
import { resolveRpms } from './rpm.ts';

export interface UpdateLockRequest extends StoreRequest {
  /** Name of an image, or its folder. */
  readonly name: string;
  /** Release of Triton to move to; absent: the one that the lock wants. */
  readonly triton?: string | undefined;
  /** Only what these archives hold is asked for again. Default: both. */
  readonly parts?: readonly LockPart[] | undefined;
  readonly isDryRun?: boolean | undefined;
}

/** Scripts that images share; large inputs come from an address. */
const maxFileBeside = 64 * 1024 * 1024;

export const lockParts = ['debian', 'rpm', 'python'] as const;
export type LockPart = (typeof lockParts)[number];

export interface UpdatedLock {
  readonly file: string;
  readonly lock: Lock;
  readonly changes: readonly LockChange[];
}

/**
 * Asks the archives again for what a lock wants, and writes what they have today. Triton moves with its LLVM
 * and everything that its wheel needs. What did not change stays as it was, to the byte.
 *
 * @throws TcfError as `openLock`, `resolveDebian`, `resolvePython` and `llvmOfWheel`; `lock.triton` (exit 3).
 */
export async function updateLock(host: Host, request: UpdateLockRequest): Promise<UpdatedLock> {
  const open = await openLock(host, request.name);
  const store = await openInputStore(host, request);
  const { changes, lock } = await during(host, `asking the archives for ${open.lock.image}`, () =>
    resolveLock(host, open, store, request),
  );
  if (changes.length > 0 && request.isDryRun !== true) {
    const text = formatLock(lock);
    // What is written can be read again, whatever the archives call their packages.
    parseLock(text, open.file);
    await writeUserFile(host, open.file, text);
  }
  return { file: open.file, lock, changes };
}

/** The lock as it would be today, and what that changes; nothing is written. */
export async function resolveLock(
  host: Host,
  { base, folder, lock: before }: OpenLock,
  store: InputStore,
  { mirrors: texts = [], parts = lockParts, triton }: Pick<UpdateLockRequest, 'mirrors' | 'parts' | 'triton'>,
): Promise<Pick<UpdatedLock, 'changes' | 'lock'>> {
  if (triton !== undefined && before.want?.triton === undefined) {
    throw askedWrongly('lock.triton', `the image ${before.image} has no Triton of its own`, {
      hint: 'name an image whose lock has want.triton, such as cpu',
    });
  }
  const wanted: Lock = triton === undefined ? before : { ...before, want: { ...before.want, triton } };
  const mirrors = parseMirrors(texts, host.cwd);
  const withDebian = parts.includes('debian') ? await updateDebian(host, wanted, base, mirrors) : wanted;
  const withRpms = parts.includes('rpm') ? await updateRpms(host, withDebian, mirrors) : withDebian;
  const withPython = parts.includes('python') ? await updatePython(host, withRpms, store, mirrors) : withRpms;
  const after = await updateFilesBeside(host, withPython, folder);
  const changes = lockChanges(before, after);
  const day = `${host.now().toISOString().slice(0, 10)}T00:00:00Z`;
  return { changes, lock: changes.length === 0 ? before : { ...after, epoch: day } };
}

async function updateDebian(
  host: Host,
  lock: Lock,
  base: OpenLock | undefined,
  mirrors: Mirrors,
): Promise<Lock> {
  const { debian, platform, want } = lock;
  if (debian === undefined) {
    return lock;
  }
  const packages = await resolveDebian(host, {
    suite: debian.suite,
    mirrors,
    architecture: platform === 'linux/amd64' ? 'amd64' : 'arm64',
    want: want?.debian ?? [],
    below: packagesBelow(base),
    withEssential: 'debootstrap' in lock.base,
  });
  return { ...lock, debian: { ...debian, packages } };
}

async function updateRpms(host: Host, lock: Lock, mirrors: Mirrors): Promise<Lock> {
  const { platform, rpm, want } = lock;
  if (rpm === undefined) {
    return lock;
  }
  const { release, repositories } = rpm;
  const asked = want?.rpm ?? [];
  const packages = await resolveRpms(host, { release, repositories, platform, mirrors, want: asked });
  return { ...lock, rpm: { ...rpm, packages } };
}

/** Packages of all images below. */
function packagesBelow(base: OpenLock | undefined): readonly LockedDeb[] {
  return base === undefined ? [] : [...(base.lock.debian?.packages ?? []), ...packagesBelow(base.base)];
}

/** What several images share may have changed at its home. */
async function updateFilesBeside(host: Host, lock: Lock, folder: string): Promise<Lock> {
  if (lock.files === undefined) {
    return lock;
  }
  const files: LockedFile[] = [];
  for (const file of lock.files) {
    const bytes =
      'path' in file
        ? await readPlainFile(host, resolve(folder, file.path), maxFileBeside, 'a file of the lock')
        : undefined;
    files.push(bytes === undefined ? file : { ...file, sha256: hexOf(digestOf(bytes)) });
  }
  return { ...lock, files };
}

async function updatePython(host: Host, lock: Lock, store: InputStore, mirrors: Mirrors): Promise<Lock> {
  const { platform, python, want = {} } = lock;
  if (python === undefined) {
    return lock;
  }
  const triton = want.triton === undefined ? [] : [`triton==${want.triton}`];
  const wheels = await resolvePython(host, {
    mirrors,
    platform,
    version: python.version,
    want: [...triton, ...(want.python ?? [])],
  });
  const wheel = want.triton === undefined ? undefined : wheels.find(({ name }) => name === 'triton');
  return {
    ...lock,
    python: { ...python, wheels },
    ...compact({ llvm: wheel === undefined ? lock.llvm : await llvmOf(host, lock, wheel, store) }),
  };
}

/** A tarball that somebody named stays until somebody names another. */
async function llvmOf(host: Host, lock: Lock, wheel: LockedWheel, store: InputStore): Promise<Lock['llvm']> {
  return [
    ...(await llvmOfWheel(host, wheel, store, lock)),
    ...(lock.llvm ?? []).filter((pin) => pin.in === 'tarball'),
  ];
}
