import type { Property } from '../../bom/model.ts';
import type { Tree } from '../contract.ts';
import { methods } from '../llvm/claims.ts';
import { type PinTable, tritonDistributions } from '../llvm/pins.ts';
import { parseDirectUrl, sourceOf } from './direct-url.ts';
import type { InfoFind } from './info.ts';
import { normalName } from './metadata.ts';
import { recordEntries } from './record.ts';
import { utf8Text } from './text.ts';

/**
 * Which LLVM a Triton ought to hold, by its version: `tcf:triton:pin`, `HEX by release-table` or `unknown by
 * release-table`. It is a declaration: what the library holds is a component of its own. A bare number says nothing
 * where it was installed from a source tree that declares its own pin.
 */
export function pinProperties(
  tree: Tree,
  { info, name, version }: Pick<InfoFind, 'info' | 'name' | 'version'>,
  pins: PinTable,
): readonly Property[] {
  const normal = normalName(name);
  if (!tritonDistributions.has(normal) && !bringsTriton(tree, info)) {
    return [];
  }
  const isOfRelease = version.includes('+') || !isOfCheckout(tree, info);
  const pin = isOfRelease ? pins.pinOf(normal, version) : undefined;
  return [
    {
      name: 'tcf:triton:pin',
      value: `${pin?.commit ?? 'unknown'} by ${methods[pin?.isAdded ? 'M' : 'L'].word}`,
    },
  ];
}

/** Whether it was installed from a source tree with a pin, or from the `python` folder of one. */
function isOfCheckout(tree: Tree, info: string): boolean {
  const content = tree.file(`${info}/direct_url.json`)?.content();
  const direct = content === undefined ? undefined : parseDirectUrl(content);
  const source = direct === undefined ? undefined : tree.resolve(sourceOf(direct) ?? '');
  if (source === undefined || source === '') {
    return false;
  }
  return [source, source.replace(/\/python$/, '')].some((root) =>
    ['llvm-info.json', 'llvm-hash.txt'].some((name) => tree.exists(`${root}/cmake/${name}`)),
  );
}

/** Whether a distribution lists a core library of Triton in its RECORD. */
export function bringsTriton(tree: Tree, info: string): boolean {
  const record = utf8Text(tree, `${info}/RECORD`) ?? '';
  // The text is asked first: lists of 15,000 files are read for one library.
  return (
    record.includes('/_C/libtriton') &&
    recordEntries(record).some(({ path }) => /^[^/]+\/_C\/libtriton[^/]*\.so$/.test(path))
  );
}
