import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { lintTrustedRoot } from '../../src/attest/lint-root.ts';
import { publicGoodRoot } from '../../src/attest/public-good.ts';
import { authority, certificate, extendedUsage, keyUsage } from '../support/certificate.ts';
import { jsonBytes, type Loose } from '../support/key-bundle.ts';
import { newKey, spkiOf } from '../support/sigstore/authority.ts';
import { newSigstore } from '../support/sigstore.ts';

const now = new Date('2026-11-23T12:00:00Z');
const genuine: Loose = JSON.parse(Buffer.from(newSigstore().trustedRoot).toString());
const stranger: Loose = JSON.parse(Buffer.from(newSigstore().trustedRoot).toString());
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;

test('the public root and that of the tests have nothing wrong', () => {
  expect(lintTrustedRoot(publicGoodRoot(), now)).toEqual([]);
  expect(lintTrustedRoot(jsonBytes(genuine), now)).toEqual([]);
});

const certificates = (root: Loose, kind: string) => root[kind][0].certChain.certificates;

interface ChainParts {
  /** What the lower certificate says of its issuer, and who signed it. */
  readonly issuer?: string;
  readonly issuerKey?: KeyObject;
  readonly rootKey?: KeyObject;
  readonly rootExtensions?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
}

/** A certificate, and the root above it. */
function chainOf(parts: ChainParts = {}): Loose {
  const key = parts.rootKey ?? newKey();
  const isAuthority = [authority, keyUsage(0x04)];
  const life = { start: new Date('2020-01-01T00:00:00Z'), end: new Date('2040-01-01T00:00:00Z') };
  const below = certificate({
    ...life,
    subject: 'below.test',
    issuer: parts.issuer ?? 'root.test',
    key: createPublicKey(newKey()),
    issuerKey: parts.issuerKey ?? key,
    extensions: parts.extensions ?? isAuthority,
  });
  const above = certificate({
    ...life,
    subject: 'root.test',
    issuer: 'root.test',
    key: createPublicKey(key),
    issuerKey: key,
    extensions: parts.rootExtensions ?? isAuthority,
  });
  return { certificates: [below, above].map((bytes) => ({ rawBytes: base64(bytes) })) };
}

test.for<[string, ChainParts]>([
  ['names and signatures that fit', {}],
  ['a root on a large curve', { rootKey: generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey }],
])('a chain with %s has nothing wrong', ([, parts]) => {
  const root = structuredClone(genuine);
  root.certificateAuthorities[0].certChain = chainOf(parts);
  expect(lintTrustedRoot(jsonBytes(root), now)).toEqual([]);
});

