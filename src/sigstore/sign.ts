import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { Bundle as ProtobufBundle } from '@sigstore/protobuf-specs';
import type { SignatureBundle, VerificationMaterial } from '@sigstore/sign';
import { payloadType } from '../attest/statement.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { algorithmFor, type Signer, type SigningMaterial } from './signer.ts';
import type { Witness } from './witness.ts';

/**
 * Signs a statement and has it witnessed; returns the bytes of a bundle of version 0.3 with a DSSE envelope,
 * the one form that `cosign verify` takes for images.
 *
 * @throws TcfError of the signer and the witnesses (exit 2). No bundle is made unless every witness answered.
 */
export async function signStatement(
  statement: Uint8Array,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<Uint8Array> {
  // The builder alone: the package's own index loads an HTTP client that is not used
  // (docs/decisions/0006-own-signing.md).
  const { DSSEBundleBuilder } = await import('@sigstore/sign/dist/bundler/dsse.js');
  const builder = new DSSEBundleBuilder({ signer, witnesses: [...witnesses] });
  return await formatBundle(await builder.create({ data: Buffer.from(statement), type: payloadType }));
}

/**
 * As `signStatement`, for a file: a bundle with a `messageSignature` over the bytes as they are, as `cosign
 * sign-blob` makes it. Not with the builder of
 * @sigstore/sign: that writes version 0.2 with a chain, and SHA-256 for every key.
 */
export async function signArtifact(
  artifact: Uint8Array,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<Uint8Array> {
  const { key, signature } = await signer.sign(Buffer.from(artifact));
  const pem = key.$case === 'publicKey' ? key.publicKey : key.certificate;
  const content = {
    $case: 'messageSignature',
    messageSignature: { messageDigest: digestOf(artifact, key), signature },
  } as const;
  const seen = await Promise.all(witnesses.map((witness) => witness.testify(content, pem)));
  return await formatBundle(toBundle(content, key, seen));
}

/** `dev.sigstore.common.v1.HashAlgorithm`. */
const hashNumbers = { sha256: 1, sha384: 2, sha512: 3 } as const;

/** Ed25519 hashes by itself; the digest beside the signature only helps to find the artifact. */
function digestOf(artifact: Uint8Array, key: SigningMaterial): { algorithm: number; digest: Buffer } {
  const publicKey =
    key.$case === 'publicKey'
      ? createPublicKey(key.publicKey)
      : new X509Certificate(key.certificate).publicKey;
  const algorithm = algorithmFor(publicKey).hash ?? 'sha256';
  return { algorithm: hashNumbers[algorithm], digest: createHash(algorithm).update(artifact).digest() };
}

function toBundle(
  content: SignatureBundle,
  key: SigningMaterial,
  seen: readonly VerificationMaterial[],
): ProtobufBundle {
  return {
    mediaType: mediaTypes.sigstoreBundle,
    verificationMaterial: {
      content:
        key.$case === 'publicKey'
          ? { $case: 'publicKey', publicKey: { hint: key.hint ?? '' } }
          : { $case: 'certificate', certificate: { rawBytes: new X509Certificate(key.certificate).raw } },
      tlogEntries: seen.flatMap(({ tlogEntries = [] }) => tlogEntries),
      timestampVerificationData: {
        rfc3161Timestamps: seen.flatMap(({ rfc3161Timestamps = [] }) => rfc3161Timestamps),
      },
    },
    content,
  };
}

interface BundleJson {
  verificationMaterial?: { timestampVerificationData?: { rfc3161Timestamps?: readonly unknown[] } };
  dsseEnvelope?: { signatures: readonly { keyid?: string }[] };
}

/** The JSON form of Protocol Buffers, with nothing empty in it. */
async function formatBundle(bundle: ProtobufBundle): Promise<Uint8Array> {
  const { Bundle } = await import('@sigstore/protobuf-specs');
  const json = Bundle.toJSON(bundle) as BundleJson;
  const material = json.verificationMaterial;
  if (material?.timestampVerificationData?.rfc3161Timestamps === undefined) {
    delete material?.timestampVerificationData;
  }
  // The builder takes the hint of the key for a keyid, and cosign 3.0.6 refuses an envelope whose keyid is
  // that.
  for (const signature of json.dsseEnvelope?.signatures ?? []) {
    delete signature.keyid;
  }
  return encodeUtf8(JSON.stringify(json));
}
