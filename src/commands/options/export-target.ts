import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { exportTargets } from '../../policy/exports/index.ts';
import type { ExportTarget } from '../../policy/exports/target.ts';
import { type Options, textOption } from './bag.ts';

export const exportNames: string = exportTargets.map(({ name }) => name).join('|');

/** `--to`. @throws TcfError `policy.target` (exit 3). */
export function readExportTarget(options: Options): ExportTarget {
  const name = textOption(options, 'to');
  const target = exportTargets.find((one) => one.name === name);
  if (target !== undefined) {
    return target;
  }
  throw askedWrongly(
    'policy.target',
    name === undefined ? 'nothing says for which engine' : `tcf does not export to ${quoted(name)}`,
    { hint: `give --to ${exportNames}` },
  );
}
