import type { Command } from 'commander';
import { verifyImage } from '../app/verify-image.ts';
import { toJson } from '../report/json.ts';
import { toMarkdown } from '../report/markdown.ts';
import { toSarif } from '../report/sarif.ts';
import { toText } from '../report/text.ts';
import { appendUserFile, writeUserFile } from '../system/files.ts';
import type { ExitCode } from '../system/host.ts';
import { version } from '../version.ts';
import { flag, textOption } from './options/bag.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareVerifyOptions(command);
    command
      .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
      .option('--summary <file>', 'append Markdown, for GITHUB_STEP_SUMMARY')
      .option('--json', 'the whole decision on standard output');
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const { verdict } = await verifyImage(host, readVerifyRequest(options, image, 'gate'));
    const sarif = textOption(options, 'sarif');
    const summary = textOption(options, 'summary');
    if (sarif !== undefined) await writeUserFile(host, sarif, toSarif(verdict, version));
    if (summary !== undefined) await appendUserFile(host, summary, toMarkdown(verdict));
    if (flag(options, 'json')) await host.stdout.write(toJson(verdict));
    await host.stderr.write(toText(verdict));
    return verdict.exit;
  },
};
