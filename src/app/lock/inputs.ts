import { resolve } from 'node:path';
import { toPurl } from '../../bom/purl.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { Lock, LockedDeb, LockedFile, LockedRpm, LockedWheel } from './lock.ts';

/**
 * Who has an input. No place of an archive or index stands in a lock: the clients of the machine know theirs.
 */
export type InputSource =
  /** Below the root of an archive that apt knows. */
  | { readonly kind: 'archive'; readonly archive: DebianArchive; readonly path: string }
  /** Of the index that pip knows. */
  | { readonly kind: 'index'; readonly python: string; readonly platform: Lock['platform'] }
  /** Below the root of a repository that `--mirror rpm:NAME=PLACE` names. */
  | { readonly kind: 'repository'; readonly repository: string; readonly path: string }
  /** A file of this machine. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string };

export type DebianArchive = 'debian' | 'debian-security';

/** One file that a build reads. */
export interface Input {
  readonly kind: 'deb' | 'file' | 'llvm' | 'rpm' | 'wheel';
  readonly name: string;
  readonly version?: string | undefined;
  readonly digest: Digest;
  /** Bytes, where the lock says it. */
  readonly size?: number | undefined;
  /** Absent: nobody but the store has it. */
  readonly source?: InputSource | undefined;
  /** What provenance calls it: a URL, or a purl where every archive and index has it. */
  readonly uri?: string | undefined;
  /** Under which name the build sees it. */
  readonly fileName: string;
}

/**
 * Every file that a lock names, in the order of the lock.
 *
 * @param folder of the lock: files of other images are named from there.
 */
export function inputsOf(
  {
    debian,
    files = [],
    llvm = [],
    platform,
    python,
    rpm,
  }: Pick<Lock, 'debian' | 'files' | 'llvm' | 'platform' | 'python' | 'rpm'>,
  folder: string,
): readonly Input[] {
  return [
    ...(debian?.packages ?? []).map((deb) => debInput(debian?.suite ?? '', deb)),
    ...(rpm?.packages ?? []).map(rpmInput),
    ...(python?.wheels ?? []).map((wheel) => wheelInput(python?.version ?? '', platform, wheel)),
    ...llvm.flatMap(({ commit, role, sha256, url }) =>
      sha256 === undefined
        ? []
        : [
            {
              kind: 'llvm' as const,
              ...{ name: role, version: commit, digest: toDigest(sha256), ...ofUrl(url) },
              fileName: url === undefined ? `llvm-${commit.slice(0, 8)}.tar` : lastOf(url),
            },
          ],
    ),
    ...files.map((file) => fileInput(file, folder)),
  ];
}

function ofUrl(url: string | undefined): Pick<Input, 'source' | 'uri'> {
  return url === undefined ? {} : { source: { kind: 'url', url }, uri: url };
}

function fileInput(file: LockedFile, folder: string): Input {
  const { name } = file;
  const digest = toDigest(file.sha256);
  if ('path' in file) {
    const source = { kind: 'path' as const, path: resolve(folder, file.path) };
    return { kind: 'file', name, digest, source, fileName: lastOf(file.path) };
  }
  const { size, url, version } = file;
  return { kind: 'file', name, version, size, digest, fileName: lastOf(url), ...ofUrl(url) };
}

function debInput(suite: string, { from, name, path, sha256, size, version }: LockedDeb): Input {
  // apt looks for the name that dpkg would give, whatever the archive calls the file.
  const fileName = lastOf(path);
  const arch = /_([a-z0-9-]+)\.deb$/.exec(fileName)?.[1] ?? '';
  const archive = from === 'security' ? 'debian-security' : 'debian';
  return {
    kind: 'deb',
    ...{ name, version, size, digest: toDigest(sha256), fileName },
    source: { kind: 'archive', archive, path },
    uri: toPurl({ type: 'deb', namespace: 'debian', name, version, qualifiers: { arch, distro: suite } }),
  };
}

function rpmInput({ arch, from, name, path, sha256, size, version }: LockedRpm): Input {
  const [, epoch, bare = version] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
  const qualifiers = { arch, ...(epoch === undefined ? {} : { epoch }) };
  return {
    kind: 'rpm',
    ...{ name, version, size, digest: toDigest(sha256), fileName: lastOf(path) },
    source: { kind: 'repository', repository: from, path },
    uri: toPurl({ type: 'rpm', namespace: 'centos', name, version: bare, qualifiers }),
  };
}

function wheelInput(
  python: string,
  platform: Lock['platform'],
  { file, name, sha256, version }: LockedWheel,
): Input {
  return {
    kind: 'wheel',
    ...{ name, version, digest: toDigest(sha256), fileName: file },
    source: { kind: 'index', python, platform },
    uri: toPurl({ type: 'pypi', name, version, qualifiers: { file_name: file } }),
  };
}

/** `wheel numpy 2.4.6`. */
export function nameOfInput({ kind, name, version }: Input): string {
  return version === undefined ? `${kind} ${name}` : `${kind} ${name} ${version}`;
}

function toDigest(sha256: string): Digest {
  return parseDigest(`sha256:${sha256}`);
}

function lastOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
}
