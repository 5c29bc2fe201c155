import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { hintOf, parsePublicKey } from '../../src/attest/trusted-key.ts';
import { testKey } from '../support/key-bundle.ts';

const { pem } = testKey();

/** The key of sigstore-conformance `managed-key-happy-path`, whose bundle carries this hint. */
const known = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh
fwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==
-----END PUBLIC KEY-----
`;

test('the hint of a key is the one that cosign writes', () => {
  expect(hintOf(parsePublicKey(known, 'key.pub').fingerprint)).toBe(
    'TLMsSDfG3ajPsWge+z/vX5T/zluXnmvbkTkwLIV68Tk=',
  );
});

test('line ends of Windows and space around do not matter', () => {
  const { fingerprint } = parsePublicKey(known, 'key.pub');
  expect(parsePublicKey(`\n ${known.replaceAll('\n', '\r\n')} \n`, 'key.pub').fingerprint).toBe(fingerprint);
});

function pemOf(kind: 'rsa' | 'dsa' | 'P-521' | 'secp256k1'): string {
  const { publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 1024 })
      : kind === 'dsa'
        ? generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
        : generateKeyPairSync('ec', { namedCurve: kind });
  return publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

test.for<[string, string, string]>([
  ['RSA with 1024 bits', 'key.unsupported', pemOf('rsa')],
  ['DSA', 'key.unsupported', pemOf('dsa')],
  ['P-521', 'key.unsupported', pemOf('P-521')],
  ['the curve of a currency', 'key.unsupported', pemOf('secp256k1')],
  ['two keys', 'key.malformed', pem + pem],
  [
    'a private key',
    'key.malformed',
    testKey().privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  ],
  ['text before the key', 'key.malformed', `evil\n${pem}`],
  ['a key cut short', 'key.malformed', pem.replace(/\n.{20}/, '\n')],
  ['nothing', 'key.malformed', ''],
  ['a long text', 'key.malformed', pem + ' '.repeat(20_000)],
])('%s is not a key to verify with', ([, code, text]) => {
  expect(() => parsePublicKey(text, 'team.pub')).toThrow(expect.objectContaining({ code, exit: 2 }));
});
