import { createPublicKey } from 'node:crypto';
import type { Command } from 'commander';
import { parseBundle } from '../../attest/bundle.ts';
import { fingerprintOf } from '../../attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../attest/trusted-root.ts';
import type { Signer as Proven } from '../../attest/verified.ts';
import { verifyAttestation } from '../../attest/verify.ts';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import { clockTolerance, clockWrong } from '../../sigstore/clock.ts';
import { keylessSigner } from '../../sigstore/fulcio.ts';
import { openPrivateKey } from '../../sigstore/keys.ts';
import type { Services } from '../../sigstore/services.ts';
import { keySigner, type Signer } from '../../sigstore/signer.ts';
import { type CommandSigner, openSignerCommand } from '../../sigstore/signer-command.ts';
import {
  chooseServices,
  parseSigningConfig,
  type SigningServices,
  toServices,
} from '../../sigstore/signing-config.ts';
import type { Witness } from '../../sigstore/witness.ts';
import { toWitnesses } from '../../sigstore/witnesses.ts';
import type { Host } from '../host.ts';
import { type Options, textOption } from '../verb.ts';
import { readUserFile } from './files.ts';
import { declareIdentityOptions, openUserToken } from './identity.ts';
import { loadInstance } from './instances.ts';
import { password } from './password.ts';
import { openUserServices } from './registries.ts';
import { maxKey, maxTrustedRoot } from './trust.ts';

export interface Signing {
  readonly signer: Signer;
  readonly witnesses: readonly Witness[];
  /** What its bundles have to verify against; absent where services were named without a trusted root. */
  readonly trust?: Trust;
  /** Whether a proven signer is the one who signs now. */
  readonly isSigner: (signer: Proven) => boolean;
}

/** The public Sigstore instance, as its `signing_config.v0.2.json` names it. */
const publicServices: SigningServices = {
  fulcio: new URL('https://fulcio.sigstore.dev'),
  issuer: new URL('https://oauth2.sigstore.dev/auth'),
  logs: [{ url: new URL('https://rekor.sigstore.dev'), version: 1 }],
  timestamps: [new URL('https://timestamp.sigstore.dev/api/v1/timestamp')],
};

export function declareSigningOptions(command: Command): void {
  command
    .option('--key <file>', 'private key of tcf keygen, cosign or openssl; its password is COSIGN_PASSWORD')
    .option('--signer-cmd <command>', 'program that keeps the key (HSM, KMS); see docs/signer-command.md');
  declareIdentityOptions(command);
  command
    .option(
      '--signing-config <file>',
      'signing_config.json of a Sigstore instance (default for keyless: the public one)',
    )
    .option('--fulcio-url <url>', 'certificate authority, in place of a signing config')
    .option('--rekor-url <url>', 'transparency log')
    .option('--rekor-version <1|2>', 'API of the log (default: 1)')
    .option('--tsa-url <url>', 'timestamp authority, the whole address of its endpoint')
    .option('--trusted-root <file>', 'what the new signatures are checked against before they are pushed');
}

/** Who signs and who watches. @throws TcfError (exit 3) for what was asked wrongly, (exit 2) for services that do not answer. */
export async function openSigning(host: Host, options: Options): Promise<Signing> {
  const services = await openUserServices(host, options);
  const named = await readServices(host, options);
  const root = await readRoot(host, options, named === undefined);
  const who = readWho(options);
  if (who === undefined) return await openKeyless(host, options, services, named ?? publicServices, root);
  const witnesses = toWitnesses(named ?? { logs: [], timestamps: [] }, services);
  const { key, signer } = await openKey(host, who);
  const fingerprint = fingerprintOf(key);
  const roots = root === undefined || witnesses.length === 0 ? [] : [parseTrustedRoot(root)];
  return {
    signer,
    witnesses,
    trust: { roots, keys: [{ name: who.value, key, fingerprint }] },
    isSigner: (proven) => proven.kind === 'key' && proven.fingerprint === fingerprint,
  };
}

interface Who {
  readonly flag: 'key' | 'signerCmd';
  readonly value: string;
}

