import type { Command } from 'commander';
import { toLockJsonSchema } from '../../app/lock/parse-lock.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(_command: Command): void {},
  async run(host): Promise<ExitCode> {
    await host.stdout.write(`${JSON.stringify(toLockJsonSchema(), undefined, 2)}\n`);
    return 0;
  },
};
