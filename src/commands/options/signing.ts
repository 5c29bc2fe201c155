import type { Command } from 'commander';
import type { LoginFlow } from '../../app/sign/identity.ts';
import type { SignerRequest, SigningRequest } from '../../app/sign/signing.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { readUrl } from '../../sigstore/signing-config.ts';
import { choiceOption, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';

/**
 * @param more Whether the verb has a `--trusted-root` of its own, against which new signatures are checked
 *   too.
 */
export function declareSigningOptions(
  command: Command,
  { hasRoot = false }: { readonly hasRoot?: boolean } = {},
): void {
  command
    .option(
      '--key <file|env://VAR>',
      'private key of tcf keygen, cosign or openssl; its password is COSIGN_PASSWORD',
    )
    .option('--signer-cmd <command>', 'program that keeps the key (HSM, KMS); see docs/signer-command.md');
  declareIdentityOptions(command);
  declareServiceOptions(command);
  if (hasRoot) {
    return;
  }
  command.option(
    '--trusted-root <file>',
    'what the new signatures are checked against, in place of the root of the instance',
  );
}

function declareIdentityOptions(command: Command): void {
  command
    .option(
      '--identity-token <token|file>',
      'OIDC token for keyless signing (default: SIGSTORE_ID_TOKEN, the CI job, or a login on the terminal)',
    )
    .option('--oidc-flow <browser|device>', 'log in, also where there is no terminal')
    .option('--oidc-issuer <url>', 'where to log in (default: as the signing config says)')
    .option('--oidc-client-id <id>', 'as which client to log in (default: sigstore)');
}

function declareServiceOptions(command: Command): void {
  command
    .option('--instance <name>', 'Sigstore instance whose services sign (default for keyless: sigstore)')
    .option('--signing-config <file>', 'signing_config.json in place of the one of the instance')
    .option('--fulcio-url <url>', 'certificate authority, in place of a signing config')
    .option('--rekor-url <url>', 'transparency log')
    .option('--rekor-version <1|2>', 'API of the log (default: 1)')
    .option('--tsa-url <url>', 'timestamp authority, the whole address of its endpoint');
}

/** @throws TcfError `sign.who`, `flags.*`, `cli.timeout` (exit 3). */
export function readSigningRequest(options: Options): SigningRequest {
  return {
    signer: readSigner(options),
    services: compact({
      instance: textOption(options, 'instance'),
      signingConfig: textOption(options, 'signingConfig'),
      fulcioUrl: textOption(options, 'fulcioUrl'),
      rekorUrl: textOption(options, 'rekorUrl'),
      rekorVersion: textOption(options, 'rekorVersion'),
      tsaUrl: textOption(options, 'tsaUrl'),
      trustedRoot: textOption(options, 'trustedRoot'),
    }),
    network: readNetwork(options),
  };
}

/** The options of which one says who signs, by their names. */
export const signerFlags = {
  key: '--key',
  signerCmd: '--signer-cmd',
  identityToken: '--identity-token',
  oidcFlow: '--oidc-flow',
} as const;

function readSigner(options: Options): SignerRequest {
  const given = Object.entries(signerFlags).filter(([name]) => textOption(options, name) !== undefined);
  if (given.length > 1) {
    throw askedWrongly(
      'sign.who',
      `more than one signer given: ${given.map(([, flag]) => flag).join(', ')}`,
      {
        hint: 'give one of --key, --signer-cmd, --identity-token and --oidc-flow',
      },
    );
  }
  const file = textOption(options, 'key');
  if (file !== undefined) {
    return { kind: 'key', file };
  }
  const command = textOption(options, 'signerCmd');
  if (command !== undefined) {
    return { kind: 'command', command };
  }
  return compact({
    kind: 'keyless' as const,
    token: textOption(options, 'identityToken'),
    flow: choiceOption<LoginFlow>(options, 'oidcFlow', ['browser', 'device']),
    issuer: readUrl('--oidc-issuer', textOption(options, 'oidcIssuer')),
    clientId: textOption(options, 'oidcClientId'),
  });
}
