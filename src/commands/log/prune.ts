import type { Command } from 'commander';
import { type Kept, pruneLog } from '../../app/log-upkeep.ts';
import { askedWrongly } from '../../base/error.ts';
import { plural, quoted } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { type Options, textOption } from '../options/bag.ts';
import { toCount } from '../options/count.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .option('--keep <count>', 'keep COUNT of the latest decisions')
      .option('--before <date>', 'take away what is older, such as 2026-01-31');
  },
  async run(host, _, options): Promise<ExitCode> {
    const log = await pruneLog(host, readKept(options));
    if ('broken' in log) {
      await host.stderr.write(`tcf: the log was changed at ${log.broken}; nothing was taken away\n`);
      return 1;
    }
    const end = log.end === undefined ? '' : `, the last is ${log.end.digest}`;
    const what =
      log.pruned === undefined
        ? 'nothing'
        : `${plural(log.count, 'entry', 'entries')} up to ${log.pruned.digest}`;
    await host.stdout.write(`took away ${what}${end}\n`);
    return 0;
  },
};

function readKept(options: Options): Kept {
  const keep = textOption(options, 'keep');
  const before = textOption(options, 'before');
  if ((keep === undefined) === (before === undefined)) {
    throw askedWrongly('log.prune', 'say what is to stay', {
      hint: 'give one of --keep COUNT and --before DATE',
    });
  }
  if (before === undefined) {
    return { keep: toCount(keep ?? '') };
  }
  const from = new Date(before);
  if (/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(before) && !Number.isNaN(Number(from))) {
    return { from };
  }
  throw askedWrongly('log.before', `${quoted(before)} is not a date`, {
    hint: 'write 2026-01-31, or 2026-01-31T12:00:00Z',
  });
}
