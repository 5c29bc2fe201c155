import type { Command } from 'commander';
import type { LookRequest } from '../../app/look-inside.ts';
import { compact } from '../../base/compact.ts';
import type { Output } from '../../system/host.ts';
import { flag, type Options, textOption } from './bag.ts';
import { declareNetworkOptions, readNetwork } from './network.ts';
import { declarePlatform, readPlatform } from './platform.ts';

/** For verbs that say what is in an image. */
export function declareLookOptions(command: Command, argument = '<image|sbom>'): void {
  command.argument(
    argument,
    'an image, or a file with its SBOM (CycloneDX JSON); where a file has that name, it is the SBOM',
  );
  declarePlatform(command);
  command.option(
    '--cache',
    'take layers that were read before from the cache of the user, and keep others there',
  );
  declareNetworkOptions(command);
}

/** @throws TcfError `cli.platform`, `cli.timeout` (exit 3). */
export function readLookRequest(options: Options, source: string): LookRequest {
  return compact({
    source,
    base: textOption(options, 'base'),
    cache: flag(options, 'cache'),
    platform: readPlatform(options),
    network: readNetwork(options),
  });
}

/** Columns for a list: those of the terminal; in a pipe every line is whole. */
export function listWidth({ columns, isTerminal }: Output): number {
  return isTerminal ? (columns ?? usualColumns) : Number.POSITIVE_INFINITY;
}

const usualColumns = 80;
