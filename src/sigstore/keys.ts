import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scrypt,
} from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { describeKey, isStrongKey } from '../attest/trusted-key.ts';
import { decodeBase64, encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';

/** Two files: the private one in cosign's encrypted form, the public one as SubjectPublicKeyInfo in PEM. */
export interface KeyPair {
  readonly privatePem: string;
  readonly publicPem: string;
}

/** RFC 7914. Memory is 128 * N * r bytes. */
interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/**
 * go-securesystemslib `encrypted`: what cosign writes today, what it wrote before 2.2, and the strongest that
 * it reads.
 */
const standardCost: ScryptCost = { N: 65_536, r: 8, p: 1 };
const readableCosts: readonly ScryptCost[] = [
  standardCost,
  { N: 32_768, r: 8, p: 1 },
  { N: 131_072, r: 8, p: 1 },
];
/** Twice what the strongest needs (128 MiB). */
const maxScryptMemory = 256 * 1024 * 1024;

const saltSize = 32;
const nonceSize = 24;
const secretBoxKeySize = 32;
/** An RSA 4096 key in cosign's form has 5 KB. */
const maxPemLength = 65_536;

const label = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const encryptedLabels: readonly string[] = [label, 'ENCRYPTED COSIGN PRIVATE KEY'];
const plainLabels: readonly string[] = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];

const onePem = /^\s*-----BEGIN ([A-Z ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/;

/**
 * A new ECDSA P-256 key pair in the files of `cosign generate-key-pair`. An empty password is allowed, as
 * there.
 */
export async function generateKeyPair(password: string): Promise<KeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privatePem: await sealPrivateKey(privateKey, password),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }),
  };
}

