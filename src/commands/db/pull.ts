import type { Command } from 'commander';
import { pullDatabase } from '../../app/vulns/exchange.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { paintSigns } from '../../system/terminal.ts';
import { declareVerifyOptions, readVerifyRequest } from '../options/verify.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<reference>', 'registry/repository[:tag][@digest] of a database');
    declareVerifyOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const pulled = await pullDatabase(host, readVerifyRequest(options, image, 'db'));
    if (pulled.kind === 'denied') {
      await host.stderr.write(paintSigns(formatVerdict(pulled.verdict), host.stderr));
      return pulled.verdict.exit;
    }
    await host.stderr.write(`${pulled.image} answers from now on: ${pulled.file.digest}\n`);
    return 0;
  },
};
