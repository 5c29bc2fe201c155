import { byCodeUnit } from '../../base/text.ts';
import type { Tree } from '../contract.ts';
import type { InfoFind } from './info.ts';
import { compareToRecord } from './record.ts';
import { comparePythonVersions } from './versions.ts';

/**
 * Orders metadata of one name in one directory, which only one of them describes: first whose RECORD fits the
 * files, then what a later layer brought, what has a RECORD at all, the newer version. A higher number alone
 * proves nothing: it may be what the last installation left behind.
 */
export function byEvidence(
  tree: Tree,
  finds: readonly InfoFind[],
  hashes: ReadonlyMap<string, string>,
): readonly InfoFind[] {
  const hasRecord = ({ info }: InfoFind): boolean => tree.exists(`${info}/RECORD`);
  const faults = new Map(finds.map((find) => [find, finds.length < 2 ? 0 : faultsOf(tree, find, hashes)]));
  return [...finds].sort(
    (a, b) =>
      (faults.get(a) ?? 0) - (faults.get(b) ?? 0) ||
      b.file.layer.index - a.file.layer.index ||
      Number(hasRecord(b)) - Number(hasRecord(a)) ||
      comparePythonVersions(b.version, a.version) ||
      byCodeUnit(a.info, b.info),
  );
}

/**
 * The share of RECORD's files that are gone or changed, its own metadata aside; without a RECORD nothing
 * speaks for it.
 */
function faultsOf(tree: Tree, find: InfoFind, hashes: ReadonlyMap<string, string>): number {
  const { entries, missing, modified } = compareToRecord(tree, find, hashes);
  const foreign = (paths: readonly string[]): number =>
    paths.filter((path) => !path.startsWith(`${find.info}/`)).length;
  return entries === 0 ? 1 : (foreign(missing) + foreign(modified)) / entries;
}
