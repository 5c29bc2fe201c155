import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../src/attest/trusted-key.ts';
import { cannotTell } from '../../src/base/error.ts';
import { openSignerCommand } from '../../src/sigstore/signer-command.ts';
import type { Ran, RunProgram } from '../../src/system/program.ts';

const message = Buffer.from('DSSEv1 ...');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = {
  'ECDSA P-256': p256,
  'ECDSA P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'RSA 2048': generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: generateKeyPairSync('ed25519'),
} as const;

interface Asked {
  readonly file: string;
  readonly args: readonly string[];
  readonly input: Uint8Array;
}

const pemOf = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }) as string;
const printed = (text: string, more: Partial<Ran> = {}): Ran => ({
  code: 0,
  stdout: Buffer.from(text),
  stderr: '',
  ...more,
});

/** A program that holds a key; `answers` stand in place of its own. */
function program(
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject } = p256,
  answers: Readonly<Record<string, Ran>> = {},
): { readonly run: RunProgram; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const run: RunProgram = async (file, args, input) => {
    asked.push({ file, args, input });
    const question = args.find((word) => word === 'public-key' || word === 'sign') ?? '';
    const answer = answers[question];
    if (answer !== undefined) {
      return answer;
    }
    if (question === 'public-key') {
      return printed(pemOf(publicKey));
    }
    // What is real signs the digest it was given; here the message is known, so that node can do it.
    const hash = args.at(-1) ?? '';
    return printed(`${sign(hash === 'none' ? null : hash, message, privateKey).toString('base64')}\n`);
  };
  return { run, asked };
}

test.for([
  ['ECDSA P-256', 'sha256'],
  ['ECDSA P-384', 'sha384'],
  ['RSA 2048', 'sha256'],
] as const)('%s: the program gets the %s digest and nothing else', async ([name, hash]) => {
  const { run, asked } = program(keys[name]);
  const { key, signer } = await openSignerCommand('/opt/hsm --slot  1', run);
  const { key: material, signature } = await signer.sign(Buffer.from(message));
  expect(asked.map(({ file, args }) => [file, ...args].join(' '))).toEqual([
    '/opt/hsm --slot 1 public-key',
    `/opt/hsm --slot 1 sign ${hash}`,
  ]);
  expect(asked[0]?.input).toHaveLength(0);
  expect(Buffer.from(asked[1]?.input ?? '')).toEqual(createHash(hash).update(message).digest());
  expect(signature.length).toBeGreaterThan(60);
  expect(fingerprintOf(key)).toBe(fingerprintOf(keys[name].publicKey));
  expect(material).toMatchObject({ $case: 'publicKey' });
});

test('Ed25519 hashes by itself, so the program gets the message', async () => {
  const { run, asked } = program(keys.Ed25519);
  const { signer } = await openSignerCommand('hsm', run);
  await signer.sign(message);
  expect(asked[1]).toMatchObject({ file: 'hsm', args: ['sign', 'none'], input: message });
});

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const good = sign('sha256', message, p256.privateKey);
const digest = createHash('sha256').update(message).digest();

test.for<readonly [string, Readonly<Record<string, Ran>>, string]>([
  [
    'the program fails',
    { 'public-key': printed('', { code: 1, stderr: 'x\nno token in slot 1\n' }) },
    'signer.failed: "hsm" gave no public key: it ended with 1: no token in slot 1',
  ],
  ['a public key that is none', { 'public-key': printed('hello') }, 'signer.malformed'],
  ['a public key and more', { 'public-key': printed(`${pemOf(p256.publicKey)}warning`) }, 'signer.malformed'],
  [
    'a private key',
    { 'public-key': printed(p256.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string) },
    'signer.malformed',
  ],
  [
    'a certificate',
    { 'public-key': printed('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') },
    'signer.malformed',
  ],
  [
    'bytes that are no text',
    { 'public-key': printed('', { stdout: Buffer.from([0xff, 0xfe]) }) },
    'signer.malformed',
  ],
  [
    'a weak key',
    { 'public-key': printed(pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)) },
    'key.unsupported',
  ],
  [
    'another curve',
    { 'public-key': printed(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey)) },
    'key.unsupported',
  ],
  ['no signature', { sign: printed('') }, 'signer.malformed'],
  [
    'a failure instead of a signature',
    { sign: printed(base64(good), { code: 2 }) },
    'signer.failed: "hsm" gave no signature',
  ],
  ['a signature in hex', { sign: printed(good.toString('hex')) }, 'signer.malformed'],
  [
    'a signature over several lines',
    { sign: printed(`${base64(good).slice(0, 40)}\n${base64(good).slice(40)}\n`) },
    'signer.malformed',
  ],
  [
    'a signature by another key',
    { sign: printed(base64(sign('sha256', message, other.privateKey))) },
    'signer.malformed',
  ],
  [
    'a signature of something else',
    { sign: printed(base64(sign('sha256', Buffer.from('x'), p256.privateKey))) },
    'signer.malformed',
  ],
  [
    'a digest that was hashed again',
    { sign: printed(base64(sign('sha256', digest, p256.privateKey))) },
    'signer.malformed',
  ],
  [
    'r and s without DER',
    { sign: printed(base64(sign('sha256', message, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' }))) },
    'signer.malformed',
  ],
])('%s is not used', async ([, answers, expected]) => {
  const sign_ = async () => {
    const { signer } = await openSignerCommand('hsm', program(p256, answers).run);
    return await signer.sign(message);
  };
  const error = await sign_().then(
    () => 'nothing was thrown',
    ({ code, exit, message: said, hint }) =>
      exit === 2 && hint !== undefined ? `${code}: ${said}` : `no hint: ${code}`,
  );
  expect(error).toContain(expected);
});

test('no program is a wrong question', async () => {
  await expect(openSignerCommand('  ', program().run)).rejects.toMatchObject({
    code: 'signer.command',
    exit: 3,
  });
});

test('what stops the program is what the user hears', async () => {
  const run: RunProgram = async () => {
    throw cannotTell('process.limit', '"hsm" took longer than 120 s and was stopped');
  };
  await expect(openSignerCommand('hsm', run)).rejects.toMatchObject({ code: 'process.limit', exit: 2 });
});

test('the key that is asked for once is the key of every signature', async () => {
  const { run } = program();
  const { signer } = await openSignerCommand('hsm', run);
  const swapped = program(other).run;
  const moving: RunProgram = (...call) => (call[1][0] === 'sign' ? swapped(...call) : run(...call));
  const moved = await openSignerCommand('hsm', moving);
  await expect(moved.signer.sign(message)).rejects.toMatchObject({ code: 'signer.malformed' });
  await expect(signer.sign(message)).resolves.toBeDefined();
});
