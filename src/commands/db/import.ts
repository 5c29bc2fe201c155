import { resolve } from 'node:path';
import type { Command } from 'commander';
import { keepDatabase } from '../../app/vulns/place.ts';
import { printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<file>', 'a database that tcf db build has made');
  },
  async run(host, [file = '']): Promise<ExitCode> {
    const { digest } = await keepDatabase(host, resolve(host.cwd, file));
    await host.stderr.write(`${printable(file)} answers from now on: ${digest}\n`);
    return 0;
  },
};
