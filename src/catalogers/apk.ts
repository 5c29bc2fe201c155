import { compact } from '../base/compact.ts';
import { toLicenses } from '../bom/licenses.ts';
import type { Component, ComponentHash, Property } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import {
  type Apk,
  apkDatabases,
  apkLayers,
  apkPackages,
  isApkDatabase,
  pathsIn,
  summarizeRecords,
} from './apk/installed.ts';
import { apkResolver, parseApkRelations } from './apk/relations.ts';
import type { Catalog, Cataloger, Tree, TreeFile } from './contract.ts';
import { evidenceOfRow, maintainerIn, osPackageCatalog } from './os/packages.ts';
import { distroOf, isReleaseFile, type OsRelease, osReleaseOf, releasePlaces } from './os-release.ts';
import { sizeProperties, toSize } from './package-size.ts';
import { repositoryAt } from './sources.ts';

const world = 'etc/apk/world';

/** The packages of Alpine, Wolfi and others, from the installed database of apk 2 and 3. */
export const apk: Cataloger = {
  name: 'apk',
  wantedAt: [...apkDatabases, ...releasePlaces, world],
  wants: (path) => isApkDatabase(path) || isReleaseFile(path) || path === world,
  summarize: (path, content) => (isApkDatabase(path) ? summarizeRecords(content) : undefined),
  catalog(tree: Tree): Catalog {
    const { apks, skipped } = apkPackages(tree);
    const system = osReleaseOf(tree);
    const layerOf = apkLayers(tree, apks);
    const asked = worldOf(tree);
    const needs = apkResolver(apks);
    return osPackageCatalog({
      packages: apks,
      system,
      skipped,
      refOf: (found) => refOf(found, system),
      needsOf: (found) => needs(found) ?? 'unreadable',
      componentOf: (found) => componentOf(found, system, asked, layerOf(found)),
      owns: fileOwners(tree, apks),
    });
  },
};

/** The names that somebody asked for; `undefined` where nobody wrote them down. */
function worldOf(tree: Tree): ReadonlySet<string> | undefined {
  const content = tree.file(world)?.content();
  const relations =
    content === undefined ? undefined : parseApkRelations(Buffer.from(content).toString('utf8').trim());
  return relations === undefined
    ? undefined
    : new Set(relations.filter(({ conflict }) => !conflict).map(({ name }) => name));
}

/**
 * The lists are read when first asked. They name a file below the directory as the package has it, and links
 * lead elsewhere.
 */
function fileOwners(tree: Tree, apks: readonly Apk[]): (apk: Apk, path: string) => boolean {
  let owners: ReadonlyMap<string, string> | undefined;
  const read = (): ReadonlyMap<string, string> => {
    const found = new Map<string, string>();
    const directories = new Map<string, string>();
    for (const database of new Map(apks.map((one) => [one.database.path, one.database])).values()) {
      for (const { apk: name, path } of pathsIn(database)) {
        const slash = path.lastIndexOf('/');
        const directory = path.slice(0, Math.max(0, slash));
        const real = directories.get(directory) ?? tree.resolve(directory) ?? directory;
        directories.set(directory, real);
        found.set(real === '' ? path : `${real}/${path.slice(slash + 1)}`, name);
      }
    }
    return found;
  };
  return (one, path) => {
    owners ??= read();
    return owners.get(path) === one.name;
  };
}

function componentOf(
  found: Apk,
  system: OsRelease | undefined,
  asked: ReadonlySet<string> | undefined,
  first: TreeFile,
): Component {
  const { fields, name, version } = found;
  const purl = purlOf(found, system);
  const licenses = toLicenses(fields.get('L') ?? '', 'apk');
  const description = fields.get('T') ?? '';
  const website = fields.get('U') ?? '';
  const repository = [repositoryAt(website)].filter((reference) => reference !== undefined);
  const supplier = maintainerIn(fields.get('m') ?? '');
  return compact({
    bomRef: refOf(found, system),
    type: 'library',
    name,
    version,
    purl,
    ...(description === '' ? {} : { description }),
    supplier,
    ...(licenses.length === 0 ? {} : { licenses }),
    hashes: [
      ...controlHash(found),
      { algorithm: 'SHA-256', value: found.record, subject: 'apk database record' },
    ],
    ...(website === '' ? {} : { externalReferences: [{ type: 'website', url: website }, ...repository] }),
    properties: propertiesOf(found, asked),
    evidence: evidenceOfRow(found, purl, first),
  });
}

/**
 * `C:Q1<base64>` is the SHA-1 of the control segment and not of the package. The flag `S` (apk 3) says that
 * it is the first half of a SHA-256, which is the hash of nothing by any name that CycloneDX knows.
 */
function controlHash(found: Apk): readonly ComponentHash[] {
  const { fields } = found;
  const [, kind, text = ''] = /^Q([12])([A-Za-z0-9+/]+=*)$/.exec(fields.get('C') ?? '') ?? [];
  if (kind === undefined || isVirtual(found) || fields.get('f')?.includes('S') === true) {
    return [];
  }
  const bytes = Buffer.from(text, 'base64');
  const subject = 'apk control segment';
  if (kind === '1' && bytes.length === 20) {
    return [{ algorithm: 'SHA-1', value: bytes.toString('hex'), subject }];
  }
  if (kind === '2' && bytes.length === 32) {
    return [{ algorithm: 'SHA-256', value: bytes.toString('hex'), subject }];
  }
  return [];
}

/** `apk add --virtual .build-deps`: a name for a list of dependencies, without files. */
function isVirtual({ name }: Apk): boolean {
  return name.startsWith('.');
}

function propertiesOf(found: Apk, asked: ReadonlySet<string> | undefined): readonly Property[] {
  const { fields, name } = found;
  const commit = fields.get('c') ?? '';
  return [
    ...(/^[0-9a-f]{40}(?:-dirty)?$/.test(commit) ? [{ name: 'tcf:apk:commit', value: commit }] : []),
    ...(asked === undefined ? [] : [{ name: 'tcf:apk:world', value: String(asked.has(name)) }]),
    ...(isVirtual(found) ? [{ name: 'tcf:apk:virtual', value: 'true' }] : []),
    ...sizeProperties(toSize(fields.get('I'))),
  ];
}

/** A name, a version and an architecture are installed once at most, so the purl is a ref. */
function refOf(found: Apk, system: OsRelease | undefined): string {
  return purlOf(found, system) ?? `apk:${found.name}@${found.version}?arch=${found.architecture}`;
}

function purlOf({ architecture, fields, name, version }: Apk, system: OsRelease | undefined) {
  if (system?.id === undefined) {
    return undefined;
  }
  const origin = fields.get('o') ?? '';
  const distro = distroOf(system);
  return toPurl({
    type: 'apk',
    namespace: system.id,
    name,
    version,
    qualifiers: compact({
      ...(architecture === '' ? {} : { arch: architecture }),
      distro,
      ...(origin === name || !/^[A-Za-z0-9._+-]{1,256}$/.test(origin) ? {} : { upstream: origin }),
    }),
  });
}
