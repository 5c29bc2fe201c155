import type { Command } from 'commander';
import { type ExpectedSigner, verifyFile } from '../app/verify-file.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { ExitCode } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file-or-digest>', 'the artifact, or sha256:<hex> of it')
      .requiredOption('--bundle <file>', 'the Sigstore bundle')
      .option('--certificate-identity <identity>', 'expected subject of the certificate, compared whole')
      .option('--certificate-oidc-issuer <url>', 'expected OIDC issuer, compared whole')
      .option('--key <file>', 'public key, in place of identity and issuer')
      .option('--allow-unlogged', 'with --key: take a bundle without log entry and timestamp too')
      .option('--trusted-root <file>', 'trusted_root.json (default: the public Sigstore instance)')
      .option('--staging', 'refused: there is no built-in root of the staging instance');
  },
  async run(host, [artifact = ''], options): Promise<ExitCode> {
    if (flag(options, 'staging') && textOption(options, 'trustedRoot') === undefined) {
      throw askedWrongly('bundle.staging', 'tcf carries no trusted root of the staging instance', {
        hint: 'name it with --trusted-root',
      });
    }
    if (flag(options, 'allowUnlogged') && textOption(options, 'key') === undefined) {
      throw askedWrongly(
        'bundle.expected',
        '--allow-unlogged is for keys: a certificate counts only where its time is proven',
        {
          hint: 'leave it out, or give --key',
        },
      );
    }
    const outcome = await verifyFile(
      host,
      compact({
        artifact,
        bundle: textOption(options, 'bundle') ?? '',
        expected: readExpected(options),
        trustedRoot: textOption(options, 'trustedRoot'),
        allowUnlogged: flag(options, 'allowUnlogged'),
      }),
    );
    if (outcome.ok) {
      await host.stderr.write('the bundle is good\n');
      return 0;
    }
    await host.stderr.write(
      `the bundle does not count: ${printable(outcome.reason.message)} (${outcome.reason.code})\n`,
    );
    return 1;
  },
};

function readExpected(options: Options): ExpectedSigner {
  const file = textOption(options, 'key');
  const identity = textOption(options, 'certificateIdentity');
  const issuer = textOption(options, 'certificateOidcIssuer');
  if (file !== undefined && identity === undefined && issuer === undefined) {
    return { kind: 'key', file };
  }
  if (file === undefined && identity && issuer) {
    return { kind: 'identity', identity, issuer };
  }
  throw askedWrongly('bundle.expected', 'say who is expected to have signed', {
    hint: 'give --key, or both --certificate-identity and --certificate-oidc-issuer',
  });
}
