import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type } from '../support/host.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { day } from '../support/tuf.ts';

/* Verifying with the trusted root of a private instance, which came through TUF. */

const now = new Date('2026-11-23T12:00:00Z');
let instance: Instance;
let place: Instance['place'];
let sigstore: Instance['sigstore'];
let tuf: Instance['tuf'];
let mirror: Instance['mirror'];
let image: string;

beforeEach(async () => {
  instance = await startInstance(now);
  ({ image, mirror, place, sigstore, tuf } = instance);
  write('policy.yaml', policy('instances: [corp]'));
  await tcf(
    now,
    'sign',
    image,
    '--signing-config',
    'config.json',
    '--trusted-root',
    'root.json',
    '--no-sbom',
    '--allow-http',
  );
});

afterEach(async () => {
  await instance[Symbol.asyncDispose]();
});

const write: Instance['write'] = (name, content) => instance.write(name, content);
const policy: Instance['policy'] = (trust) => instance.policy(trust);
const tcf = (at: Date, ...args: readonly string[]) =>
  type(args, { cwd: place.path, now: at, env: { SIGSTORE_ID_TOKEN: sigstore.token() } });
const verify = (at: Date, ...more: readonly string[]) =>
  tcf(at, 'verify', image, '--policy', 'policy.yaml', '--allow-http', ...more);
const update = (at = now) =>
  tcf(at, 'trust', 'update', 'corp', '--mirror', mirror.url, '--root', 'tuf-root.json');
const later = (days: number) => new Date(Number(now) + days * day);

test('an instance that was never fetched proves nothing, and the way to it is named', async () => {
  expect(await verify(now)).toMatchObject({ exit: 3, err: expect.stringContaining('tcf trust update corp') });
});

test('what was fetched proves the signature, and the decision says how old it is, in words and in JSON', async () => {
  await update();
  const words = await verify(later(3));
  expect(words.exit, words.err).toBe(0);
  expect(words.err).toContain(
    '✓ trust: the trusted root of corp is 3 days old (tcf trust update, 2026-11-23)',
  );
  const { out } = await verify(later(3), '--json');
  expect(JSON.parse(out).decisions[0].roots).toEqual([
    {
      source: 'corp',
      digest: expect.stringMatching(/^sha256:/),
      origin: 'tcf trust update',
      asOf: now.toISOString(),
      newest: '2020-01-01T00:00:00.000Z',
      ageDays: 3,
    },
  ]);
});

test('verifying asks no mirror', async () => {
  await update();
  const before = mirror.requests.length;
  expect(await verify(now)).toMatchObject({ exit: 0 });
  expect(mirror.requests.length).toBe(before);
});

test('verifying asks the mirror where it is told to, and a mirror that is frozen is no answer', async () => {
  await update();
  const before = mirror.requests.length;
  expect(await verify(now, '--update-trust')).toMatchObject({ exit: 0 });
  expect(mirror.requests.slice(before)).toEqual(['2.root.json', 'timestamp.json']);
  expect(await verify(later(8), '--update-trust')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('expired'),
  });
  expect(await verify(later(8))).toMatchObject({ exit: 0 });
});

test('an old root first warns, then denies, and an update mends it', async () => {
  await update();
  expect(await verify(later(200))).toMatchObject({ exit: 0, err: expect.stringContaining('! trust: ') });
  const denied = await verify(later(400));
  expect(denied).toMatchObject({ exit: 2, err: expect.stringContaining('? trust: ') });
  expect(denied.err).toContain('hint: tcf trust update corp');
  tuf.now = later(400);
  tuf.publishRoot();
  tuf.publish();
  expect(await update(later(400))).toMatchObject({ exit: 0 });
  expect(await verify(later(400))).toMatchObject({ exit: 0 });
});

test('the root of one instance proves nothing for another', async () => {
  await update();
  write('policy.yaml', policy('instances: [sigstore]'));
  expect(await verify(now)).toMatchObject({ exit: 1 });
  write('policy.yaml', policy('instances: [sigstore, corp]'));
  expect(await verify(now)).toMatchObject({ exit: 0 });
});

test('a state that was tampered with stops the decision', async () => {
  await update();
  const slot = join(place.path, 'home/.local/state/tcf/trust/corp/tuf');
  for (let generation = 1; generation < 9; generation += 1) {
    writeFileSync(join(slot, `${generation}.json`), '{"format":"tcf.tuf/1"}', { mode: 0o600 });
  }
  expect(await verify(now)).toMatchObject({ exit: 2, err: expect.stringContaining('cannot be used') });
});

test('the file that was named on the command line is used in place of instances, and says what it can of its age', async () => {
  const { exit, err } = await verify(now, '--trusted-root', 'root.json');
  expect(exit).toBe(0);
  expect(err).toContain('✓ trust: the newest entry of the trusted root root.json is 2518 days old');
});

test('a timestamp authority with ML-DSA-65 counts where the policy says so, and elsewhere the reason is named', async () => {
  await using quantum = await startInstance(now, {
    tsaKey: () => generateKeyPairSync('ml-dsa-65').privateKey,
  });
  const env = { SIGSTORE_ID_TOKEN: quantum.sigstore.token() };
  const at = (...args: readonly string[]) => type(args, { cwd: quantum.place.path, now, env });
  quantum.write('config.json', quantum.sigstore.signingConfig(2));
  const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json'];
  const signed = await at('sign', quantum.image, ...services, '--no-sbom', '--allow-http');
  expect(signed.exit, signed.err).toBe(0);
  const verifying = async (trust: string) => {
    quantum.write('policy.yaml', quantum.policy(trust));
    return await at('verify', quantum.image, '--policy', 'policy.yaml', '--allow-http');
  };
  expect(await verifying('root: root.json, experimental: [ml-dsa-65]')).toMatchObject({ exit: 0 });
  const denied = await verifying('root: root.json');
  expect(denied.exit).toBe(1);
  expect(denied.err).toContain('1 entry not used (tcf trust show');
  expect(denied.err).toContain('trust.experimental');
});
