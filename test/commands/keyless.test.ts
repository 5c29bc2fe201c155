import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type SigstoreServer, startSigstore, testIdentity } from '../support/sigstore.ts';

const now = new Date('2026-11-23T12:00:00Z');
let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let sigstore: SigstoreServer;
let image: string;

beforeEach(async () => {
  place = folder();
  registry = await startRegistry();
  sigstore = await startSigstore({ now: () => now });
  await pushDemoImage({ host: registry.host, repository: 'triton/dev', tag: '1' });
  image = `${registry.host}/triton/dev:1`;
  write('root.json', sigstore.trustedRoot);
  write('config1.json', sigstore.signingConfig(1));
  write('config2.json', sigstore.signingConfig(2));
  write('policy.yaml', policyFor(testIdentity.identity));
});

afterEach(async () => {
  await sigstore[Symbol.asyncDispose]();
  await registry.close();
  place[Symbol.dispose]();
});

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(place.path, name), content);
const policyFor = (identity: string) =>
  `version: 1
trust: { root: root.json }
signers: { ann: { issuer: "${testIdentity.issuer}", identity: "${identity}" } }
scopes: [{ match: "${registry.host}", require: { signed: { by: [ann] }, sbom: { by: [ann] }, llvm: { is: pinned } } }]
`;
const tcf = (
  args: readonly string[],
  env: Record<string, string> = { SIGSTORE_ID_TOKEN: sigstore.token() },
) => type([...args, '--allow-http'], { cwd: place.path, env, now });
const sign = (version: 1 | 2, ...more: string[]) =>
  tcf(['sign', image, '--signing-config', `config${version}.json`, '--trusted-root', 'root.json', ...more]);
const verify = () => tcf(['verify', image, '--policy', 'policy.yaml'], {});

test.for([1, 2] as const)(
  'signs keyless with Rekor v%d, and the identity in the certificate is what the policy asks for',
  async (version) => {
    expect(await verify()).toMatchObject({ exit: 1 });
    expect(await sign(version)).toMatchObject({ exit: 0 });
    const verified = await verify();
    expect(verified.exit, verified.err).toBe(0);
    expect(verified.err).toContain('✓ signed: the image is signed by ann');
  },
);

test('verifying asks neither Fulcio nor a log', async () => {
  await sign(1);
  const before = sigstore.requests.length;
  expect(await verify()).toMatchObject({ exit: 0 });
  expect(sigstore.requests.length).toBe(before);
});

test('somebody else by the same issuer is not ann', async () => {
  write('policy.yaml', policyFor('bob@example.test'));
  await sign(1);
  expect(await verify()).toMatchObject({ exit: 1, err: expect.stringContaining('another identity') });
});

test('signs once more only where that adds something', async () => {
  await sign(1);
  const again = await sign(1, '--skip-existing');
  expect(again).toMatchObject({
    exit: 0,
    err: expect.stringMatching(/the SBOM attestation is there already\nthe signature is there already/),
  });
});

describe('nothing is pushed when', () => {
  const pushes = () => registry.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length;

  test.for<readonly [string, number, RegExp, () => Promise<Awaited<ReturnType<typeof tcf>>>]>([
    [
      'there is no token',
      3,
      /no identity token/,
      () => tcf(['sign', image, '--signing-config', 'config1.json'], {}),
    ],
    [
      'the token has expired',
      2,
      /expired/,
      () =>
        tcf(['sign', image, '--signing-config', 'config1.json'], {
          SIGSTORE_ID_TOKEN: sigstore.token({ exp: 1 }),
        }),
    ],
    [
      'Fulcio is down',
      2,
      /answered 503/,
      () => {
        sigstore.fault(/signingCert/, { status: 503 });
        return sign(1);
      },
    ],
    [
      'the log is down',
      2,
      /answered 500/,
      () => {
        sigstore.fault(/log\/entries/, { status: 500 });
        return sign(1);
      },
    ],
    [
      'the trusted root belongs to another instance',
      2,
      /does not verify, so nothing was pushed/,
      async () => {
        await using other = await startSigstore({ now: () => now });
        write('root.json', other.trustedRoot);
        return await sign(1);
      },
    ],
    ['services are named twice', 3, /named twice/, () => sign(1, '--rekor-url', 'https://rekor.example')],
  ])('%s', async ([, exit, message, run]) => {
    const before = pushes();
    const called = await run();
    expect(called.exit, called.err).toBe(exit);
    expect(called.err).toMatch(message);
    expect(called.err).toMatch(/^tcf: error: /m);
    expect(pushes()).toBe(before);
  });
});
