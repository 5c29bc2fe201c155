import { verifyBundleAgainst } from '../attest/verify-bundle.ts';
import { decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { fileExists, readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { readArtifact } from './artifact.ts';
import { loadInstance } from './trust/instances.ts';
import { maxKey, maxTrustedRoot } from './trust/trust.ts';

/** Who has to have signed: a key in a file, or an identity at an issuer, both compared whole. */
export type ExpectedSigner =
  | { readonly kind: 'key'; readonly file: string }
  | { readonly kind: 'identity'; readonly identity: string; readonly issuer: string };

export interface VerifyFileRequest {
  /** The artifact, or its digest. */
  readonly artifact: string;
  /** File with the Sigstore bundle. */
  readonly bundle: string;
  readonly expected: ExpectedSigner;
  /** File of the trusted root. Default: the public Sigstore instance. */
  readonly trustedRoot?: string;
  /** Of a key, take a bundle without log entry and timestamp too. */
  readonly allowUnlogged?: boolean;
}

/**
 * Verifies one bundle about one artifact.
 *
 * @throws TcfError `file.unreadable`, `key.malformed` (exit 3), `bytes.too-large`, `document.malformed`,
 *   `trust.*` (exit 2).
 */
export async function verifyFile(
  host: Host,
  request: VerifyFileRequest,
): Promise<ReturnType<typeof verifyBundleAgainst>> {
  const { allowUnlogged = false, artifact, bundle, expected, trustedRoot } = request;
  return verifyBundleAgainst(
    {
      bundle: await readUserFile(host, bundle, jsonLimits.bundle.maxBytes, 'the bundle'),
      trustedRoot:
        trustedRoot === undefined
          ? (await loadInstance(host, 'sigstore')).bytes
          : await readUserFile(host, trustedRoot, maxTrustedRoot, 'the trusted root'),
      expected: expected.kind === 'key' ? await readKey(host, expected.file) : expected,
      artifact: await readFileOrDigest(host, artifact),
      ...(allowUnlogged ? { keyThreshold: { logs: 0, times: 0 } } : {}),
    },
    host.now(),
  );
}

async function readKey(host: Host, file: string): Promise<{ readonly pem: string; readonly name: string }> {
  const pem = decodeUtf8(await readUserFile(host, file, maxKey, 'the key'));
  if (pem === undefined) {
    throw askedWrongly('key.malformed', `${quoted(file)} is not a PEM file`);
  }
  return { pem, name: file };
}

/** As the protocol has it: a digest that is no file on disk is a digest, anything else is a path. */
async function readFileOrDigest(host: Host, text: string): Promise<Uint8Array | Digest> {
  if (isDigest(text) && !fileExists(host, text)) {
    return text;
  }
  return await readArtifact(host, text);
}
