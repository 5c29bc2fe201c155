import { createHash } from 'node:crypto';
import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import { toLicenses } from '../bom/licenses.ts';
import type { Component, Contact, Dependency, ExternalReference, License } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { Catalog, Cataloger, Ownership, Skipped, StreamScanner, Tree, TreeFile } from './contract.ts';

/**
 * Where `npm install --global` puts packages: `lib/node_modules` of any prefix, which is the distribution's,
 * a user's own or one of asdf, conda, fnm, mise, n, nvm or volta; Fedora numbers the folder. Then the folders
 * of yarn, pnpm and bun. What lies beside a `package.json` looks like the first and is none of them
 * (`isProject`).
 */
const globalTree =
  /^(?:(?:.+\/)?lib(?:64)?\/node_modules(?:_\d{1,3})?|(?:.+\/)?\.?(?:yarn|bun\/install)\/global\/node_modules|(?:.+\/)?pnpm\/global\/[^/]+(?:\/[^/]+)?\/node_modules)\//s;
const treeName = /\/node_modules(?:_\d{1,3})?\//;
/** Where Debian's own packages of Node modules lie; they find one another there. */
const debianTree = /^usr\/(?:share|lib(?:\/[^/]+-linux-gnu[^/]*)?)\/nodejs\//;
/**
 * What follows the tree, packages within packages. No name starts with a dot: npm leaves `.name-Xa1b2C` when
 * it is interrupted.
 */
const packagePlace =
  /^(?:\.pnpm\/[^/]+\/node_modules\/|(?:@[^/]+\/)?(?!node_modules\/)[^/@.][^/]*\/node_modules\/)*(?:@[^/]+\/)?(?!node_modules\/)[^/@.][^/]*\/package\.json$/;

/** validate-npm-package-name, old packages with capitals included. */
const packageName = /^(?=.{1,214}$)(?:@[A-Za-z0-9~!'()*_-][\w.~!'()*-]*\/)?[A-Za-z0-9~!'()*-][\w.~!'()*-]*$/;
/**
 * npm has not nested by default since its version 3; every level costs each dependency below it one more
 * look.
 */
const maxNesting = 32;
/** npm 11 itself names 65. A hostile list times `maxNesting` stays small. */
const maxDependencies = 2000;
/** Texts of one line in package.json; longer ones are no names, addresses or licences. */
const maxText = 1000;

interface Package {
  /** The directory, a real path. */
  readonly place: string;
  readonly file: TreeFile;
  readonly manifest: Manifest;
}

interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly fields: Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** Says of a manifest of an application that it is one. */
const noContent: StreamScanner = { push: () => undefined, isDone: true, end: () => ({}) };

/**
 * Packages that npm, yarn, pnpm or bun installed globally, and their own dependencies nested in them. Those
 * of an application, such as `/app/node_modules`, are left out and counted.
 */
export const npm: Cataloger = {
  name: 'npm',
  wantedAt: ['**/node_modules*/**/package.json', 'usr/**/nodejs/**/package.json'],
  wants: isGlobalManifest,
  scanned: { at: ['**/node_modules/**/package.json'] },
  scan: (path) => (modulePlace.test(path) && !isGlobalManifest(path) ? noContent : undefined),
  catalog(tree: Tree): Catalog {
    const skipped: Skipped[] = [];
    const manifests = Map.groupBy(tree.wanted(), ({ path }) => isProject(tree, rootOf(path) ?? ''));
    const packages = packagesOf(manifests.get(false) ?? [], skipped);
    const needs = [...packages.values()].map((found) => needsOf(tree, found, packages, skipped));
    const nested = Map.groupBy(packages.values(), ({ place }) => packageAround(parentOf(place), packages));
    const build = (found: Package): Component => {
      const inner = (nested.get(found) ?? []).map(build);
      const component = componentOf(tree, found);
      return inner.length === 0 ? component : { ...component, components: inner };
    };
    return {
      components: (nested.get(undefined) ?? []).map(build),
      dependencies: needs.flatMap(({ unknown, ...edges }): readonly Dependency[] =>
        unknown && edges.dependsOn.length === 0 ? [] : [edges],
      ),
      owners: [...packages.values()].map(
        (found): Ownership => ({
          bomRef: refOf(found),
          owns: (path) => path.startsWith(`${found.place}/`) && packageAround(path, packages) === found,
        }),
      ),
      skipped: [...skipped, ...linksOut(tree, packages)],
      leftOut: applicationsIn(
        [...(manifests.get(true) ?? []), ...tree.observed()].filter(
          ({ path }) => packageAround(path, packages) === undefined,
        ),
      ),
      unknownDependencies: needs.filter(({ unknown }) => unknown).map(({ ref }) => ref),
    };
  },
};

