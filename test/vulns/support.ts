import { readFileSync } from 'node:fs';
import { parseSbom, type SbomFacts } from '../../src/bom/read.ts';
import type { OfferedPackage } from '../../src/vulns/archive.ts';
import type { FoundAdvisory, VulnerabilityData } from '../../src/vulns/data.ts';
import { packageKey } from '../../src/vulns/ecosystems.ts';
import { parseLlvmFacts } from '../../src/vulns/llvm.ts';
import { parseCudaReleases, parseNvidiaFacts } from '../../src/vulns/nvidia.ts';
import { parseOsv } from '../../src/vulns/osv.ts';

const facts = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../src/vulns/data/${name}`, import.meta.url), 'utf8'));

const nvidia: NonNullable<VulnerabilityData['nvidia']> = {
  facts: parseNvidiaFacts(facts('nvidia-cuda-cves.json'), 'nvidia'),
  releases: parseCudaReleases(facts('cuda-releases.json'), 'releases'),
};
const llvm: VulnerabilityData['llvm'] = parseLlvmFacts(facts('llvm-cves.json'), 'llvm');

export interface MemoryOptions {
  readonly records?: readonly object[];
  /** `12 curl amd64` to what is offered. */
  readonly offered?: Readonly<Record<string, readonly OfferedPackage[]>> | undefined;
  readonly whole?: boolean;
  readonly unread?: number;
}

/** A database in memory, of OSV records. */
export function dataOf({
  offered = {},
  records = [],
  unread = 0,
  whole = false,
}: MemoryOptions = {}): VulnerabilityData {
  const found = new Map<string, FoundAdvisory[]>();
  const ecosystems = new Set<string>();
  for (const record of records) {
    const { affected, ...advisory } = parseOsv(record, 'a record');
    for (const entry of affected) {
      ecosystems.add(entry.ecosystem);
      const key = `${entry.ecosystem}\n${packageKey(entry.ecosystem, entry.name)}`;
      found.set(key, [...(found.get(key) ?? []), { advisory, affected: entry }]);
    }
  }
  const archives = Object.keys(offered).map((key) => key.replace(/ .* /, ' '));
  return {
    facts: { digest: 'sha256:test', sources: [{ name: 'OSV', records: records.length, unread }] },
    ecosystems: [...ecosystems],
    find: (ecosystem, key) => found.get(`${ecosystem}\n${key}`) ?? [],
    offered: (release, name, architecture) => offered[`${release} ${name} ${architecture}`] ?? [],
    archives: new Map(archives.map((archive) => [archive, { whole }])),
    nvidia,
    llvm,
  };
}

/** A component by purl; a pair of purl and owner's purl for what lies in another. */
export type Described = string | readonly [string, string];

/** An SBOM of these components. */
export function sbomOf(...purls: readonly Described[]): SbomFacts {
  const components = purls.map((one) => {
    const [purl, owner] = typeof one === 'string' ? [one] : one;
    const [, name = '', version] = /^pkg:[^/]+\/(?:.*\/)?([^@?]+)(?:@([^?#]+))?/.exec(purl ?? '') ?? [];
    return {
      type: 'library',
      'bom-ref': purl,
      name: decodeURIComponent(name),
      ...(version === undefined ? {} : { version: decodeURIComponent(version) }),
      purl,
      ...(owner === undefined ? {} : { properties: [{ name: 'tcf:owned-by', value: owner }] }),
    };
  });
  return parseSbom({ bomFormat: 'CycloneDX', specVersion: '1.6', components }, 'the SBOM');
}
