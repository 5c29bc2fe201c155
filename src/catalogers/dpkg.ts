import { createHash } from 'node:crypto';
import { compact } from '../base/compact.ts';
import { withLicenseText } from '../bom/license-texts.ts';
import type { Component, ComponentHash, ExternalReference, License, Property } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { Catalog, Cataloger, Skipped, Tree, TreeFile } from './contract.ts';
import { automaticIn, extendedStates } from './dpkg/automatic.ts';
import { copyrightLicenses, upstreamSource } from './dpkg/copyright.ts';
import { checksumsOf, dpkgOwners, isFileList, unreadPaths } from './dpkg/files.ts';
import {
  type AptList,
  archivesOf,
  type DpkgArchive,
  isList,
  isSource,
  listPlaces,
  listScanner,
  sourcePlaces,
} from './dpkg/lists.ts';
import { type Deb, dpkgLayers, dpkgPackages, isDpkgDatabase, summarizeStanzas } from './dpkg/packages.ts';
import { dpkgResolver } from './dpkg/relations.ts';
import { evidenceOfRow, maintainerIn, osPackageCatalog } from './os/packages.ts';
import { distroOf, isReleaseFile, type OsRelease, osReleaseOf, releasePlaces } from './os-release.ts';
import { sizeProperties, toSize } from './package-size.ts';
import { repositoryAt, sourcePackage } from './sources.ts';

const architectureFile = 'var/lib/dpkg/arch';

/** Debian's packages, from the database of dpkg or the files of distroless images. */
export const dpkg: Cataloger<AptList> = {
  name: 'dpkg',
  wantedAt: [
    ...['status', 'status.d/*', 'updates/*', 'info/*.list', 'info/*.md5sums', 'diversions', 'arch'].map(
      (name) => `var/lib/dpkg/${name}`,
    ),
    ...[extendedStates, ...sourcePlaces, ...releasePlaces],
    'usr/share/doc/*/copyright',
  ],
  wants: (path) =>
    isDpkgDatabase(path) ||
    isFileList(path) ||
    isReleaseFile(path) ||
    path === architectureFile ||
    path === extendedStates ||
    isSource(path) ||
    /^usr\/share\/doc\/[^/]+\/copyright$/.test(path),
  scanned: { at: listPlaces },
  scan: (path) => (isList(path) ? listScanner(path) : undefined),
  summarize(path, content) {
    if (isDpkgDatabase(path)) {
      return summarizeStanzas(content);
    }
    return isFileList(path) ? new Uint8Array(0) : undefined;
  },
  catalog(tree: Tree<AptList>): Catalog {
    const { debs, skipped: unread } = dpkgPackages(tree);
    const skipped: Skipped[] = [...unread, ...unreadPaths(tree, debs)];
    const system = osReleaseOf(tree);
    const layerOf = dpkgLayers(tree, debs);
    const native = nativeArchitecture(tree);
    const isAutomatic = automaticIn(tree, native, skipped);
    const archiveOf = archivesOf(tree, debs, skipped);
    const needs = dpkgResolver(debs, native);
    return osPackageCatalog({
      packages: debs,
      system,
      skipped,
      refOf: (deb) => refOf(deb, system),
      needsOf: (deb) => needs(deb) ?? 'unreadable',
      componentOf: (deb) =>
        componentOf(tree, deb, system, {
          found: layerOf(deb),
          archive: archiveOf(deb),
          automatic: isAutomatic(deb),
        }),
      owns: dpkgOwners(tree, debs),
    });
  },
};

/** What is known of a package from outside its stanza. */
interface Around {
  readonly found: TreeFile;
  readonly archive: DpkgArchive | undefined;
  readonly automatic: boolean | undefined;
}

function componentOf(
  tree: Tree,
  deb: Deb,
  system: OsRelease | undefined,
  { found, archive, automatic }: Around,
): Component {
  const purl = purlOf(deb, system);
  const copyright = copyrightOf(tree, deb);
  const hash = hashOf(tree, deb, archive);
  const description = deb.fields.get('description')?.split('\n', 1)[0];
  const homepage = deb.fields.get('homepage') ?? '';
  const references: readonly ExternalReference[] = [
    ...(homepage === '' ? [] : [{ type: 'website', url: homepage } as const]),
    ...[repositoryAt(homepage), copyright.source, sourceOf(deb, system)].filter(
      (reference) => reference !== undefined,
    ),
    ...(archive?.url === undefined || hash === undefined
      ? []
      : [{ type: 'distribution', url: archive.url, hashes: [hash] } as const]),
  ];
  const supplier = maintainerIn(deb.fields.get('maintainer') ?? '');
  const properties: readonly Property[] = [
    ...(automatic === undefined ? [] : [{ name: 'tcf:dpkg:auto-installed', value: String(automatic) }]),
    ...copyright.properties,
    ...sizeProperties(installedSize(deb)),
  ];
  return compact({
    bomRef: refOf(deb, system),
    type: 'library',
    name: deb.name,
    version: deb.version,
    purl,
    ...(description === undefined || description === '' ? {} : { description }),
    supplier,
    ...(copyright.licenses.length === 0 ? {} : { licenses: copyright.licenses }),
    ...(hash === undefined ? {} : { hashes: [hash] }),
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(properties.length === 0 ? {} : { properties }),
    evidence: evidenceOfRow(deb, purl, found),
  });
}

