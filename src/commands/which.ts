import type { Command } from 'commander';
import { whichImages } from '../app/vulns/which.ts';
import { exitOfWhich, toWhichJson, toWhichText } from '../report/vulns/fleet.ts';
import type { ExitCode } from '../system/host.ts';
import { flag } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareFrom, readFleetRequest } from './options/fleet.ts';
import { declareVerifyOptions } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<what>', 'a CVE or another id, a purl, or the name of a component');
    declareFrom(command);
    declareVerifyOptions(command);
    declareDatabase(command);
    command.option('--json', 'for machines');
  },
  async run(host, [what = ''], options): Promise<ExitCode> {
    const found = await whichImages(host, { ...readFleetRequest(options, 'which'), what });
    await host.stdout.write(flag(options, 'json') ? toWhichJson(found) : toWhichText(found));
    return exitOfWhich(found);
  },
};
