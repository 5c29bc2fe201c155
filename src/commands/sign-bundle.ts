import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readArtifact } from '../app/artifact.ts';
import { type About, checkOwnBundle, openSigning } from '../app/sign/signing.ts';
import { parseStatement } from '../attest/statement.ts';
import { formatBytes } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { digestOf } from '../oci/digest.ts';
import { signArtifact, signStatement } from '../sigstore/sign.ts';
import { writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
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
    const target = textOption(options, 'bundle') ?? '';
    refuseStaging(options);
    if (resolve(host.cwd, file) === resolve(host.cwd, target)) {
      throw askedWrongly('bundle.target', `the bundle would replace ${quoted(file)}, which it is about`, {
        hint: 'give --bundle another name',
      });
    }
    const content = await readArtifact(host, file);
    const about = flag(options, 'inToto') ? subjectOf(content, file) : { artifact: content };
    const signing = await openSigning(host, readSigningRequest(options), 'checked');
    const sign = 'artifact' in about ? signArtifact : signStatement;
    const bundle = await sign(content, signing.signer, signing.witnesses);
    checkOwnBundle(bundle, signing, about, host.now(), 'written');
    await writeUserFile(host, target, bundle);
    await tell(host, target, bundle, about);
    return 0;
  },
};

function refuseStaging(options: Options): void {
  if (!flag(options, 'staging')) return;
  if (textOption(options, 'signingConfig') !== undefined && textOption(options, 'trustedRoot') !== undefined)
    return;
  throw askedWrongly('bundle.staging', 'tcf carries neither root nor services of the staging instance', {
    hint: 'name them with --trusted-root and --signing-config',
  });
}

/** What nobody could verify is not signed: a statement that is none, or that names nothing. */
function subjectOf(content: Uint8Array, file: string): About {
  const statement = parseStatement(content);
  if (!statement.ok) {
    throw askedWrongly(
      'statement.malformed',
      `${quoted(file)} is no statement: ${statement.reason.message}`,
      {
        hint: 'an in-toto Statement in JSON; without --in-toto the file is signed as it is',
      },
    );
  }
  const [subject] = statement.value.subjects.flatMap(({ digests }) => digests);
  if (subject !== undefined) return { subject };
  throw askedWrongly('statement.subject', `${quoted(file)} names no subject by a digest that tcf knows`, {
    hint: 'sha256, sha384 or sha512',
  });
}

async function tell(host: Host, target: string, bundle: Uint8Array, about: About): Promise<void> {
  const what = 'artifact' in about ? digestOf(about.artifact) : `a statement about ${about.subject}`;
  await host.stderr.write(`wrote ${quoted(target)} (${formatBytes(bundle.length)}): signed ${what}\n`);
}
