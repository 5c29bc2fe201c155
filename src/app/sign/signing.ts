import { createPublicKey } from 'node:crypto';
import { type Bundle, parseBundle } from '../../attest/bundle.ts';
import { experimentalAlgorithms } from '../../attest/root-material.ts';
import { fingerprintOf } from '../../attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../attest/trusted-root.ts';
import type { ProvenSigner as Proven } from '../../attest/verified.ts';
import { verifyAttestation } from '../../attest/verify.ts';
import { verifyBlob } from '../../attest/verify-blob.ts';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import { clockTolerance, clockWrong } from '../../sigstore/clock.ts';
import { keylessSigner } from '../../sigstore/fulcio.ts';
import { openPrivateKey } from '../../sigstore/keys.ts';
import type { Services } from '../../sigstore/services.ts';
import { keySigner, type Signer } from '../../sigstore/signer.ts';
import { type CommandSigner, openSignerCommand } from '../../sigstore/signer-command.ts';
import type { Witness } from '../../sigstore/witness.ts';
import { toWitnesses } from '../../sigstore/witnesses.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { password } from '../../system/password.ts';
import { type Network, openUserServices } from '../network.ts';
import { maxKey } from '../trust/trust.ts';
import { signerWithWaiting } from '../waiting.ts';
import { type KeylessRequest, openUserToken } from './identity.ts';
import { type ChosenServices, describeServices, readServices, type ServicesRequest } from './services.ts';

export interface Signing {
  readonly signer: Signer;
  readonly witnesses: readonly Witness[];
  /** What its bundles have to verify against; absent where services were named without a trusted root. */
  readonly trust?: Trust;
  /** Whether a proven signer is the one who signs now. */
  readonly isSigner: (signer: Proven) => boolean;
}

/** Who signs: a key in a file or at a program that keeps it, or without both an identity. */
export type SignerRequest =
  | { readonly kind: 'key'; readonly file: string }
  | { readonly kind: 'command'; readonly command: string }
  | ({ readonly kind: 'keyless' } & KeylessRequest);

export interface SigningRequest {
  /** Default: keyless. */
  readonly signer?: SignerRequest;
  readonly services?: ServicesRequest;
  readonly network?: Network;
}

/**
 * Who signs and who watches.
 *
 * @param need `checked`: what cannot be checked must not be signed.
 * @throws TcfError (exit 3) for what was asked wrongly, (exit 2) for services that do not answer.
 */
export async function openSigning(host: Host, request: SigningRequest, need?: 'checked'): Promise<Signing> {
  const { signer: who = { kind: 'keyless' } } = request;
  const services = await openUserServices(host, request.network);
  const chosen = await readServices(host, request.services ?? {}, who.kind === 'keyless');
  const { root } = chosen;
  if (need === 'checked' && root === undefined && describeServices(chosen.services).length > 0) {
    throw askedWrongly('sign.trust', 'there is nothing to check the new bundle against', {
      hint: 'name the trusted root of these services with --trusted-root',
    });
  }
  if (who.kind === 'keyless') {
    return await openKeyless(host, who, services, chosen);
  }
  const witnesses = toWitnesses(chosen.services, services);
  const { key, signer } = await openKey(host, who);
  const fingerprint = fingerprintOf(key);
  const roots = root === undefined || witnesses.length === 0 ? [] : [parseOwnRoot(root)];
  return {
    signer,
    witnesses,
    trust: { roots, keys: [{ name: who.kind === 'key' ? who.file : who.command, key, fingerprint }] },
    isSigner: (proven) => proven.kind === 'key' && proven.fingerprint === fingerprint,
  };
}

/**
 * Services that the signer chose are checked with every algorithm; which of them count is for the verifier.
 */
const parseOwnRoot = (root: Uint8Array) => parseTrustedRoot(root, { experimental: experimentalAlgorithms });

async function openKey(host: Host, who: Exclude<SignerRequest, { kind: 'keyless' }>): Promise<CommandSigner> {
  if (who.kind === 'command') {
    return await openSignerCommand(who.command, signerWithWaiting(host, who.command));
  }
  const { file } = who;
  const pem = file.startsWith(inEnvironment)
    ? fromEnvironment(host, file.slice(inEnvironment.length))
    : decodeUtf8(await readUserFile(host, file, maxKey, 'the key'));
  if (pem === undefined) {
    throw askedWrongly('key.malformed', `${quoted(file)} is not a PEM file`);
  }
  const privateKey = await openPrivateKey(pem, () => password(host, file), file);
  return { key: createPublicKey(privateKey), signer: keySigner(privateKey) };
}

/** As cosign writes it: CI keeps secrets in variables. */
const inEnvironment = 'env://';

/** @throws TcfError `key.missing` (exit 3). */
function fromEnvironment({ env }: Host, name: string): string {
  const pem = env[name];
  if (pem !== undefined && pem !== '') {
    return pem;
  }
  throw askedWrongly('key.missing', `the variable ${quoted(name)} holds no key`, {
    hint: 'give the job the secret under this name, with the text of the .key file as its value',
  });
}

async function openKeyless(
  host: Host,
  who: KeylessRequest,
  services: Services,
  { root, services: chosen }: ChosenServices,
): Promise<Signing> {
  const { fulcio } = chosen;
  if (fulcio === undefined) {
    throw askedWrongly('sign.fulcio', 'without a certificate authority only a key can sign', {
      hint: 'give --key FILE, --fulcio-url URL, or a signing config that names one',
    });
  }
  const token = await openUserToken(host, who, services, chosen.issuer);
  return {
    signer: keylessSigner({ fulcio, token, services, now: host.now }),
    witnesses: toWitnesses(chosen, services),
    ...(root === undefined ? {} : { trust: { roots: [parseOwnRoot(root)], keys: [] } }),
    isSigner: (signer) =>
      signer.kind === 'keyless' && signer.issuer === token.issuer && signer.identity === token.identity,
  };
}

/** What a new bundle has to be about: a subject of the statement, or the very artifact. */
export type About = { readonly subject: Digest } | { readonly artifact: Uint8Array };

/**
 * A bundle that we ourselves could not verify must not be pushed, nor written to a file: the log or the
 * authority gave back something else than was asked for. Nor one that was witnessed at another time than now:
 * what policies say about the age of signatures is judged by such a clock too.
 *
 * @throws TcfError `sign.unverifiable`, `clock.wrong` (exit 2).
 */
export function checkOwnBundle(
  bytes: Uint8Array,
  { trust }: Signing,
  about: About,
  now: Date,
  done: 'pushed' | 'written' = 'pushed',
): void {
  if (trust === undefined) {
    return;
  }
  const bundle = parseBundle(bytes);
  const verify = (content: Bundle) =>
    'artifact' in about
      ? verifyBlob(content, trust, about.artifact, now)
      : verifyAttestation(content, trust, about, now);
  const outcome = bundle.ok ? verify(bundle.value) : bundle;
  if (outcome.ok) {
    const far = outcome.value.times.find((time) => Math.abs(Number(time) - Number(now)) > clockTolerance);
    if (far !== undefined) {
      throw clockWrong(`nothing was ${done}: the signature was witnessed`, far, now);
    }
    return;
  }
  const { message } = outcome.reason;
  throw cannotTell(
    'sign.unverifiable',
    `the new signature does not verify, so nothing was ${done}: ${message}`,
    {
      hint: 'check that --trusted-root belongs to the services that signed',
    },
  );
}
