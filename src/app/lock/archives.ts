import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Host } from '../../system/host.ts';
import type { DebianArchive, Input } from './inputs.ts';
import { type Mirrors, withoutSlash } from './mirrors.ts';

const helper = '/usr/lib/apt/apt-helper';
/** A call with more would be longer than a system takes. */
const filesInCall = 100;

/** Where an archive of Debian is. */
export interface ArchiveRoot {
  /** Without a slash at its end; the path of a folder where it is one. */
  readonly url: string;
  /** Whether apt gets what lies there: it knows its proxies, its passwords and its kinds of addresses. */
  readonly byApt: boolean;
}

export type ArchiveRoots = (archive: DebianArchive) => ArchiveRoot;

/**
 * Where the archives of Debian are: the mirrors that people name, else what the apt of this machine is
 * configured with, of whatever release (one pool serves them all).
 */
export async function debianRoots(host: Host, mirrors: Mirrors): Promise<ArchiveRoots> {
  const known = new Map<DebianArchive, ArchiveRoot>();
  for (const archive of ['debian', 'debian-security'] as const) {
    const url = mirrors.rootOf(archive);
    if (url !== undefined) {
      known.set(archive, { url, byApt: false });
    }
  }
  if (known.size < 2 && host.find('apt-get') !== undefined) {
    for (const [archive, url] of await rootsOfApt(host)) {
      // What lies in a folder needs no client.
      const place = withoutSlash(url.replace(/^(?:copy|file):\/*/, '/'));
      known.set(archive, known.get(archive) ?? { url: place, byApt: !place.startsWith('/') });
    }
  }
  return (archive) => {
    const root = known.get(archive);
    if (root === undefined) {
      throw cannotTell('input.archive', `there is no address for the archive ${archive}`, {
        hint: `name it: --mirror ${archive}=https://mirror.example/${archive}, or a folder; on Debian the sources of apt say it`,
      });
    }
    return root;
  };
}

/** apt-get(8), "indextargets": one line for each index that apt is configured with. */
async function rootsOfApt(host: Host): Promise<readonly (readonly [DebianArchive, string])[]> {
  const format = '$(REPO_URI)|$(SUITE)|$(ORIGIN)|$(LABEL)';
  const ran = await host.run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  return ran.stdout.split('\n').flatMap((line): readonly (readonly [DebianArchive, string])[] => {
    const [url = '', suite = '', origin = '', label = ''] = line.split('|');
    const last = withoutSlash(url).split('/').at(-1) ?? '';
    // An index that was never fetched has no origin yet; then the name of the folder is all there is.
    const isDebian =
      origin === 'Debian' || (origin === '' && (last === 'debian' || last === 'debian-security'));
    const isSecurity =
      label === 'Debian-Security' || suite.endsWith('-security') || last.endsWith('-security');
    return isDebian ? [[isSecurity ? 'debian-security' : 'debian', url]] : [];
  });
}

/**
 * Lets apt download files, each checked by apt against the hash of the lock.
 *
 * @param work an empty folder.
 * @returns where each lies, in the order of `inputs`.
 * @throws TcfError `input.unreachable` (exit 2).
 */
export async function downloadByApt(
  host: Host,
  inputs: readonly { readonly input: Input; readonly url: string }[],
  work: string,
): Promise<readonly string[]> {
  const files = inputs.map(({ input }) => join(work, hexOf(input.digest)));
  for (let at = 0; at < inputs.length; at += filesInCall) {
    const triples = inputs
      .slice(at, at + filesInCall)
      .flatMap(({ input, url }, index) => [url, files[at + index] ?? '', `SHA256:${hexOf(input.digest)}`]);
    const ran = await host.run(helper, ['-q', '-o', 'APT::Sandbox::User=', 'download-file', ...triples]);
    if (ran.code !== 0) {
      throw cannotTell(
        'input.unreachable',
        `apt could not get the packages of the lock: ${printable(ran.stderr.trim(), 2000)}`,
        {
          hint: 'the archive may have moved on: tcf lock update, or name a mirror that still has them with --mirror debian=PLACE',
        },
      );
    }
  }
  return files;
}
