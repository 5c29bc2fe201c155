import type { Command } from 'commander';
import { showLock } from '../../app/lock/show-lock.ts';
import { formatJson } from '../../base/text.ts';
import { formatLockTable } from '../../report/lock-table.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import { declareInputOptions, readStoreRequest } from '../options/inputs.ts';
import { declareTimeout } from '../options/network.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<image>', 'base, cpu, cuda, rocm, or a folder that holds a lock.yaml')
      .option('--newer', 'ask the archives what they have today')
      .option('--json', 'all that is pinned, for machines');
    declareInputOptions(command);
    declareTimeout(command, 'an archive');
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const inputs = await showLock(host, {
      ...readStoreRequest(options),
      name,
      newer: flag(options, 'newer'),
    });
    await host.stdout.write(flag(options, 'json') ? formatJson(inputs, 2) : formatLockTable(inputs));
    return 0;
  },
};
