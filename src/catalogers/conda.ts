import { createHash } from 'node:crypto';
import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import { agreedLicenses, toLicenses } from '../bom/licenses.ts';
import type { Component, ComponentHash, ExternalReference, License } from '../bom/model.ts';
import { type Purl, toPurl } from '../bom/purl.ts';
import { leftInCaches } from './caches.ts';
import type { Catalog, Cataloger, Ownership, Skipped, Tree, TreeFile } from './contract.ts';
import { identifiedBy } from './identity.ts';

/** One record for each package of an environment, the base environment too. */
const recordPath = /^((?:.*\/)?)conda-meta\/[^/]+\.json$/s;

/**
 * The description of a package that conda unpacked into its cache, from where it links packages into
 * environments.
 */
const unpacked = /^((?:.*\/)?pkgs)\/[^/]+\/info\/index\.json$/s;

/** cuda-toolkit's largest part names 9,000 files; texlive-core 40,000. */
const maxFiles = 500_000;
const maxDepends = 2000;
const maxText = 2000;
/** PATH_MAX of Linux. */
const maxPath = 4096;

interface Package {
  /** The environment: `opt/conda`, `opt/conda/envs/triton`. */
  readonly prefix: string;
  readonly name: string;
  readonly version: string;
  readonly purl: Purl;
  readonly record: Shape;
  readonly file: TreeFile;
}

/** The packages of conda, mamba, micromamba and pixi, from the records in `conda-meta`. */
export const conda: Cataloger = {
  name: 'conda',
  wantedAt: ['**/conda-meta/*.json', '**/*.dist-info/INSTALLER', '**/pkgs/*/info/index.json'],
  wants: (path) =>
    (path.includes('conda-meta/') && recordPath.test(path)) || installer.test(path) || unpacked.test(path),
  catalog(tree: Tree): Catalog {
    const skipped: Skipped[] = [];
    const records = tree
      .wanted()
      .filter(({ path }) => recordPath.test(path))
      .flatMap((file) => read(file, skipped));
    const replaced = new Set(records.filter((found) => isReplaced(tree, found)));
    const packages = records.filter((found) => !replaced.has(found));
    const unknownDependencies: string[] = [];
    const byName = new Map(packages.map((found) => [`${found.prefix}\0${found.name}`, found]));
    const dependencies = packages.flatMap((found) => {
      const names = attempt(found.file, skipped, () => dependsOf(found.record));
      if (names === undefined) {
        unknownDependencies.push(refOf(found));
        return [];
      }
      // An environment holds one version of a name, and its solver has seen to it that it is the right one.
      const targets = names.flatMap((name) => byName.get(`${found.prefix}\0${name}`) ?? []);
      const others = new Set(targets.filter((target) => target !== found).map(refOf));
      return [{ ref: refOf(found), dependsOn: [...others].sort(byCodeUnit) }];
    });
    return {
      components: packages.map((found) => componentOf(tree, found, skipped)),
      dependencies,
      owners: packages.map((found) => ownerOf(tree, found, skipped)),
      skipped,
      leftOut: [
        ...[...replaced].map(({ file, name, version }) => ({
          path: printable(file.path),
          reason: `records ${name} ${version}, whose files were replaced by pip or another program`,
        })),
        ...leftInCaches(
          tree.wanted().flatMap(({ path }) => unpacked.exec(path)?.[1] ?? []),
          'packages of conda',
        ),
      ],
      unknownDependencies,
    };
  },
};

/** What pip takes a distribution of Python by, and what it writes there of itself. */
const anchor = /\.dist-info\/RECORD$|\.egg-info(?:\/PKG-INFO)?$/;
const installer = /\.dist-info\/INSTALLER$/;

/**
 * Whether pip replaced the distribution that a record is about: the record stays, and its metadata is gone or
 * names another installer. `conda list` leaves such records out too, and shows what pip installed.
 */
function isReplaced(tree: Tree, { file, prefix, record }: Package): boolean {
  return (
    attempt(file, [], () => {
      const listed = (record.optional('files')?.list(maxFiles) ?? []).map((entry) => entry.string(maxPath));
      const placeOf = (path: string): string => (prefix === '' ? path : `${prefix}/${path}`);
      const anchors = listed.filter((path) => anchor.test(path));
      if (anchors.length > 0 && !anchors.some((path) => tree.exists(placeOf(path)))) {
        return true;
      }
      return listed.some((path) => {
        const content = installer.test(path) ? tree.file(placeOf(path))?.content() : undefined;
        const recorded = content === undefined ? undefined : hashOf(record, path);
        return recorded !== undefined && recorded !== sha256Of(content);
      });
    }) ?? false
  );
}

