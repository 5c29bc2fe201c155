import { compact } from '../../base/compact.ts';
import type { Tree, TreeFile } from '../contract.ts';
import { partsOfCpe, toOsCpe } from './cpe.ts';

/** What one of the files says that stood in `/etc` before there was os-release, and still do. */
export interface ReleaseFile {
  /** As os-release(5) would call it. */
  readonly id: string;
  /** Absent for releases that have no number yet. */
  readonly versionId?: string;
  /** CPE 2.3. */
  readonly cpe?: string;
  readonly file: TreeFile;
}

type Reader = (text: string) => Omit<ReleaseFile, 'file'> | undefined;

/** Real ones are a line or two. */
const maxSize = 64 * 1024;

/**
 * The names of distributions as their release files write them, before the word `release`, and the ID of
 * their os-release. A name that is not here is not guessed: another distribution's advisories would be
 * matched against its packages.
 */
const ids: ReadonlyMap<string, string> = new Map([
  ['almalinux', 'almalinux'],
  ['alma linux', 'almalinux'],
  ['amazon linux', 'amzn'],
  ['amazon linux ami', 'amzn'],
  ['centos', 'centos'],
  ['centos linux', 'centos'],
  ['centos stream', 'centos'],
  ['fedora', 'fedora'],
  ['fedora linux', 'fedora'],
  ['oracle linux', 'ol'],
  ['oracle linux server', 'ol'],
  ['red hat enterprise linux', 'rhel'],
  ['red hat enterprise linux as', 'rhel'],
  ['red hat enterprise linux client', 'rhel'],
  ['red hat enterprise linux es', 'rhel'],
  ['red hat enterprise linux server', 'rhel'],
  ['red hat enterprise linux workstation', 'rhel'],
  ['rocky', 'rocky'],
  ['rocky linux', 'rocky'],
  ['scientific linux', 'scientific'],
  ['scientific linux sl', 'scientific'],
]);

/** The same by vendor and product of the CPE in `system-release-cpe`. */
const cpeIds: ReadonlyMap<string, string> = new Map([
  ['almalinux almalinux', 'almalinux'],
  ['amazon amazon_linux', 'amzn'],
  ['amazon linux', 'amzn'],
  ['centos centos', 'centos'],
  ['centos linux', 'centos'],
  ['fedoraproject fedora', 'fedora'],
  ['oracle linux', 'ol'],
  ['redhat enterprise_linux', 'rhel'],
  ['rocky rocky', 'rocky'],
  ['scientificlinux scientificlinux', 'scientific'],
]);

/** `CentOS release 6.10 (Final)`, `Amazon Linux AMI release 2018.03`, `Amazon Linux 2023`. */
const named: Reader = (text) => {
  const [, name = '', version] =
    /^(.{1,80}?) (?:release )?(\d{1,6}(?:\.\d{1,6}){0,3})(?![\w.])/.exec(text.split('\n', 1)[0] ?? '') ?? [];
  const id = ids.get(name.trim().toLowerCase());
  return id === undefined || version === undefined ? undefined : { id, versionId: version };
};

const byCpe: Reader = (text) => {
  const cpe = toOsCpe(text.split('\n', 1)[0]?.trim() ?? '');
  const found = cpe === undefined ? undefined : distributionByCpe(cpe);
  return cpe === undefined || found === undefined ? undefined : { ...found, cpe };
};

/**
 * `12.5`, `bookworm/sid`: a release that is not out has no number. Distributions made of Debian keep the
 * file.
 */
const debianVersion: Reader = (text) => {
  const line = text.trim();
  if (/^\d{1,3}(?:\.\d{1,3}){0,2}$/.test(line)) {
    return { id: 'debian', versionId: line };
  }
  return /^[a-z]+(?:\/[a-z]+)?$/.test(line) ? { id: 'debian' } : undefined;
};

const alpineRelease: Reader = (text) => {
  const line = text.trim();
  return /^\d{1,3}(?:\.\d{1,3}){1,2}(?:_\w{1,20})?$/.test(line)
    ? { id: 'alpine', versionId: line }
    : undefined;
};

