import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { must } from '../support.ts';
import { verbsInLog } from './hooks.ts';
import { type Place, type Steps, write } from './place.ts';

/* The section "Cache and log": at the end, when there are entries. */

const logFolder = (place: Place) => join(place.folder, '.local/state/tcf/decisions');
const files = async (place: Place) =>
  (await must('find', [logFolder(place), '-name', '[0-9]*.json'])).trim().split('\n').sort();
const head = async (place: Place) => {
  const verified = await place.here('log', 'verify');
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  return /the last is (sha256:[0-9a-f]{64})/.exec(verified.stdout)?.[1] ?? '';
};

export const log: Steps = {
  async 'dev containers end in the same log, and each entry has the digest of the one before'(place) {
    expect(await verbsInLog(place)).toContain('devcontainer');
    const entries = (await files(place)).map((path) => readFileSync(path));
    for (const [index, bytes] of entries.entries()) {
      const before = entries[index - 1];
      const digest =
        before === undefined ? undefined : `sha256:${createHash('sha256').update(before).digest('hex')}`;
      expect(JSON.parse(bytes.toString()).previous).toBe(digest);
    }
  },

  async 'a denial is the last entry, and the chain is proven'(place) {
    await must('podman', [
      'push',
      '--quiet',
      '--tls-verify=false',
      'localhost/tcf-way-evil',
      `${place.registry}/dev:moved`,
    ]);
    const denied = await place.here('verify', `${place.registry}/dev:moved`, ...place.policy, '--quiet');
    expect(denied).toMatchObject({ code: 1, stdout: '', stderr: '' });
    const { stdout } = await place.here('log', 'show', '--last', '1');
    expect(stdout).toMatch(
      / deny verify \S+\/dev:moved \(\S+@sha256:[0-9a-f]{64}\)\n +signed: the image has no signature by a trusted signer\n/,
    );
    expect((await place.here('log', 'verify')).stdout).toMatch(
      /\d+ decisions in an unbroken chain, the last is sha256:/,
    );
  },

  async 'the last digest, written down elsewhere, sees a log that was cut off'(place) {
    const written = await head(place);
    expect(await place.here('log', 'verify', '--head', written)).toMatchObject({ code: 0 });
    const last = (await files(place)).at(-1) ?? '';
    const bytes = readFileSync(last);
    rmSync(last);
    expect(await place.here('log', 'verify')).toMatchObject({ code: 0 });
    expect((await place.here('log', 'verify', '--head', written)).code).not.toBe(0);
    writeFileSync(last, bytes, { mode: 0o600 });
    expect(await place.here('log', 'verify', '--head', written)).toMatchObject({ code: 0 });
  },

  async 'an entry that cannot be read is named, and new decisions follow behind it'(place) {
    const written = await head(place);
    const all = await files(place);
    const broken = all.at(-3) ?? '';
    writeFileSync(broken, '{');
    const number = String(Number(broken.split('/').at(-1)?.replace('.json', '')));
    for (const verb of [['verify'], ['prune', '--keep', '2']]) {
      const ran = await place.here('log', ...verb);
      expect(ran.code, verb.join(' ')).not.toBe(0);
      expect(ran.stdout + ran.stderr).toContain(number);
    }
    const shown = await place.here('log', 'show', '--last', '3');
    expect(shown.stdout + shown.stderr).toMatch(/dev:moved/);
    const count = (await files(place)).length;
    await place.here('verify', place.good, ...place.policy, '--quiet');
    expect(await files(place)).toHaveLength(count + 1);
    expect(await place.here('log', 'archive')).toMatchObject({ code: 0 });
    const kept = await must('bash', [
      '-c',
      `cat ${logFolder(place)}*/*/${broken.split('/').at(-1)} ${logFolder(place)}?*/*/${broken.split('/').at(-1)} 2>/dev/null || true`,
    ]);
    expect(kept).toContain('{');
    await place.here('verify', place.good, ...place.policy, '--quiet');
    expect(await place.here('log', 'verify')).toMatchObject({ code: 0 });
    expect((await place.here('log', 'verify', '--head', written)).code).not.toBe(0);
  },

  async 'prune takes old entries away, and the chain is still proven'(place) {
    for (let count = 0; count < 5; count += 1) {
      await place.here('verify', place.good, ...place.policy, '--quiet');
    }
    const old = (await files(place)).length;
    const pruned = await place.here('log', 'prune', '--keep', '3');
    expect(pruned.code, pruned.stderr).toBe(0);
    const digest = /sha256:[0-9a-f]{64}/.exec(pruned.stdout)?.[0] ?? '';
    expect(await place.here('log', 'verify', '--head', digest)).toMatchObject({ code: 0 });
    const left = await files(place);
    expect(left.length).toBeLessThan(old);
    // A beginning that went in another way is found.
    const first = left[0] ?? '';
    const bytes = readFileSync(first);
    rmSync(first);
    expect((await place.here('log', 'verify')).code).not.toBe(0);
    writeFileSync(first, bytes, { mode: 0o600 });
    expect(await place.here('log', 'verify')).toMatchObject({ code: 0 });
    // A kill at any moment leaves such a chain.
    for (const delay of ['0.05', '0.1', '0.15', '0.2', '0.3']) {
      await place.here('verify', place.good, ...place.policy, '--quiet');
      write(
        place,
        'kill.sh',
        `timeout --signal=KILL ${delay} ${place.tcf.program.join(' ')} log prune --keep 2 >/dev/null 2>&1\ntrue\n`,
      );
      await must('sh', [join(place.folder, 'kill.sh')], { env: place.env, cwd: place.folder });
      expect(await place.here('log', 'verify'), delay).toMatchObject({ code: 0 });
    }
    const before = await place.here('log', 'prune', '--before', '2100-01-01');
    expect(before.code, before.stderr).toBe(0);
    expect(await place.here('log', 'verify')).toMatchObject({ code: 0 });
  },
};
