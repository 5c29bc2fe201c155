import type { Command } from 'commander';
import { readSbomFile } from '../../app/read-sbom.ts';
import { loadPolicy } from '../../app/trust/policies.ts';
import { hasErrors } from '../../base/diagnostic.ts';
import { plural, printable } from '../../base/text.ts';
import { unmatchedEntries } from '../../policy/against.ts';
import { checkPolicy } from '../../policy/check.ts';
import { formatDiagnostics } from '../../report/diagnostics.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file>', 'the policy')
      .option('--against <sbom>', 'list the entries of components that match nothing in this SBOM');
  },
  /**
   * No is the answer for a policy that lets everything through: in CI it has to be seen, not only read
   * (A-112).
   */
  async run(host, [file = ''], options): Promise<ExitCode> {
    const policy = await loadPolicy(host, file);
    await host.stdout.write(
      `${file} is a policy: ${plural(policy.signers.size, 'signer')}, ${plural(policy.scopes.length, 'scope')}\n`,
    );
    for (const scope of policy.scopes) {
      await host.stdout.write(`  ${printable(scope.match)}: ${Object.keys(scope.require).join(', ')}\n`);
    }
    const against = textOption(options, 'against');
    const unmatched =
      against === undefined ? [] : unmatchedEntries(policy, await readSbomFile(host, against));
    const diagnostics = [...checkPolicy(policy, host.now()), ...unmatched];
    await host.stderr.write(formatDiagnostics(diagnostics));
    return hasErrors(diagnostics) ? 1 : 0;
  },
};
