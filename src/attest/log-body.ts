import { decodeBase64, toHex } from '../base/bytes.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import type { HashName, SignedContent } from './content.ts';
import { bytesAt } from './dsse.ts';
import type { LogEntry } from './log-entry.ts';
import { refused } from './refusal.ts';

/** What a log entry says was logged. That its kind is the announced one is for @sigstore/verify. */
type Logged = {
  /** The certificate or the public key (SPKI) of the signer, in DER. */
  readonly signer: Uint8Array;
  readonly algorithm: HashName;
  readonly digest: Uint8Array;
} & (
  | { readonly over: 'signed' | 'payload'; readonly signature: Uint8Array }
  /** The digest is that of the whole envelope, the signature in it included. */
  | { readonly over: 'envelope' }
);

/** Kinds whose bodies are read here only; about an entry of theirs @sigstore/verify is not asked. */
export function isOwnKind({ apiVersion, kind }: LogEntry): boolean {
  return kind === 'intoto' && apiVersion === '0.0.1';
}

/**
 * Compares the body of a log entry with this bundle. An entry that proves the inclusion of somebody else's
 * signature proves nothing here: CVE-2022-36056 and CVE-2026-22703 accepted one whose signature or key was
 * another's.
 *
 * Refused with `log.body`, `log.unsupported`, `log.signature`, `log.key` or `log.digest`.
 * @throws a refusal or TcfError; call it inside `answer`.
 */
export function checkLogBody(entry: LogEntry, content: SignedContent, signer: Uint8Array): void {
  const logged = readBody(entry);
  if (logged.over !== 'envelope' && toHex(logged.signature) !== toHex(content.signature)) {
    throw refused('log.signature', 'the log entry was made for another signature');
  }
  if (toHex(logged.signer) !== toHex(signer)) {
    throw refused('log.key', 'the log entry was made for another certificate or key');
  }
  const digest = digestOf(content, logged);
  if (digest === undefined || toHex(logged.digest) !== toHex(digest)) {
    throw refused('log.digest', 'the log entry was made for another artifact');
  }
  if (logged.over === 'payload' && content.kind !== 'dsse') {
    throw refused('log.body', 'the log entry is about an envelope, the bundle holds none');
  }
}

function digestOf(content: SignedContent, { algorithm, over }: Logged): Uint8Array | undefined {
  if (over === 'signed') {
    return content.signedDigest(algorithm);
  }
  if (over === 'payload') {
    return content.payloadDigest(algorithm);
  }
  // A bundle holds the parts of an envelope and not its text, which alone leads to this digest.
  if (content.envelopeDigest === undefined) {
    throw refused(
      'log.unsupported',
      'the log entry holds a digest of the envelope as it was written, which is not here',
    );
  }
  return content.envelopeDigest(algorithm);
}

function readBody(entry: LogEntry): Logged {
  const body = new Shape(parseJson(entry.body, 'the log entry', jsonLimits.bundle), 'logEntry');
  const kind = body.get('kind').string(100);
  const version = body.get('apiVersion').string(100);
  // Of other kinds @sigstore/verify says whether the announced one is that of the body.
  if (isOwnKind(entry) && !isOwnKind({ ...entry, kind, apiVersion: version })) {
    throw refused('log.body', 'the log entry is of another kind than the one announced');
  }
  const spec = body.get('spec');
  switch (`${kind} ${version}`) {
    case 'hashedrekord 0.0.1':
      return readHashedRekord1(spec);
    case 'hashedrekord 0.0.2':
      return readHashedRekord2(spec.get('hashedRekordV002'));
    case 'dsse 0.0.1':
      return readDsse1(spec);
    case 'dsse 0.0.2':
      return readDsse2(spec.get('dsseV002'));
    case 'intoto 0.0.1':
      return readIntoto1(spec);
    case 'intoto 0.0.2':
      return readIntoto2(spec.get('content'));
    default:
      throw refused(
        'log.unsupported',
        `tcf does not know log entries of kind ${printable(kind)} ${printable(version)}`,
      );
  }
}

function readHashedRekord1(spec: Shape): Logged {
  const signature = spec.get('signature');
  return {
    signature: bytesAt(signature.get('content')),
    signer: readPem(signature.get('publicKey').get('content')),
    over: 'signed',
    ...readHexDigest(spec.get('data').get('hash')),
  };
}

