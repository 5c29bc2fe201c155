import type { Command } from 'commander';
import { checkLog } from '../../app/decision-log.ts';
import { plural, printable } from '../../base/text.ts';
import { parseDigest } from '../../oci/digest.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.option(
      '--head <digest>',
      'a digest that an earlier "tcf log verify" printed must be among the entries',
    );
  },
  async run(host, _, options): Promise<ExitCode> {
    const head = textOption(options, 'head');
    const log = await checkLog(host, head === undefined ? undefined : parseDigest(head));
    if ('broken' in log) {
      await host.stderr.write(`tcf: the log was changed at ${log.broken}\n`);
      return 1;
    }
    if (!log.hasWanted) {
      await host.stderr.write(`tcf: the log has no entry ${head}: it was cut off or begun again\n`);
      return 1;
    }
    const end = log.end === undefined ? '' : `, the last is ${log.end.digest}`;
    const { pruning } = log;
    const begin =
      pruning === undefined
        ? ''
        : `, pruned up to entry ${pruning.pruned.sequence} at ${printable(pruning.at)}`;
    await host.stdout.write(`${plural(log.count, 'decision')} in an unbroken chain${begin}${end}\n`);
    return 0;
  },
};
