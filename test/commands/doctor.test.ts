import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Called, folder, type TestHostOptions, type as typed } from '../support/host.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';

let place: ReturnType<typeof folder>;
beforeEach(async () => {
  place = folder();
  writeKeyPair(place.path, 'team');
  policy();
});
afterEach(() => place[Symbol.dispose]());

const write = (path: string, text: string) => {
  mkdirSync(join(place.path, path, '..'), { recursive: true });
  writeFileSync(join(place.path, path), text);
};
const policy = (signed = '{ by: [team] }') =>
  write(
    'home/.config/tcf/policy.yaml',
    keyPolicy('quay.io', `signed: ${signed}`, { team: `${place.path}/team.pub` }),
  );
/** One that needs a trusted root: the key has to be in a log. */
const logged = (maxAge: string) =>
  write(
    'home/.config/tcf/policy.yaml',
    `version: 1\ntrust: { maxAge: ${maxAge} }\nsigners: { team: { keyFile: ${place.path}/team.pub } }\nscopes: [{ match: quay.io, require: { signed: { by: [team] } } }]\n`,
  );
const tcf = (args: readonly string[], options: Partial<TestHostOptions> = {}): Promise<Called> =>
  typed(args, {
    cwd: place.path,
    env: { COSIGN_PASSWORD: 'x' },
    answer: () => ({ stdout: '5.0.0 true false\n' }),
    ...options,
  });
const doctor = (options: Partial<TestHostOptions> = {}, ...args: readonly string[]) =>
  tcf(['doctor', '--hooks-dir', 'none', '--bin-dir', 'none', ...args], options);

test('a machine in order', async () => {
  const { exit, out } = await doctor();
  expect(exit, out).toBe(0);
  expect(out).toMatch(/✓ policy: .*policy\.yaml is in force: 1 scope, 1 signer/);
  expect(out).toMatch(/believes 1 key and 0 Sigstore instances/);
  expect(out).toMatch(/✓ engine: podman 5\.0\.0, rootless/);
  expect(out).toMatch(
    /• hooks: nothing asks tcf when podman is called directly\n {4}hint: tcf hook install podman/,
  );
});

test.for([
  ['the policy', 'home/.config/tcf/policy.yaml'],
  ['its folder', 'home/.config/tcf'],
] as const)('%s that others may write: who does it decides what starts', async ([, path]) => {
  chmodSync(join(place.path, path), 0o777);
  const { exit, out } = await doctor();
  expect(exit, out).toBe(1);
  expect(out).toMatch(
    /✗ policy: others may write ".*\/tcf(?:\/policy\.yaml)?", and so say what .*policy\.yaml says/,
  );
  expect(out).toContain('hint: chmod go-w');
});

test('a policy of the project is judged by nobody: who writes there decides what stands there', async () => {
  const text = readFileSync(join(place.path, 'home/.config/tcf/policy.yaml'), 'utf8');
  write('.tcf/policy.yaml', text);
  chmodSync(join(place.path, '.tcf/policy.yaml'), 0o666);
  expect(await doctor()).toMatchObject({ exit: 0 });
});

test('a trusted root that is getting old is worth knowing', async () => {
  logged('{ warn: 30d }');
  const { exit, out } = await doctor();
  expect(exit, out).toBe(0);
  expect(out).toMatch(
    /• policy: the trusted root of sigstore is 9\d days old .*\n {4}hint: tcf trust update sigstore/,
  );
});

test('for machines', async () => {
  const { findings, format } = JSON.parse((await doctor({}, '--json')).out);
  expect(format).toBe('tcf.doctor/1');
  expect(findings).toContainEqual(expect.objectContaining({ part: 'engine', level: 'ok' }));
});

describe('finds, and says how to repair', () => {
  test.for<readonly [string, () => Partial<TestHostOptions>, RegExp]>([
    [
      'no policy',
      () => {
        write('home/.config/tcf/policy.yaml', '');
        return {};
      },
      /✗ policy: .*\n {4}hint: /,
    ],
    [
      'a policy that only warns',
      () => {
        policy('{ by: [team], mode: warn }');
        return {};
      },
      /✗ policy: .* denies nothing in quay\.io: every rule there only warns/,
    ],
    [
      'a trusted root that is too old',
      () => {
        logged('{ deny: 30d }');
        return {};
      },
      /✗ policy: the trusted root of sigstore is 9\d days old .*\n {4}hint: tcf trust update sigstore/,
    ],
    [
      'a clock that was set back',
      () => ({ now: new Date('2020-01-01T00:00:00Z') }),
      /✗ tcf: the clock says 2020.*Sigstore root that tcf carries is of/,
    ],
    [
      'an engine that does not work',
      () => ({ answer: () => ({ code: 125, stderr: 'no runtime\n' }) }),
      /✗ engine: podman does not work: no runtime/,
    ],
    [
      'a credential helper that is gone',
      () => {
        write('home/.docker/config.json', '{"credsStore":"gone"}');
        return {};
      },
      /✗ credentials: .*asks docker-credential-gone, which is not on PATH/,
    ],
    [
      'credentials that are no JSON',
      () => {
        write('home/.docker/config.json', '{');
        return {};
      },
      /✗ credentials: /,
    ],
    [
      'a hook without its program',
      () => {
        write(
          'none/tcf.json',
          JSON.stringify({ hook: { args: ['sh', '-c', 'x', '/gone/node', 'hook', 'enter'] } }),
        );
        return {};
      },
      /✗ hooks: podman: its program "\/gone\/node" is not there\n {4}hint: tcf hook install podman/,
    ],
    [
      'a log that others may write',
      () => {
        const path = join(place.path, 'home/.local/state/tcf/decisions');
        mkdirSync(path, { recursive: true });
        chmodSync(path, 0o777);
        return {};
      },
      /✗ state: .*decisions" can be written by others/,
    ],
  ])('%s', async ([, arrange, message]) => {
    const { exit, out } = await doctor(arrange());
    expect(out).toMatch(message);
    expect(exit).toBe(1);
  });

  test('a log that was changed', async () => {
    for (let count = 0; count < 2; count += 1) {
      await tcf(['verify', 'oci:nowhere', '--as', 'quay.io/x/y']);
    }
    const path = join(place.path, 'home/.local/state/tcf/decisions/000000/000000.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('verify', 'run'));
    expect((await doctor()).out).toMatch(/✗ state: the log was changed at entry 1/);
  });

  test('credentials that others may read, without showing them', async () => {
    write('home/.docker/config.json', '{"auths":{"quay.io":{"auth":"c2VjcmV0OnNlY3JldA=="}}}');
    chmodSync(join(place.path, 'home/.docker/config.json'), 0o644);
    const { out } = await doctor();
    expect(out).toMatch(/• credentials: others may read .*config\.json\n {4}hint: chmod 600/);
    expect(out).not.toMatch(/c2VjcmV0/);
  });
});
