import { builtInRows, type PinRow } from '../../catalogers/llvm/pins.ts';
import type { Host } from '../../system/host.ts';
import { readPins } from './store.ts';

/** A pin that counts here, and where it is from. */
export interface ShownPin {
  readonly pin: PinRow;
  /** `tcf`, or the data file. */
  readonly from: string;
  /** Who signed the data file. */
  readonly by?: string;
}

/**
 * The pins of releases that count here, or those of one version: what tcf brings along, then the files of the
 * machine and of the user, verified.
 *
 * @throws TcfError as `readPins` does.
 */
export async function showPins(host: Host, version?: string): Promise<readonly ShownPin[]> {
  const kept = [await readPins(host, 'machine'), await readPins(host, 'user')];
  const known: readonly ShownPin[] = builtInRows
    .filter(({ kind, llvm_commit }) => kind === 'release' && llvm_commit !== undefined)
    .map((pin) => ({ pin, from: 'tcf' }));
  const added = kept.flatMap((file): readonly ShownPin[] =>
    (file?.pins ?? []).map((pin) => ({ pin, from: file?.place.file ?? '', by: file?.by ?? '' })),
  );
  return [...known, ...added].filter(({ pin }) => version === undefined || pin.triton_version === version);
}
