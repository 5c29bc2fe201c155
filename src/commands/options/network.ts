import type { Command } from 'commander';
import type { Network } from '../../app/network.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { ReferrersMode } from '../../registry/referrers-api.ts';
import { choiceOption, flag, type Options, textOption } from './bag.ts';

/** The options of every verb that talks to a registry. */
export function declareNetworkOptions(command: Command): void {
  command.option('--allow-http', 'speak plain HTTP to a registry on loopback');
  declareTimeout(command, 'a registry');
  command.option(
    '--referrers <auto|api|tag>',
    'where signatures are listed, if the registry does not tell (docs/registries.md)',
  );
}

export function declareTimeout(command: Command, who: string): void {
  command.option(
    '--timeout <seconds>',
    `how long ${who} may stay silent, or send one document (default: 30, 120)`,
  );
}

/** @throws TcfError `cli.timeout`, `option.value` (exit 3). */
export function readNetwork(options: Options): Network {
  return compact({
    allowHttp: flag(options, 'allowHttp'),
    idle: readSeconds(options, 'timeout'),
    referrers: choiceOption<ReferrersMode>(options, 'referrers', ['auto', 'api', 'tag']),
  });
}

/** Milliseconds of an option in seconds. @throws TcfError `cli.timeout` (exit 3). */
export function readSeconds(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) {
    return undefined;
  }
  if (/^[1-9]\d{0,3}$/.test(text)) {
    return Number(text) * 1000;
  }
  throw askedWrongly('cli.timeout', `${quoted(text)} is not a number of seconds from 1 to 9999`);
}