/** SHA-256 of a file as it was installed, where the record has it. */
function hashOf(record: Shape, path: string): string | undefined {
  const entries = record.optional('paths_data')?.optional('paths')?.list(maxFiles) ?? [];
  const entry = entries.find((each) => each.optional('_path')?.value === path);
  const value = entry?.optional('sha256_in_prefix')?.value ?? entry?.optional('sha256')?.value;
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined;
}

function sha256Of(content: Uint8Array = new Uint8Array(0)): string {
  return createHash('sha256').update(content).digest('hex');
}

function read(file: TreeFile, skipped: Skipped[]): readonly Package[] {
  const prefix = recordPath.exec(file.path)?.[1]?.replace(/\/$/, '') ?? '';
  const content = file.content();
  if (content === undefined) {
    skipped.push({ path: printable(file.path), reason: 'is too large to read' });
    return [];
  }
  const found = attempt(file, skipped, () => {
    const record = new Shape(parseJson(content, 'the record'), 'record');
    const name = record.get('name').string(200);
    const version = record.get('version').string(200);
    // What conda takes for names and versions (conda.models.version); others would be other packages in a
    // purl.
    if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
      throw record.get('name').wrong('is not the name of a package');
    }
    if (!/^[A-Za-z0-9_.+!~-]+$/.test(version)) {
      throw record.get('version').wrong('is not a version');
    }
    return { prefix, name, version, purl: purlOf(record, name, version), record, file };
  });
  return found === undefined ? [] : [found];
}

/** A record that cannot be read loses itself, or the part that cannot be read. */
function attempt<T>(file: TreeFile, skipped: Skipped[], look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    skipped.push({ path: printable(file.path), reason: printable(error.message) });
    return undefined;
  }
}

function refOf({ prefix, purl }: Package): string {
  return `${purl}#${prefix}`;
}

function purlOf(record: Shape, name: string, version: string): Purl {
  const word = (key: string): string => record.optional(key)?.string(maxText) ?? '';
  const channel = channelOf(word('channel'));
  const type = /\.(conda|tar\.bz2)$/.exec(word('fn') || word('url'))?.[1];
  return toPurl({
    type: 'conda',
    name,
    version,
    qualifiers: compact({
      ...(word('build') === '' ? {} : { build: word('build') }),
      ...(channel === '' ? {} : { channel }),
      ...(word('subdir') === '' ? {} : { subdir: word('subdir') }),
      type,
    }),
  });
}

/**
 * `conda-forge` of `https://conda.anaconda.org/t/TOKEN/conda-forge/linux-64`: the last word before the
 * platform, so that no token comes along.
 */
