import type { Command } from 'commander';
import { readArtifact } from '../app/artifact.ts';
import { loadInstance } from '../app/trust/instances.ts';
import { maxKey, maxTrustedRoot } from '../app/trust/trust.ts';
import { verifyBundleAgainst } from '../attest/verify-bundle.ts';
import { decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { printable, quoted } from '../base/text.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { fileExists, readUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
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
          hint: 'leave it away, or give --key',
        },
      );
    }
    const root = textOption(options, 'trustedRoot');
    const outcome = verifyBundleAgainst(
      {
        bundle: await readUserFile(
          host,
          textOption(options, 'bundle') ?? '',
          jsonLimits.bundle.maxBytes,
          'the bundle',
        ),
        trustedRoot:
          root === undefined
            ? (await loadInstance(host, 'sigstore')).bytes
            : await readUserFile(host, root, maxTrustedRoot, 'the trusted root'),
        expected: await readExpected(host, options),
        artifact: await readFileOrDigest(host, artifact),
        ...(flag(options, 'allowUnlogged') ? { keyThreshold: { logs: 0, times: 0 } } : {}),
      },
      host.now(),
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

async function readExpected(
  host: Host,
  options: Options,
): Promise<Parameters<typeof verifyBundleAgainst>[0]['expected']> {
  const key = textOption(options, 'key');
  const identity = textOption(options, 'certificateIdentity');
  const issuer = textOption(options, 'certificateOidcIssuer');
  if (key !== undefined && identity === undefined && issuer === undefined) {
    const pem = decodeUtf8(await readUserFile(host, key, maxKey, 'the key'));
    if (pem === undefined) throw askedWrongly('key.malformed', `${quoted(key)} is not a PEM file`);
    return { pem, name: key };
  }
  if (key === undefined && identity && issuer) return { identity, issuer };
  throw askedWrongly('bundle.expected', 'say who is expected to have signed', {
    hint: 'give --key, or both --certificate-identity and --certificate-oidc-issuer',
  });
}

/** As the protocol has it: a digest that is no file on disk is a digest, anything else is a path. */
async function readFileOrDigest(host: Host, text: string): Promise<Uint8Array | Digest> {
  if (isDigest(text) && !fileExists(host, text)) return text;
  return await readArtifact(host, text);
}
