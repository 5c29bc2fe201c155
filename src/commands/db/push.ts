import { resolve } from 'node:path';
import type { Command } from 'commander';
import { pushDatabase } from '../../app/vulns/exchange.ts';
import { databasePath } from '../../app/vulns/place.ts';
import { formatPinnedRef } from '../../oci/reference.ts';
import type { ExitCode } from '../../system/host.ts';
import { declareDatabase, readDatabase } from '../options/database.ts';
import { declareNetworkOptions, readNetwork } from '../options/network.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<reference>', 'registry/repository[:tag]');
    declareDatabase(command);
    declareNetworkOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const path = resolve(host.cwd, readDatabase(options) ?? databasePath(host));
    const pushed = formatPinnedRef(await pushDatabase(host, { image, path, network: readNetwork(options) }));
    await host.stdout.write(`${pushed}\n`);
    await host.stderr.write(`tcf: hint: tcf sign ${pushed} --no-sbom\n`);
    return 0;
  },
};
