import type { Command } from 'commander';
import { verifyImage } from '../app/verify-image.ts';
import { toJson } from '../report/json.ts';
import { formatVerdict } from '../report/text.ts';
import type { ExitCode } from '../system/host.ts';
import { paintSigns } from '../system/terminal.ts';
import { flag } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareVerifyOptions(command);
    declareDatabase(command);
    command
      .option('--json', 'the whole decision for machines')
      .option('--print-digest', 'print registry/repository@digest of an allowed image, for scripts');
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const { verdict, pinned } = await verifyImage(host, readVerifyRequest(options, image, 'verify'));
    if (flag(options, 'json')) {
      await host.stdout.write(toJson(verdict));
    } else {
      await host.stderr.write(paintSigns(formatVerdict(verdict), host.stderr));
    }
    if (flag(options, 'printDigest') && verdict.verdict === 'allow') {
      await host.stdout.write(`${pinned}\n`);
    }
    return verdict.exit;
  },
};
