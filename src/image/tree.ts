import { byCodeUnit } from '../base/text.ts';
import type { Layer } from '../bom/model.ts';
import type { ObservedFile, Tree, TreeFile } from '../catalogers/contract.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { ImageLayer } from './contract.ts';
import type { Former, Merged } from './merge.ts';
import { fromText, latin1ToText, unescaped } from './names.ts';
import { type FileNames, type NamedFile, realPath } from './names-of-files.ts';
import type { Inode } from './rootfs.ts';

export interface TreeSource {
  readonly merged: Merged;
  readonly names: FileNames;
  readonly layers: readonly ImageLayer[];
  readonly config: ImageConfig;
}

/**
 * The merged image as one cataloger may see it; `at` is its place in the list of catalogers. `Seen` is what
 * the scanner of that very cataloger returns: observations are filed under the place of the cataloger that
 * made them.
 */
export function treeOf<Seen extends object>(source: TreeSource, at: number): Tree<Seen> {
  const { merged, names, layers, config } = source;
  const { rootfs } = merged;
  const fileOf = (path: string, inode: Inode, content?: Uint8Array): TreeFile => {
    const links = names.links.get(inode)?.filter((link) => link !== path);
    return {
      path: latin1ToText(path),
      size: rootfs.sizeOf(inode),
      modified: rootfs.modifiedAt(inode),
      layer: layerOf(layers, rootfs.layerOf(inode)),
      ...(links === undefined || links.length === 0
        ? {}
        : { links: links.map(latin1ToText).sort(byCodeUnit) }),
      content: () => content ?? merged.finds.get(inode)?.content,
    };
  };
  /** A text with `\xff` in it stands for bytes, unless a file really has that name. */
  const realOf = (path: string): string | undefined =>
    realPath(rootfs, fromText(path)) ??
    (path.includes('\\x') ? realPath(rootfs, unescaped(fromText(path))) : undefined);
  const inodeOf = (real: string): Inode | undefined => rootfs.walk(real, { followLast: false })?.inode;
  const regularFile = (path: string): NamedFile | undefined => {
    const real = realOf(path);
    const inode = real === undefined ? undefined : inodeOf(real);
    const isFile = inode !== undefined && rootfs.typeOf(inode) === 'file';
    return real === undefined || !isFile ? undefined : { path: real, inode };
  };
  const inOrder = (files: readonly NamedFile[] = []) =>
    files.map(({ path, inode }) => fileOf(path, inode)).sort((a, b) => byCodeUnit(a.path, b.path));
  // Catalogers ask for these lists again and again.
  let wanted: readonly TreeFile[] | undefined;
  let observed: readonly ObservedFile<Seen>[] | undefined;

  return {
    architecture: config.architecture,
    env: config.env,
    wanted() {
      wanted ??= inOrder(names.wanted[at]);
      return wanted;
    },
    observed() {
      observed ??= observedOf(names.scanned[at] ?? [], merged, at, fileOf);
      return observed;
    },
    file(path) {
      const found = regularFile(path);
      return found && fileOf(found.path, found.inode);
    },
    exists: (path) => realOf(path) !== undefined,
    resolve(path) {
      const real = realOf(path);
      return real === undefined ? undefined : latin1ToText(real);
    },
    list(path) {
      const real = realOf(path);
      const inode = real === undefined ? undefined : inodeOf(real);
      return inode === undefined
        ? []
        : [...rootfs.childrenOf(inode).keys()].map(latin1ToText).sort(byCodeUnit);
    },
    history(path) {
      const visible = regularFile(path);
      const key = visible?.path ?? fromText(path);
      const former: readonly Former[] = merged.history.get(key) ?? [];
      const files = former.map(({ inode, content }) => fileOf(key, inode, content));
      return visible === undefined ? files : [...files, fileOf(visible.path, visible.inode)];
    },
  };
}

function observedOf<Seen extends object>(
  files: readonly NamedFile[],
  { finds }: Merged,
  at: number,
  fileOf: (path: string, inode: Inode) => TreeFile,
): readonly ObservedFile<Seen>[] {
  const observed = files.flatMap(({ path, inode }) => {
    const observation = finds.get(inode)?.observations.get(at);
    return observation === undefined ? [] : [{ ...fileOf(path, inode), observation: observation as Seen }];
  });
  return observed.sort((a, b) => byCodeUnit(a.path, b.path));
}

function layerOf(layers: readonly ImageLayer[], index: number): Layer {
  const layer = layers[index];
  return {
    index,
    diffId: layer?.diffId ?? '',
    ...(layer?.createdBy === undefined ? {} : { createdBy: layer.createdBy }),
  };
}
