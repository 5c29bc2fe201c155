import { createPublicKey, type PublicKeyInput } from 'node:crypto';
import type { X509Certificate } from '@sigstore/core';
import { TrustedRoot as RootMessage } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { cannotTell, reasonOf } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { extendedUsagesOf, workedOutOnce } from './certificate.ts';
import { bytesAt, optionalMember } from './dsse.ts';
import type { TrustedKey } from './trusted-key.ts';

/**
 * Certificate authorities, timestamp authorities and logs of one Sigstore instance, each with its validity.
 */
export interface TrustedRoot {
  readonly material: TrustMaterial;
  /** Digest of the file: part of the key under which verifications are cached. */
  readonly digest: Digest;
  /** The latest start of any entry: how old this knowledge is at most. */
  readonly newest: Date;
}

/** What a signature by a key needs: distinct logs, and trusted times of any kind. */
export interface KeyThreshold {
  readonly logs: number;
  readonly times: number;
}

/** Whom a verification believes. */
export interface Trust {
  /**
   * Each one is a closed domain: certificate, log and timestamp of one bundle come from one and the same
   * root.
   */
  readonly roots: readonly TrustedRoot[];
  readonly keys: readonly TrustedKey[];
  /**
   * What a signature by a key needs; nothing where absent. Keyless thresholds follow from the root and are
   * not configurable.
   */
  readonly keyThreshold?: KeyThreshold;
}

const mediaTypes = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];

/** The public good instance has two to four entries of each kind; Sigstore's staging has ten logs. */
const maxEntries = 64;

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * Reads `trusted_root.json` (protobuf-specs `sigstore_trustroot.proto`). Unknown fields are ignored: this
 * file comes from TUF and grows while older programs read it. What decides is strict: an entry without
 * `validFor.start` would be valid for ever (gap of
 * @sigstore/verify), so it ends the reading.
 *
 * @throws TcfError `trust.malformed`, `json.malformed` or `document.malformed` (exit 2).
 */
export function parseTrustedRoot(bytes: Uint8Array, what = 'the trusted root'): TrustedRoot {
  const json = parseJson(bytes, what, jsonLimits.small);
  const shape = new Shape(json, 'trustedRoot');
  const mediaType = shape.get('mediaType').string(200);
  if (!mediaTypes.includes(mediaType)) {
    throw shape.get('mediaType').wrong(`is ${quoted(mediaType)}, which tcf does not know`);
  }
  const starts = [
    ...entries(shape, 'tlogs').map(checkLog),
    ...entries(shape, 'ctlogs').map(checkLog),
    ...entries(shape, 'certificateAuthorities').map(checkAuthority),
    ...entries(shape, 'timestampAuthorities').map(checkAuthority),
  ];
  const newest = new Date(Math.max(0, ...starts.map(Number)));
  return { material: toMaterial(json, what), digest: digestOf(bytes), newest };
}

function entries(root: Shape, key: string): readonly Shape[] {
  return optionalMember(root, key)?.list(maxEntries) ?? [];
}

function checkLog(log: Shape): Date {
  log.get('baseUrl').string(2000);
  bytesAt(log.get('logId').get('keyId'));
  const key = log.get('publicKey');
  bytesAt(key.get('rawBytes'));
  key.get('keyDetails').string(100);
  return startOf(key.get('validFor'));
}

function checkAuthority(authority: Shape): Date {
  const certificates = authority.get('certChain').get('certificates').list(10);
  if (certificates.length === 0) throw authority.get('certChain').wrong('is empty');
  for (const certificate of certificates) bytesAt(certificate.get('rawBytes'));
  return startOf(authority.get('validFor'));
}

function startOf(window: Shape): Date {
  const end = optionalMember(window, 'end');
  if (end !== undefined) readTime(end);
  return readTime(window.get('start'));
}

function readTime(shape: Shape): Date {
  const text = shape.string(40);
  const time = new Date(text);
  if (!rfc3339.test(text) || Number.isNaN(time.getTime()))
    throw shape.wrong('is not a time such as 2026-01-31T00:00:00Z');
  return time;
}

const timeStamping = '1.3.6.1.5.5.7.3.8';

function toMaterial(json: unknown, what: string): TrustMaterial {
  try {
    const material = toTrustMaterial(RootMessage.fromJSON(json));
    for (const { certChain } of [...material.certificateAuthorities, ...material.timestampAuthorities]) {
      // Certificates are read lazily; looking at each one here finds a broken one before any bundle depends
      // on it.
      for (const certificate of certChain) createPublicKey(spkiOf(workedOutOnce(certificate)));
    }
    // RFC 3161 section 2.3: a key that may also sign other things could be talked into signing a time.
    const leaves = material.timestampAuthorities.flatMap(({ certChain }) => certChain.slice(0, 1));
    if (!leaves.every(mayStampTime)) {
      throw new Error('a timestamp certificate lacks the usage timeStamping');
    }
    return material;
  } catch (error) {
    // @sigstore and OpenSSL throw errors without a common class at keys and certificates that they cannot
    // read.
    throw cannotTell('trust.malformed', `cannot use ${what}: ${printable(reasonOf(error))}`, {
      cause: error,
    });
  }
}

function spkiOf(certificate: X509Certificate): PublicKeyInput {
  return { key: certificate.publicKey, format: 'der', type: 'spki' };
}

function mayStampTime(leaf: X509Certificate): boolean {
  return extendedUsagesOf(leaf).includes(timeStamping);
}
