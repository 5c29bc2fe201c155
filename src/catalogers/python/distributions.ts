import { compare, valid } from '@renovatebot/pep440';
import { byCodeUnit, printable } from '../../base/text.ts';
import { isCache } from '../caches.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { isZippedEgg, parseEgg } from './egg.ts';
import { type Environment, environmentsOf, siteAround } from './environments.ts';
import { firstOf, isProjectName, type Metadata, normalName, parseMetadata } from './metadata.ts';
import { directoryOf } from './text.ts';

interface Find {
  readonly name: string;
  readonly version: string;
  readonly metadata: Metadata;
  /** METADATA, PKG-INFO, the egg-info file itself or the zipped egg. */
  readonly file: TreeFile;
  /** The metadata directory, the egg-info file or the zipped egg. */
  readonly info: string;
  /** The directory the packages lie in. */
  readonly site: string;
  /** `requires.txt` of a zipped egg. */
  readonly requires?: Uint8Array;
}

/** What one metadata directory or file says is installed. */
export interface Distribution extends Find {
  readonly environment: Environment;
  /** Another of its name that comes before it in `sys.path`: imports find that one. */
  readonly shadowedBy?: Distribution;
}

const metadataFile =
  /^(?:(.*)\/)?([^/]+\.dist-info\/METADATA|[^/]+\.egg-info(?:\/PKG-INFO)?|EGG-INFO\/PKG-INFO)$/;

/** Whether a file is the metadata of a distribution. A file `x.egg-info` counts only where packages lie. */
export function isMetadata(path: string): boolean {
  if (isZippedEgg(path)) return true;
  return metadataFile.test(path) && (!path.endsWith('.egg-info') || siteAround(path) === directoryOf(path));
}

/**
 * Every distribution that is installed or vendored. Source trees, caches and what pip left behind (`~ip-23.0.dist-info`) are not
 * installed.
 */
export function distributionsIn(tree: Tree): {
  readonly distributions: readonly Distribution[];
  readonly skipped: readonly Skipped[];
} {
  const skipped: Skipped[] = [];
  const finds = findsIn(tree, skipped);
  const byDirectory = Map.groupBy(finds, ({ site }) => site);
  const directories = [...byDirectory.keys()].filter((directory) => !isCache(tree, directory));
  const environments = environmentsOf(tree, directories);
  const covered = new Set(environments.flatMap((environment) => environment.directories));
  const rest = directories
    .filter((directory) => !covered.has(directory))
    .flatMap((directory) => strayEnvironment(directory, byDirectory.get(directory) ?? [], environments));

  const distributions: Distribution[] = [];
  for (const environment of [...environments, ...rest]) {
    const first = new Map<string, Distribution>();
    for (const site of new Set(environment.directories)) {
      for (const [name, candidates] of Map.groupBy(byDirectory.get(site) ?? [], (find) =>
        normalName(find.name),
      )) {
        const [best, ...leftovers] = [...candidates].sort((a, b) => byTrust(tree, a, b));
        if (best === undefined) continue;
        for (const { info, version } of leftovers) {
          // Debian ships some twice, as egg-info and as dist-info of one version: that is one thing.
          if (version !== best.version)
            skipped.push({
              path: printable(info),
              reason: `is a second ${best.name} beside ${printable(best.info)}`,
            });
        }
        const shadowedBy = first.get(name);
        const distribution = { ...best, environment, ...(shadowedBy === undefined ? {} : { shadowedBy }) };
        if (shadowedBy === undefined) first.set(name, distribution);
        distributions.push(distribution);
      }
    }
  }
  return { distributions, skipped };
}

function findsIn(tree: Tree, skipped: Skipped[]): readonly Find[] {
  const finds: Find[] = [];
  for (const file of tree.wanted()) {
    if (!isMetadata(file.path)) continue;
    const info = /\.egg(?:-info)?$/.test(file.path) ? file.path : directoryOf(file.path);
    const site = directoryOf(info);
    const base = info.slice(site === '' ? 0 : site.length + 1);
    // pip renames what it is about to remove and leaves it there when it is interrupted; pip does not list it.
    if (base.startsWith('~') || isCache(tree, site)) continue;
    const content = file.content();
    const path = printable(file.path);
    if (content === undefined) {
      skipped.push({ path, reason: 'is too large to read' });
      continue;
    }
    const egg = isZippedEgg(file.path) ? parseEgg(content) : { info: content };
    if (egg === undefined) {
      skipped.push({ path, reason: 'is no egg that can be read' });
      continue;
    }
    const metadata = parseMetadata(egg.info);
    const name = firstOf(metadata, 'name') ?? '';
    const version = firstOf(metadata, 'version') ?? '';
    if (!isProjectName(name)) skipped.push({ path, reason: 'has no Name that is one' });
    else if (!/^[!-~]{1,200}$/.test(version)) skipped.push({ path, reason: 'has no Version that is one' });
    else finds.push({ ...egg, name, version, metadata, file, info, site });
  }
  return finds;
}

/**
 * Metadata outside of the directories of packages. Below one of them it was vendored. Elsewhere a dist-info with a RECORD was put
 * there by an installer (`pip install --target`), and anything else is a source tree.
 */
function strayEnvironment(
  directory: string,
  finds: readonly Find[],
  environments: readonly Environment[],
): readonly Environment[] {
  const around = siteAround(directory);
  const parent = environments.find(({ directories }) => around !== undefined && directories.includes(around));
  const python =
    parent?.python ??
    (new Set(environments.map((other) => other.python)).size === 1 ? environments[0]?.python : undefined);
  const found = { name: directory, directories: [directory], ...(python === undefined ? {} : { python }) };
  if (around !== undefined && around !== directory)
    return [{ ...found, vendored: true, ...(parent === undefined ? {} : { parent }) }];
  return finds.some(({ info }) => info.endsWith('.dist-info')) ? [found] : [];
}

/** Of two in one directory the one with a RECORD, then the newer, is what the last installer wrote. */
function byTrust(tree: Tree, a: Find, b: Find): number {
  const complete = ({ info }: Find): number => (tree.exists(`${info}/RECORD`) ? 0 : 1);
  const order =
    valid(a.version) !== null && valid(b.version) !== null
      ? compare(b.version, a.version)
      : byCodeUnit(b.version, a.version);
  return complete(a) - complete(b) || order || byCodeUnit(a.info, b.info);
}
