import type { Command } from 'commander';
import type { FleetRequest } from '../../app/vulns/fleet.ts';
import { askedWrongly } from '../../base/error.ts';
import { collectOption, listOption, type Options } from './bag.ts';
import { readVerifyRequest } from './verify.ts';

export function declareFrom(command: Command): void {
  command.option(
    '--from <repository>',
    'registry/repository: the attested SBOMs of all its tags; may be given again',
    collectOption,
    [],
  );
}

/** @throws TcfError `fleet.from` (exit 3). */
export function readFleetRequest(options: Options, verb: string): FleetRequest {
  const from = listOption(options, 'from');
  if (from.length === 0) {
    throw askedWrongly('fleet.from', `tcf ${verb} needs a repository to look into`, {
      hint: 'name repositories: --from registry/repository',
    });
  }
  const { as: _, image: __, ...request } = readVerifyRequest(options, '', verb);
  return { ...request, from };
}
