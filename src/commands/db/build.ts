import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { buildDatabase, namedUnread } from '../../app/vulns/build-database.ts';
import { databasePath, keepDatabase } from '../../app/vulns/place.ts';
import { during } from '../../app/waiting.ts';
import { compact } from '../../base/compact.ts';
import { plural, printable } from '../../base/text.ts';
import { expectWritable, writeUserStream } from '../../system/files.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag, textOption } from '../options/bag.ts';
import { readTaken } from '../options/database.ts';
import { declareTimeout, readNetwork } from '../options/network.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<input...>', 'folders, zip archives and files, or https addresses of archives')
      .option('-o, --output <file>', 'write it there, in place of keeping it for tcf vulns')
      .option('--taken <time>', 'when the inputs were taken; without it the newest date in them is their age')
      .option(
        '--skip-unreadable',
        'leave out records that cannot be read; every answer says that they are missing',
      );
    declareTimeout(command, 'a server');
  },
  async run(host, inputs, options): Promise<ExitCode> {
    await expectWritable(host, textOption(options, 'output'));
    const output = textOption(options, 'output');
    const request = compact({
      inputs: inputs.flatMap((input) => input ?? []),
      taken: readTaken(options),
      skipUnreadable: flag(options, 'skipUnreadable'),
      network: readNetwork(options),
    });
    const built = await during(host, 'reading advisories', () =>
      buildDatabase(host, request, async (path) => {
        if (output === undefined) {
          await keepDatabase(host, path);
        } else {
          await writeUserStream(host, output, createReadStream(path));
        }
      }),
    );
    for (const { where, why } of namedUnread(built)) {
      await host.stderr.write(`tcf: warning: left out ${printable(where)}: ${printable(why)}\n`);
    }
    await host.stderr.write(
      `wrote ${plural(built.records, 'record')} to ${printable(output ?? databasePath(host))}; ${built.withdrawn} withdrawn, ${plural(built.unread.length, 'record')} not read, ${plural(built.passedOver, 'other file')} passed over\n`,
    );
    return 0;
  },
};
