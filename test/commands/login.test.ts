import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cannotTell } from '../../src/base/error.ts';
import type { RunProgram } from '../../src/system/program.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, type TestHostOptions, type } from '../support/host.ts';
import { type Issuer, startIssuer } from '../support/oidc.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

const now = new Date('2026-11-23T12:00:00Z');
const place = folder();
let registry: TestRegistry;
let sigstore: SigstoreServer;
let issuer: Issuer;

beforeAll(async () => {
  registry = await startRegistry();
  sigstore = await startSigstore({ now: () => now });
  issuer = await startIssuer({ token: (claims) => sigstore.token(claims) });
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
  writeFileSync(join(place.path, 'config.json'), sigstore.signingConfig(1));
});
afterAll(async () => {
  await Promise.all([registry.close(), sigstore[Symbol.asyncDispose](), issuer[Symbol.asyncDispose]()]);
  place[Symbol.dispose]();
});

/** A person at a screen, whose browser opens what it is given. */
const person: Partial<TestHostOptions> = {
  terminal: true,
  env: { DISPLAY: ':0' },
  found: ['xdg-open'],
  program: async (_file, [address = '']) => {
    await fetch(address, { redirect: 'follow' });
    return { code: 0, stdout: Buffer.of(), stderr: '' };
  },
};

const sign = (options: Partial<TestHostOptions>, ...args: readonly string[]) =>
  type(
    [
      ...['sign', `${registry.host}/dev:1`, '--no-sbom', '--allow-http'],
      ...['--signing-config', 'config.json', '--trusted-root', 'root.json', ...args],
    ],
    { cwd: place.path, now, ...options },
  );
const login = () => ['--oidc-issuer', issuer.url.href];

test('a person at a terminal logs in with the browser and signs', async () => {
  const signed = await sign(person, ...login());
  expect(signed.exit, signed.err).toBe(0);
  expect(signed.err).toMatch(/^tcf: your e-mail address goes into the certificate/);
  expect(signed.started).toEqual([['/usr/bin/xdg-open', expect.stringContaining('/auth/authorize?')]]);
  const again = await sign(person, ...login(), '--skip-existing');
  expect(again).toMatchObject({ exit: 0, err: expect.stringContaining('the signature is there already') });
});

test('whatever opens the browser may fail: the address stands on the terminal', async () => {
  const program: RunProgram = async (file, [address = '']) => {
    setTimeout(() => fetch(address, { redirect: 'follow' }), 10);
    throw cannotTell('process.limit', `${file} took longer`);
  };
  const signed = await sign({ ...person, program }, ...login());
  expect(signed.exit, signed.err).toBe(0);
  expect(signed.err).toContain(`${issuer.url.href}/authorize?response_type=code`);
});

test.for<readonly [string, Partial<TestHostOptions>]>([
  ['in a script', { terminal: false }],
  ['in CI, even on a terminal', { terminal: true, env: { CI: 'true', DISPLAY: ':0' } }],
])('%s nobody is asked', async ([, options]) => {
  const before = issuer.requests.length;
  const signed = await sign({ ...person, ...options }, ...login());
  expect(signed).toMatchObject({ exit: 3, started: [] });
  expect(signed.err).toContain('there is no identity token');
  expect(issuer.requests.length).toBe(before);
});

test.for<readonly [string, Partial<TestHostOptions>]>([
  ['on the far end of SSH', { env: { DISPLAY: ':0', SSH_CONNECTION: '1' } }],
  ['without a screen', { env: {} }],
])('%s a code is shown', async ([, options]) => {
  await using dead = await startIssuer({
    token: (claims) => sigstore.token(claims),
    device: { expires_in: 0 },
  });
  const signed = await sign({ ...person, ...options }, '--oidc-issuer', dead.url.href);
  expect(signed).toMatchObject({ exit: 2, started: [] });
  expect(signed.err).toMatch(/tcf: open http:\S+\/auth\/type-it-in and check the code ABCD-EFGH/);
});

test.for<readonly [string, readonly string[], RegExp]>([
  ['a flow that is none', ['--oidc-flow', 'telepathy'], /--oidc-flow is browser or device/],
  ['nobody to log in with', ['--oidc-flow', 'device'], /the signing services name no OIDC issuer/],
  [
    'an issuer that is not an address',
    ['--oidc-flow', 'device', '--oidc-issuer', 'x'],
    /--oidc-issuer is not an http/,
  ],
  ['a login and a token', ['--oidc-flow', 'device', '--identity-token', 'x'], /more than one signer given/],
])('%s: exit code 3', async ([, args, message]) => {
  const signed = await sign(person, ...args);
  expect(signed.err).toMatch(message);
  expect(signed.exit).toBe(3);
});
