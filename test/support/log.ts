import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodeBase64 } from '../../src/base/bytes.ts';
import { keyBundle, type Loose, type TestKey } from './key-bundle.ts';

/** A Rekor v1 of one leaf: each entry is the whole tree, under a checkpoint and a promise. */

export interface TestLog {
  readonly id: Buffer;
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly spki: Buffer;
}

export const integratedAt: Date = new Date('2026-01-01T00:05:00Z');

export function testLog(name = 'rekor.test'): TestLog {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return { id: createHash('sha256').update(spki).digest(), name, privateKey, spki };
}

/** `trusted_root.json` with these logs, for tests to change. */
export function rootOf(...logs: readonly TestLog[]): Loose {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: logs.map(({ id, name, spki }) => ({
      baseUrl: `https://${name}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: encodeBase64(spki),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: '2026-01-01T00:00:00Z' },
      },
      logId: { keyId: encodeBase64(id) },
    })),
    certificateAuthorities: [],
    timestampAuthorities: [],
    ctlogs: [],
  };
}

/** What Rekor v1 writes down about a DSSE envelope signed with a key. */
export function dsseBody(bundle: Loose, pem: string): Loose {
  const { payload, signatures } = bundle.dsseEnvelope;
  const value = createHash('sha256').update(Buffer.from(payload, 'base64')).digest('hex');
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      payloadHash: { algorithm: 'sha256', value },
      signatures: [{ signature: signatures[0].sig, verifier: Buffer.from(pem).toString('base64') }],
    },
  };
}

export interface EntryParts {
  readonly origin?: string;
  readonly size?: string;
  /** The root that the checkpoint names, where it is not that of the proof. */
  readonly root?: string;
  readonly signer?: string;
  /** Seconds since 1970, in place of `integratedAt`. */
  readonly integratedTime?: number;
}

/** An entry of this log about `body`; everything in it is genuine, also where the body is somebody else's. */
export function logEntry(log: TestLog, body: Loose, parts: EntryParts = {}): Loose {
  const canonicalizedBody = Buffer.from(JSON.stringify(body));
  const integratedTime = parts.integratedTime ?? integratedAt.getTime() / 1000;
  const promise = JSON.stringify({
    body: canonicalizedBody.toString('base64'),
    integratedTime,
    logID: log.id.toString('hex'),
    logIndex: 7,
  });
  const rootHash = createHash('sha256')
    .update(Buffer.from([0]))
    .update(canonicalizedBody)
    .digest('base64');
  const note = `${parts.origin ?? `${log.name} - 1`}\n${parts.size ?? '1'}\n${parts.root ?? rootHash}\n`;
  const noteSignature = Buffer.concat([
    log.id.subarray(0, 4),
    sign('sha256', Buffer.from(note), log.privateKey),
  ]);
  return {
    logIndex: '7',
    logId: { keyId: log.id.toString('base64') },
    kindVersion: { kind: body.kind, version: body.apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: {
      signedEntryTimestamp: sign('sha256', Buffer.from(promise), log.privateKey).toString('base64'),
    },
    inclusionProof: {
      logIndex: '0',
      treeSize: '1',
      rootHash,
      hashes: [],
      checkpoint: {
        envelope: `${note}\n\u2014 ${parts.signer ?? log.name} ${noteSignature.toString('base64')}\n`,
      },
    },
    canonicalizedBody: canonicalizedBody.toString('base64'),
  };
}

/** A bundle signed by a key and logged. */
export function loggedBundle(key: TestKey, log: TestLog): Loose {
  const bundle = keyBundle(key);
  bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, key.pem))];
  return bundle;
}
