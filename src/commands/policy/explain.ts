import type { Command } from 'commander';
import { resolveImageName } from '../../app/names.ts';
import { loadPolicies } from '../../app/trust/policies.ts';
import { explainName } from '../../policy/explain.ts';
import { toExplainText } from '../../report/explain-text.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare(command: Command): void {
    command
      .argument('<image>', 'registry/repository[:tag][@digest]')
      .option('--policy <file>', 'a policy beside those of machine, user and project');
  },
  /** Asks nobody: what is said follows from the policies and the name. */
  async run(host, [name = ''], options): Promise<ExitCode> {
    const { ref } = await resolveImageName(host, name, 'policy explain');
    const explained = explainName(await loadPolicies(host, textOption(options, 'policy')), ref);
    await host.stdout.write(toExplainText(ref, explained));
    return explained.every(({ scope }) => scope !== undefined) ? 0 : 1;
  },
};
