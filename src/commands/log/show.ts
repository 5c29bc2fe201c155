import type { Command } from 'commander';
import { entryNumbers, type ReadEntry, readEntry } from '../../app/decision-log.ts';
import { TcfError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import { readCount } from '../options/count.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .option('--last <count>', 'show only the last COUNT entries')
      .option('--json', 'the entries as they are, one a line');
  },
  async run(host, _, options): Promise<ExitCode> {
    const last = readCount(options, 'last') ?? Number.MAX_SAFE_INTEGER;
    let exit: ExitCode = 0;
    for (const number of entryNumbers(host).slice(-last)) {
      try {
        const entry = await readEntry(host, number);
        await host.stdout.write(flag(options, 'json') ? entry.text : line(entry, number));
      } catch (error) {
        // One entry that cannot be read does not hide the others.
        if (!(error instanceof TcfError)) {
          throw error;
        }
        await host.stderr.write(`tcf: error: ${printable(error.message, 2000)}\n`);
        if (exit === 0) {
          await host.stderr.write(`tcf: hint: ${error.hint ?? 'tcf log archive'}\n`);
        }
        exit = 2;
      }
    }
    return exit;
  },
};

function line({ logged }: ReadEntry, number: number): string {
  if (logged.kind === 'pruning') {
    const { at, pruned, uid } = logged.entry;
    return `${number} ${printable(at)} pruned by user ${uid}, up to entry ${pruned.sequence}, ${pruned.digest}\n`;
  }
  const { asked, at, image, reasons, verb: by, verdict } = logged.entry;
  const name = image === undefined || image === asked ? asked : `${asked} (${image})`;
  const why = reasons.map((reason) => `\n    ${printable(reason, 1000)}`).join('');
  return `${number} ${printable(at)} ${verdict} ${printable(by)} ${printable(name, 1000)}${why}\n`;
}
