import type { Command } from 'commander';
import type { VerifyRequest } from '../../app/verify-image.ts';
import { compact } from '../../base/compact.ts';
import { flag, type Options, textOption } from './bag.ts';
import { declareNetworkOptions, readNetwork } from './network.ts';
import { declarePlatform, readPlatform } from './platform.ts';

export function declareVerifyOptions(command: Command): void {
  command
    .option(
      '--policy <file>',
      'a policy that has to allow the image, beside those of machine, user and project',
    )
    .option(
      '--trusted-root <file>',
      'trusted_root.json in place of those that policies name, except that of the machine',
    )
    .option(
      '--update-trust',
      'ask the TUF mirrors for newer trusted roots first (default: no network for trust)',
    );
  declarePlatform(command);
  command
    .option('--as <name>', 'registry/repository by which policies judge an image of an oci: layout')
    .option('--cache', 'prove again what was found at most a day ago, without asking the registry');
  declareNetworkOptions(command);
}

/**
 * @param verb What the log of decisions calls the caller.
 *
 * @throws TcfError `cli.platform`, `cli.timeout` (exit 3).
 */
export function readVerifyRequest(options: Options, image: string, verb: string): VerifyRequest {
  return compact({
    image,
    verb,
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    updateTrust: flag(options, 'updateTrust'),
    platform: readPlatform(options),
    as: textOption(options, 'as'),
    cache: flag(options, 'cache'),
    database: textOption(options, 'db'),
    network: readNetwork(options),
  });
}
