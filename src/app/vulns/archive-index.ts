import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeUtf8 } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { parseStanzas } from '../../catalogers/dpkg/deb822.ts';
import { lz4Reader } from '../../catalogers/dpkg/lz4.ts';
import { readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

/** What one index of Debian's archive offers. */
export interface ArchiveIndex {
  /** `12`. */
  readonly release: string;
  readonly architecture: string;
  readonly suite: string;
  readonly label: string;
  /** RFC 3339, of the Release file. */
  readonly date: string;
  /** The main archive of a release, and not an addition such as `-security`. */
  readonly isMain: boolean;
  readonly packages: readonly {
    readonly name: string;
    readonly architecture: string;
    readonly version: string;
  }[];
}

/** `main` of Debian 13 has 70,000 packages in 55 MiB. */
const maxIndex = 256 * 1024 * 1024;
const maxRelease = 16 * 1024 * 1024;

const listed = /^(?:.*\/)?((?:.*_dists_[^/]*?)_)([^_/]+)_binary-([^_/]+)_Packages(?:\.(?:gz|lz4))?$/;
const mirrored = /^(?:(.*)\/)?([^/]+)\/binary-([^/]+)\/Packages(?:\.gz)?$/;

/** As apt keeps it (`..._dists_bookworm_main_binary-amd64_Packages`), or as a mirror has it. */
export function isPackagesFile(name: string): boolean {
  return listed.test(name) || mirrored.test(name);
}

/**
 * Reads an index whose bytes are those that the Release file of its suite names; whether the archive signed
 * that is for apt to check, and for whoever builds a database. `undefined` as for `parseReleaseFile`.
 *
 * @throws TcfError `db.index` (exit 2).
 */
export async function readArchiveIndex(
  host: Host,
  folder: string,
  name: string,
): Promise<ArchiveIndex | undefined> {
  const inList = listed.exec(name);
  const [, above = '', component = '', architecture = ''] = inList ?? mirrored.exec(name) ?? [];
  const bases = inList === null ? placesAbove(above) : [join(dirname(name), above.replace(/^.*\//, ''))];
  const release = await readRelease(host, folder, bases, name);
  if (release === undefined) {
    return undefined;
  }
  const packed = await readPlainFile(host, join(folder, name), maxIndex, 'the index');
  const bytes = unpack(packed, name);
  const path = `${component}/binary-${architecture}/Packages`;
  const sums = release.sums.get(path);
  if (sums !== createHash('sha256').update(bytes).digest('hex')) {
    throw indexError(
      name,
      sums === undefined
        ? `its Release file does not name ${quoted(path)}`
        : 'its Release file names other bytes',
    );
  }
  return {
    ...release.facts,
    architecture,
    isMain: component === 'main' && !release.facts.suite.includes('-'),
    packages: packagesOf(bytes, name),
  };
}

function placesAbove(path: string): readonly string[] {
  const pieces = path.split('/').filter((piece) => piece !== '');
  return pieces.map((_, at) => `${pieces.slice(0, pieces.length - at).join('/')}/`).concat('');
}

interface ReleaseFile {
  readonly facts: Pick<ArchiveIndex, 'date' | 'label' | 'release' | 'suite'>;
  /** SHA-256 by path. */
  readonly sums: ReadonlyMap<string, string>;
}

async function readRelease(
  host: Host,
  folder: string,
  bases: readonly string[],
  index: string,
): Promise<ReleaseFile | undefined> {
  for (const base of bases) {
    for (const name of ['InRelease', 'Release']) {
      const path = join(folder, `${base}${name}`);
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) {
        return parseReleaseFile(
          await readPlainFile(host, path, maxRelease, 'the Release file'),
          `${base}${name}`,
        );
      }
    }
  }
  throw indexError(index, 'there is no InRelease or Release file that names it');
}

/**
 * `undefined` for the archive of somebody else, and for one that apt takes nothing of by itself (backports,
 * experimental): neither says that an update is missing.
 *
 * @throws TcfError `db.index` (exit 2).
 */
export function parseReleaseFile(bytes: Uint8Array, name: string): ReleaseFile | undefined {
  const text = (decodeUtf8(bytes) ?? '').replace(
    /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[^\n]+\n)*\r?\n/,
    '',
  );
  const fields = parseStanzas(text.split('-----BEGIN PGP SIGNATURE-----')[0] ?? '')[0]?.fields;
  const field = (key: string): string => fields?.get(key) ?? '';
  if (!isOfDebian(field)) {
    return undefined;
  }
  // `12-updates` is the release of bookworm-updates.
  const release = /^(\d+)(?:\.\d+)?(?:-[a-z][a-z-]*)?$/.exec(field('version'))?.[1];
  const date = Date.parse(field('date'));
  if (release === undefined || Number.isNaN(date)) {
    throw indexError(name, 'it does not say of which release and date it is');
  }
  const sums = new Map(
    field('sha256')
      .split('\n')
      .flatMap((line) => {
        const [sum = '', , path] = line.trim().split(/\s+/);
        return path !== undefined && /^[0-9a-f]{64}$/.test(sum) ? [[path, sum] as const] : [];
      }),
  );
  return {
    facts: {
      release,
      suite: field('codename') || field('suite'),
      label: field('label'),
      date: new Date(date).toISOString(),
    },
    sums,
  };
}

function isOfDebian(field: (key: string) => string): boolean {
  return field('origin') === 'Debian' && field('notautomatic') !== 'yes';
}

function unpack(bytes: Uint8Array, name: string): Uint8Array {
  if (name.endsWith('.gz')) {
    try {
      return gunzipSync(bytes, { maxOutputLength: maxIndex });
    } catch (error) {
      throw indexError(name, error instanceof Error ? error.message : 'it cannot be unpacked');
    }
  }
  if (!name.endsWith('.lz4')) {
    return bytes;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = lz4Reader((chunk) => {
    size += chunk.length;
    if (size > maxIndex) {
      throw indexError(name, `it unpacks to more than ${maxIndex} bytes`);
    }
    chunks.push(Uint8Array.from(chunk));
  });
  reader.push(bytes);
  if (!reader.isWhole()) {
    throw indexError(name, 'it is not a whole LZ4 file');
  }
  return Buffer.concat(chunks);
}

/** Three fields of each stanza, without the cost of reading the others. */
function packagesOf(bytes: Uint8Array, name: string): ArchiveIndex['packages'] {
  const packages: { name: string; architecture: string; version: string }[] = [];
  let stanza: Record<string, string> = {};
  const close = (): void => {
    const { Architecture: architecture = '', Package: title = '', Version: version = '' } = stanza;
    if (Object.keys(stanza).length > 0) {
      if (title === '' || version === '' || architecture === '') {
        throw indexError(name, 'it has a package without name, version or architecture');
      }
      packages.push({ name: title, architecture, version });
    }
    stanza = {};
  };
  for (const line of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').split('\n')) {
    if (line === '') {
      close();
    } else if (/^(?:Package|Version|Architecture): /.test(line)) {
      const colon = line.indexOf(':');
      stanza[line.slice(0, colon)] ??= line.slice(colon + 1).trim();
    }
  }
  close();
  return packages;
}

function indexError(name: string, why: string): Error {
  return cannotTell('db.index', `cannot use the index ${quoted(name)}: ${why}`, {
    hint: 'take Packages and InRelease of one suite together, from /var/lib/apt/lists after apt-get update or from a mirror',
  });
}
