import type { Tree } from '../contract.ts';
import { tritonDistributions } from '../llvm/pins.ts';
import { directoryOf } from '../llvm/places.ts';
import { infoAround, isMetadata, readInfo } from '../python/info.ts';
import { normalName } from '../python/metadata.ts';
import { bringsTriton } from '../python/triton-pin.ts';

/**
 * The versions of Triton in the image, as `triton.__version__` says them: without what stands behind a plus,
 * and without the number of a release of the same sources (`3.9.10.post20261028`).
 */
export function installedVersions(tree: Tree): ReadonlySet<string> {
  const versions = tree.wanted().flatMap(({ path }): readonly string[] => {
    const info = isMetadata(path) ? infoAround(path) : undefined;
    if (info === undefined) {
      return [];
    }
    const find = readInfo(tree, directoryOf(info), info.slice(info.lastIndexOf('/') + 1));
    if (find === undefined || !('version' in find)) {
      return [];
    }
    const isTriton = tritonDistributions.has(normalName(find.name)) || bringsTriton(tree, info);
    const release = find.version.replace(/\+.*$/, '');
    return isTriton ? [find.version, release, release.replace(/\.post\d+$/, '')] : [];
  });
  return new Set(versions);
}
