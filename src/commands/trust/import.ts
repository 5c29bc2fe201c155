import type { Command } from 'commander';
import { importRoot } from '../../app/trust/import.ts';
import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import { formatDiagnostics } from '../../report/diagnostics.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file>', 'trusted_root.json')
      .option('--as <name>', 'the instance whose root it is (default: sigstore)')
      .option('--signing-config <file>', 'signing_config.json of the instance, for tcf sign');
    declareWhose(command);
  },
  async run(host, [file = ''], options): Promise<ExitCode> {
    const { digest, isKept, name, problems } = await importRoot(
      host,
      compact({
        file,
        as: textOption(options, 'as'),
        signingConfig: textOption(options, 'signingConfig'),
        whose: readWhose(options),
      }),
    );
    await host.stderr.write(formatDiagnostics(problems));
    if (isKept) {
      await host.stdout.write(`${printable(file)} is the trusted root of ${name} now: ${digest}\n`);
    } else {
      await host.stderr.write(`${printable(file)} was not imported\n`);
    }
    return isKept ? 0 : 1;
  },
};
