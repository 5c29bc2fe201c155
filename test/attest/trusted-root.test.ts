import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publicGoodRoot } from '../../src/attest/public-good.ts';
import { usable } from '../../src/attest/root-material.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { jsonBytes, type Loose } from '../support/key-bundle.ts';
import { newKey, spkiOf } from '../support/sigstore/authority.ts';

const data = join(import.meta.dirname, '../../src/attest/data');

test('the root that tcf carries is the file that its notice names', () => {
  const file = readFileSync(join(data, 'trusted-root.json'));
  expect(readFileSync(join(data, 'NOTICE'), 'utf8')).toContain(hexOf(digestOf(file)));
});

test('the root that tcf carries knows the logs and authorities of the public instance', () => {
  const { material, newest } = parseTrustedRoot(publicGoodRoot());
  expect(material.tlogs.map(({ baseURL }) => baseURL)).toEqual([
    'https://rekor.sigstore.dev',
    'https://log2025-1.rekor.sigstore.dev',
  ]);
  expect(material.certificateAuthorities).toHaveLength(2);
  expect(material.timestampAuthorities).toHaveLength(1);
  expect(newest.getUTCFullYear()).toBe(2025);
});

test('a root knows no key of a user', () => {
  expect(() => parseTrustedRoot(publicGoodRoot()).material.publicKey('x')).toThrow('holds no key "x"');
});

test('the id by which the checkpoints of a log call its key is the one that counts', () => {
  const keyId = Buffer.alloc(32, 7).toString('base64');
  const { material } = parseTrustedRoot(root((r) => (r.tlogs[0].checkpointKeyId = { keyId })));
  expect(material.tlogs[0]?.logID).toEqual(Buffer.alloc(32, 7));
});

function root(change: (root: Loose) => void): Uint8Array {
  const document = JSON.parse(readFileSync(join(data, 'trusted-root.json'), 'utf8'));
  change(document);
  return jsonBytes(document);
}

test('a field that a later Sigstore adds is ignored', () => {
  expect(parseTrustedRoot(root((r) => (r.tlogs[0].operator = 'sigstore.dev'))).material.tlogs).toHaveLength(
    2,
  );
});

describe('is not believed', () => {
  test.for<[string, string, (root: Loose) => void]>([
    ['another media type', 'document.malformed', (r) => (r.mediaType += '9')],
    ['a log without a start', 'document.malformed', (r) => delete r.tlogs[0].publicKey.validFor.start],
    ['a log without a validity', 'document.malformed', (r) => delete r.tlogs[0].publicKey.validFor],
    ['a CT log without a start', 'document.malformed', (r) => (r.ctlogs[0].publicKey.validFor.start = null)],
    [
      'an authority without a start',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].validFor = {}),
    ],
    [
      'a time in another form',
      'document.malformed',
      (r) => (r.tlogs[0].publicKey.validFor.start = '1 May 2021'),
    ],
    [
      'a year of six digits',
      'document.malformed',
      (r) => (r.tlogs[0].publicKey.validFor.start = '+002021-01-12T11:53:27Z'),
    ],
    ['a NUL behind a time', 'document.malformed', (r) => (r.tlogs[0].publicKey.validFor.start += '\0')],
    [
      'a day that does not exist',
      'document.malformed',
      (r) => (r.tlogs[0].publicKey.validFor.start = '2021-13-01T00:00:00Z'),
    ],
    [
      'an end in another form',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].validFor.end = 'soon'),
    ],
    [
      'a log of an unknown kind whose key is in another spelling of base64',
      'document.malformed',
      (r) => Object.assign(r.tlogs[0].publicKey, { keyDetails: 'PKIX_NEW', rawBytes: 'AAAA\n' }),
    ],
    [
      'a log of an unknown kind without an id',
      'document.malformed',
      (r) => {
        r.tlogs[0].publicKey.keyDetails = 'PKIX_NEW';
        delete r.tlogs[0].logId;
      },
    ],
    [
      'a log of an unknown kind without an address',
      'document.malformed',
      (r) => {
        r.tlogs[0].publicKey.keyDetails = 'PKIX_NEW';
        delete r.tlogs[0].baseUrl;
      },
    ],
    ['an end that is a number', 'document.malformed', (r) => (r.certificateAuthorities[0].validFor.end = 5)],
    [
      'an authority without certificates',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].certChain.certificates = []),
    ],
    [
      'a certificate in another spelling of base64',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].certChain.certificates[0].rawBytes += '\n'),
    ],
    [
      'a log key in another spelling of base64',
      'document.malformed',
      (r) => (r.tlogs[0].publicKey.rawBytes += '\n'),
    ],
    ['a list of logs that is an object', 'document.malformed', (r) => (r.tlogs = {})],
    [
      'no entry that can be used',
      'trust.malformed',
      (r) => Object.assign(r, { tlogs: [spoilt(r.tlogs[0])], ctlogs: [], ...noAuthorities }),
    ],
  ])('%s', ([, code, change]) => {
    expect(() => parseTrustedRoot(root(change))).toThrow(expect.objectContaining({ code, exit: 2 }));
  });
});

