import { jsonLimits, parseJson } from '../base/json.ts';
import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { bytesAt, type Envelope, onlyKeys, optionalMember, readEnvelope } from './dsse.ts';
import { type LogEntry, readLogEntry } from './log-entry.ts';
import { answer, type Refusal, refused } from './refusal.ts';

/**
 * A Sigstore bundle (protobuf-specs `sigstore_bundle.proto`) after the strict parser: well formed, nothing
 * proven.
 */
export interface Bundle {
  readonly version: BundleVersion;
  readonly content: DsseContent | MessageContent;
  readonly signer: CertificateMaterial | KeyMaterial;
  readonly entries: readonly LogEntry[];
  /** RFC 3161 `TimeStampResp` in DER. */
  readonly timestamps: readonly Uint8Array[];
}

export type BundleVersion = '0.1' | '0.2' | '0.3';

export interface DsseContent {
  readonly kind: 'dsse';
  readonly envelope: Envelope;
}

export interface MessageContent {
  readonly kind: 'message';
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CertificateMaterial {
  readonly kind: 'certificate';
  /**
   * The leaf in DER. Further certificates of a chain are read but never used: issuers come from the trusted
   * root.
   */
  readonly leaf: Uint8Array;
  readonly chain: readonly Uint8Array[];
}

export interface KeyMaterial {
  readonly kind: 'key';
  /** Absent in the format of cosign 2, which does not say which key it was. */
  readonly hint?: string;
}

/** Exactly these: `v9.9` or `version=0.3junk` pass the prefix patterns of other readers. */
const versions: ReadonlyMap<string, BundleVersion> = new Map([
  ['application/vnd.dev.sigstore.bundle+json;version=0.1', '0.1'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.2', '0.2'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.3', '0.3'],
  ['application/vnd.dev.sigstore.bundle.v0.3+json', '0.3'],
]);

/** Log entries, and timestamps. Real bundles have one of each; every one costs a signature check. */
const maxEvidence = 16;
const maxChain = 10;

const hashAlgorithms = {
  SHA2_256: { algorithm: 'sha256', size: 32 },
  SHA2_384: { algorithm: 'sha384', size: 48 },
  SHA2_512: { algorithm: 'sha512', size: 64 },
} as const;

/**
 * Reads a bundle of version 0.1, 0.2 or 0.3 in JSON. Unknown fields are refused, always: another verifier
 * might decide by one. `null` is an absent field, and absent numbers are zero, as the JSON form of Protocol
 * Buffers has it.
 *
 * Refused with `bundle.malformed`, `bundle.version`, `bundle.content`, or as `parseEnvelope` does.
 */
export function parseBundle(bytes: Uint8Array): Outcome<Bundle, Refusal> {
  return answer('bundle.malformed', () => {
    const shape = new Shape(parseJson(bytes, 'the bundle', jsonLimits.bundle), 'bundle');
    const version = readVersion(shape.get('mediaType'));
    onlyKeys(shape, ['mediaType', 'verificationMaterial', 'dsseEnvelope', 'messageSignature']);
    const material = shape.get('verificationMaterial');
    onlyKeys(material, [
      'publicKey',
      'certificate',
      'x509CertificateChain',
      'tlogEntries',
      'timestampVerificationData',
    ]);
    return {
      version,
      content: readContent(shape),
      signer: readSigner(material, version),
      entries: (optionalMember(material, 'tlogEntries')?.list(maxEvidence) ?? []).map((entry) =>
        readLogEntry(entry, version === '0.1' ? 'promise' : 'proof'),
      ),
      timestamps: readTimestamps(material),
    };
  });
}

function readVersion(mediaType: Shape): BundleVersion {
  const text = mediaType.string();
  const version = versions.get(text);
  if (version === undefined) {
    throw refused(
      'bundle.version',
      `the media type ${quoted(text)} is not a bundle of version 0.1, 0.2 or 0.3`,
    );
  }
  return version;
}

/** The one member of a `oneof` that is present; two would be two meanings. */
function oneOf<Key extends string>(shape: Shape, keys: readonly Key[]): readonly [Key, Shape] {
  const present = keys.flatMap((key) => {
    const member = optionalMember(shape, key);
    return member === undefined ? [] : [[key, member] as const];
  });
  const [only] = present;
  if (only === undefined || present.length > 1) {
    throw refused('bundle.content', `${shape.path} needs exactly one of ${keys.join(', ')}`);
  }
  return only;
}

function readContent(bundle: Shape): DsseContent | MessageContent {
  const [key, content] = oneOf(bundle, ['dsseEnvelope', 'messageSignature']);
  if (key === 'dsseEnvelope') {
    return { kind: 'dsse', envelope: readEnvelope(content) };
  }
  onlyKeys(content, ['messageDigest', 'signature']);
  const message = content.get('messageDigest');
  onlyKeys(message, ['algorithm', 'digest']);
  const name = message.get('algorithm').string(100);
  if (!isHashName(name)) {
    throw message.get('algorithm').wrong(`is ${quoted(name)}, which tcf does not know`);
  }
  const { algorithm, size } = hashAlgorithms[name];
  const digest = bytesAt(message.get('digest'));
  if (digest.length !== size) {
    throw message.get('digest').wrong(`has ${digest.length} bytes, not ${size}`);
  }
  return { kind: 'message', algorithm, digest, signature: bytesAt(content.get('signature')) };
}

function isHashName(name: string): name is keyof typeof hashAlgorithms {
  return Object.hasOwn(hashAlgorithms, name);
}

function readSigner(material: Shape, version: BundleVersion): CertificateMaterial | KeyMaterial {
  const [key, content] = oneOf(material, ['publicKey', 'certificate', 'x509CertificateChain']);
  switch (key) {
    case 'publicKey':
      onlyKeys(content, ['hint']);
      return { kind: 'key', hint: content.get('hint').string(1000) };
    case 'certificate':
      if (version !== '0.3') {
        throw content.wrong('is known from version 0.3 on');
      }
      return { kind: 'certificate', leaf: readCertificate(content), chain: [] };
    case 'x509CertificateChain': {
      // Version 0.3 took the chain away, because verifiers trusted what stood in it.
      if (version === '0.3') {
        throw content.wrong('is not allowed in version 0.3');
      }
      onlyKeys(content, ['certificates']);
      const [leaf, ...chain] = content.get('certificates').list(maxChain).map(readCertificate);
      if (leaf === undefined) {
        throw content.wrong('is empty');
      }
      return { kind: 'certificate', leaf, chain };
    }
  }
}

function readCertificate(shape: Shape): Uint8Array {
  onlyKeys(shape, ['rawBytes']);
  return bytesAt(shape.get('rawBytes'));
}

function readTimestamps(material: Shape): readonly Uint8Array[] {
  const data = optionalMember(material, 'timestampVerificationData');
  if (data === undefined) {
    return [];
  }
  onlyKeys(data, ['rfc3161Timestamps']);
  return (optionalMember(data, 'rfc3161Timestamps')?.list(maxEvidence) ?? []).map((timestamp) => {
    onlyKeys(timestamp, ['signedTimestamp']);
    return bytesAt(timestamp.get('signedTimestamp'));
  });
}
