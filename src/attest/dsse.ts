import { concat, decodeBase64, encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { answer, type Refusal, refused } from './refusal.ts';
import { payloadType } from './statement.ts';

/** A DSSE envelope (secure-systems-lab/dsse v1) with an in-toto payload and exactly one signature. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Unauthenticated; empty where it is absent. */
  readonly keyid: string;
}

/**
 * What DSSE signs: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in bytes. The type is
 * part of it, so that a signature over one kind of document is never one over another kind.
 */
export function preAuthEncoding(type: string, payload: Uint8Array): Uint8Array {
  const typeBytes = encodeUtf8(type);
  return concat([
    encodeUtf8(`DSSEv1 ${typeBytes.length} `),
    typeBytes,
    encodeUtf8(` ${payload.length} `),
    payload,
  ]);
}

/** Refused with `envelope.malformed`, `envelope.payload-type` or `envelope.signatures`. */
export function parseEnvelope(bytes: Uint8Array): Outcome<Envelope, Refusal> {
  return answer('envelope.malformed', () =>
    readEnvelope(new Shape(parseJson(bytes, 'the DSSE envelope', jsonLimits.bundle), 'envelope')),
  );
}

/** @throws a refusal or TcfError; call it inside `answer`. */
export function readEnvelope(shape: Shape): Envelope {
  onlyKeys(shape, ['payload', 'payloadType', 'signatures']);
  const type = shape.get('payloadType').string();
  // Exactly: `text/plain`, parameters or another case would let a signature made for another protocol count
  // as a statement.
  if (type !== payloadType) {
    throw refused('envelope.payload-type', `the payload type is ${quoted(type)}, not ${payloadType}`);
  }
  const signatures = shape.get('signatures').list(100);
  const [signature] = signatures;
  // With two signatures it is not clear which one the certificate and the log entry speak about.
  if (signature === undefined || signatures.length > 1) {
    throw refused('envelope.signatures', `the envelope has ${signatures.length} signatures, not exactly one`);
  }
  onlyKeys(signature, ['keyid', 'sig']);
  return {
    payload: bytesAt(shape.get('payload'), jsonLimits.bundle.maxBytes),
    signature: bytesAt(signature.get('sig')),
    keyid: optionalMember(signature, 'keyid')?.string(1000) ?? '',
  };
}

export function formatEnvelope(envelope: Envelope): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      payload: encodeBase64(envelope.payload),
      payloadType,
      signatures: [{ sig: encodeBase64(envelope.signature), keyid: envelope.keyid }],
    }),
  );
}

/** Standard base64, not empty. Two spellings of the same bytes would be two bundles with one meaning. */
export function bytesAt(shape: Shape, limit = 65_536): Uint8Array {
  const bytes = decodeBase64(shape.string(limit));
  if (bytes === undefined) {
    throw shape.wrong('is not standard base64');
  }
  if (bytes.length === 0) {
    throw shape.wrong('is empty');
  }
  return bytes;
}

/** A member that may be absent; the JSON form of Protocol Buffers spells that `null` too. */
export function optionalMember(shape: Shape, key: string): Shape | undefined {
  const member = shape.optional(key);
  return member === undefined || member.value === null ? undefined : member;
}

/** A field that we do not know could be the one by which another verifier decides, so it ends the reading. */
export function onlyKeys(shape: Shape, known: readonly string[]): void {
  const unknown = Object.keys(shape.record()).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw shape.wrong(`has an unknown field ${quoted(unknown)}`);
  }
}
