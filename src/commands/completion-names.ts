import { Argument, type Command } from 'commander';
import { knownNames } from '../app/known-names.ts';
import { type NameKind, nameKinds } from '../report/completion/call.ts';
import type { ExitCode } from '../system/host.ts';
import type { Verb } from './verb.ts';

/** What the scripts of `tcf completion` call for names that only this machine knows. */
export const verb: Verb = {
  declare(command: Command): void {
    command.addArgument(new Argument('<kind>', 'what is to be named').choices(nameKinds));
  },
  async run(host, [kind]): Promise<ExitCode> {
    const names = await knownNames(host, kind as NameKind);
    await host.stdout.write(names.map((name) => `${name}\n`).join(''));
    return 0;
  },
};
