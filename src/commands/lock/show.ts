import type { Command } from 'commander';
import { showLock } from '../../app/lock/show-lock.ts';
import { compact } from '../../base/compact.ts';
import { formatJson } from '../../base/text.ts';
import { formatLockTable } from '../../report/lock-table.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag, textOption } from '../options/bag.ts';
import { declareDatabase, readDatabase } from '../options/database.ts';
import { declareInputOptions, readStoreRequest } from '../options/inputs.ts';
import { declareTimeout } from '../options/network.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<image>', 'base, cpu, cuda, rocm, or a folder that holds a lock.yaml')
      .option('--newer', 'ask the archives what they have today')
      .option('--unsafe', 'ask the database of vulnerabilities (tcf db)')
      .option('--sbom <file>', 'with --unsafe: the SBOM of the image, for what lies inside wheels')
      .option('--json', 'all that is pinned, for machines');
    declareInputOptions(command);
    declareDatabase(command);
    declareTimeout(command, 'an archive');
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const { inputs, unjudged } = await showLock(
      host,
      compact({
        ...readStoreRequest(options),
        name,
        newer: flag(options, 'newer'),
        unsafe: flag(options, 'unsafe'),
        sbom: textOption(options, 'sbom'),
        database: readDatabase(options),
      }),
    );
    await host.stdout.write(flag(options, 'json') ? formatJson(inputs, 2) : formatLockTable(inputs));
    if (unjudged > 0) {
      await host.stderr.write(
        `tcf: nobody can tell about ${unjudged} of these: the database has no advisories for them\n`,
      );
    }
    return 0;
  },
};
