import { generateKeyPairSync } from 'node:crypto';
import { X509Certificate } from '@sigstore/core';
import { describe, expect, test } from 'vitest';
import { CachedCertificate } from '../../src/attest/cached-certificate.ts';
import { type Leaf, readLeaf } from '../../src/attest/certificate.ts';
import { answer, type Refusal } from '../../src/attest/refusal.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import {
  authority,
  codeSigning,
  der,
  email,
  extendedUsage,
  extension,
  fulcio,
  issuer,
  keyUsage,
  leaf,
  leafExtensions,
  names,
  oid,
  sequence,
  uri,
  utf8,
} from '../support/certificate.ts';

const none = new Uint8Array();

function read(bytes: Uint8Array): Outcome<Leaf, Refusal> {
  return answer('bundle.malformed', () => readLeaf(bytes));
}

/** The same certificate with its outer length in three bytes instead of two: BER, but not DER. */
function longLength(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x30, 0x83, 0x00]), bytes.subarray(2)]);
}

test('a leaf says who signed, and where the workflow came from', () => {
  const repository = extension(`${fulcio}.12`, utf8('https://github.com/acme/app'));
  const trigger = extension(`${fulcio}.2`, Buffer.from('push'));
  expect(read(leaf({}, [repository, trigger]))).toMatchObject({
    ok: true,
    value: {
      issuerOrganization: 'example.test',
      signer: {
        kind: 'keyless',
        identity: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
        issuer: 'https://token.actions.githubusercontent.com',
        claims: { sourceRepositoryUri: 'https://github.com/acme/app', githubWorkflowTrigger: 'push' },
      },
    },
  });
});

describe('is read', () => {
  test.for<[string, Uint8Array]>([
    ['an e-mail address', leaf({ names: names(email('dev@example.test')) })],
    [
      'the old issuer extension alone',
      leaf({ issuer: extension(`${fulcio}.1`, Buffer.from('https://a.test')) }),
    ],
    [
      'both issuer extensions with one text',
      leaf({ issuer: issuer('https://a.test') }, [extension(`${fulcio}.1`, Buffer.from('https://a.test'))]),
    ],
    ['further extended usages', leaf({ extended: extendedUsage('1.3.6.1.5.5.7.3.2', codeSigning) })],
  ])('%s', ([, bytes]) => {
    expect(read(bytes)).toMatchObject({ ok: true });
  });
});

describe('is refused', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });

  test.for<[string, string, Uint8Array]>([
    ['a certificate authority (A-41)', 'certificate.usage', leaf({}, [authority])],
    ['a leaf that may sign certificates', 'certificate.usage', leaf({ usage: keyUsage(0x84) })],
    ['a leaf without digitalSignature', 'certificate.usage', leaf({ usage: keyUsage(0x40) })],
    ['a leaf without any key usage', 'certificate.usage', leaf({ usage: none })],
    ['a leaf for TLS', 'certificate.usage', leaf({ extended: extendedUsage('1.3.6.1.5.5.7.3.1') })],
    ['a leaf for any purpose', 'certificate.usage', leaf({ extended: extendedUsage('2.5.29.37.0') })],
    ['a leaf without extended usage', 'certificate.usage', leaf({ extended: none })],
    ['no name', 'certificate.identity', leaf({ names: none })],
    ['an empty list of names', 'certificate.identity', leaf({ names: names() })],
    ['an empty name', 'certificate.identity', leaf({ names: names(uri('')) })],
    [
      'two names, the good one first (A-36)',
      'certificate.identity',
      leaf({ names: names(uri('https://good.test'), uri('https://evil.test')) }),
    ],
    [
      'two names of different kinds',
      'certificate.identity',
      leaf({ names: names(uri('https://good.test'), email('evil@example.test')) }),
    ],
    ['a DNS name', 'certificate.identity', leaf({ names: names(der(0x82, Buffer.from('good.test'))) })],
    [
      'another kind of name',
      'certificate.identity',
      leaf({ names: names(der(0xa0, oid(`${fulcio}.7`), der(0xa0, utf8('user!good.test')))) }),
    ],
    [
      'bytes that spell http once the high bit is masked (A-38)',
      'certificate.identity',
      leaf({ names: names(uri(Uint8Array.from([0xe8, 0xf4, 0xf4, 0xf0]))) }),
    ],
    ['a NUL in the name', 'certificate.identity', leaf({ names: names(email('dev@good.test\0.evil.test')) })],
    ['a line break in the name', 'certificate.identity', leaf({ names: names(uri('https://good.test\n')) })],
    ['no issuer', 'certificate.issuer', leaf({ issuer: none })],
    ['an empty issuer', 'certificate.issuer', leaf({ issuer: issuer('') })],
    [
      'two issuers that differ',
      'certificate.issuer',
      leaf({}, [extension(`${fulcio}.1`, Buffer.from('https://other.test'))]),
    ],
    [
      'an issuer that is not UTF-8',
      'certificate.claim',
      leaf({ issuer: extension(`${fulcio}.8`, der(0x0c, Uint8Array.from([0xff]))) }),
    ],
    [
      'an issuer that is a raw text',
      'certificate.claim',
      leaf({ issuer: extension(`${fulcio}.8`, Buffer.from('https://a.test')) }),
    ],
    [
      'an issuer of another type',
      'certificate.claim',
      leaf({ issuer: extension(`${fulcio}.8`, der(0x13, Buffer.from('a'))) }),
    ],
    [
      'an issuer of two texts',
      'certificate.claim',
      leaf({
        issuer: extension(`${fulcio}.8`, Buffer.concat([utf8('https://a.test'), utf8('https://b.test')])),
      }),
    ],
    ['an issuer without a text', 'certificate.claim', leaf({ issuer: extension(`${fulcio}.8`, none) })],
    [
      'an issuer whose tag has the number of a text in another class',
      'certificate.claim',
      leaf({ issuer: extension(`${fulcio}.8`, der(0x8c, Buffer.from('https://a.test'))) }),
    ],
    [
      'a line break in a claim',
      'certificate.claim',
      leaf({}, [extension(`${fulcio}.12`, utf8('https://a.test\n'))]),
    ],
    ['an extension without a value', 'certificate.malformed', leaf({}, [sequence(oid('1.2.3'))])],
    ['an extension without anything', 'certificate.malformed', leaf({}, [sequence()])],
    [
      'more extensions than anybody has',
      'certificate.malformed',
      leaf(
        {},
        Array.from({ length: 101 }, (_, at) => extension(`1.2.3.${at + 1}`, utf8('x'))),
      ),
    ],
    ['a length that is longer than it need be', 'certificate.malformed', longLength(leaf())],
    ['an extension twice (A-40)', 'certificate.duplicate-extension', leaf({}, [leafExtensions.issuer])],
    [
      'an unknown critical extension',
      'certificate.critical',
      leaf({}, [extension('1.2.3.4', utf8('x'), true)]),
    ],
    ['an RSA key of 1024 bits', 'certificate.key', leaf({}, [], rsa.publicKey)],
    ['a key on a curve of a currency', 'certificate.key', leaf({}, [], curve.publicKey)],
    ['bytes after its end', 'certificate.malformed', Buffer.concat([leaf(), Buffer.from([0])])],
    ['half a certificate', 'certificate.malformed', leaf().subarray(0, 200)],
    ['no certificate', 'certificate.malformed', Buffer.from('hello')],
  ])('%s', ([, code, bytes]) => {
    expect(read(bytes)).toMatchObject({ ok: false, reason: { code } });
  });
});

