import { resolve } from 'node:path';
import type { Command } from 'commander';
import { databasePath } from '../../app/vulns/place.ts';
import { verifyDatabase } from '../../app/vulns/verify-database.ts';
import { plural } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('[file]', 'a database (default: the one that is kept)');
  },
  async run(host, [file]): Promise<ExitCode> {
    const { digest, records } = await verifyDatabase(host, resolve(host.cwd, file ?? databasePath(host)));
    await host.stdout.write(`${digest} is whole: ${plural(records, 'record')}\n`);
    return 0;
  },
};