/** Rekor v2, as this tool asks for it: the digest is that of the DSSE pre-authentication encoding. */
function readHashedRekord2(spec: Shape): Logged {
  const signature = spec.get('signature');
  return {
    signature: bytesAt(signature.get('content')),
    signer: readVerifier(signature.get('verifier')),
    over: 'signed',
    ...readDigest2(spec.get('data')),
  };
}

/** Rekor v2, as cosign 3 asks for it: the digest is that of the payload. */
function readDsse2(spec: Shape): Logged {
  const signature = onlySignature(spec.get('signatures'));
  return {
    signature: bytesAt(signature.get('content')),
    signer: readVerifier(signature.get('verifier')),
    over: 'payload',
    ...readDigest2(spec.get('payloadHash')),
  };
}

function readVerifier(verifier: Shape): Uint8Array {
  const certificate = verifier.optional('x509Certificate');
  const key = verifier.optional('publicKey');
  if ((certificate === undefined) === (key === undefined)) {
    throw verifier.wrong('needs exactly one of x509Certificate, publicKey');
  }
  return bytesAt((certificate ?? verifier.get('publicKey')).get('rawBytes'));
}

function readDigest2(shape: Shape): Pick<Logged, 'algorithm' | 'digest'> {
  return {
    algorithm: readAlgorithm(shape.get('algorithm'), hashNames2),
    digest: bytesAt(shape.get('digest')),
  };
}

function readDsse1(spec: Shape): Logged {
  const signature = onlySignature(spec.get('signatures'));
  return {
    signature: bytesAt(signature.get('signature')),
    signer: readPem(signature.get('verifier')),
    over: 'payload',
    ...readHexDigest(spec.get('payloadHash')),
  };
}

/**
 * As cosign 1 and 2 asked for it: neither envelope nor signature, but the digest of the envelope's text,
 * which the log has made itself.
 */
function readIntoto1(spec: Shape): Logged {
  return {
    signer: readPem(spec.get('publicKey')),
    over: 'envelope',
    ...readHexDigest(spec.get('content').get('hash')),
  };
}

function readIntoto2(content: Shape): Logged {
  const signature = onlySignature(content.get('envelope').get('signatures'));
  const inner = signature.get('sig');
  // The log encodes the signature, which is base64 text already, a second time.
  const bytes = decodeBase64(Buffer.from(bytesAt(inner)).toString('latin1'));
  if (bytes === undefined) {
    throw inner.wrong('is not base64 of base64');
  }
  return {
    signature: bytes,
    signer: readPem(signature.get('publicKey')),
    over: 'payload',
    ...readHexDigest(content.get('payloadHash')),
  };
}

function onlySignature(signatures: Shape): Shape {
  const [signature, ...others] = signatures.list(16);
  if (signature === undefined || others.length > 0) {
    throw signatures.wrong('has not exactly one entry');
  }
  return signature;
}

const hashNames1: Readonly<Record<string, HashName>> = {
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
};
const hashNames2: Readonly<Record<string, HashName>> = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
};

function readAlgorithm(shape: Shape, names: Readonly<Record<string, HashName>>): HashName {
  const text = shape.string(100);
  const name = Object.hasOwn(names, text) ? names[text] : undefined;
  if (name === undefined) {
    throw shape.wrong(`is ${quoted(text)}, which tcf does not know`);
  }
  return name;
}

function readHexDigest(shape: Shape): { readonly algorithm: HashName; readonly digest: Uint8Array } {
  const value = shape.get('value');
  const hex = value.string(200);
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) {
    throw value.wrong('is not lower-case hex');
  }
  return { algorithm: readAlgorithm(shape.get('algorithm'), hashNames1), digest: Buffer.from(hex, 'hex') };
}

const onePem = /^\s*-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/;

/** base64 of one PEM block. */
function readPem(shape: Shape): Uint8Array {
  const [, label, text = ''] = onePem.exec(Buffer.from(bytesAt(shape)).toString('latin1')) ?? [];
  const der = decodeBase64(text.replaceAll(/[\r\n]/g, ''));
  if (label === undefined || der === undefined) {
    throw shape.wrong('is not one certificate or public key in PEM');
  }
  return der;
}
