import type { Command } from 'commander';
import { uninstallHook } from '../../app/hooks/install.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';
import { declarePlace, readPlace, targetNames, targetOf } from './shared.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePlace(command.argument('<runtime>', targetNames));
  },
  async run(host, [name], options): Promise<ExitCode> {
    const target = targetOf(name);
    const place = readPlace(options);
    const lines = await uninstallHook(host, target, place);
    await host.stdout.write(
      lines.length === 0 ? `no hook of tcf is installed for ${target.name}\n` : `${lines.join('\n')}\n`,
    );
    return 0;
  },
};
