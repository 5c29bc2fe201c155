import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatStatement, toStatement } from '../../src/attest/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { type Called, folder, type } from '../support/host.ts';
import { type SigstoreServer, startSigstore, testIdentity } from '../support/sigstore.ts';

/* Files and statements, signed and verified in the protocol of sigstore-conformance. */

const now = new Date('2026-11-23T12:00:00Z');
const artifact = Buffer.from('#!/bin/sh\necho triton\n');
let place: ReturnType<typeof folder>;
let sigstore: SigstoreServer;

beforeEach(async () => {
  place = folder();
  sigstore = await startSigstore({ now: () => now });
  write('build.sh', artifact);
  write('root.json', sigstore.trustedRoot);
  write('config1.json', sigstore.signingConfig(1));
  write('config2.json', sigstore.signingConfig(2));
  write('statement.json', statementOf(digestOf(artifact)));
});
afterEach(async () => {
  await sigstore[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(place.path, name), content);
const statementOf = (subject: ReturnType<typeof digestOf>) =>
  formatStatement(
    toStatement({
      subject,
      name: 'build.sh',
      predicateType: 'https://test.example/built',
      predicate: { by: 'ann' },
    }),
  );
const tcf = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Called> =>
  type(args, { cwd: place.path, now, env: { COSIGN_PASSWORD: 'x', ...env } });
const services = (version: 1 | 2 = 1) => [
  ...['--trusted-root', 'root.json', '--signing-config', `config${version}.json`],
];
const bundle = () => JSON.parse(readFileSync(join(place.path, 'out.json'), 'utf8'));
const isWritten = () => existsSync(join(place.path, 'out.json'));

/** As the suite calls a client: options in the order of the protocol. */
const sign = (...more: readonly string[]) =>
  tcf(['sign-bundle', '--identity-token', sigstore.token(), '--bundle', 'out.json', ...more]);
const asAnn = (artifactName: string, identity = testIdentity.identity) =>
  tcf([
    ...['verify-bundle', '--bundle', 'out.json', '--certificate-identity', identity],
    ...['--certificate-oidc-issuer', testIdentity.issuer, '--trusted-root', 'root.json', artifactName],
  ]);

describe.for([1, 2] as const)('with a log of version %d', (version) => {
  test('a file is signed, and verified by path and by digest', async () => {
    const signed = await sign(...services(version), 'build.sh');
    expect(signed.exit, signed.err).toBe(0);
    expect(signed).toMatchObject({ out: '', err: expect.stringContaining(digestOf(artifact)) });
    expect(bundle()).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: {},
        tlogEntries: [{ kindVersion: { kind: 'hashedrekord', version: `0.0.${version}` } }],
        timestampVerificationData: { rfc3161Timestamps: [{}] },
      },
      messageSignature: { messageDigest: { algorithm: 'SHA2_256' } },
    });
    for (const name of ['build.sh', digestOf(artifact)]) {
      expect(await asAnn(name)).toMatchObject({ exit: 0 });
    }
    expect(await asAnn('root.json')).toMatchObject({ exit: 1 });
    expect(await asAnn('build.sh', 'bob@example.test')).toMatchObject({ exit: 1 });
  });

  test('a statement is signed as it is, byte for byte, and is about its subject', async () => {
    const signed = await sign('--in-toto', ...services(version), 'statement.json');
    expect(signed.exit, signed.err).toBe(0);
    const { payload, payloadType } = bundle().dsseEnvelope;
    expect(Buffer.from(payload, 'base64')).toEqual(readFileSync(join(place.path, 'statement.json')));
    expect(payloadType).toBe('application/vnd.in-toto+json');
    expect(await asAnn('build.sh')).toMatchObject({ exit: 0 });
    expect(await asAnn('statement.json')).toMatchObject({ exit: 1 });
  });
});

test('the token may be in a file', async () => {
  write('token', sigstore.token());
  const args = [
    'sign-bundle',
    '--identity-token',
    'token',
    '--bundle',
    'out.json',
    ...services(),
    'build.sh',
  ];
  expect(await tcf(args)).toMatchObject({ exit: 0 });
  expect(await asAnn('build.sh')).toMatchObject({ exit: 0 });
});

