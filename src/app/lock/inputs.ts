import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { Lock, LockedDeb, LockedDebian } from './lock.ts';

/** One file that a build reads. */
export interface Input {
  readonly kind: 'deb' | 'file' | 'llvm' | 'wheel';
  readonly name: string;
  readonly version?: string | undefined;
  readonly digest: Digest;
  /** Bytes, where the lock says it. */
  readonly size?: number | undefined;
  /** Absent: nobody but the store has it. */
  readonly url?: string | undefined;
  /** Under which name the build sees it. */
  readonly fileName: string;
}

/** Every file that a lock names, in the order of the lock. */
export function inputsOf({
  debian,
  files = [],
  llvm = [],
  python,
}: Pick<Lock, 'debian' | 'files' | 'llvm' | 'python'>): readonly Input[] {
  return [
    ...(debian?.packages ?? []).map((deb) => debInput(debian as LockedDebian, deb)),
    ...(python?.wheels ?? []).map(({ name, sha256, url, version }) => ({
      kind: 'wheel' as const,
      ...{ name, version, url, digest: toDigest(sha256), fileName: lastOf(url) },
    })),
    ...llvm.flatMap(({ commit, role, sha256, url }) =>
      sha256 === undefined
        ? []
        : [
            {
              kind: 'llvm' as const,
              ...{ name: role, version: commit, url, digest: toDigest(sha256) },
              fileName: url === undefined ? `llvm-${commit.slice(0, 8)}.tar` : lastOf(url),
            },
          ],
    ),
    ...files.map(({ name, sha256, size, url, version }) => ({
      kind: 'file' as const,
      ...{ name, version, size, url, digest: toDigest(sha256), fileName: lastOf(url) },
    })),
  ];
}

function debInput({ mirrors }: LockedDebian, { from, name, path, sha256, size, version }: LockedDeb): Input {
  // `lockForm` refuses a package of a security mirror that is not named.
  const mirror = (from === 'security' ? mirrors.security : mirrors.main) ?? mirrors.main;
  return {
    kind: 'deb',
    ...{ name, version, size, digest: toDigest(sha256), url: `${mirror.replace(/\/$/, '')}/${path}` },
    // apt looks for the name that dpkg would give, whatever the archive calls the file.
    fileName: lastOf(path),
  };
}

function toDigest(sha256: string): Digest {
  return parseDigest(`sha256:${sha256}`);
}

function lastOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
}