/** The key to sign with, wherever it is kept; `undefined`: keyless. */
function readWho(options: Options): Who | undefined {
  const given = (['key', 'signerCmd', 'identityToken', 'oidcFlow'] as const).flatMap((name) => {
    const value = textOption(options, name);
    return value === undefined ? [] : [{ flag: name, value }];
  });
  if (given.length > 1) {
    throw askedWrongly(
      'sign.who',
      'there are two to sign: a key, a program that keeps one, an identity token, or a person',
      {
        hint: 'give one of --key, --signer-cmd, --identity-token and --oidc-flow',
      },
    );
  }
  const [{ flag, value } = { flag: 'identityToken' as const, value: '' }] = given;
  return flag === 'key' || flag === 'signerCmd' ? { flag, value } : undefined;
}

async function openKey(host: Host, { flag, value }: Who): Promise<CommandSigner> {
  if (flag === 'signerCmd') return await openSignerCommand(value, host.program);
  const pem = decodeUtf8(await readUserFile(host, value, maxKey, 'the key'));
  if (pem === undefined) throw askedWrongly('key.malformed', `${quoted(value)} is not a PEM file`);
  const privateKey = await openPrivateKey(pem, () => password(host, value), value);
  return { key: createPublicKey(privateKey), signer: keySigner(privateKey) };
}

async function openKeyless(
  host: Host,
  options: Options,
  services: Services,
  chosen: SigningServices,
  root: Uint8Array | undefined,
): Promise<Signing> {
  const { fulcio } = chosen;
  if (fulcio === undefined) {
    throw askedWrongly('sign.fulcio', 'without a certificate authority only a key can sign', {
      hint: 'give --key FILE, --fulcio-url URL, or a signing config that names one',
    });
  }
  const token = await openUserToken(host, options, services, chosen.issuer);
  return {
    signer: keylessSigner({ fulcio, token, services, now: host.now }),
    witnesses: toWitnesses(chosen, services),
    ...(root === undefined ? {} : { trust: { roots: [parseTrustedRoot(root)], keys: [] } }),
    isSigner: (signer) =>
      signer.kind === 'keyless' && signer.issuer === token.issuer && signer.identity === token.identity,
  };
}

/** The services that were named; `undefined` where none were. */
async function readServices(host: Host, options: Options): Promise<SigningServices | undefined> {
  const config = textOption(options, 'signingConfig');
  const flags = ['fulcioUrl', 'rekorUrl', 'rekorVersion', 'tsaUrl'].flatMap((name) => {
    const value = textOption(options, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (config === undefined) return flags.length === 0 ? undefined : toServices(Object.fromEntries(flags));
  if (flags.length > 0) {
    throw askedWrongly('sign.services', 'services are named twice: by --signing-config and by a URL', {
      hint: 'use one of them',
    });
  }
  const bytes = await readUserFile(host, config, jsonLimits.small.maxBytes, 'the signing config');
  return chooseServices(parseSigningConfig(bytes, quoted(config)), host.now());
}

async function readRoot(host: Host, options: Options, isPublic: boolean): Promise<Uint8Array | undefined> {
  const file = textOption(options, 'trustedRoot');
  if (file !== undefined) return await readUserFile(host, file, maxTrustedRoot, 'the trusted root');
  return isPublic ? (await loadInstance(host, 'sigstore')).bytes : undefined;
}

/**
 * A bundle that we ourselves could not verify must not be pushed: the log or the authority gave back something else than was asked for. Nor one that was
 * witnessed at another time than now: what policies say about the age of signatures is judged by such a clock too.
 *
 * @throws TcfError `sign.unverifiable`, `clock.wrong` (exit 2).
 */
export function checkOwnBundle(bytes: Uint8Array, { trust }: Signing, subject: Digest, now: Date): void {
  if (trust === undefined) return;
  const bundle = parseBundle(bytes);
  const outcome = bundle.ok ? verifyAttestation(bundle.value, trust, { subject }, now) : bundle;
  if (outcome.ok) {
    const far = outcome.value.times.find((time) => Math.abs(Number(time) - Number(now)) > clockTolerance);
    if (far !== undefined) throw clockWrong('nothing was pushed: the signature was witnessed', far, now);
    return;
  }
  const { message } = outcome.reason;
  throw cannotTell(
    'sign.unverifiable',
    `the new signature does not verify, so nothing was pushed: ${message}`,
    {
      hint: 'check that --trusted-root belongs to the services that signed',
    },
  );
}
