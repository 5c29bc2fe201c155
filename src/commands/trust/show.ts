import type { Command } from 'commander';
import { showRoots } from '../../app/trust/roots.ts';
import { hasErrors } from '../../base/diagnostic.ts';
import { toTrustJson, toTrustText } from '../../report/trust.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('[what]', 'the name of an instance, or a trusted_root.json')
      .option('--json', 'for machines');
    declareWhose(command);
    command.addHelpText(
      'after',
      '\nInstances: sigstore, whose root tcf carries; github; and those that update and import made.',
    );
  },
  /** 1 where a root has an error: the answer to "is it sound" is no. */
  async run(host, [what], options): Promise<ExitCode> {
    const roots = await showRoots(host, what, readWhose(options));
    const toOutput = flag(options, 'json') ? toTrustJson : toTrustText;
    await host.stdout.write(toOutput(roots, host.now()));
    return roots.some(({ problems }) => hasErrors(problems)) ? 1 : 0;
  },
};
