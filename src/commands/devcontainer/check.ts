import type { Command } from 'commander';
import { checkDevContainer } from '../../app/launch/check-dev-container.ts';
import { formatDiagnostics } from '../../report/diagnostics.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { readNetwork } from '../options/network.ts';
import { readPlatform } from '../options/platform.ts';
import { readStartRequest } from '../options/start.ts';
import { declareVerifyOptions } from '../options/verify.ts';
import type { Verb } from '../verb.ts';
import { calledByOthers, declareFile } from './shared.ts';

export const verb: Verb = calledByOthers({
  declare(command: Command): void {
    declareVerifyOptions(declareFile(command));
  },
  async run(host, _, options): Promise<ExitCode> {
    const { faults, verdict } = await checkDevContainer(host, {
      file: textOption(options, 'file'),
      question: (image) => readStartRequest(options, image, 'devcontainer'),
      platform: readPlatform(options),
      network: readNetwork(options),
    });
    await host.stderr.write(formatDiagnostics(faults));
    if (verdict !== undefined && verdict.verdict !== 'allow') {
      await host.stderr.write(formatVerdict(verdict));
    }
    if (verdict?.verdict === 'allow' && faults.length === 0) {
      return 0;
    }
    await host.stderr.write('tcf: nothing was started\n');
    return 1;
  },
});
