import { compact } from '../base/compact.ts';
import { printable } from '../base/text.ts';
import { toLicenses } from '../bom/licenses.ts';
import type { Component, ExternalReference } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { Catalog, Cataloger, Skipped, Tree, TreeFile } from './contract.ts';
import { evidenceOfRow, osPackageCatalog } from './os/packages.ts';
import { distroOf, isReleaseFile, type OsRelease, osReleaseOf, releasePlaces } from './os-release.ts';
import { sizeProperties } from './package-size.ts';
import {
  chooseDatabase,
  isRpmDatabase,
  keysIn,
  packagesIn,
  rpmDatabases,
  summarizeDatabase,
} from './rpm/database.ts';
import { maxPaths, rpmOwners, rpmRealPath } from './rpm/files.ts';
import { manifestFile, packagesInManifest } from './rpm/manifest.ts';
import { evrOf, fileCountOf, fullBudget, type Rpm, rpmKey } from './rpm/packages.ts';
import { isReasonFile, type Reason, reasonFiles, reasonsOf } from './rpm/reasons.ts';
import { rpmResolver } from './rpm/relations.ts';
import { supplierOf } from './rpm/vendors.ts';
import { repositoryAt, sourcePackage } from './sources.ts';

/**
 * The packages of rpm, from the database rpm itself would use, or from the manifest of an image that has
 * none.
 */
export const rpm: Cataloger = {
  name: 'rpm',
  // Real ones have 43 to 121 KiB for each package: 4,500 packages of CentOS 6 (bench/limits.md).
  contentLimit: 512 * 1024 * 1024,
  wantedAt: [...rpmDatabases, ...reasonFiles, ...releasePlaces, manifestFile],
  wants: (path) => isRpmDatabase(path) || isReasonFile(path) || isReleaseFile(path) || path === manifestFile,
  summarize: summarizeDatabase,
  catalog(tree: Tree): Catalog {
    const { chosen, others } = chooseDatabase(tree);
    const skipped: Skipped[] = others.map(({ path }) => ({
      path: printable(path),
      reason: 'is a second database, which rpm does not use',
    }));
    const log = chosen?.path.endsWith('.sqlite') ? tree.file(`${chosen.path}-wal`) : undefined;
    const byKey = chosen === undefined ? inManifest(tree, skipped) : inDatabase(chosen, log, skipped);
    const rpms = [...byKey.values()];
    const system = osReleaseOf(tree);
    const ownersAt = ownersIn(tree, chosen, log);
    const needs = rpmResolver(rpms, (path) =>
      ownersAt(realOf(tree, path)).flatMap((key) => byKey.get(key) ?? []),
    );
    const foundIn = firstFiles(tree, chosen, log);
    const reasonFor = reasonsOf(tree, skipped);
    return osPackageCatalog({
      packages: rpms,
      system,
      skipped,
      refOf: (rpm) => refOf(rpm, system),
      needsOf: (rpm) => (rpm.isWhole ? (needs(rpm) ?? 'unreadable') : 'not-recorded'),
      componentOf: (rpm) => componentOf(rpm, system, foundIn(rpm), reasonFor(rpm.name, rpm.arch, evrOf(rpm))),
      owns: (rpm, path) => ownersAt(path).includes(rpmKey(rpm)),
    });
  },
};

type RpmsByKey = ReadonlyMap<string, Rpm>;

function inManifest(tree: Tree, skipped: Skipped[]): RpmsByKey {
  return new Map([...packagesInManifest(tree, skipped)].map((rpm) => [rpmKey(rpm), rpm]));
}

/** Of two headers of one package the last counts, as for rpm. */
function inDatabase(chosen: TreeFile, log: TreeFile | undefined, skipped: Skipped[]): RpmsByKey {
  const byKey = new Map<string, Rpm>();
  let files = 0;
  for (const { rpm, header } of packagesIn(chosen, log, skipped, fullBudget())) {
    byKey.set(rpmKey(rpm), rpm);
    files += fileCountOf(header);
  }
  if (files > maxPaths) {
    skipped.push({
      path: printable(chosen.path),
      reason: `lists more than ${maxPaths} files; the owners of the others are not known`,
    });
  }
  return byKey;
}

/** The keys of the packages that brought a real path. The lists of files are read when first asked. */
function ownersIn(
  tree: Tree,
  chosen: TreeFile | undefined,
  log: TreeFile | undefined,
): (path: string) => readonly string[] {
  let known: ReadonlyMap<string, string> | undefined;
  return (path) => {
    known ??= chosen === undefined ? new Map() : rpmOwners(tree, packagesIn(chosen, log, []));
    return known.get(path)?.split('\n') ?? [];
  };
}

