import type { Command } from 'commander';
import { lookInside } from '../app/look-inside.ts';
import { formatJson } from '../base/text.ts';
import { toLicensesJson, toLicensesText } from '../report/inside/licenses-text.ts';
import type { ExitCode } from '../system/host.ts';
import { flag } from './options/bag.ts';
import { declareLookOptions, listWidth, readLookRequest } from './options/look.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare(command: Command): void {
    declareLookOptions(command);
    command
      .option('--all', 'name every component, each on a line of its own')
      .option('--json', 'licences and components for machines');
  },
  async run(host, [source = ''], options): Promise<ExitCode> {
    const { contents } = await lookInside(host, readLookRequest(options, source));
    await host.stdout.write(
      flag(options, 'json')
        ? formatJson(toLicensesJson(contents), 2)
        : toLicensesText(contents, listWidth(host.stdout), flag(options, 'all')),
    );
    return 0;
  },
};
