import type { Command } from 'commander';
import { examineMachine } from '../app/doctor/index.ts';
import { compact } from '../base/compact.ts';
import { type Diagnostic, hasErrors } from '../base/diagnostic.ts';
import { formatChecked } from '../report/diagnostics.ts';
import { toDoctorJson } from '../report/doctor-json.ts';
import type { ExitCode } from '../system/host.ts';
import { paintSigns } from '../system/terminal.ts';
import { flag, textOption } from './options/bag.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .option('--policy <file>', 'a policy beside those of machine, user and project')
      .option('--trusted-root <file>', 'trusted_root.json in place of the public Sigstore instance')
      .option('--hooks-dir <folder>', 'podman: where the hook is, other than the usual place')
      .option(
        '--bin-dir <folder>',
        'containerd: the bin_dir of its image verifier, if it is not the usual one',
      )
      .option('--json', 'the findings for machines');
  },
  async run(host, _, options): Promise<ExitCode> {
    const request = compact({
      policy: textOption(options, 'policy'),
      trustedRoot: textOption(options, 'trustedRoot'),
      hooksDir: textOption(options, 'hooksDir'),
      binDir: textOption(options, 'binDir'),
    });
    const found: Diagnostic[] = [];
    for await (const diagnostic of examineMachine(host, request)) {
      found.push(diagnostic);
      if (!flag(options, 'json')) {
        await host.stdout.write(paintSigns(formatChecked([diagnostic]), host.stdout));
      }
    }
    if (flag(options, 'json')) {
      await host.stdout.write(toDoctorJson(found));
    }
    return hasErrors(found) ? 1 : 0;
  },
};
