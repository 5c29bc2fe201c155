import type { Command } from 'commander';
import { verifyFile } from '../app/verify-file.ts';
import { printable } from '../base/text.ts';
import type { ExitCode } from '../system/host.ts';
import { declareExpectedSigner, readVerifyFileRequest } from './options/expected-signer.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file-or-digest>', 'the artifact, or sha256:<hex> of it')
      .requiredOption('--bundle <file>', 'the Sigstore bundle');
    declareExpectedSigner(command);
  },
  async run(host, [artifact = ''], options): Promise<ExitCode> {
    const outcome = await verifyFile(host, readVerifyFileRequest(options, artifact));
    if (outcome.ok) {
      await host.stderr.write('the bundle is good\n');
      return 0;
    }
    await host.stderr.write(
      `the bundle does not count: ${printable(outcome.reason.message)} (${outcome.reason.code})\n`,
    );
    return 1;
  },
};
