import { createHash } from 'node:crypto';
import { decodeBase64 } from '../base/bytes.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { readDigest } from '../oci/digest.ts';
import type { Bundle, CertificateMaterial, KeyMaterial } from './bundle.ts';
import { bytesAt, onlyKeys, readEnvelope } from './dsse.ts';
import type { LogEntry } from './log-entry.ts';
import { answer, type Refusal, refused } from './refusal.ts';
import { digestSetOf, predicateTypes, type Statement } from './statement.ts';

/**
 * One layer of a `.sig` or `.att` image, as cosign 1 and 2 write it and cosign 3 with
 * `--new-bundle-format=false`: the signed bytes, and in annotations what proves them. None of the annotations
 * is signed; each is checked against what is.
 */
export interface Cosign2Layer {
  readonly mediaType: string;
  readonly content: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

export const cosign2Types = {
  /** The signature is over the content as it is. */
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** The content is a DSSE envelope, with the signature inside. */
  envelope: 'application/vnd.dsse.envelope.v1+json',
} as const;

/**
 * The same evidence as a bundle of version 0.1 holds, and the content of the layer: what was signed, or the
 * envelope as it was logged.
 */
export interface Cosign2Signature {
  readonly bundle: Bundle;
  readonly text: Uint8Array;
}

const names = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  rekor: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

/**
 * Refused with `cosign2.malformed`, `cosign2.type`, or as `parseEnvelope` does. The chain is not read:
 * issuers come from the trusted root.
 */
export function parseCosign2Layer(layer: Cosign2Layer): Outcome<Cosign2Signature, Refusal> {
  return answer('cosign2.malformed', () => {
    const { annotations, content, mediaType } = layer;
    const common = {
      version: '0.1',
      signer: signerOf(annotations),
      entries: entriesOf(annotations),
    } as const;
    switch (mediaType) {
      case cosign2Types.envelope: {
        const envelope = readEnvelope(
          new Shape(parseJson(content, 'the DSSE envelope', jsonLimits.bundle), 'envelope'),
        );
        // The timestamp of an `.att` layer is over the envelope and not over a signature; it proves nothing
        // that the log does not.
        return { bundle: { ...common, content: { kind: 'dsse', envelope }, timestamps: [] }, text: content };
      }
      case cosign2Types.simpleSigning: {
        const digest = createHash('sha256').update(content).digest();
        const signature = base64Of(annotations, names.signature);
        const message = { kind: 'message', algorithm: 'sha256', digest, signature } as const;
        return {
          bundle: { ...common, content: message, timestamps: timestampsOf(annotations) },
          text: content,
        };
      }
      default:
        throw refused('cosign2.type', `a layer of the type ${quoted(mediaType)} is not a cosign signature`);
    }
  });
}

const signatureType = 'cosign container image signature';

/**
 * What a simple-signing payload (containers-signature(5), as cosign fills it) says, in the words of a
 * statement: `critical` names the image, `optional` holds the user's annotations. The docker-reference is
 * kept as the subject's name; mirrors differ in it, so only a policy can ask for it.
 *
 * @throws TcfError or a refusal; call it inside `answer`.
 */
export function readSimpleSigning(payload: Uint8Array): Statement {
  const shape = new Shape(parseJson(payload, 'the signed payload', jsonLimits.small), 'payload');
  onlyKeys(shape, ['critical', 'optional']);
  const critical = shape.get('critical');
  onlyKeys(critical, ['identity', 'image', 'type']);
  const type = critical.get('type').string(200);
  // The same key may sign other things in this form, atomic container signatures among them.
  if (type !== signatureType) {
    throw refused('statement.malformed', `payload.critical.type is ${quoted(type)}, not ${signatureType}`);
  }
  onlyKeys(critical.get('image'), ['docker-manifest-digest']);
  const name = critical.get('identity').optional('docker-reference')?.string(2000) ?? '';
  const optional = shape.get('optional');
  const entries = optional.missing || optional.value === null ? {} : optional.record();
  const digest = readDigest(critical.get('image').get('docker-manifest-digest'));
  return {
    type: signatureType,
    subjects: [
      {
        ...(name === '' ? {} : { name }),
        digests: [digest],
        digestSet: digestSetOf([digest]),
        annotations: Object.fromEntries(
          Object.entries(entries).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
        ),
      },
    ],
    predicateType: predicateTypes.signature,
    predicate: {},
  };
}

const oneCertificate =
  /^\s*-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/;

function signerOf(annotations: Cosign2Layer['annotations']): CertificateMaterial | KeyMaterial {
  const pem = annotations[names.certificate];
  if (pem === undefined || pem === '') {
    return { kind: 'key' };
  }
  const der = decodeBase64(oneCertificate.exec(pem)?.[1]?.replaceAll(/[\r\n]/g, '') ?? '');
  if (der === undefined || der.length === 0) {
    throw refused('cosign2.malformed', 'its certificate is not one certificate in PEM');
  }
  return { kind: 'certificate', leaf: der, chain: [] };
}

/** Rekor's answer as cosign keeps it: a promise (SET), never a proof of inclusion. */
function entriesOf(annotations: Cosign2Layer['annotations']): readonly LogEntry[] {
  const text = annotations[names.rekor];
  if (text === undefined || text === '') {
    return [];
  }
  const shape = new Shape(parseJson(text, 'the log entry', jsonLimits.bundle), 'rekor');
  onlyKeys(shape, ['SignedEntryTimestamp', 'Payload']);
  const payload = shape.get('Payload');
  onlyKeys(payload, ['body', 'integratedTime', 'logIndex', 'logID']);
  const body = bytesAt(payload.get('body'), jsonLimits.bundle.maxBytes);
  const kindVersion = new Shape(parseJson(body, 'the log entry', jsonLimits.bundle), 'rekor.Payload.body');
  const logId = payload.get('logID').string(200);
  if (!/^[0-9a-f]{64}$/.test(logId)) {
    throw payload.get('logID').wrong('is not a SHA-256 in lower-case hex');
  }
  return [
    {
      kind: kindVersion.get('kind').string(100),
      apiVersion: kindVersion.get('apiVersion').string(100),
      logId: Buffer.from(logId, 'hex'),
      logIndex: String(payload.get('logIndex').whole()),
      integratedTime: String(payload.get('integratedTime').whole()),
      signedEntryTimestamp: bytesAt(shape.get('SignedEntryTimestamp')),
      body,
    },
  ];
}

function timestampsOf(annotations: Cosign2Layer['annotations']): readonly Uint8Array[] {
  const text = annotations[names.timestamp];
  if (text === undefined || text === '') {
    return [];
  }
  const shape = new Shape(parseJson(text, 'the timestamp', jsonLimits.small), 'timestamp');
  onlyKeys(shape, ['SignedRFC3161Timestamp']);
  return [bytesAt(shape.get('SignedRFC3161Timestamp'))];
}

function base64Of(annotations: Cosign2Layer['annotations'], name: string): Uint8Array {
  const bytes = decodeBase64(annotations[name] ?? '');
  if (bytes === undefined || bytes.length === 0) {
    throw refused('cosign2.malformed', `its annotation ${name} is not base64`);
  }
  return bytes;
}
