import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { folder } from '../support/host.ts';
import { startSigstore, testIdentity } from '../support/sigstore.ts';
import { startRealSigstore } from './real-sigstore.ts';
import { run, tcfIn } from './support.ts';

/*
 * Files: what tcf sign-bundle makes cosign verifies, and what cosign sign-blob makes tcf verify-bundle does.
 */

interface Instance extends AsyncDisposable {
  readonly trustedRoot: string | Uint8Array;
  readonly signingConfig: string | Uint8Array;
  readonly issuer: string;
  readonly identity: string;
  token(): string;
}

async function startVirtual(version: 1 | 2): Promise<Instance> {
  const sigstore = await startSigstore();
  return {
    ...testIdentity,
    trustedRoot: sigstore.trustedRoot,
    signingConfig: sigstore.signingConfig(version),
    token: () => sigstore.token(),
    [Symbol.asyncDispose]: () => sigstore[Symbol.asyncDispose](),
  };
}

async function startReal(path: string): Promise<Instance> {
  const data = join(path, 'sigstore');
  mkdirSync(data);
  const sigstore = await startRealSigstore(inject('parts'), data);
  const identity = 'ann@example.test';
  return {
    ...sigstore,
    identity,
    token: () => sigstore.token(identity),
    [Symbol.asyncDispose]: () => sigstore[Symbol.asyncDispose](),
  };
}

describe.for([
  ['real services, with a log of version 2', 'hashedrekord 0.0.2', startReal],
  ['a virtual log of version 1', 'hashedrekord 0.0.1', () => startVirtual(1)],
] as const)('with %s', ([, entry, start]) => {
  const place = folder();
  const tcf = tcfIn(place.path);
  const cosign = (...args: string[]) => run(place.path, inject('cosign'), args);
  let sigstore: Instance;
  const services = ['--signing-config', 'signing.json', '--trusted-root', 'root.json'];

  beforeAll(async () => {
    sigstore = await start(place.path);
    writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
    writeFileSync(join(place.path, 'signing.json'), sigstore.signingConfig);
    writeFileSync(join(place.path, 'a.txt'), 'a\n');
    writeFileSync(join(place.path, 'b.txt'), 'b\n');
    expect(await tcf(['keygen', '--output-key-prefix', 'team'])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await sigstore[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  });

  const asked = (who: string) => [
    ...['--bundle', 'out.json', '--trusted-root', 'root.json'],
    ...['--certificate-identity', who, '--certificate-oidc-issuer', sigstore.issuer],
  ];
  const theirs = (file: string, who = sigstore.identity) =>
    cosign('verify-blob', '--new-bundle-format', ...asked(who), file);
  const ours = (file: string, who = sigstore.identity) => tcf(['verify-bundle', ...asked(who), file]);
  const entryOf = () => {
    const text = readFileSync(join(place.path, 'out.json'), 'utf8');
    const { kindVersion } = JSON.parse(text).verificationMaterial.tlogEntries[0];
    return `${kindVersion.kind} ${kindVersion.version}`;
  };

  test('what tcf signs keyless, cosign verifies, and of nobody else and no other file', async () => {
    const signed = await tcf([
      ...['sign-bundle', '--identity-token', sigstore.token(), '--bundle', 'out.json', ...services, 'a.txt'],
    ]);
    expect(signed.code, signed.text).toBe(0);
    expect(entryOf()).toBe(entry);
    const verified = await theirs('a.txt');
    expect(verified.code, verified.text).toBe(0);
    expect(await ours('a.txt')).toMatchObject({ code: 0 });
    expect((await theirs('b.txt')).code).not.toBe(0);
    expect((await theirs('a.txt', 'eve@example.test')).code).not.toBe(0);
  });

  test('what tcf signs with a key, cosign verifies, and of no other file', async () => {
    const signed = await tcf([
      'sign-bundle',
      '--key',
      'team.key',
      '--bundle',
      'out.json',
      ...services,
      'a.txt',
    ]);
    expect(signed.code, signed.text).toBe(0);
    expect(entryOf()).toBe(entry);
    const byKey = ['--key', 'team.pub', '--bundle', 'out.json', '--trusted-root', 'root.json'];
    const verify = (file: string) => cosign('verify-blob', '--new-bundle-format', ...byKey, file);
    const verified = await verify('a.txt');
    expect(verified.code, verified.text).toBe(0);
    expect((await verify('b.txt')).code).not.toBe(0);
    expect(await tcf(['verify-bundle', ...byKey, 'a.txt'])).toMatchObject({ code: 0 });
  });

  test('a statement that tcf signs, cosign verifies as an attestation of the file', async () => {
    const sha256 = createHash('sha256').update('a\n').digest('hex');
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'a.txt', digest: { sha256 } }],
      predicateType: 'https://example.test/built',
      predicate: { by: 'ann' },
    };
    writeFileSync(join(place.path, 'statement.json'), JSON.stringify(statement));
    const signed = await tcf([
      ...['sign-bundle', '--in-toto', '--identity-token', sigstore.token(), '--bundle', 'out.json'],
      ...[...services, 'statement.json'],
    ]);
    expect(signed.code, signed.text).toBe(0);
    const attested = (file: string) =>
      cosign(
        ...['verify-blob-attestation', '--new-bundle-format', '--type', statement.predicateType],
        ...[...asked(sigstore.identity), file],
      );
    const verified = await attested('a.txt');
    expect(verified.code, verified.text).toBe(0);
    expect((await attested('b.txt')).code).not.toBe(0);
    expect(await ours('a.txt')).toMatchObject({ code: 0 });
  });

  test('what cosign signs keyless, tcf verifies, and of nobody else and no other file', async () => {
    writeFileSync(join(place.path, 'token'), sigstore.token());
    const signed = await cosign(
      ...['sign-blob', '--yes', ...services, '--identity-token', 'token', '--bundle', 'out.json', 'a.txt'],
    );
    expect(signed.code, signed.text).toBe(0);
    expect(entryOf()).toBe(entry);
    const verified = await ours('a.txt');
    expect(verified.code, verified.text).toBe(0);
    expect(await ours('b.txt')).toMatchObject({ code: 1 });
    expect(await ours('a.txt', 'eve@example.test')).toMatchObject({ code: 1 });
  });
});