test('a root that names nobody is read: it verifies nothing', () => {
  const empty = root((r) => Object.assign(r, { tlogs: [], ctlogs: [], ...noAuthorities }));
  expect(parseTrustedRoot(empty)).toMatchObject({ skipped: [], newest: new Date(0) });
});

const noAuthorities = { certificateAuthorities: [], timestampAuthorities: [] };
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const spoilt = (log: Loose) => ({ ...log, publicKey: { ...log.publicKey, rawBytes: 'AAAA' } });

/** Replaces hex inside one certificate. */
function patched(certificate: Loose, from: string, to: string): void {
  const hex = Buffer.from(certificate.rawBytes, 'base64').toString('hex');
  expect(hex).toContain(from);
  certificate.rawBytes = Buffer.from(hex.replace(from, to), 'hex').toString('base64');
}

const certificates = (r: Loose, kind: string, at = 0) => r[kind][at].certChain.certificates;
const logKey = (key: KeyObject, details: string) => (r: Loose) =>
  Object.assign(r.tlogs[0].publicKey, { rawBytes: base64(spkiOf(key)), keyDetails: details });
const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
const curve = (name: string) => generateKeyPairSync('ec', { namedCurve: name }).privateKey;
const ed25519 = () => generateKeyPairSync('ed25519').privateKey;
const mlDsa = () => generateKeyPairSync('ml-dsa-65').privateKey;

/** Each with the entry that does not count, a word of the reason, and whether the algorithm is the reason. */
const skips: readonly (readonly [string, string, RegExp, boolean, (root: Loose) => void])[] = [
  ['a log key of three bytes', 'tlogs[0]', /cannot be read/, false, (r) => (r.tlogs[0] = spoilt(r.tlogs[0]))],
  ['a CT log key of three bytes', 'ctlogs[1]', /read/, false, (r) => (r.ctlogs[1] = spoilt(r.ctlogs[1]))],
  [
    'a log key that is an empty sequence',
    'tlogs[0]',
    /cannot be read/,
    false,
    (r) => (r.tlogs[0].publicKey.rawBytes = 'MAA='),
  ],
  [
    'a kind of key that is new',
    'tlogs[0]',
    /keyDetails are "PKIX_NEW"/,
    true,
    (r) => (r.tlogs[0].publicKey.keyDetails = 'PKIX_NEW'),
  ],
  [
    'a kind of key that is the name of a property',
    'tlogs[0]',
    /"constructor"/,
    true,
    (r) => (r.tlogs[0].publicKey.keyDetails = 'constructor'),
  ],
  ['P-256 that says Ed25519', 'tlogs[0]', /say PKIX_ED25519/, false, logKey(newKey(), 'PKIX_ED25519')],
  ['Ed25519 that says P-256', 'tlogs[0]', /say PKIX_EC/, false, logKey(ed25519(), 'PKIX_ECDSA_P256_SHA_256')],
  ['P-384 that says P-256', 'tlogs[0]', /384/, false, logKey(curve('P-384'), 'PKIX_ECDSA_P256_SHA_256')],
  ['P-256 that says RSA', 'tlogs[0]', /say PKIX_RSA/, false, logKey(newKey(), 'PKIX_RSA_PKCS1V5')],
  [
    'RSA 2048 that says 4096',
    'tlogs[0]',
    /2048 bits/,
    false,
    logKey(rsa(2048), 'PKIX_RSA_PKCS1V15_4096_SHA256'),
  ],
  ['RSA of 1024 bits', 'tlogs[0]', /too weak/, false, logKey(rsa(1024), 'PKIX_RSA_PKCS1V5')],
  ['ML-DSA-65 that is off', 'tlogs[0]', /trust\.experimental/, true, logKey(mlDsa(), 'ML_DSA_65')],
  ['P-256 that says ML-DSA-65', 'tlogs[0]', /say ML_DSA_65/, false, logKey(newKey(), 'ML_DSA_65')],
  [
    'a certificate of three bytes',
    'certificateAuthorities[0]',
    /certificate 1 cannot be read/,
    false,
    (r) => (certificates(r, 'certificateAuthorities')[0].rawBytes = 'AAAA'),
  ],
  [
    'a damaged root above a whole certificate',
    'certificateAuthorities[1]',
    /certificate 2 cannot be read/,
    false,
    (r) => (certificates(r, 'certificateAuthorities', 1)[1].rawBytes = 'MAA='),
  ],
  [
    // secp384r1 (1.3.132.0.34), and a curve with a number that nobody has.
    'a certificate whose key is on no known curve',
    'certificateAuthorities[0]',
    /key of certificate 1 cannot be read/,
    false,
    (r) => patched(certificates(r, 'certificateAuthorities')[0], '06052b81040022', '06052b8104007f'),
  ],
  [
    // id-ecPublicKey, and an algorithm that nobody has.
    'a certificate of an unknown algorithm',
    'certificateAuthorities[0]',
    /key of certificate 1/,
    true,
    (r) => patched(certificates(r, 'certificateAuthorities')[0], '06072a8648ce3d0201', '06072a8648ce3d027f'),
  ],
  [
    'a certificate that is valid from a thirteenth month on',
    'certificateAuthorities[0]',
    /certificate 1 cannot be read/,
    false,
    (r) => patched(certificates(r, 'certificateAuthorities')[0], '170d3231303330', '170d3231313330'),
  ],
  [
    // The object identifier of timeStamping, as bytes without a meaning.
    'a certificate whose usages are not object identifiers',
    'timestampAuthorities[0]',
    /certificate 1 cannot be read/,
    false,
    (r) =>
      patched(certificates(r, 'timestampAuthorities')[0], '06082b06010505070308', '04082b06010505070308'),
  ],
  [
    'a timestamp certificate that may not stamp',
    'timestampAuthorities[0]',
    /timeStamping/,
    false,
    (r) => (r.timestampAuthorities[0].certChain = r.certificateAuthorities[1].certChain),
  ],
];

