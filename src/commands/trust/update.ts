import type { Command } from 'commander';
import { updateInstances } from '../../app/trust/update.ts';
import { compact } from '../../base/compact.ts';
import type { TcfError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { formatWarnings } from '../../report/diagnostics.ts';
import { formatUpdatedRoot } from '../../report/updated-root.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareTimeout, readNetwork } from '../options/network.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('[name]', 'an instance (default: every one that is kept)')
      .option('--mirror <url>', 'TUF mirror, in place of the one used last')
      .option('--root <file>', 'root.json to begin with, for an instance that tcf does not know');
    declareWhose(command);
    declareTimeout(command, 'a mirror');
  },
  /** The first error is the answer, whatever became of the other instances. */
  async run(host, [name], options): Promise<ExitCode> {
    const updated = await updateInstances(
      host,
      compact({
        name,
        mirror: textOption(options, 'mirror'),
        root: textOption(options, 'root'),
        whose: readWhose(options),
        network: readNetwork(options),
      }),
    );
    const errors: TcfError[] = [];
    for (const one of updated) {
      if (!('error' in one)) {
        await host.stderr.write(formatWarnings(one.warnings));
        await host.stdout.write(formatUpdatedRoot(one));
      } else if (errors.push(one.error) > 1) {
        await host.stderr.write(`tcf: error: ${printable(one.error.message, 2000)}\n`);
      }
    }
    const [first] = errors;
    if (first !== undefined) {
      throw first;
    }
    return 0;
  },
};
