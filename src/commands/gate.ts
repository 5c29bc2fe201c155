import type { Command } from 'commander';
import { attestVerdict } from '../app/sign/attest-verdict.ts';
import type { Attached } from '../app/sign/sign-image.ts';
import { verifyImage } from '../app/verify-image.ts';
import { toJson } from '../report/json.ts';
import { toMarkdown } from '../report/markdown.ts';
import { toSarif } from '../report/sarif.ts';
import { formatVerdict } from '../report/text.ts';
import { appendUserFile, expectWritable, writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { isStandard, refuseTwoOnStandardOutput } from '../system/standard.ts';
import { paintSigns } from '../system/terminal.ts';
import { version } from '../version.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareSummaryOptions, readSummaryRequest } from './options/verification-summary.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareVerifyOptions(command);
    declareDatabase(command);
    command
      .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
      .option('--summary <file>', 'append Markdown, for GITHUB_STEP_SUMMARY')
      .option('--json', 'the whole decision on standard output');
    declareSummaryOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const request = readVerifyRequest(options, image, 'gate');
    const attest = readSummaryRequest(options);
    const sarif = textOption(options, 'sarif');
    const summary = textOption(options, 'summary');
    await expectOutputs(host, options);
    const { verdict } =
      attest === undefined
        ? await verifyImage(host, request)
        : await attestVerdict(host, {
            ...request,
            ...attest,
            onAttached: (attached) => tell(host, attached),
          });
    if (sarif !== undefined) {
      await writeUserFile(host, sarif, toSarif(verdict, version));
    }
    if (summary !== undefined) {
      await appendUserFile(host, summary, toMarkdown(verdict));
    }
    if (flag(options, 'json')) {
      await host.stdout.write(toJson(verdict));
    }
    await host.stderr.write(paintSigns(formatVerdict(verdict), host.stderr));
    return verdict.exit;
  },
};

/** @throws TcfError `file.unwritable`, `output.twice` (exit 3), before anything is asked. */
async function expectOutputs(host: Host, options: Options): Promise<void> {
  const sarif = textOption(options, 'sarif');
  const summary = textOption(options, 'summary');
  refuseTwoOnStandardOutput({
    '--sarif': isStandard(sarif),
    '--summary': isStandard(summary),
    '--json': flag(options, 'json'),
  });
  await expectWritable(host, sarif);
  await expectWritable(host, summary, 'append');
}

async function tell(host: Host, { digest, statement }: Attached): Promise<void> {
  await host.stderr.write(
    `attached the verification summary of ${statement.subjects[0]?.digests[0]}: ${digest}\n`,
  );
}