function isGlobalManifest(path: string): boolean {
  if (!path.endsWith('/package.json')) {
    return false;
  }
  const root = rootOf(path);
  return root !== undefined && packagePlace.test(path.slice(root.length));
}

/**
 * The global tree a path lies in, with its last slash. The first `node_modules` decides: one below it is
 * never a tree of its own.
 */
function rootOf(path: string): string | undefined {
  const debian = debianTree.exec(path)?.[0];
  if (debian !== undefined) {
    return debian;
  }
  const first = treeName.exec(path);
  if (first === null) {
    return undefined;
  }
  const root = path.slice(0, first.index + first[0].length);
  return globalTree.test(root) ? root : undefined;
}

/** Whether `lib/node_modules` belongs to a project whose folder is, or holds, that `lib`. */
function isProject(tree: Tree, root: string): boolean {
  const [, prefix, lib] = /^(?:(.+)\/)?(lib(?:64)?)\/node_modules(?:_\d{1,3})?\/$/s.exec(root) ?? [];
  if (lib === undefined) {
    return false;
  }
  const parent = prefix === undefined ? '' : `${prefix}/`;
  return tree.exists(`${parent}package.json`) || tree.exists(`${parent}${lib}/package.json`);
}

/** A package in a folder of modules, its own or another's. */
const modulePlace = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

/** Each folder of modules that no other holds, with the number of packages that are in it. */
function applicationsIn(manifests: readonly TreeFile[]): readonly Skipped[] {
  const folders = Map.groupBy(
    manifests,
    ({ path }) => /^.*?(?:^|\/)node_modules(?=\/)/s.exec(path)?.[0] ?? '',
  );
  return [...folders]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([path, files]) => ({
      path: printable(path),
      reason: `holds ${files.length === 1 ? 'a package' : `${files.length} packages`} of an application, not listed`,
    }));
}

function packagesOf(files: readonly TreeFile[], skipped: Skipped[]): ReadonlyMap<string, Package> {
  const packages = new Map<string, Package>();
  for (const file of files) {
    const read = manifestIn(file);
    if (typeof read === 'string') {
      skipped.push({ path: printable(file.path), reason: read });
    } else {
      packages.set(placeOf(file), { place: placeOf(file), file, manifest: read });
    }
  }
  return packages;
}

function placeOf(file: TreeFile): string {
  return file.path.slice(0, -'/package.json'.length);
}

/** A manifest, or why it cannot be one. */
function manifestIn(file: TreeFile): Manifest | string {
  if (file.path.split('/node_modules/').length > maxNesting) {
    return `is nested deeper than ${maxNesting} levels`;
  }
  const content = file.content();
  if (content === undefined) {
    return 'is too large to read';
  }
  let value: unknown;
  try {
    value = parseJson(content, 'package.json');
  } catch (error) {
    if (error instanceof TcfError) {
      return printable(error.message);
    }
    throw error;
  }
  const fields = fieldsOf(value);
  if (fields === undefined) {
    return 'is not an object';
  }
  const name = fields['name'];
  const version = fields['version'];
  if (typeof name !== 'string' || !packageName.test(name)) {
    return 'has no name that is one';
  }
  // Only what is published must have a version; what stands there must be one.
  if (version === undefined) {
    return { name, fields };
  }
  if (typeof version !== 'string' || !/^[!-~]{1,200}$/.test(version)) {
    return 'has no version that is one';
  }
  return { name, version, fields };
}

