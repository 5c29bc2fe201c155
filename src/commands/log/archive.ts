import { archiveLog } from '../../app/log-upkeep.ts';
import { printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';
export const verb: Verb = {
  declare(): void {},
  async run(host): Promise<ExitCode> {
    const path = await archiveLog(host);
    await host.stdout.write(`the old log is ${printable(path)}; the next decision begins a new one\n`);
    return 0;
  },
};
