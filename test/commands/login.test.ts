import { afterAll, beforeAll, expect, test } from 'vitest';
import { cannotTell } from '../../src/base/error.ts';
import type { RunProgram } from '../../src/system/program.ts';
import type { TestHostOptions } from '../support/host.ts';
import { type Issuer, startIssuer } from '../support/oidc.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

const now = new Date('2026-11-23T12:00:00Z');
let scene: Scene;
let sigstore: SigstoreServer;
let issuer: Issuer;

beforeAll(async () => {
  scene = await openScene({ keys: [], policies: {}, host: { now } });
  sigstore = await startSigstore({ now: () => now });
  issuer = await startIssuer({ token: (claims) => sigstore.token(claims) });
  scene.write('root.json', sigstore.trustedRoot);
  scene.write('config.json', sigstore.signingConfig(1));
});
afterAll(async () => {
  await Promise.all([scene, sigstore, issuer].map((one) => one[Symbol.asyncDispose]()));
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
  scene.tcfWith(
    options,
    ...['sign', scene.name, '--no-sbom', '--allow-http'],
    ...['--signing-config', 'config.json', '--trusted-root', 'root.json', ...args],
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
  ['a flow that is none', ['--oidc-flow', 'telepathy'], /--oidc-flow does not take/],
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
