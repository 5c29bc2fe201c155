import { Argument, type Command } from 'commander';
import { formatCompletion, type Shell, shells } from '../report/completion/index.ts';
import type { ExitCode } from '../system/host.ts';
import { verbs } from './index.ts';
import { readCalls } from './options/calls.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.addArgument(new Argument('<shell>', 'the shell that reads the script').choices(shells));
  },
  async run(host, [shell]): Promise<ExitCode> {
    await host.stdout.write(formatCompletion(shell as Shell, await readCalls(verbs)));
    return 0;
  },
};