describe('a cached certificate', () => {
  const made = (bytes: Uint8Array = leaf()) => new CachedCertificate(bytes);
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test.for([
    ['as usual', leaf()],
    ['without extensions', leaf({ usage: none, extended: none, names: none, issuer: none })],
    ['long', leaf({}, [extension('1.2.3', Buffer.alloc(60_000, 0x61))])],
  ] as const)('answers as the class of @sigstore/core does: one %s', ([, bytes]) => {
    const plain = X509Certificate.parse(Buffer.from(bytes));
    const cached = made(bytes);
    expect(cached.publicKey).toEqual(plain.publicKey);
    expect(cached.clone().root.toDER()).toEqual(plain.root.toDER());
    for (const other of [cached, plain, made(bytes)]) {
      expect(cached.equals(other)).toBe(true);
    }
    expect(cached.equals(made(leaf({}, [], publicKey)))).toBe(false);
  });

  test('shares nothing with its clone', () => {
    const bytes = leaf();
    const cached = made(bytes);
    const clone = cached.clone();
    clone.extensions.splice(0, 1);
    expect(clone.extensions).toHaveLength(cached.extensions.length - 1);
    expect(cached.equals(made(bytes))).toBe(true);
  });

  test('asks each issuer once, and none for another', () => {
    const signed = made(leaf({}, [], publicKey));
    const signer = made();
    for (const _ of [1, 2]) {
      expect(signed.verify(signer)).toBe(true);
      expect(signed.verify(signed)).toBe(false);
      expect(signed.verify()).toBe(false);
    }
    Object.defineProperty(signer, 'publicKey', { value: signed.publicKey });
    expect(signed.verify(signer)).toBe(true);
  });
});

test('an invalid month is refused where it is read, before anything compares it', () => {
  expect(read(withMonth13(leaf()))).toMatchObject({
    ok: false,
    reason: { message: expect.stringMatching(/an invalid date/) },
  });
});

/** The first date of the certificate (UTCTime or GeneralizedTime) in a month that no year has. */
function withMonth13(bytes: Buffer): Buffer {
  const changed = bytes
    .toString('latin1')
    .replace(/(\x17\x0d\d\d|\x18\x0f\d{4})\d\d(?=\d{8}Z)/, (_, before: string) => `${before}13`);
  const result = Buffer.from(changed, 'latin1');
  expect(result.equals(bytes)).toBe(false);
  return result;
}
