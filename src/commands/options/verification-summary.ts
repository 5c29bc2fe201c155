import type { Command } from 'commander';
import type { VerdictRequest } from '../../app/sign/attest-verdict.ts';
import { collectOption, listOption, type Options, textOption } from './bag.ts';
import { declareSigningOptions, readSigningRequest } from './signing.ts';

/** For a verb that decides and may sign what it decided. */
export function declareSummaryOptions(command: Command): void {
  command
    .option(
      '--attest-vsa <verifier>',
      'sign what was decided as verification summaries of this verifier (a URI), for each platform and the index',
    )
    .option(
      '--vsa-level <level>',
      'level that a summary says was verified; may be given again',
      collectOption,
      [],
    );
  declareSigningOptions(command, { hasRoot: true });
}

/** Absent where nothing is to be signed. @throws TcfError as `readSigningRequest` does. */
export function readSummaryRequest(
  options: Options,
): Pick<VerdictRequest, 'levels' | 'signing' | 'verifier'> | undefined {
  const verifier = textOption(options, 'attestVsa');
  if (verifier === undefined) {
    return undefined;
  }
  return { verifier, levels: listOption(options, 'vsaLevel'), signing: readSigningRequest(options) };
}
