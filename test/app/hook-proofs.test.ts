import { describe, expect, test } from 'vitest';
import { logDecision } from '../../src/app/decision-log.ts';
import { proveAllowance, proveRefusal } from '../../src/app/hooks/proof.ts';
import { cannotTell } from '../../src/base/error.ts';
import { outerUid } from '../../src/system/namespace.ts';
import { folder, testHost } from '../support/host.ts';

/* What counts as a proof: the runtime's behaviour and the log of the hook together, and neither alone. */

const attempt = { answered: true, started: false, said: 'no' };

describe('a refusal', () => {
  test.for<readonly [string, Partial<typeof attempt>, string | undefined, string]>([
    ['by this hook', {}, 'nonce', 'ok'],
    ['by somebody else, who logs nothing', {}, undefined, 'error'],
    ['of another name', {}, 'other', 'error'],
    ['that was none: it started', { started: true }, 'nonce', 'error'],
    ['by a runtime that does not answer', { answered: false }, undefined, 'unknown'],
  ])('%s', async ([, how, logged, expected]) => {
    const place = folder();
    const host = testHost({ cwd: place.path });
    const found = await proveRefusal(host, 'hook podman', 'nonce', 'again', async () => {
      if (logged !== undefined) {
        await logDecision(host, {
          verb: 'hook podman',
          name: `localhost/probe:${logged}`,
          policies: [],
          error: cannotTell('container.local', 'was built here'),
        });
      }
      return { ...attempt, ...how };
    });
    expect(found.level).toBe(expected);
    place[Symbol.dispose]();
  });
});

test('without an image that the policy allows nothing is proven', async () => {
  const place = folder();
  const host = testHost({ cwd: place.path });
  const found = await proveAllowance(
    host,
    'hook podman',
    undefined,
    'tcf hook status podman',
    async () => attempt,
  );
  expect(found).toMatchObject({ level: 'unknown', hint: expect.stringMatching(/--image IMAGE/) });
  // A refusal for whatever reason is not a proof of the other side.
  const refused = await proveAllowance(host, 'hook podman', 'quay.io/x/y:1', 'again', async () => {
    await logDecision(host, {
      verb: 'hook podman',
      name: 'quay.io/x/y@sha256:abc',
      policies: [],
      error: cannotTell('policy.none', 'there is no policy'),
    });
    return attempt;
  });
  expect(refused).toMatchObject({ level: 'error', message: expect.stringMatching(/there is no policy/) });
  place[Symbol.dispose]();
});

test.for<readonly [string, string, number]>([
  ['root of the machine', '         0          0 4294967295\n', 0],
  ['rootless podman', '         0       1000          1\n         1     100000      65536\n', 1000],
  ['a map without root', '      1000       1000          1\n', 0],
  ['nothing', '', 0],
])('the caller outside of the namespace: %s', ([, map, uid]) => {
  expect(outerUid(map)).toBe(uid);
});
