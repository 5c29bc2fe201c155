import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { jsonBytes, keyBundle, type Loose, testKey } from '../support/key-bundle.ts';
import { loggedBundle, testLog } from '../support/log.ts';

/* The form of a bundle: what the strict parser refuses before anything is proven. */

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const version = (text: string) => ({ mediaType: `application/vnd.dev.sigstore.bundle+json;version=${text}` });
const timestampVerificationData = () => ({ rfc3161Timestamps: [{ signedTimestamp: base64('a timestamp') }] });

function logged(): Loose {
  const bundle = loggedBundle(testKey(), testLog());
  bundle.verificationMaterial.timestampVerificationData = timestampVerificationData();
  return bundle;
}

const message = (): Loose => ({
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: {
    certificate: { rawBytes: base64('a certificate') },
    timestampVerificationData: timestampVerificationData(),
  },
  messageSignature: {
    messageDigest: { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') },
    signature: base64('a signature'),
  },
});

const chained = (): Loose => {
  const { dsseEnvelope } = keyBundle(testKey());
  const certificates = [{ rawBytes: base64('a certificate') }, { rawBytes: base64('another') }];
  return {
    ...version('0.2'),
    verificationMaterial: { x509CertificateChain: { certificates } },
    dsseEnvelope,
  };
};

const samples = [
  ['an envelope by a key, logged', logged],
  ['a signature over bytes', message],
  ['a chain of certificates', chained],
] as const;

function* objectsOf(value: Loose, path = 'bundle'): Generator<readonly [string, Loose]> {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  if (!Array.isArray(value)) {
    yield [path, value];
  }
  for (const [key, member] of Object.entries(value)) {
    yield* objectsOf(member, `${path}.${key}`);
  }
}

test.for(['tlogEntries', 'timestampVerificationData'])('%s may be null, which is absent', (member) => {
  const bundle = logged();
  bundle.verificationMaterial[member] = null;
  expect(parseBundle(jsonBytes(bundle))).toMatchObject({ ok: true });
});

describe.for(samples)('%s', ([, make]) => {
  test('is read', () => {
    expect(parseBundle(jsonBytes(make()))).toMatchObject({ ok: true });
  });

  test.for([...objectsOf(make())].map(([path]) => path))('%s takes no field that is not known', (path) => {
    const bundle = make();
    for (const [at, object] of objectsOf(bundle)) {
      if (at === path) {
        object.more = 1;
      }
    }
    expect(parseBundle(jsonBytes(bundle))).toMatchObject({ ok: false, reason: { code: expect.anything() } });
  });
});

const changed = (make: () => Loose, change: (bundle: Loose) => void): Loose => {
  const bundle = make();
  change(bundle);
  return bundle;
};

test.for<[string, string, Loose]>([
  [
    'a hash that is not known',
    'bundle.malformed',
    changed(message, ({ messageSignature }) => (messageSignature.messageDigest.algorithm = 'SHA3_256')),
  ],
  [
    'a hash by the name of a member of every object',
    'bundle.malformed',
    changed(message, ({ messageSignature }) => (messageSignature.messageDigest.algorithm = 'constructor')),
  ],
  [
    'a digest of another length than its hash',
    'bundle.malformed',
    changed(message, ({ messageSignature }) => (messageSignature.messageDigest.algorithm = 'SHA2_512')),
  ],
  [
    'a chain without certificates',
    'bundle.malformed',
    changed(
      chained,
      ({ verificationMaterial }) => (verificationMaterial.x509CertificateChain.certificates = []),
    ),
  ],
  [
    'a chain in version 0.3',
    'bundle.malformed',
    changed(chained, (bundle) => Object.assign(bundle, version('0.3'))),
  ],
  [
    'a single certificate in version 0.2',
    'bundle.malformed',
    changed(message, (bundle) => Object.assign(bundle, version('0.2'))),
  ],
  [
    'an envelope and a signature at once',
    'bundle.content',
    changed(message, (bundle) => (bundle.dsseEnvelope = logged().dsseEnvelope)),
  ],
  ['neither of them', 'bundle.content', changed(message, (bundle) => delete bundle.messageSignature)],
  [
    'a key and a certificate at once',
    'bundle.content',
    changed(message, ({ verificationMaterial }) => (verificationMaterial.publicKey = { hint: 'x' })),
  ],
  ['another version', 'bundle.version', changed(logged, (bundle) => Object.assign(bundle, version('0.4')))],
  [
    'more log entries than any real bundle',
    'bundle.malformed',
    changed(logged, ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = Array(17).fill(verificationMaterial.tlogEntries[0]);
    }),
  ],
])('%s is refused', ([, code, bundle]) => {
  expect(parseBundle(jsonBytes(bundle))).toMatchObject({ ok: false, reason: { code } });
});