describe('an entry that cannot be used is skipped, and the others count', () => {
  test.for(skips)('%s', ([, path, reason, isUnsupported, change]) => {
    const { material, skipped } = parseTrustedRoot(root(change));
    expect(skipped).toEqual([
      {
        kind: path.replace(/\[.*/, ''),
        path: `trustedRoot.${path}`,
        reason: expect.stringMatching(reason),
        isUnsupported,
      },
    ]);
    const { certificateAuthorities, ctlogs, timestampAuthorities, tlogs } = material;
    expect([tlogs, ctlogs, certificateAuthorities, timestampAuthorities].flat()).toHaveLength(6);
  });

  test.for<[string, string, KeyObject]>([
    ['P-256', 'PKIX_ECDSA_P256_SHA_256', newKey()],
    ['P-384', 'PKIX_ECDSA_P384_SHA_384', curve('P-384')],
    ['P-384 with SHA-256', 'PKIX_ECDSA_P384_SHA_256', curve('P-384')],
    ['Ed25519', 'PKIX_ED25519', ed25519()],
    ['RSA 2048', 'PKIX_RSA_PKCS1V15_2048_SHA256', rsa(2048)],
    ['RSA 3072', 'PKIX_RSA_PKCS1V15_3072_SHA256', rsa(3072)],
    ['RSA of any size', 'PKIX_RSA_PKCS1V5', rsa(2048)],
  ])('a log with %s counts', ([, details, key]) => {
    const { material, skipped } = parseTrustedRoot(root(logKey(key, details)));
    expect(skipped).toEqual([]);
    expect(material.tlogs[0]?.publicKey.equals(createPublicKey(key))).toBe(true);
  });

  test('an RSA key in the encoding of PKCS 1 counts', () => {
    const key = createPublicKey(rsa(2048));
    const rawBytes = base64(key.export({ format: 'der', type: 'pkcs1' }));
    const change = (r: Loose) =>
      Object.assign(r.ctlogs[0].publicKey, { rawBytes, keyDetails: 'PKCS1_RSA_PKCS1V5' });
    expect(parseTrustedRoot(root(change)).material.ctlogs[0]?.publicKey.equals(key)).toBe(true);
  });

  test('a fault while an entry is read is not a reason to skip it', () => {
    const faulty = () => {
      throw new TypeError('a fault');
    };
    expect(() => usable(faulty)).toThrow('a fault');
  });

  test('ML-DSA-65 counts where the policy says so', () => {
    const bytes = root(logKey(mlDsa(), 'ML_DSA_65'));
    const { material, skipped } = parseTrustedRoot(bytes, { experimental: ['ml-dsa-65'] });
    expect(skipped).toEqual([]);
    expect(material.tlogs[0]?.publicKey.asymmetricKeyType).toBe('ml-dsa-65');
  });
});
