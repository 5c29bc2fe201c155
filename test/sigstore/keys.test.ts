import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateKeyPair, openPrivateKey, sealPrivateKey } from '../../src/sigstore/keys.ts';

const ask = (password: string) => async () => password;

async function neverAsked(): Promise<string> {
  throw new Error('asked for a password');
}

function spki(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}

/** The JSON inside cosign's PEM. */
function inside(pem: string): Record<string, never> {
  return JSON.parse(Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64').toString());
}

function wrap(json: unknown, label = 'ENCRYPTED SIGSTORE PRIVATE KEY'): string {
  const base64 = Buffer.from(JSON.stringify(json))
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n');
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

test('a new pair is opened with its password, and the public half belongs to it', async () => {
  const { privatePem, publicPem } = await generateKeyPair('hunter2');
  const key = await openPrivateKey(privatePem, ask('hunter2'));
  expect(verify('sha256', Buffer.from('x'), publicPem, sign('sha256', Buffer.from('x'), key))).toBe(true);
});

test('the file has the form that go-securesystemslib reads', async () => {
  const { privatePem } = await generateKeyPair('');
  expect(privatePem.split('\n')[0]).toBe('-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----');
  expect(
    Math.max(
      ...privatePem
        .split('\n')
        .slice(1, -2)
        .map(({ length }) => length),
    ),
  ).toBe(64);
  expect(inside(privatePem)).toEqual({
    kdf: { name: 'scrypt', params: { N: 65536, r: 8, p: 1 }, salt: expect.stringMatching(/^.{44}$/) },
    cipher: { name: 'nacl/secretbox', nonce: expect.stringMatching(/^.{32}$/) },
    ciphertext: expect.any(String),
  });
});

test('a wrong password is one sentence and a hint', async () => {
  const pem = await sealPrivateKey(ec, 'right');
  await expect(openPrivateKey(pem, ask('wrong'), 'cosign.key')).rejects.toMatchObject({
    exit: 3,
    code: 'key.password',
    message: 'cannot decrypt "cosign.key": the password is wrong',
    hint: expect.stringContaining('COSIGN_PASSWORD'),
  });
});

test('the label of cosign 1 is read too', async () => {
  const pem = (await sealPrivateKey(ec, 'pw')).replaceAll('SIGSTORE', 'COSIGN');
  expect(spki(await openPrivateKey(pem, ask('pw')))).toBe(spki(ec));
});

test.for([
  ['PKCS 8', 'pkcs8', ec],
  ['SEC 1', 'sec1', ec],
  ['Ed25519', 'pkcs8', generateKeyPairSync('ed25519').privateKey],
  ['RSA', 'pkcs1', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
] as const)('%s without a password is read and nobody is asked for one', async ([, type, key]) => {
  const pem = key.export({ format: 'pem', type }).toString();
  expect(spki(await openPrivateKey(pem, neverAsked))).toBe(spki(key));
});

const form = {
  kdf: { name: 'scrypt', params: { N: 65536, r: 8, p: 1 }, salt: Buffer.alloc(32).toString('base64') },
  cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24).toString('base64') },
  ciphertext: 'AAAA',
};

test.for([
  ['nothing', '', 'not one PEM block'],
  ['a public key', spki(ec), '"PUBLIC KEY"'],
  ['two keys', `${wrap(form)}${wrap(form)}`, 'not one PEM block'],
  ['an endless file', `${wrap(form)}${'\n'.repeat(100_000)}`, 'not one PEM block'],
  ['other JSON', wrap([]), 'is not an object'],
  [
    'a cost of a terabyte',
    wrap({ ...form, kdf: { ...form.kdf, params: { N: 2 ** 30, r: 8, p: 1 } } }),
    'scrypt costs',
  ],
  [
    'a cost of nothing',
    wrap({ ...form, kdf: { ...form.kdf, params: { N: 2, r: 8, p: 1 } } }),
    'scrypt costs',
  ],
  ['another derivation', wrap({ ...form, kdf: { ...form.kdf, name: 'md5' } }), 'is not scrypt'],
  ['another cipher', wrap({ ...form, cipher: { ...form.cipher, name: 'rot13' } }), 'is not nacl/secretbox'],
  ['a short nonce', wrap({ ...form, cipher: { ...form.cipher, nonce: 'AAAA' } }), 'has not 24 bytes'],
  ['loose base64', wrap({ ...form, ciphertext: 'AAA' }), 'is not standard base64'],
] as const)('%s is no private key, said before a password is asked for', async ([, pem, why]) => {
  await expect(openPrivateKey(pem, neverAsked)).rejects.toMatchObject({
    exit: 3,
    code: 'key.malformed',
    message: expect.stringContaining(why),
  });
});

test.for([
  ['RSA 1024', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['X25519', generateKeyPairSync('x25519').privateKey],
] as const)('%s does not sign', async ([, key]) => {
  const pem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
  await expect(openPrivateKey(pem, neverAsked)).rejects.toMatchObject({ exit: 3, code: 'key.unsupported' });
});

test('a file that cosign 3.0.6 wrote is opened', async () => {
  const read = (name: string) =>
    readFileSync(new URL(`../../fixtures/sigstore/${name}`, import.meta.url), 'utf8');
  const key = await openPrivateKey(read('cosign-3.0.6.key'), ask('tcf'));
  expect(spki(key)).toBe(read('cosign-3.0.6.pub'));
});
