import type { Command } from 'commander';
import { lockParts, updateLock } from '../../app/lock/update-lock.ts';
import { compact } from '../../base/compact.ts';
import { formatJson, quoted } from '../../base/text.ts';
import { formatLockDifferences } from '../../report/lock-table.ts';
import type { ExitCode } from '../../system/host.ts';
import { choiceOption, flag, textOption } from '../options/bag.ts';
import { declareInputOptions, readStoreRequest } from '../options/inputs.ts';
import { declareTimeout } from '../options/network.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<image>', 'base, cpu, cuda, rocm, or a folder that holds a lock.yaml')
      .option('--triton <version>', 'move to this release of Triton, with its LLVM and all that follows')
      .option('--only <part>', `leave the rest as it is: ${lockParts.join(' or ')}`)
      .option('--dry-run', 'say what would move; exit code 1 where something would')
      .option('--json', 'what moved, for machines');
    declareInputOptions(command);
    declareTimeout(command, 'an archive');
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const isDryRun = flag(options, 'dryRun');
    const part = choiceOption(options, 'only', lockParts);
    const { changes, file } = await updateLock(
      host,
      compact({
        ...readStoreRequest(options),
        name,
        triton: textOption(options, 'triton'),
        parts: part === undefined ? undefined : [part],
        isDryRun,
      }),
    );
    await host.stdout.write(flag(options, 'json') ? formatJson(changes, 2) : formatLockDifferences(changes));
    const what = changes.length === 0 ? 'nothing moved in' : 'wrote';
    await host.stderr.write(isDryRun ? '' : `${what} ${quoted(file)}\n`);
    return isDryRun && changes.length > 0 ? 1 : 0;
  },
};
