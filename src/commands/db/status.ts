import type { Command } from 'commander';
import { useDatabase } from '../../app/vulns/place.ts';
import { TcfError } from '../../base/error.ts';
import { toDatabaseJson, toDatabaseText } from '../../report/database.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import { declareDatabase, readDatabase } from '../options/database.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declareDatabase(command);
    command.option('--json', 'for machines');
  },
  /** 1 where there is none: the answer to "is there data" is no. */
  async run(host, _, options): Promise<ExitCode> {
    try {
      using used = await useDatabase(host, readDatabase(options));
      const toOutput = flag(options, 'json') ? toDatabaseJson : toDatabaseText;
      await host.stdout.write(toOutput({ ...used, facts: used.data.facts }, host.now()));
      return 0;
    } catch (error) {
      if (error instanceof TcfError && error.code === 'db.none') {
        await host.stderr.write(`tcf: ${error.message}\ntcf: hint: ${error.hint}\n`);
        return 1;
      }
      throw error;
    }
  },
};