/** Of these files only Ubuntu's is read: others write theirs for programs that ask for Ubuntu's. */
const lsbRelease: Reader = (text) => {
  const version = /^DISTRIB_RELEASE="?(\d{1,3}\.\d{2})"?$/m.exec(text)?.[1];
  return /^DISTRIB_ID="?Ubuntu"?$/m.test(text) && version !== undefined
    ? { id: 'ubuntu', versionId: version }
    : undefined;
};

/** `SUSE Linux Enterprise Server 11 (x86_64)`, then `VERSION = 11` and `PATCHLEVEL = 4`. */
const suseRelease: Reader = (text) => {
  const version = /^VERSION\s*=\s*(\d{1,3}(?:\.\d{1,3})?)$/m.exec(text)?.[1];
  const level = /^PATCHLEVEL\s*=\s*([1-9]\d{0,2})$/m.exec(text)?.[1];
  if (version === undefined) {
    return undefined;
  }
  if (/^openSUSE /.test(text)) {
    return { id: 'opensuse', versionId: version };
  }
  if (!/^SUSE Linux Enterprise Server /.test(text)) {
    return undefined;
  }
  return { id: 'sles', versionId: level === undefined ? version : `${version}.${level}` };
};

const photonRelease: Reader = (text) => {
  const version = /^VMware Photon (?:OS|Linux) (\d{1,3}(?:\.\d{1,3})?)$/m.exec(text)?.[1];
  return version === undefined ? undefined : { id: 'photon', versionId: version };
};

const marinerRelease: Reader = (text) => {
  const version = /^CBL-Mariner (\d{1,3}\.\d{1,3})(?:\.\d{1,12})?$/m.exec(text)?.[1];
  return version === undefined ? undefined : { id: 'mariner', versionId: version };
};

/**
 * In the order in which they are asked: first those that only one distribution has. What is made of Red Hat's
 * or Debian's keeps `redhat-release` and `debian_version`.
 */
const readers: ReadonlyMap<string, Reader> = new Map([
  ['etc/system-release-cpe', byCpe],
  ['etc/alpine-release', alpineRelease],
  ['etc/lsb-release', lsbRelease],
  ['etc/SuSE-release', suseRelease],
  ['etc/photon-release', photonRelease],
  ['etc/mariner-release', marinerRelease],
  ...['almalinux', 'rocky', 'oracle', 'centos', 'fedora', 'system', 'redhat'].map(
    (name) => [`etc/${name}-release`, named] as const,
  ),
  ['etc/debian_version', debianVersion],
]);

/** The distribution that a CPE 2.3 name means, if it is one that tcf knows by that name. */
export function distributionByCpe(cpe: string): Pick<ReleaseFile, 'id' | 'versionId'> | undefined {
  const [vendor, product, versionId] = partsOfCpe(cpe);
  const id = cpeIds.get(`${vendor} ${product}`);
  return id === undefined ? undefined : compact({ id, versionId });
}

export const olderReleaseFiles: readonly string[] = [...readers.keys()];

export function isOlderReleaseFile(path: string): boolean {
  return readers.has(path);
}

/** The older files that say something, whatever it is, in the order in which they are asked. */
export function olderFilesIn(tree: Tree): readonly string[] {
  return [...readers.keys()].filter((path) => {
    const file = tree.file(path);
    return (
      file !== undefined &&
      Buffer.from(file.content() ?? 'too large')
        .toString('utf8')
        .trim() !== ''
    );
  });
}

/** What the first file says that says it; of the distribution `id` only, where one is given. */
export function olderReleaseOf(tree: Tree, id?: string): ReleaseFile | undefined {
  for (const [path, read] of readers) {
    const file = tree.file(path);
    const content = file?.content();
    if (file === undefined || content === undefined || content.length > maxSize) {
      continue;
    }
    const found = read(Buffer.from(content).toString('utf8'));
    if (found !== undefined && (id === undefined || found.id === id)) {
      return { ...found, file };
    }
  }
  return undefined;
}