function channelOf(text: string): string {
  const parts = text
    .replace(/[?#].*$/s, '')
    .split('/')
    .filter((part) => part !== '');
  const [last = '', before = ''] = parts.reverse();
  return /^(?:noarch|(?:emscripten|freebsd|linux|osx|wasi|win|zos)-\w+)$/.test(last) ? before : last;
}

/** The names that a package needs; `__glibc` and its like are properties of the machine, not packages. */
function dependsOf(record: Shape): readonly string[] {
  const list = record.optional('depends')?.list(maxDepends) ?? [];
  return list
    .map((entry) => /^(?:[^\s:]*::)?([^\s=<>!~[]+)/.exec(entry.string(maxText))?.[1] ?? '')
    .filter((name) => name !== '' && !name.startsWith('__'));
}

/**
 * Families of licences in the words of conda-build, and how ids of them begin. The others it guesses from the
 * licence, and they say less than that.
 */
const families: ReadonlyMap<string, RegExp> = new Map([
  ['agpl', /\bAGPL-/],
  ['gpl', /\bGPL-/],
  ['gpl2', /\bGPL-2/],
  ['gpl3', /\bGPL-3/],
  ['lgpl', /\bLGPL-/],
  ['proprietary', /\bLicenseRef-/],
]);

/** Where the family is none that the licence is of, both are declared. */
function licensesOf(license: string, family: string): readonly License[] {
  const stated = toLicenses(license, 'spdx');
  const ids = families.get(family.toLowerCase());
  return ids === undefined || ids.test(license)
    ? stated
    : agreedLicenses([stated, toLicenses(family, 'spdx')]);
}

function componentOf(tree: Tree, found: Package, skipped: Skipped[]): Component {
  const { file, name, prefix, purl, record, version } = found;
  const text = (name: string): string =>
    attempt(file, skipped, () => record.optional(name)?.string() ?? '') ?? '';
  const licenses = licensesOf(text('license'), text('license_family'));
  const archive = attempt(file, skipped, () => archiveOf(record)) ?? [];
  const requested = attempt(file, skipped, () => isRequested(record)) ?? false;
  return {
    bomRef: refOf(found),
    type: 'library',
    name,
    version,
    purl,
    ...(licenses.length === 0 ? {} : { licenses }),
    hashes: [
      {
        algorithm: 'SHA-256',
        value: sha256Of(file.content()),
        subject: 'conda record',
      },
    ],
    ...(archive.length === 0 ? {} : { externalReferences: archive }),
    properties: [
      { name: 'tcf:conda:environment', value: `/${prefix}` },
      ...(requested ? [{ name: 'tcf:conda:requested', value: 'true' }] : []),
    ],
    evidence: {
      identity: identifiedBy('purl', { technique: 'manifest-analysis', confidence: 1, value: file.path }),
      occurrences: [{ location: file.path, layer: (tree.history(file.path)[0] ?? file).layer }],
    },
  };
}

/** Whether somebody asked for it: conda writes one text, `None` among them, rattler a list. */
function isRequested(record: Shape): boolean {
  const spec = record.optional('requested_spec')?.value;
  const specs = record.optional('requested_specs')?.list(maxDepends) ?? [];
  return specs.length > 0 || (typeof spec === 'string' && spec !== '' && spec !== 'None');
}

/**
 * Where the archive came from, and the hashes that conda checked it by. Tokens and passwords in the address
 * stay out of the BOM.
 */
function archiveOf(record: Shape): readonly ExternalReference[] {
  const text = record.optional('url')?.string(maxText) ?? '';
  if (!URL.canParse(text)) {
    return [];
  }
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return [];
  }
  const path = url.pathname.replace(/^\/t\/[^/]+\//, '/');
  const hashes = (
    [
      ['SHA-256', 'sha256', 64],
      ['MD5', 'md5', 32],
    ] as const
  ).flatMap(([algorithm, key, length]): ComponentHash[] => {
    const value = record.optional(key)?.value;
    return typeof value === 'string' && new RegExp(`^[0-9a-f]{${length}}$`).test(value)
      ? [{ algorithm, value, subject: 'conda archive' }]
      : [];
  });
  return [{ type: 'distribution', url: `${url.origin}${path}`, ...(hashes.length === 0 ? {} : { hashes }) }];
}

/**
 * The files of a record lie below the environment, where links may lead elsewhere. The lists are read when
 * first asked.
 */
function ownerOf(tree: Tree, found: Package, skipped: Skipped[]): Ownership {
  let paths: ReadonlySet<string> | undefined;
  const readPaths = (): ReadonlySet<string> => {
    const files = attempt(found.file, skipped, () =>
      (found.record.optional('files')?.list(maxFiles) ?? []).map((entry) => entry.string(maxPath)),
    );
    const directories = new Map<string, string>();
    return new Set(
      (files ?? []).flatMap((listed) => {
        // A record that climbs out of its environment would own what it likes.
        if (listed.startsWith('/') || listed.split('/').includes('..')) {
          return [];
        }
        const path = found.prefix === '' ? listed : `${found.prefix}/${listed}`;
        const slash = path.lastIndexOf('/');
        const directory = path.slice(0, Math.max(0, slash));
        const real = directories.get(directory) ?? tree.resolve(directory) ?? directory;
        directories.set(directory, real);
        return [real === '' ? path.slice(slash + 1) : `${real}/${path.slice(slash + 1)}`];
      }),
    );
  };
  return {
    bomRef: refOf(found),
    owns: (path) => {
      paths ??= readPaths();
      return paths.has(path);
    },
  };
}