function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/') + 1));
}

/**
 * The innermost package around a path; directories whose package.json is broken belong to what is around
 * them.
 */
function packageAround(path: string, packages: ReadonlyMap<string, Package>): Package | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const found = packages.get(at);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

interface Needs extends Dependency {
  /** Something it asks for is there and could not be read. */
  readonly unknown: boolean;
}

/**
 * What a package gets when it asks for its dependencies, optional and peer ones too; what is not installed is
 * no edge.
 */
function needsOf(
  tree: Tree,
  found: Package,
  packages: ReadonlyMap<string, Package>,
  skipped: Skipped[],
): Needs {
  const { fields } = found.manifest;
  const dependsOn = new Set<string>();
  let unknown = false;
  for (const key of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
    const asked = fields[key] ?? {};
    // `[]` for `{}` is a mistake of many old packages and still says "none".
    const names = fieldsOf(asked) ?? (Array.isArray(asked) && asked.length === 0 ? {} : undefined);
    if (names === undefined || Object.keys(names).length > maxDependencies) {
      unknown = true;
      const reason = names === undefined ? 'is not an object' : `has more than ${maxDependencies} entries`;
      skipped.push({ path: printable(found.file.path), reason: `${key} ${reason}` });
      continue;
    }
    for (const name of Object.keys(names).filter((candidate) => packageName.test(candidate))) {
      const place = lookUp(tree, found.place, name);
      if (place === undefined || place === found.place) {
        continue;
      }
      const target = packages.get(place);
      if (target === undefined) {
        unknown = true;
      } else {
        dependsOn.add(refOf(target));
      }
    }
  }
  return { ref: refOf(found), dependsOn: [...dependsOn].sort(byCodeUnit), unknown };
}

/**
 * As `require` does (nodejs.org/api/modules.html, "Loading from node_modules folders"): the nearest directory
 * of that name.
 */
function lookUp(tree: Tree, place: string, name: string): string | undefined {
  const root = rootOf(`${place}/`) ?? '';
  for (let at = place; at.length > root.length; ) {
    const real = tree.resolve(`${at}/node_modules/${name}`);
    if (real !== undefined) {
      return real;
    }
    const next = at.lastIndexOf('/node_modules/');
    if (next < root.length) {
      break;
    }
    at = at.slice(0, next);
  }
  return tree.resolve(`${root}${name}`);
}

/** `npm link` puts a link to a source tree into the global tree; what lies there was not read. */
function linksOut(tree: Tree, packages: ReadonlyMap<string, Package>): readonly Skipped[] {
  const roots = new Set([...packages.keys()].map((place) => rootOf(`${place}/`) ?? ''));
  return [...roots]
    .filter((root) => globalTree.test(root))
    .flatMap((root) =>
      tree
        .list(root.slice(0, -1))
        .flatMap((name) =>
          name.startsWith('@') ? tree.list(`${root}${name}`).map((inner) => `${name}/${inner}`) : [name],
        )
        .flatMap((name): Skipped[] => {
          const place = `${root}${name}`;
          const real = tree.resolve(place);
          if (real === undefined || real === place || packages.has(real) || name.startsWith('.')) {
            return [];
          }
          return [{ path: printable(place), reason: `is a link to ${printable(real)}, which was not read` }];
        }),
    );
}

/** One version may lie in many places: the directory makes the ref its own. */
function refOf({ place, manifest }: Package): string {
  return `${purlOf(manifest)}#${place}`;
}

function purlOf({ name, version }: Manifest): ReturnType<typeof toPurl> {
  const slash = name.indexOf('/');
  return toPurl(
    compact({
      type: 'npm',
      ...(slash < 0 ? {} : { namespace: name.slice(0, slash) }),
      name: name.slice(slash + 1),
      version,
    }),
  );
}

