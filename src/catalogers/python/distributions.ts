import { compact } from '../../base/compact.ts';
import { byCodeUnit, printable } from '../../base/text.ts';
import { cacheAround, leftInCaches } from '../caches.ts';
import type { Skipped, Tree } from '../contract.ts';
import { parseDirectUrl, sourceOf } from './direct-url.ts';
import { type Environment, environmentsOf, siteAround } from './environments.ts';
import { type InfoFind, isInfoName, readInfo } from './info.ts';
import { normalName } from './metadata.ts';
import { byEvidence } from './rank.ts';
import { searchPathOf, sitesIn } from './sites.ts';
import { linesOf, parentFolder, utf8Text } from './text.ts';

/** What one metadata directory or file says is installed. */
export interface Distribution extends InfoFind {
  readonly environment: Environment;
  /** Other environments that have it in sight through a symbolic link to its metadata. */
  readonly seenFrom: readonly Environment[];
  /** Another of its name that comes before it in `sys.path`: imports find that one. */
  readonly shadowedBy?: Distribution;
}

export interface Installed {
  readonly distributions: readonly Distribution[];
  /** What looks installed and could not be read. */
  readonly skipped: readonly Skipped[];
  /** What was seen and is not installed: package caches, source trees, test data, what pip left behind. */
  readonly leftOut: readonly Skipped[];
}

/**
 * Every distribution that is installed or vendored, as importlib.metadata finds them. `hashes` are those of
 * installed files.
 */
export function distributionsIn(tree: Tree, hashes: ReadonlyMap<string, string>): Installed {
  const caches: string[] = [];
  const isHere = (site: string): boolean => {
    const cache = cacheAround(tree, site);
    if (cache !== undefined) {
      caches.push(...metadataIn(tree, site).map(() => cache));
    }
    return cache === undefined;
  };
  const sites = sitesIn(tree).filter(isHere);
  const shelf = readSites(tree, sites);
  const environments = environmentsOf(tree, sites);
  const covered = new Set(environments.flatMap((environment) => environment.directories));
  const searched = new Set(searchPathOf(tree));
  const strays = sites
    .filter((site) => !covered.has(site) && shelf.finds(site).length > 0)
    .map((site) => strayEnvironment(site, shelf.finds(site), environments, searched.has(site)));
  const found = [...environments, ...strays.flatMap((stray) => ('reason' in stray ? [] : stray))];
  return {
    distributions: placed(tree, found, shelf, new Set(sites), hashes),
    skipped: shelf.skipped,
    leftOut: [
      ...leftInCaches(caches, 'distributions'),
      ...strays.flatMap((stray) => ('reason' in stray ? stray : [])),
      ...shelf.leftOut,
    ],
  };
}

function metadataIn(tree: Tree, site: string): readonly string[] {
  return tree.list(site).filter((name) => isInfoName(site, name));
}

interface Shelf {
  /** What lies in a directory, read once. */
  finds(site: string): readonly InfoFind[];
  readonly skipped: Skipped[];
  readonly leftOut: Skipped[];
}

function readSites(tree: Tree, sites: readonly string[]): Shelf {
  const read = new Map<string, readonly InfoFind[]>();
  const skipped: Skipped[] = [];
  const leftOut: Skipped[] = [];
  const readSite = (site: string): readonly InfoFind[] =>
    tree.list(site).flatMap((name): readonly InfoFind[] => {
      // pip renames what it is about to remove and leaves it there when it is interrupted; pip does not list
      // it.
      if (name.startsWith('~') && isInfoName(site, name)) {
        leftOut.push({ path: printable(`${site}/${name}`), reason: 'was left behind by pip' });
        return [];
      }
      if (name.endsWith('.egg-link')) {
        skipped.push(...deadLink(tree, site, name));
      }
      const find = isInfoName(site, name) ? readInfo(tree, site, name) : undefined;
      if (find === undefined) {
        return [];
      }
      if ('version' in find) {
        return [find];
      }
      skipped.push(find);
      return [];
    });
  const finds = (site: string): readonly InfoFind[] => {
    const known = read.get(site) ?? readSite(site);
    read.set(site, known);
    return known;
  };
  for (const site of sites) {
    finds(site);
  }
  return { finds, skipped, leftOut };
}

