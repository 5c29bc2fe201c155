import { toPolicyJsonSchema } from '../../policy/schema.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(): void {},
  async run(host): Promise<ExitCode> {
    await host.stdout.write(`${JSON.stringify(toPolicyJsonSchema(), undefined, 2)}\n`);
    return 0;
  },
};
