import type { Command } from 'commander';
import { askedWrongly } from '../base/error.ts';
import { plural, quoted } from '../base/text.ts';
import { toPolicyJsonSchema } from '../policy/schema.ts';
import type { ExitCode } from './host.ts';
import { loadPolicy } from './shared/policies.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'check: read a policy and say what it covers; schema: print the JSON Schema of policies',
      )
      .argument('[file]', 'the policy to check');
  },
  async run(host, [action, file]): Promise<ExitCode> {
    if (action === 'schema' && file === undefined) {
      await host.stdout.write(`${JSON.stringify(toPolicyJsonSchema(), undefined, 2)}\n`);
      return 0;
    }
    if (action !== 'check' || file === undefined) {
      throw askedWrongly(
        'policy.action',
        `tcf policy does not know ${quoted([action, file].join(' ').trim())}`,
        {
          hint: 'tcf policy check FILE, or tcf policy schema',
        },
      );
    }
    const policy = await loadPolicy(host, file);
    await host.stdout.write(
      `${file} is a policy: ${plural(policy.signers.size, 'signer')}, ${plural(policy.scopes.length, 'scope')}\n`,
    );
    for (const scope of policy.scopes)
      await host.stdout.write(`  ${scope.match}: ${Object.keys(scope.require).join(', ')}\n`);
    return 0;
  },
};
