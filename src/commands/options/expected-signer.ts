import type { Command } from 'commander';
import type { ExpectedSigner, VerifyFileRequest } from '../../app/verify-file.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { flag, type Options, textOption } from './bag.ts';

/** Who has to have signed a file, and what that is judged by. */
export function declareExpectedSigner(command: Command): void {
  command
    .option('--certificate-identity <identity>', 'expected subject of the certificate, compared whole')
    .option('--certificate-oidc-issuer <url>', 'expected OIDC issuer, compared whole')
    .option('--key <file>', 'public key, in place of identity and issuer')
    .option('--allow-unlogged', 'with --key: take a bundle without log entry and timestamp too')
    .option('--trusted-root <file>', 'trusted_root.json (default: the public Sigstore instance)')
    .option('--staging', 'refused: there is no built-in root of the staging instance');
}

/** @throws TcfError `bundle.staging`, `bundle.expected` (exit 3). */
export function readVerifyFileRequest(options: Options, artifact: string): VerifyFileRequest {
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
  return compact({
    artifact,
    bundle: textOption(options, 'bundle') ?? '',
    expected: readExpected(options),
    trustedRoot: textOption(options, 'trustedRoot'),
    allowUnlogged: flag(options, 'allowUnlogged'),
  });
}

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
