import type { Command } from 'commander';
import type { StoreRequest } from '../../app/lock/input-store.ts';
import { compact } from '../../base/compact.ts';
import { collectOption, flag, listOption, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';

/** Where the inputs of images lie, and where they are fetched from. */
export function declareInputOptions(command: Command): void {
  command
    .option('--store <dir>', 'folder of the inputs (default: ~/.cache/tcf/inputs)')
    .option('--offline', 'download nothing: what is not in the store is an error')
    .option(
      '--mirror <name=place>',
      'where debian, debian-security or python is, a URL or a folder (default: as apt and pip are configured), or URL=URL for what a lock has by its address; may be given again',
      collectOption,
      [],
    );
}

export function readStoreRequest(options: Options): StoreRequest {
  return compact({
    store: textOption(options, 'store'),
    offline: flag(options, 'offline'),
    mirrors: listOption(options, 'mirror'),
    network: readNetwork(options),
  });
}
