import type { Command } from 'commander';
import { openLock } from '../../app/lock/load-lock.ts';
import { whyLocked } from '../../app/lock/why.ts';
import { printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<image>', 'base, cpu, cuda, rocm, or a folder that holds a lock.yaml')
      .argument('<name>', 'a package, a distribution of Python, llvm or a file');
  },
  async run(host, [image = '', name = '']): Promise<ExitCode> {
    for (const { chain, image: where, kind, root, version } of whyLocked(await openLock(host, image), name)) {
      const [, ...needers] = chain;
      const line = `${where}: ${kind} ${chain[0]} ${version} <- ${[...needers, root].join(' <- ')}`;
      await host.stdout.write(`${printable(line, 2000)}\n`);
    }
    return 0;
  },
};