test('what was there before is replaced whole, and nothing lies beside it', async () => {
  write('out.json', 'old');
  expect(await sign(...services(), 'build.sh')).toMatchObject({ exit: 0 });
  expect(await asAnn('build.sh')).toMatchObject({ exit: 0 });
  expect(readdirSync(place.path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

describe('a key', () => {
  beforeEach(() => tcf(['keygen', '--output-key-prefix', 'team']));
  const byKey = (...more: readonly string[]) =>
    tcf(['sign-bundle', '--key', 'team.key', '--bundle', 'out.json', ...more, 'build.sh']);
  const asTeam = (...more: readonly string[]) =>
    tcf([
      ...['verify-bundle', '--bundle', 'out.json', '--key', 'team.pub', '--trusted-root', 'root.json'],
      ...more,
      'build.sh',
    ]);

  test('signs with witnesses', async () => {
    expect(await byKey(...services())).toMatchObject({ exit: 0 });
    expect(bundle().verificationMaterial.tlogEntries).toHaveLength(1);
    expect(await asTeam()).toMatchObject({ exit: 0 });
  });

  test('signs alone, and whoever verifies says that this is enough', async () => {
    expect(await byKey()).toMatchObject({ exit: 0 });
    expect(sigstore.requests).toEqual([]);
    expect(await asTeam()).toMatchObject({ exit: 1, err: expect.stringContaining('time.missing') });
    expect(await asTeam('--allow-unlogged')).toMatchObject({ exit: 0 });
    write('build.sh', 'another');
    expect(await asTeam('--allow-unlogged')).toMatchObject({ exit: 1 });
  });

  test('that signs alone says nothing for an identity', async () => {
    await byKey();
    expect(await asAnn('build.sh')).toMatchObject({ exit: 1, err: expect.stringContaining('signer.kind') });
    const loose = await tcf([
      ...['verify-bundle', '--bundle', 'out.json', '--allow-unlogged', '--certificate-identity', 'a'],
      ...['--certificate-oidc-issuer', 'b', 'build.sh'],
    ]);
    expect(loose).toMatchObject({ exit: 3, err: expect.stringContaining('--allow-unlogged is for keys') });
  });

  test('a log entry that is there is checked, whether one is needed or not', async () => {
    await byKey(...services());
    const forged = bundle();
    forged.verificationMaterial.tlogEntries[0].integratedTime = '1600000000';
    write('out.json', JSON.stringify(forged));
    expect(await asTeam('--allow-unlogged')).toMatchObject({ exit: 1 });
  });
});

test.for<readonly [string, readonly string[], number, string]>([
  ['the staging instance', ['--staging', 'build.sh'], 3, 'staging'],
  ['a missing file', [...services(), 'none'], 3, 'cannot read the artifact'],
  ['services without a root', ['--signing-config', 'config1.json', 'build.sh'], 3, 'nothing to check'],
  ['a statement that is none', ['--in-toto', ...services(), 'build.sh'], 3, 'is not a statement'],
  ['a file in the place of the bundle', [...services(), './out.json'], 3, 'would replace'],
])('%s is asked wrongly, and nobody is asked to sign', async ([, args, exit, words]) => {
  const called = await sign(...args);
  expect(called).toMatchObject({ exit, out: '', err: expect.stringContaining(words) });
  expect(called.err).toMatch(/^tcf: error: [^\n]+\ntcf: hint: [^\n]+\n$/);
  expect([isWritten(), sigstore.requests]).toEqual([false, []]);
});

test('a statement that names its subject by no digest that tcf knows is not signed', async () => {
  const statement = JSON.parse(Buffer.from(statementOf(digestOf(artifact))).toString());
  statement.subject[0].digest = { gitCommit: 'a'.repeat(40) };
  write('statement.json', JSON.stringify(statement));
  const called = await sign('--in-toto', ...services(), 'statement.json');
  expect(called).toMatchObject({ exit: 3, err: expect.stringContaining('names no subject') });
});

test('a token is not repeated in messages, whatever is wrong with it', async () => {
  const [head, , signature] = sigstore.token().split('.');
  for (const token of [`${head}.bm8.${signature}`, `${head}.bm8.`, ` ${head}.bm8.${signature}\n`]) {
    const called = await tcf([
      ...['sign-bundle', '--identity-token', token, '--bundle', 'out.json', ...services(), 'build.sh'],
    ]);
    expect(called).toMatchObject({ exit: 3, err: expect.stringContaining('cannot read the identity token') });
    expect(called.err).not.toContain(head);
  }
});
