import { createHash } from 'node:crypto';
import type { DsseContent, MessageContent } from '../attest/bundle.ts';
import { preAuthEncoding } from '../attest/dsse.ts';
import type { LogEntry } from '../attest/log-entry.ts';
import { payloadType } from '../attest/statement.ts';
import { encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Signer } from './signer.ts';
import type { Act, Testimony, Witness } from './witness.ts';

/**
 * Signs a statement and has it witnessed; returns the bytes of a bundle of version 0.3 with a DSSE envelope, the one form that
 * `cosign verify` takes for images.
 *
 * @throws TcfError of the signer and the witnesses (exit 2). No bundle is made unless every witness answered.
 */
export async function signStatement(
  statement: Uint8Array,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<Uint8Array> {
  const bytes = preAuthEncoding(payloadType, statement);
  const signed = await signer.sign(bytes);
  // No keyid, as cosign writes none: cosign 3.0.6 refuses an envelope whose keyid is the hint of the bundle.
  const envelope = { payload: statement, signature: signed.signature, keyid: '' };
  return await witnessed({ content: { kind: 'dsse', envelope }, signed, bytes }, witnesses);
}

/** As `signStatement`, for a file: a bundle with a `messageSignature` over the bytes as they are, as `cosign sign-blob` makes it. */
export async function signArtifact(
  artifact: Uint8Array,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<Uint8Array> {
  const signed = await signer.sign(artifact);
  // Ed25519 hashes by itself; the digest beside the signature only helps to find the artifact.
  const algorithm = signed.algorithm.hash ?? 'sha256';
  const digest = createHash(algorithm).update(artifact).digest();
  const content = { kind: 'message', algorithm, digest, signature: signed.signature } as const;
  return await witnessed({ content, signed, bytes: artifact }, witnesses);
}

async function witnessed(act: Act, witnesses: readonly Witness[]): Promise<Uint8Array> {
  const testimonies: Testimony[] = [];
  for (const witness of witnesses) testimonies.push(await witness(act));
  return formatBundle(act, testimonies);
}

/** The JSON form of Protocol Buffers in the order of the fields, empty ones left out. */
function formatBundle({ content, signed: { by } }: Act, testimonies: readonly Testimony[]): Uint8Array {
  const entries = testimonies.flatMap((said) => (said.kind === 'entry' ? [toJson(said.entry)] : []));
  const timestamps = testimonies.flatMap((said) =>
    said.kind === 'timestamp' ? [{ signedTimestamp: encodeBase64(said.der) }] : [],
  );
  return encodeUtf8(
    JSON.stringify({
      mediaType: mediaTypes.sigstoreBundle,
      verificationMaterial: {
        ...(by.kind === 'key'
          ? { publicKey: { hint: by.hint } }
          : { certificate: { rawBytes: encodeBase64(by.der) } }),
        ...(entries.length === 0 ? {} : { tlogEntries: entries }),
        ...(timestamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: timestamps } }),
      },
      ...toContent(content),
    }),
  );
}

const hashNames = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

function toContent(content: DsseContent | MessageContent): object {
  if (content.kind === 'message') {
    const { algorithm, digest, signature } = content;
    return {
      messageSignature: {
        messageDigest: { algorithm: hashNames[algorithm], digest: encodeBase64(digest) },
        signature: encodeBase64(signature),
      },
    };
  }
  const { payload, signature } = content.envelope;
  return {
    dsseEnvelope: {
      payload: encodeBase64(payload),
      payloadType,
      signatures: [{ sig: encodeBase64(signature) }],
    },
  };
}

function toJson(entry: LogEntry): object {
  const { proof, signedEntryTimestamp } = entry;
  return {
    logIndex: entry.logIndex,
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.apiVersion },
    ...(entry.integratedTime === '0' ? {} : { integratedTime: entry.integratedTime }),
    ...(signedEntryTimestamp === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: encodeBase64(signedEntryTimestamp) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: proof.logIndex,
            rootHash: encodeBase64(proof.rootHash),
            treeSize: proof.treeSize,
            hashes: proof.hashes.map(encodeBase64),
            ...(proof.checkpoint === undefined ? {} : { checkpoint: { envelope: proof.checkpoint } }),
          },
        }),
    canonicalizedBody: encodeBase64(entry.body),
  };
}
