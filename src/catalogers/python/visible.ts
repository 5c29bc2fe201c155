import type { Distribution } from './distributions.ts';
import type { Environment } from './environments.ts';
import { normalName } from './metadata.ts';
import { parentFolder } from './text.ts';

type Names = ReadonlyMap<string, Distribution>;

/**
 * Finds a distribution by name as the interpreter of another would: first in `searchPath` (PYTHONPATH), then
 * in its environment and the parents of that, then in those that have it in sight through links. A directory
 * of its own (`pip install --target`, Bazel's one for each package) is searched together with those of the
 * same folder or none.
 */
export function finderOf(
  distributions: readonly Distribution[],
  searchPath: readonly string[],
): (name: string, from: Distribution) => Distribution | undefined {
  const visible = new Map<string, Map<string, Distribution>>();
  const add = (key: string, distribution: Distribution): void => {
    const names = visible.get(key) ?? new Map<string, Distribution>();
    const name = normalName(distribution.name);
    if (!names.has(name)) {
      names.set(name, distribution);
    }
    visible.set(key, names);
  };
  for (const distribution of distributions) {
    if (distribution.shadowedBy !== undefined) {
      continue;
    }
    for (const environment of [distribution.environment, ...distribution.seenFrom]) {
      add(keyOf(environment), distribution);
    }
    if (distribution.environment.stray === true) {
      add(folderKey(distribution), distribution);
    }
  }
  for (const site of searchPath) {
    for (const distribution of distributions) {
      if (distribution.site === site) {
        add(searchKey, distribution);
      }
    }
  }
  return (name, from) => {
    const normal = normalName(name);
    for (const key of keysFrom(from)) {
      const found = (visible.get(key) as Names | undefined)?.get(normal);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  };
}

const searchKey = 'PYTHONPATH';

function keysFrom(from: Distribution): readonly string[] {
  const { environment, seenFrom } = from;
  return [
    searchKey,
    ...[environment, ...seenFrom].flatMap(chainOf).map(keyOf),
    ...(environment.stray === true ? [folderKey(from)] : []),
  ];
}

function chainOf(environment: Environment): readonly Environment[] {
  return environment.parent === undefined ? [environment] : [environment, ...chainOf(environment.parent)];
}

function keyOf({ name, python }: Environment): string {
  return `${name}\0${python ?? ''}`;
}

/** `runfiles` of `runfiles/pypi_six/site-packages`. */
function folderKey({ site }: Distribution): string {
  return `beside\0${parentFolder(parentFolder(site))}`;
}
