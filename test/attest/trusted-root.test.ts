import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publicGoodRoot } from '../../src/attest/public-good.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { jsonBytes, type Loose } from '../support/key-bundle.ts';

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
    ['an end that is a number', 'document.malformed', (r) => (r.certificateAuthorities[0].validFor.end = 5)],
    [
      'an authority without certificates',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].certChain.certificates = []),
    ],
    [
      'an invalid certificate',
      'trust.malformed',
      (r) => (r.certificateAuthorities[0].certChain.certificates[0].rawBytes = 'AAAA'),
    ],
    [
      'a certificate in another spelling of base64',
      'document.malformed',
      (r) => (r.certificateAuthorities[0].certChain.certificates[0].rawBytes += '\n'),
    ],
    [
      'a certificate whose key is on no known curve',
      'trust.malformed',
      (r) => {
        const [certificate] = r.certificateAuthorities[0].certChain.certificates;
        const hex = Buffer.from(certificate.rawBytes, 'base64').toString('hex');
        // secp384r1 (1.3.132.0.34), and a curve with a number that nobody has.
        certificate.rawBytes = Buffer.from(hex.replace('06052b81040022', '06052b8104007f'), 'hex').toString(
          'base64',
        );
      },
    ],
    [
      'a log key in another spelling of base64',
      'document.malformed',
      (r) => (r.tlogs[0].publicKey.rawBytes += '\n'),
    ],
    ['an invalid log key', 'trust.malformed', (r) => (r.tlogs[0].publicKey.rawBytes = 'AAAA')],
    ['an unknown kind of key', 'trust.malformed', (r) => (r.tlogs[0].publicKey.keyDetails = 'PKIX_NEW')],
    [
      'a timestamp certificate that may not stamp',
      'trust.malformed',
      (r) => (r.timestampAuthorities[0].certChain = r.certificateAuthorities[1].certChain),
    ],
    ['a list of logs that is an object', 'document.malformed', (r) => (r.tlogs = {})],
  ])('%s', ([, code, change]) => {
    expect(() => parseTrustedRoot(root(change))).toThrow(expect.objectContaining({ code, exit: 2 }));
  });
});
