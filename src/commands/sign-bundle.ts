import type { Command } from 'commander';
import { signFile } from '../app/sign/sign-file.ts';
import { askedWrongly } from '../base/error.ts';
import { formatBytes } from '../base/size.ts';
import { quoted } from '../base/text.ts';
import { digestOf } from '../oci/digest.ts';
import type { ExitCode } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { declareTimeout } from './options/network.ts';
import { declareSigningOptions, readSigningRequest } from './options/signing.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file>', 'the artifact; with --in-toto the statement')
      .requiredOption('--bundle <file>', 'where to write the Sigstore bundle')
      .option('--in-toto', 'FILE is an in-toto statement, and is signed as one')
      .option('--staging', 'refused unless --signing-config and --trusted-root say what that is');
    declareSigningOptions(command);
    declareTimeout(command, 'a service');
  },
  async run(host, [file = ''], options): Promise<ExitCode> {
    refuseStaging(options);
    const target = textOption(options, 'bundle') ?? '';
    const isStatement = flag(options, 'inToto');
    const signing = readSigningRequest(options);
    const { about, bundle } = await signFile(host, { file, bundle: target, isStatement, signing });
    const what = 'artifact' in about ? digestOf(about.artifact) : `a statement about ${about.subject}`;
    await host.stderr.write(`wrote ${quoted(target)} (${formatBytes(bundle.length)}): signed ${what}\n`);
    return 0;
  },
};

function refuseStaging(options: Options): void {
  if (!flag(options, 'staging')) {
    return;
  }
  if (
    textOption(options, 'signingConfig') !== undefined &&
    textOption(options, 'trustedRoot') !== undefined
  ) {
    return;
  }
  throw askedWrongly('bundle.staging', 'tcf carries neither root nor services of the staging instance', {
    hint: 'name them with --trusted-root and --signing-config',
  });
}