/** In kibibytes, rounded (deb-control(5), `Installed-Size`). */
function installedSize({ fields }: Deb): number | undefined {
  const kibibytes = toSize(fields.get('installed-size'));
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}

/**
 * What the copyright file says. Where no licence on a list is named beyond doubt, the text of the file is the
 * licence.
 */
function copyrightOf(
  tree: Tree,
  { name }: Deb,
): {
  readonly licenses: readonly License[];
  readonly properties: readonly Property[];
  readonly source?: ExternalReference;
} {
  const file = tree.file(`usr/share/doc/${name}/copyright`);
  const content = file?.content();
  if (file === undefined || content === undefined || content.length === 0) {
    return { licenses: [], properties: [] };
  }
  const text = Buffer.from(content).toString('utf8');
  const source = upstreamSource(text);
  return { ...withLicenseText(copyrightLicenses(text, name), content, file.path), ...compact({ source }) };
}

/** Of the .deb where apt says it, else of the file with the checksums of what came out of it. */
function hashOf(tree: Tree, deb: Deb, archive: DpkgArchive | undefined): ComponentHash | undefined {
  if (archive !== undefined) {
    return { algorithm: 'SHA-256', value: archive.sha256, subject: 'deb archive' };
  }
  const checksums = checksumsOf(tree, deb);
  if (checksums === undefined) {
    return undefined;
  }
  const value = createHash('sha256').update(checksums).digest('hex');
  return { algorithm: 'SHA-256', value, subject: 'md5sums' };
}

/** One package in one version and architecture is installed once at most, so its purl is a ref. */
function refOf(deb: Deb, system: OsRelease | undefined): string {
  return purlOf(deb, system) ?? `deb:${deb.name}@${deb.version}?arch=${deb.architecture}`;
}

function purlOf(deb: Deb, system: OsRelease | undefined): ReturnType<typeof toPurl> | undefined {
  if (system?.id === undefined) {
    return undefined;
  }
  const upstream = upstreamOf(deb);
  const distro = distroOf(system);
  return toPurl({
    type: 'deb',
    namespace: system.id,
    name: deb.name,
    version: deb.version,
    qualifiers: compact({
      ...(deb.architecture === '' ? {} : { arch: deb.architecture }),
      distro,
      upstream,
    }),
  });
}

/**
 * `Source: glibc (2.36-9)`; without the field, or without a version in it, the source has the package's own.
 */
function sourceNameOf({ fields }: Deb): readonly (string | undefined)[] {
  const form = /^([A-Za-z0-9][A-Za-z0-9+._-]{0,255})(?:\s+\(([!-~]{1,256})\))?$/;
  return form.exec(fields.get('source') ?? '')?.slice(1) ?? [];
}

function sourceOf(deb: Deb, system: OsRelease | undefined): ExternalReference | undefined {
  if (system?.id === undefined) {
    return undefined;
  }
  const [name, version] = sourceNameOf(deb);
  return sourcePackage({
    type: 'deb',
    namespace: system.id,
    name: name ?? deb.name,
    version: version ?? deb.version,
    distro: distroOf(system),
  });
}

/** `glibc@2.36-9`, as scanners match advisories by source. */
function upstreamOf(deb: Deb): string | undefined {
  const { name } = deb;
  const [source, version] = sourceNameOf(deb);
  if (source === undefined || (source === name && version === undefined)) {
    return undefined;
  }
  return version === undefined ? source : `${source}@${version}`;
}

/** `var/lib/dpkg/arch` names the native architecture first; it exists only where a foreign one was added. */
function nativeArchitecture(tree: Tree): string {
  const listed = tree.file(architectureFile)?.content();
  const first =
    listed === undefined ? '' : (Buffer.from(listed).toString('utf8').split('\n', 1)[0] ?? '').trim();
  if (/^[a-z0-9-]+$/.test(first)) {
    return first;
  }
  const debianNames: Readonly<Record<string, string>> = { '386': 'i386', arm: 'armhf', ppc64le: 'ppc64el' };
  return debianNames[tree.architecture] ?? tree.architecture;
}
