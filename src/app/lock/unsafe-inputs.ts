import type { SbomFacts } from '../../bom/read.ts';
import { parseSbom } from '../../bom/read.ts';
import type { Host } from '../../system/host.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { affectedOf } from '../../vulns/scan.ts';
import { readSbomFile } from '../read-sbom.ts';
import { useDatabase } from '../vulns/place.ts';
import type { Lock } from './lock.ts';

/** A weakness that the kept database publishes for something in an image, or an update for security that is missing. */
export interface UnsafeInput {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** The version that mends it. */
  readonly fixedIn?: string;
  /** `triton 3.6.0`, of something inside a wheel. */
  readonly inside?: string;
}

/** What the database says of the inputs, and of how many nobody can tell. */
export interface AskedDatabase {
  readonly unsafe: readonly UnsafeInput[];
  readonly unjudged: number;
}

export interface UnsafeRequest {
  /** A file in place of the database that is kept. */
  readonly database?: string | undefined;
  /** The SBOM of the built image: it knows what lies inside wheels, and a lock does not. */
  readonly sbom?: string | undefined;
}

/** Releases of Debian by their suite, as advisories name them. */
const releases: Readonly<Record<string, string>> = {
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
};

/**
 * What of the locks is affected by a published vulnerability, or older than an update for security.
 *
 * @throws TcfError `db.*` (exit 2) where there is no database.
 */
export async function unsafeInputs(
  host: Host,
  locks: readonly Lock[],
  { database, sbom }: UnsafeRequest,
): Promise<AskedDatabase> {
  using used = await useDatabase(host, database);
  const facts = sbom === undefined ? factsOf(locks) : await readSbomFile(host, sbom);
  const scan = findVulnerabilities(facts, used.data);
  const affected = affectedOf(scan).flatMap((finding) =>
    finding.components.map(({ inside, name, version = '' }) => ({
      ...{ id: finding.id, name, version },
      ...(finding.fixedIn === undefined ? {} : { fixedIn: finding.fixedIn }),
      ...(inside === undefined ? {} : { inside }),
    })),
  );
  const outdated = scan.updates
    .filter(({ isSecurity }) => isSecurity)
    .map(({ installed, name, offered }) => ({
      ...{ id: `security update ${offered.version}`, name, version: installed, fixedIn: offered.version },
    }));
  return { unsafe: [...affected, ...outdated], unjudged: scan.unjudged.length };
}

/**
 * The locks as an SBOM says them. The pool of Debian is sorted by source package, which is what its
 * advisories speak of.
 */
function factsOf(locks: readonly Lock[]): SbomFacts {
  const components = locks.flatMap(({ debian, python }) => [
    ...(debian?.packages ?? []).map(({ name, path, version }) => {
      const source = path.split('/').at(-2) ?? name;
      const release = releases[debian?.suite ?? ''] ?? debian?.suite ?? '';
      return {
        ...{ type: 'library', name, version, 'bom-ref': `deb/${name}` },
        purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?distro=debian-${release}&upstream=${encodeURIComponent(source)}`,
      };
    }),
    ...(python?.wheels ?? []).map(({ name, version }) => ({
      ...{ type: 'library', name, version, 'bom-ref': `wheel/${name}` },
      purl: `pkg:pypi/${encodeURIComponent(name)}@${encodeURIComponent(version)}`,
    })),
  ]);
  return parseSbom({ bomFormat: 'CycloneDX', specVersion: '1.6', components }, 'the locks');
}