/** An egg-link that leads to no metadata: setuptools made it for a project that is not there. */
function deadLink(tree: Tree, site: string, name: string): readonly Skipped[] {
  if (!/(?:^|\/)(?:site|dist)-packages$/.test(site)) {
    return [];
  }
  const line = linesOf(utf8Text(tree, `${site}/${name}`) ?? '')[0]?.trim() ?? '';
  const target = line.startsWith('/') ? tree.resolve(line.replace(/^\/+/, '')) : undefined;
  if (target !== undefined && metadataIn(tree, target).length > 0) {
    return [];
  }
  return [{ path: printable(`${site}/${name}`), reason: 'leads to no metadata of a project' }];
}

/** Each find in the environment it lies in; others that see it through a link to its metadata are told. */
function placed(
  tree: Tree,
  environments: readonly Environment[],
  shelf: Shelf,
  sites: ReadonlySet<string>,
  hashes: ReadonlyMap<string, string>,
): readonly Distribution[] {
  const seenFrom = new Map<string, Environment[]>();
  const distributions: Distribution[] = [];
  const isGuest = ({ info }: InfoFind, environment: Environment): boolean => {
    const real = tree.resolve(info) ?? info;
    if (real === info || !sites.has(parentFolder(real))) {
      return false;
    }
    seenFrom.set(real, [...(seenFrom.get(real) ?? []), environment]);
    return true;
  };
  for (const environment of environments) {
    const first = new Map<string, Distribution>();
    for (const site of new Set(environment.directories)) {
      for (const [name, all] of Map.groupBy(shelf.finds(site), (find) => normalName(find.name))) {
        const candidates = all.filter((find) => !isGuest(find, environment));
        const [best, ...leftovers] = byEvidence(tree, candidates, hashes);
        if (best === undefined) {
          continue;
        }
        shelf.skipped.push(...leftovers.flatMap((leftover) => second(leftover, best)));
        const shadowedBy = first.get(name);
        if (shadowedBy !== undefined && isSourceOf(tree, best, shadowedBy)) {
          continue;
        }
        const distribution: Distribution = { ...best, environment, seenFrom: [], ...compact({ shadowedBy }) };
        if (shadowedBy === undefined) {
          first.set(name, distribution);
        }
        distributions.push(distribution);
      }
    }
  }
  return distributions.map((distribution) => ({
    ...distribution,
    seenFrom: seenFrom.get(distribution.info) ?? [],
  }));
}

/** Debian ships some twice, as egg-info and as dist-info of one version: that is one thing. */
function second({ info, version }: InfoFind, best: InfoFind): readonly Skipped[] {
  if (version === best.version) {
    return [];
  }
  return [{ path: printable(info), reason: `is a second ${best.name} beside ${printable(best.info)}` }];
}

/**
 * Whether this is the egg-info that an editable installation left in the source directory it was made from.
 */
function isSourceOf(tree: Tree, find: InfoFind, { info, version }: InfoFind): boolean {
  if (!/\.egg-info$/i.test(find.info) || find.version !== version) {
    return false;
  }
  const direct = parseDirectUrl(tree.file(`${info}/direct_url.json`)?.content() ?? new Uint8Array());
  if (direct?.editable !== true) {
    return false;
  }
  const source = tree.resolve(sourceOf(direct) ?? '') ?? '';
  return source !== '' && (find.site === source || find.site.startsWith(`${source}/`));
}

/**
 * Metadata outside of the directories of packages. Below one of them it was vendored, unless it is test data.
 * Elsewhere a dist-info was put there by an installer (`pip install --target`), and anything else is a source
 * tree, unless PYTHONPATH names it.
 */
function strayEnvironment(
  directory: string,
  finds: readonly InfoFind[],
  environments: readonly Environment[],
  isSearched: boolean,
): Environment | Skipped {
  const around = siteAround(directory);
  const parent = environments.find(({ directories }) => around !== undefined && directories.includes(around));
  const python =
    parent?.python ??
    (new Set(environments.map((other) => other.python)).size === 1 ? environments[0]?.python : undefined);
  const found = compact({ name: directory, directories: [directory], python });
  const path = printable(finds[0]?.info ?? directory);
  if (around !== undefined && around !== directory) {
    if (/\/(?:tests?|testdata|testing)\//.test(`${directory.slice(around.length)}/`)) {
      return { path, reason: 'is test data of another distribution' };
    }
    return { ...found, vendored: true, ...compact({ parent }) };
  }
  if (isSearched || finds.some(({ info }) => /\.dist-info$/i.test(info))) {
    return { ...found, stray: true };
  }
  return { path, reason: 'describes a source tree, which nothing says is installed' };
}

/** Orders distributions by where they lie. */
export function byPlace(a: Distribution, b: Distribution): number {
  return byCodeUnit(a.info, b.info);
}