const wrongs: readonly (readonly [string, (root: Loose) => void, string])[] = [
  [
    'a window turned around',
    (r) => (r.tlogs[0].publicKey.validFor.end = '2019-01-01T00:00:00Z'),
    'error trustedRoot.tlogs[0] ends before it begins: it is never valid',
  ],
  [
    'a window that has not begun',
    (r) => (r.timestampAuthorities[0].validFor.start = '2027-01-01T00:00:00Z'),
    'warning trustedRoot.timestampAuthorities[0] begins only on 2027-01-01',
  ],
  [
    'one log under two ids',
    (r) => r.tlogs.push({ ...r.tlogs[0], logId: { keyId: base64(Buffer.alloc(32, 1)) } }),
    'error trustedRoot.tlogs[2] has the same key as trustedRoot.tlogs[0]',
  ],
  [
    'one authority twice',
    (r) => r.certificateAuthorities.push(r.certificateAuthorities[0]),
    'error trustedRoot.certificateAuthorities[1] has the same key as trustedRoot.certificateAuthorities[0]',
  ],
  [
    'the id of another log',
    (r) => (r.tlogs[0].logId = stranger.tlogs[0].logId),
    'warning trustedRoot.tlogs[0].logId is not made from the key and the name of the log',
  ],
  [
    'a weak log',
    (r) => (r.ctlogs[0].publicKey.rawBytes = base64(spkiOf(weak))),
    'error trustedRoot.ctlogs[0] does not count: its keyDetails say PKIX_ECDSA_P256_SHA_256, and its algorithm is rsa 1024 bits',
  ],
  [
    'a damaged certificate',
    (r) => (certificates(r, 'certificateAuthorities')[0].rawBytes = 'MAA='),
    'error trustedRoot.certificateAuthorities[0] does not count: its certificate 1 cannot be read: ',
  ],
  [
    'a log of an algorithm to come',
    (r) => (r.tlogs[1].publicKey.keyDetails = 'SLH_DSA_128S'),
    'warning trustedRoot.tlogs[1] does not count: its keyDetails are "SLH_DSA_128S", unknown to tcf',
  ],
  [
    'two logs with one id',
    (r) => r.ctlogs.push({ ...stranger.ctlogs[0], logId: r.ctlogs[0].logId }),
    'error trustedRoot.ctlogs[1] has the id of trustedRoot.ctlogs[0] and another key',
  ],
  [
    'a log without TLS',
    (r) => (r.ctlogs[0].baseUrl = 'http://sigstore.test/ct'),
    'warning trustedRoot.ctlogs[0].baseUrl is not an https address',
  ],
  [
    'a chain in which the next one did not issue',
    (r) =>
      (certificates(r, 'certificateAuthorities')[1] = certificates(stranger, 'certificateAuthorities')[1]),
    'error trustedRoot.certificateAuthorities[0].certChain.certificates[0] is not issued by the next one',
  ],
  [
    'a chain in which the next one signed under another name',
    (r) => (r.certificateAuthorities[0].certChain = chainOf({ issuer: 'another.test' })),
    'error trustedRoot.certificateAuthorities[0].certChain.certificates[0] is not issued by the next one',
  ],
  [
    'a chain in which another one signed under the name of the next',
    (r) => (r.certificateAuthorities[0].certChain = chainOf({ issuerKey: newKey() })),
    'error trustedRoot.certificateAuthorities[0].certChain.certificates[0] is not issued by the next one',
  ],
  [
    'a chain without its root',
    (r) => certificates(r, 'certificateAuthorities').pop(),
    'error trustedRoot.certificateAuthorities[0].certChain.certificates[0] ends the chain and is not self-signed',
  ],
  [
    'an invalid authority',
    (r) => (r.certificateAuthorities[0].certChain = r.timestampAuthorities[0].certChain),
    'error trustedRoot.certificateAuthorities[0].certChain.certificates[0] is not the certificate of an authority',
  ],
  [
    'a clock above which stands no authority',
    (r) => {
      const extensions = [extendedUsage('1.3.6.1.5.5.7.3.8')];
      r.timestampAuthorities[0].certChain = chainOf({ extensions, rootExtensions: [] });
    },
    'error trustedRoot.timestampAuthorities[0].certChain.certificates[1] is not the certificate of an authority',
  ],
  [
    'a certificate from before its entry',
    (r) => (r.certificateAuthorities[0].validFor = { start: '2100-01-01T00:00:00Z' }),
    'warning trustedRoot.certificateAuthorities[0].certChain.certificates[0] is never valid while its entry is',
  ],
  [
    'a certificate from after its entry',
    (r) =>
      (r.certificateAuthorities[0].validFor = { start: '2000-01-01T00:00:00Z', end: '2001-01-01T00:00:00Z' }),
    'warning trustedRoot.certificateAuthorities[0].certChain.certificates[0] is never valid while its entry is',
  ],
  [
    'authorities that are all past',
    (r) => (r.certificateAuthorities[0].validFor.end = '2026-01-01T00:00:00Z'),
    'warning trustedRoot has 1 certificate authority and none that is valid now',
  ],
  [
    'logs that are all past',
    (r) => {
      for (const log of r.tlogs) {
        log.publicKey.validFor.end = '2026-01-01T00:00:00Z';
      }
    },
    'warning trustedRoot has 2 transparency logs and none that is valid now',
  ],
  [
    'nobody',
    (r) => Object.assign(r, { tlogs: [], certificateAuthorities: [], timestampAuthorities: [] }),
    'error trustedRoot trusts nobody',
  ],
  [
    'neither log nor timestamp authority',
    (r) => Object.assign(r, { tlogs: [], timestampAuthorities: [] }),
    'error trustedRoot has neither a log nor a timestamp authority: no certificate can ever count',
  ],
  [
    'no certificate transparency',
    (r) => (r.ctlogs = []),
    'warning trustedRoot has no certificate transparency log: certificates will not count',
  ],
];

test.for(wrongs)('%s', ([, spoil, expected]) => {
  const root = structuredClone(genuine);
  spoil(root);
  const problems = lintTrustedRoot(jsonBytes(root), now);
  expect(problems.map(({ level, subject, message }) => `${level} ${subject} ${message}`)).toContainEqual(
    expect.stringContaining(expected),
  );
});

test.for<[string, object, readonly string[]]>([
  ['nobody', { tlogs: [], certificateAuthorities: [], timestampAuthorities: [] }, ['trusts nobody']],
  ['logs for keys alone', { ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] }, []],
  [
    'authorities alone',
    { ctlogs: [], tlogs: [], timestampAuthorities: [] },
    ['has neither a log nor a timestamp authority: no certificate can ever count'],
  ],
])('a root of %s has nothing else wrong', ([, change, messages]) => {
  const problems = lintTrustedRoot(jsonBytes({ ...genuine, ...change }), now);
  expect(problems.map(({ message }) => message)).toEqual(messages);
});

test('an unreadable root is an error, not a finding', () => {
  expect(() => lintTrustedRoot(jsonBytes({ mediaType: 'other' }), now)).toThrow('which tcf does not know');
});

test('another key than the id says is seen for every kind of log', () => {
  for (const kind of ['tlogs', 'ctlogs']) {
    const root = structuredClone(genuine);
    root[kind][0].publicKey.rawBytes = base64(spkiOf(newKey()));
    expect(lintTrustedRoot(jsonBytes(root), now).map(({ subject }) => subject)).toContain(
      `trustedRoot.${kind}[0].logId`,
    );
  }
});
