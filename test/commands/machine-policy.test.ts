import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type } from '../support/host.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { day } from '../support/tuf.ts';

/* The policy of the machine: whoever runs tcf can neither move nor replace what it believes. */

const now = new Date('2026-11-23T12:00:00Z');
let instance: Instance;
let place: Instance['place'];
let sigstore: Instance['sigstore'];
let mirror: Instance['mirror'];
let image: string;

beforeEach(async () => {
  instance = await startInstance(now);
  ({ image, mirror, place, sigstore } = instance);
  mkdirSync(join(place.path, 'etc/tcf'), { recursive: true });
  write('policy.yaml', policy(''));
  const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json'];
  const signed = await type(['sign', image, '--no-sbom', '--allow-http', ...services], {
    cwd: place.path,
    now,
    env: { SIGSTORE_ID_TOKEN: sigstore.token() },
  });
  expect(signed.exit, signed.err).toBe(0);
});

afterEach(async () => {
  await instance[Symbol.asyncDispose]();
});

const write: Instance['write'] = (name, content) => instance.write(name, content);
const policy: Instance['policy'] = (trust) => instance.policy(trust);
interface Who {
  readonly uid?: number;
  readonly at?: Date;
  readonly env?: Readonly<Record<string, string>>;
}
const tcf = (args: readonly string[], { uid = 1000, at = now, env = {} }: Who = {}) =>
  type(args, { cwd: place.path, now: at, env, uid });
const verify = (more: readonly string[] = [], who?: Who) =>
  tcf(['verify', image, '--allow-http', ...more], who);
const update = (who: Who, ...more: readonly string[]) =>
  tcf(['trust', 'update', 'corp', '--mirror', mirror.url, '--root', 'tuf-root.json', ...more], who);
const later = (days: number) => new Date(Number(now) + days * day);

test('a root on the command line speaks for the policy of the user, and not for that of the machine', async () => {
  const asked = ['--policy', 'policy.yaml', '--trusted-root', 'root.json'];
  expect(await verify(asked)).toMatchObject({ exit: 0 });
  write('etc/tcf/policy.yaml', policy(''));
  for (const uid of [1000, 0]) {
    const denied = await verify(asked, { uid });
    expect(denied).toMatchObject({ exit: 1 });
    expect(denied.err).toContain('tcf: warning: --trusted-root does not speak for ');
  }
});

test('nor is the policy of the machine loosened by being named once more', async () => {
  write('etc/tcf/policy.yaml', policy(''));
  for (const spelled of ['etc/tcf/policy.yaml', `${place.path}/etc/../etc/tcf/policy.yaml`]) {
    expect(await verify(['--policy', spelled, '--trusted-root', 'root.json'])).toMatchObject({ exit: 1 });
  }
});

test('a root in the policy of the machine is taken, whatever stands on the command line', async () => {
  write('etc/tcf/policy.yaml', policy('root: ../../root.json'));
  expect(await verify()).toMatchObject({ exit: 0 });
  write(
    'nobody.json',
    JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }),
  );
  expect(await verify(['--trusted-root', 'nobody.json'])).toMatchObject({ exit: 0 });
});

test('what a user fetched proves nothing for the machine, wherever the environment says it lies', async () => {
  write('etc/tcf/policy.yaml', policy('instances: [corp]'));
  const env = { XDG_STATE_HOME: join(place.path, 'elsewhere') };
  for (const who of [{}, { env }]) {
    expect(await update(who)).toMatchObject({ exit: 0 });
    const asked = await verify([], who);
    expect(asked).toMatchObject({ exit: 3, err: expect.stringContaining('--root FILE --machine') });
    expect(await tcf(['trust', 'show', 'corp'], who)).toMatchObject({ exit: 0 });
  }
});

test('what the administrator fetched for the machine does, for everybody', async () => {
  write('etc/tcf/policy.yaml', policy('instances: [corp]'));
  expect(await update({ uid: 0 }, '--machine')).toMatchObject({ exit: 0 });
  for (const uid of [0, 1000]) {
    expect(await verify([], { uid })).toMatchObject({ exit: 0 });
  }
  expect((await tcf(['trust', 'show', '--machine', 'corp'])).out).toMatch(/^corp: 0 days old/);
  expect(await tcf(['trust', 'show', 'corp'])).toMatchObject({ exit: 3 });
  const old = await verify([], { at: later(400) });
  expect(old).toMatchObject({
    exit: 2,
    err: expect.stringContaining('hint: tcf trust update corp --machine\n'),
  });
});

test('an administrator needs no second copy', async () => {
  write('etc/tcf/policy.yaml', policy('instances: [corp]'));
  await update({ uid: 0 });
  expect(await verify([], { uid: 0 })).toMatchObject({ exit: 0 });
  const before = mirror.requests.length;
  expect(await verify(['--update-trust'], { uid: 0 })).toMatchObject({ exit: 0 });
  expect(mirror.requests.length).toBe(before + 2);
});

test('a file is imported for the machine too', async () => {
  write('etc/tcf/policy.yaml', policy('instances: [corp]'));
  expect(await tcf(['trust', 'import', 'root.json', '--as', 'corp', '--machine'])).toMatchObject({ exit: 0 });
  expect(await verify()).toMatchObject({ exit: 0 });
});

test('a hook that is installed with a root is told that it does not speak for the machine', async () => {
  write('etc/tcf/policy.yaml', policy(''));
  const install = ['hook', 'install', 'podman', '--hooks-dir', join(place.path, 'hooks')];
  const installed = await tcf([...install, '--trusted-root', 'root.json'], { uid: 0 });
  expect(installed).toMatchObject({ exit: 0, err: expect.stringContaining('does not speak for ') });
  expect(await tcf(install, { uid: 0 })).toMatchObject({ exit: 0, err: '' });
});
