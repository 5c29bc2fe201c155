import { generateKeyPairSync } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunProgram } from '../../src/system/program.ts';
import { keyPolicy, openScene, type Scene } from '../support/scene.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
let scene: Scene;

/** An HSM: it sees digests only. */
const hsm: RunProgram = async (_file, args, input) => {
  const signature = () =>
    Buffer.from(p256.sign(input, scalar, { prehash: false, format: 'der' })).toString('base64');
  return {
    code: 0,
    stdout: Buffer.from(args.at(-1) === 'public-key' ? pem : `${signature()}\n`),
    stderr: '',
  };
};

const tcf = (args: readonly string[], program: RunProgram = hsm) =>
  scene.tcfWith({ program }, ...args, '--allow-http');

beforeAll(async () => {
  scene = await openScene({ keys: [], policies: {} });
  scene.write('hsm.pub', pem);
  scene.write('token', 'x');
  scene.write(
    'policy.yaml',
    keyPolicy(scene.registry.host, 'signed: { by: [hsm] }, sbom: { by: [hsm] }', { hsm: 'hsm.pub' }),
  );
});
afterAll(() => scene[Symbol.asyncDispose]());

test.for([
  ['a program that refuses', ['--signer-cmd', 'hsm'], 2, /signer|"hsm" gave no public key/],
  ['a key beside the program', ['--signer-cmd', 'hsm', '--key', 'team.key'], 3, /more than one signer given/],
  [
    'a token beside the program',
    ['--signer-cmd', 'hsm', '--identity-token', 'token'],
    3,
    /more than one signer given/,
  ],
  ['no program', ['--signer-cmd', ' '], 3, /names no program/],
] as const)('%s: nothing is pushed', async ([, args, exit, message]) => {
  const before = scene.registry.manifests.size;
  const ran = await tcf(['sign', scene.name, ...args], async () => ({
    code: 1,
    stdout: Buffer.of(),
    stderr: '',
  }));
  expect(ran.err).toMatch(message);
  expect(ran.err).toContain('tcf: hint: ');
  expect(ran.exit).toBe(exit);
  expect(scene.registry.manifests.size).toBe(before);
});

test('what an HSM signed is verified by its public key', async () => {
  expect(await tcf(['verify', scene.name, '--policy', 'policy.yaml'])).toMatchObject({ exit: 1 });
  const signed = await tcf(['sign', scene.name, '--signer-cmd', '/opt/hsm/sign --slot 1']);
  expect(signed.exit, signed.err).toBe(0);
  expect(signed.started.map((words) => words.join(' '))).toEqual([
    '/opt/hsm/sign --slot 1 public-key',
    '/opt/hsm/sign --slot 1 sign sha256',
    '/opt/hsm/sign --slot 1 sign sha256',
  ]);
  expect(await tcf(['verify', scene.name, '--policy', 'policy.yaml'])).toMatchObject({ exit: 0 });
});