/** Encrypts a private key as cosign does: PKCS 8 in a NaCl secretbox, its key by scrypt from the password. */
export async function sealPrivateKey(key: KeyObject, password: string): Promise<string> {
  const salt = randomBytes(saltSize);
  const nonce = randomBytes(nonceSize);
  const secret = await deriveKey(password, salt, standardCost);
  const sealed = xsalsa20poly1305(secret, nonce).encrypt(key.export({ format: 'der', type: 'pkcs8' }));
  const json = JSON.stringify({
    kdf: { name: 'scrypt', params: standardCost, salt: encodeBase64(salt) },
    cipher: { name: 'nacl/secretbox', nonce: encodeBase64(nonce) },
    ciphertext: encodeBase64(sealed),
  });
  const lines = encodeBase64(encodeUtf8(json)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Opens a private key file: cosign's encrypted form, or PKCS 8, SEC 1 and PKCS 1 in PEM without a password.
 * `askPassword` is called only for an encrypted one; `name` is for messages.
 *
 * @throws TcfError `key.malformed`, `key.password`, `key.unsupported` (exit 3).
 */
export async function openPrivateKey(
  pem: string,
  askPassword: () => Promise<string>,
  name = 'the private key',
): Promise<KeyObject> {
  const [, found = '', body = ''] = pem.length > maxPemLength ? [] : (onePem.exec(pem) ?? []);
  const der = decodeBase64(body.replaceAll(/[\r\n]/g, ''));
  if (der === undefined || der.length === 0) {
    throw malformed(name, 'it is not one PEM block');
  }
  if (plainLabels.includes(found)) {
    return readKey(pem, name);
  }
  if (!encryptedLabels.includes(found)) {
    throw malformed(name, `its PEM block is ${quoted(found)}`);
  }
  const sealed = readSealed(der, name);
  const secret = await deriveKey(await askPassword(), sealed.salt, sealed.cost);
  return readKey(unseal(sealed, secret, name), name);
}

interface Sealed {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

function readSealed(json: Uint8Array, name: string): Sealed {
  try {
    const shape = new Shape(parseJson(json, 'its content'), 'key');
    const kdf = shape.get('kdf');
    const cipher = shape.get('cipher');
    expectName(kdf, 'scrypt');
    expectName(cipher, 'nacl/secretbox');
    const nonce = base64At(cipher.get('nonce'));
    if (nonce.length !== nonceSize) {
      throw cipher.get('nonce').wrong(`has not ${nonceSize} bytes`);
    }
    return {
      cost: readCost(kdf.get('params')),
      salt: base64At(kdf.get('salt')),
      nonce,
      ciphertext: base64At(shape.get('ciphertext')),
    };
  } catch (error) {
    // The user chose this file, so what the readers of documents say about it is an answer to a wrong
    // question.
    if (error instanceof TcfError) {
      throw malformed(name, error.message);
    }
    throw error;
  }
}

function expectName(shape: Shape, name: string): void {
  if (shape.get('name').string(100) !== name) {
    throw shape.get('name').wrong(`is not ${name}`);
  }
}

/**
 * Only the costs that cosign knows: a file with N = 2^30 would take a terabyte, one with N = 2 hardly
 * protects the key.
 */
function readCost(params: Shape): ScryptCost {
  const [N, r, p] = ['N', 'r', 'p'].map((key) => params.get(key).whole());
  const cost = readableCosts.find((known) => known.N === N && known.r === r && known.p === p);
  if (cost === undefined) {
    throw params.wrong('is not one of the scrypt costs that cosign writes');
  }
  return cost;
}

function base64At(shape: Shape): Uint8Array {
  const bytes = decodeBase64(shape.string());
  if (bytes === undefined) {
    throw shape.wrong('is not standard base64');
  }
  return bytes;
}

function unseal({ nonce, ciphertext }: Sealed, secret: Uint8Array, name: string): Buffer {
  try {
    return Buffer.from(xsalsa20poly1305(secret, nonce).decrypt(ciphertext));
  } catch (error) {
    // The box has one way to fail: its tag does not fit. A wrong password and a damaged file look the same.
    throw askedWrongly('key.password', `cannot decrypt ${quoted(name)}: the password is wrong`, {
      hint: 'check COSIGN_PASSWORD, or unset it to be asked on the terminal',
      cause: error,
    });
  }
}

/** PKCS 8 or SEC 1 in DER (old cosign versions put SEC 1 into the box), or PEM. */
function readKey(text: Buffer | string, name: string): KeyObject {
  const attempts =
    typeof text === 'string'
      ? [() => createPrivateKey(text)]
      : [
          () => createPrivateKey({ key: text, format: 'der', type: 'pkcs8' }),
          () => createPrivateKey({ key: text, format: 'der', type: 'sec1' }),
        ];
  let cause: unknown;
  for (const attempt of attempts) {
    try {
      return strong(attempt(), name);
    } catch (error) {
      // OpenSSL reports a key that it cannot read with errors that have no common class.
      if (error instanceof TcfError) {
        throw error;
      }
      cause = error;
    }
  }
  throw malformed(name, 'it holds no readable key', cause);
}

function strong(key: KeyObject, name: string): KeyObject {
  const publicKey = createPublicKey(key);
  if (isStrongKey(publicKey)) {
    return key;
  }
  throw askedWrongly('key.unsupported', `cannot sign with ${quoted(name)}: ${describeKey(publicKey)}`, {
    hint: 'use ECDSA P-256 or P-384, Ed25519, or RSA with at least 2048 bits',
  });
}

function malformed(name: string, why: string, cause?: unknown): TcfError {
  return askedWrongly('key.malformed', `cannot read ${quoted(name)} as a private key: ${why}`, {
    hint: 'give the .key file that tcf keygen or cosign generate-key-pair wrote, or a PKCS 8 key in PEM',
    cause,
  });
}

function deriveKey(password: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, secretBoxKeySize, { N, r, p, maxmem: maxScryptMemory }, (error, secret) => {
      if (error) {
        reject(error);
      } else {
        resolve(secret);
      }
    });
  });
}