function realOf(tree: Tree, path: string): string {
  const slash = path.lastIndexOf('/');
  return rpmRealPath(tree, path.slice(0, Math.max(0, slash)), path.slice(slash + 1));
}

/** The lowest copy of the database that has a package; what only the log has came with the log. */
function firstFiles(
  tree: Tree,
  chosen: TreeFile | undefined,
  log: TreeFile | undefined,
): (rpm: Rpm) => TreeFile {
  const first = new Map<string, TreeFile>();
  const hasLog = log !== undefined && log.size > 0;
  for (const file of chosen === undefined ? [] : tree.history(chosen.path)) {
    // What is in no lower copy is in the visible one, unless it has a log.
    if (file.layer.index === chosen?.layer.index && !hasLog) {
      continue;
    }
    for (const key of keysIn(file)) {
      if (!first.has(key)) {
        first.set(key, file);
      }
    }
  }
  return (rpm) => first.get(rpmKey(rpm)) ?? (hasLog ? log : rpm.database);
}

function componentOf(
  rpm: Rpm,
  system: OsRelease | undefined,
  found: TreeFile,
  { reason = '', repository = '' }: Reason,
): Component {
  const purl = purlOf(rpm, system);
  const licenses = toLicenses(rpm.license, 'rpm', 'Callaway');
  const properties = [
    { name: 'tcf:rpm:modularity-label', value: rpm.modularityLabel },
    { name: 'tcf:rpm:reason', value: reason },
    { name: 'tcf:rpm:repository', value: repository },
    { name: 'tcf:rpm:signature:key-id', value: rpm.keyId },
    ...sizeProperties(rpm.size),
  ].filter(({ value }) => value !== '');
  const supplier = supplierOf(rpm.vendor, rpm.packager);
  const references: readonly ExternalReference[] = [
    ...(isAddress(rpm.url) ? [{ type: 'website', url: rpm.url } as const] : []),
    ...(isAddress(rpm.vcs) ? [{ type: 'vcs', url: rpm.vcs } as const] : []),
    ...[repositoryAt(rpm.url), sourceOf(rpm, system)].filter((reference) => reference !== undefined),
  ];
  return compact({
    bomRef: refOf(rpm, system),
    type: 'library',
    name: rpm.name,
    version: evrOf(rpm),
    purl,
    ...(rpm.summary === '' ? {} : { description: rpm.summary }),
    supplier,
    ...(licenses.length === 0 ? {} : { licenses }),
    ...(rpm.sha256Header === ''
      ? {}
      : { hashes: [{ algorithm: 'SHA-256', value: rpm.sha256Header, subject: 'rpm header' }] }),
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(properties.length === 0 ? {} : { properties }),
    evidence: evidenceOfRow(rpm, purl, found),
  });
}

function refOf(rpm: Rpm, system: OsRelease | undefined): string {
  return purlOf(rpm, system) ?? `rpm:${rpmKey(rpm)}`;
}

function purlOf(rpm: Rpm, system: OsRelease | undefined): ReturnType<typeof toPurl> | undefined {
  if (system?.id === undefined) {
    return undefined;
  }
  const distro = distroOf(system);
  return toPurl({
    type: 'rpm',
    namespace: system.id,
    name: rpm.name,
    version: `${rpm.version}-${rpm.release}`,
    qualifiers: compact({
      ...(rpm.arch === '' ? {} : { arch: rpm.arch }),
      distro,
      ...(rpm.epoch > 0 ? { epoch: String(rpm.epoch) } : {}),
      // Advisories of modular packages are for one stream of the module (purl-spec, "rpm"; Grype matches by
      // it).
      ...(/^[\w.:+~^-]{1,256}$/.test(rpm.modularityLabel) ? { rpmmod: rpm.modularityLabel } : {}),
      ...(isUpstream(rpm.sourceRpm) ? { upstream: rpm.sourceRpm } : {}),
    }),
  });
}

function isUpstream(sourceRpm: string): boolean {
  return /^[!-~]{1,500}\.rpm$/.test(sourceRpm);
}

/** Without a user or password in it. */
function isAddress(text: string): boolean {
  return /^(?:git\+)?https?:\/\/(?![^/]*@)[!-~]{1,2000}$/.test(text);
}

/** `bash-5.1.8-2.fc35.src.rpm`. Its epoch is not in that name and may be another than the package's. */
function sourceOf({ sourceRpm }: Rpm, system: OsRelease | undefined): ExternalReference | undefined {
  const [, name, version] =
    /^([!-~]{1,255})-([!-,.-~]{1,255}-[!-,.-~]{1,255})\.(?:no)?src\.rpm$/.exec(sourceRpm) ?? [];
  if (system?.id === undefined || name === undefined || version === undefined) {
    return undefined;
  }
  return sourcePackage({ type: 'rpm', namespace: system.id, name, version, distro: distroOf(system) });
}
