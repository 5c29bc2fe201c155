import type { Command } from 'commander';
import type { AttestedAnswer } from '../../app/attested-sbom.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { flag, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';
import { readPlatform } from './platform.ts';

/**
 * For verbs that take the attested SBOM of an image in place of a scan. Platform and network are declared by
 * the verb.
 *
 * @param asker Options with which a policy is asked.
 */
export function declareAttestedOptions(command: Command, asker = '--attested'): void {
  command
    .option('--attested', 'verify the image, and take the SBOM that a trusted signer attested')
    .option('--policy <file>', `with ${asker}: a policy beside those of machine, user and project`)
    .option('--trusted-root <file>', `with ${asker}: trusted_root.json in place of those that policies name`);
}

/**
 * Whether the attested SBOM is asked for.
 *
 * @param isAskedOtherwise Whether something else asks a policy.
 *
 * @throws TcfError `sbom.attested` (exit 3) for its options without it.
 */
export function wantsAttested(options: Options, isAskedOtherwise = false): boolean {
  if (flag(options, 'attested')) {
    return true;
  }
  const given = ['policy', 'trustedRoot'].find((name) => textOption(options, name) !== undefined);
  if (given === undefined || isAskedOtherwise) {
    return false;
  }
  throw askedWrongly('sbom.attested', 'a policy and a trusted root are asked with --attested only', {
    hint: 'write --attested too',
  });
}

/** The document, or the exit code of a denial, which is told. */
export async function readAttested(
  host: Host,
  image: string,
  options: Options,
): Promise<{ readonly document: unknown } | { readonly exit: ExitCode }> {
  // What verifies is loaded for attested SBOMs only.
  const { attestedSbom } = await import('../../app/attested-sbom.ts');
  const { sbom, verification }: AttestedAnswer = await attestedSbom(
    host,
    compact({
      image,
      policy: textOption(options, 'policy'),
      trustedRoot: textOption(options, 'trustedRoot'),
      platform: readPlatform(options),
      network: readNetwork(options),
    }),
  );
  if (sbom !== undefined) {
    return { document: sbom.document };
  }
  await host.stderr.write(formatVerdict(verification.verdict));
  return { exit: verification.verdict.exit };
}
