import { type Envelope, preAuthEncoding } from '../attest/dsse.ts';
import type { LogEntry } from '../attest/log-entry.ts';
import { payloadType } from '../attest/statement.ts';
import { encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Signed, Signer } from './signer.ts';
import type { Testimony, Witness } from './witness.ts';

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
  const preAuth = preAuthEncoding(payloadType, statement);
  const signed = await signer.sign(preAuth);
  // No keyid, as cosign writes none: cosign 3.0.6 refuses an envelope whose keyid is the hint of the bundle.
  const envelope: Envelope = { payload: statement, signature: signed.signature, keyid: '' };
  const testimonies: Testimony[] = [];
  for (const witness of witnesses) testimonies.push(await witness({ envelope, signed, preAuth }));
  return formatBundle(envelope, signed, testimonies);
}

/** The JSON form of Protocol Buffers in the order of the fields, empty ones left out. */
export function formatBundle(
  envelope: Envelope,
  { by }: Signed,
  testimonies: readonly Testimony[],
): Uint8Array {
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
      dsseEnvelope: {
        payload: encodeBase64(envelope.payload),
        payloadType,
        signatures: [{ sig: encodeBase64(envelope.signature) }],
      },
    }),
  );
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