function componentOf(tree: Tree, { file, manifest }: Package): Component {
  const { name, version, fields } = manifest;
  const description = textOf(fields['description']);
  const author = contactOf(fields['author']);
  const licenses = licensesOf(fields);
  const references = referencesOf(fields);
  const value = createHash('sha256')
    .update(file.content() ?? '')
    .digest('hex');
  return compact({
    bomRef: refOf({ place: placeOf(file), file, manifest }),
    type: 'library',
    name,
    version,
    purl: purlOf(manifest),
    description,
    ...(author === undefined ? {} : { authors: [author] }),
    ...(licenses.length === 0 ? {} : { licenses }),
    hashes: [{ algorithm: 'SHA-256', value, subject: 'package.json' }],
    ...(references.length === 0 ? {} : { externalReferences: references }),
    evidence: {
      identity: [
        {
          field: 'purl',
          confidence: 1,
          methods: [{ technique: 'manifest-analysis', confidence: 1, value: file.path }],
        },
      ],
      occurrences: [{ location: file.path, layer: firstWith(tree, file, manifest).layer }],
    },
  });
}

/** The file in the layer that first had this version. */
function firstWith(tree: Tree, file: TreeFile, { name, version }: Manifest): TreeFile {
  const older = tree.history(file.path).find((candidate) => {
    const read = manifestIn(candidate);
    return typeof read !== 'string' && read.name === name && read.version === version;
  });
  return older ?? file;
}

/**
 * `license` is SPDX by npm's rules, once `{ type, url }`; the old list `licenses` meant a choice
 * (docs.npmjs.com, "license").
 */
function licensesOf(fields: Fields): readonly License[] {
  const stated = fields['license'] ?? fields['licenses'];
  const names = (Array.isArray(stated) ? stated.slice(0, 20) : [stated]).flatMap(
    (entry: unknown) => textOf(entry) ?? textOf(fieldsOf(entry)?.['type']) ?? [],
  );
  return toLicenses(names.length > 1 ? `(${names.join(' OR ')})` : (names[0] ?? ''), 'spdx');
}

/** `Ada <ada@x.org> (https://x.org)`, or the same as an object. */
function contactOf(author: unknown): Contact | undefined {
  const [, words = '', address] = /^([^<(]*)(?:<([^<>\s]*)>)?/.exec(textOf(author) ?? '') ?? [];
  const name = textOf(fieldsOf(author)?.['name']) ?? textOf(words);
  const email = textOf(fieldsOf(author)?.['email']) ?? textOf(address);
  if (name === undefined && email === undefined) {
    return undefined;
  }
  return compact({ name, email });
}

function referencesOf(fields: Fields): readonly ExternalReference[] {
  const website = textOf(fields['homepage']);
  const repository = textOf(fields['repository']) ?? textOf(fieldsOf(fields['repository'])?.['url']);
  const vcs = repository === undefined ? undefined : repositoryUrl(repository);
  // No user and no query: a token stands there, and an SBOM is published.
  const isPublic = (url: string): boolean => /^(?:git\+)?(?:https?|git):\/\/[^\s@?]+$/.test(url);
  return [
    ...(website !== undefined && isPublic(website) ? [{ type: 'website' as const, url: website }] : []),
    ...(vcs !== undefined && isPublic(vcs) ? [{ type: 'vcs' as const, url: vcs }] : []),
  ];
}

const hosts: ReadonlyMap<string, string> = new Map([
  ['bitbucket', 'https://bitbucket.org'],
  ['github', 'https://github.com'],
  ['gitlab', 'https://gitlab.com'],
]);

/** `ada/tool` and `gitlab:ada/tool` are short for addresses (docs.npmjs.com, "repository"). */
function repositoryUrl(text: string): string {
  const [, host = 'github', path] = /^(?:([a-z]+):)?([\w.-]+\/[\w.-]+)$/.exec(text) ?? [];
  const base = hosts.get(host);
  return path === undefined || base === undefined ? text : `${base}/${path}`;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' && value.length <= maxText ? value.trim() : '';
  return text === '' ? undefined : text;
}
