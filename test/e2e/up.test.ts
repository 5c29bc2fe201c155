import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, run } from './support.ts';
import { openStage, type Stage } from './ways/stage.ts';

/*
 * `tcf up` with real podman and an image whose entry point takes a while, as those of triton-dev-containers
 * do.
 */

let stage: Stage;
const up = (...args: readonly string[]) => stage.here('up', ...stage.policy, ...args);

/**
 * An entry point that sets up for three seconds and then becomes the command, or fails where it is told to.
 */
const recipe = `set -e
c=$(buildah from scratch); m=$(buildah mount $c)
mkdir -p $m/bin $m/etc; cp /bin/busybox $m/bin/sh; cp /bin/busybox $m/bin/sleep
printf '#!/bin/sh\\necho "set-up begins"\\nsleep 3\\n[ -z "$FAIL" ] || exit 9\\necho "set-up ends"\\nexec "$@"\\n' >$m/bin/entry; chmod +x $m/bin/entry
buildah umount $c >/dev/null; buildah config --entrypoint '["/bin/entry"]' $c
buildah commit --quiet --rm $c localhost/tcf-way-up >/dev/null
podman push --quiet --tls-verify=false localhost/tcf-way-up $1/dev:up`;

beforeAll(async () => {
  stage = await openStage('up');
  await must('bash', ['-c', recipe, 'bash', stage.registry]);
  expect(
    await stage.here('sign', `${stage.registry}/dev:up`, '--key', 'team.key', '--allow-http', '--no-sbom'),
  ).toMatchObject({ code: 0 });
  mkdirSync(join(stage.folder, '.config/tcf'), { recursive: true });
  writeFileSync(
    join(stage.folder, '.config/tcf/profiles.yaml'),
    `version: 1\nprofiles:\n  slow: { image: "${stage.registry}/dev:up" }\n  fails: { image: "${stage.registry}/dev:up", flags: ["--env=FAIL=1"] }\n`,
  );
});
afterAll(async () => {
  await run('podman', ['rm', '--force', '--ignore', '--time=0', 'tcf-slow', 'tcf-fails']);
  await stage[Symbol.asyncDispose]();
});

test('it is up when the set-up has ended, shown meanwhile; two at once start one', async () => {
  const [one, two] = await Promise.all([up('slow'), up('slow')]);
  expect([one.code, two.code], one.stderr + two.stderr).toEqual([0, 0]);
  const shown = one.stderr + two.stderr;
  expect(shown).toMatch(/set-up begins/);
  expect(shown).toMatch(/is running/);
  const exec = await stage.here('exec', ...stage.policy, '--user=0', 'slow', '/bin/sh', '-c', 'echo inside');
  expect(exec.stdout, exec.stderr).toContain('inside');
});

test('exec waits outside while the set-up runs, and up says that it failed', async () => {
  const starting = up('fails');
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const ran = await stage.here('exec', ...stage.policy, '--user=0', 'fails', '/bin/sh', '-c', ':');
    if (/still being set up/.test(ran.stderr)) {
      break;
    }
    expect(ran.code).not.toBe(0);
  }
  const failed = await starting;
  expect(failed.code).toBe(125);
  expect(failed.stderr).toMatch(/the set-up of tcf-fails failed: it ended with exit code 9/);
});

test('other options are told, and made by --recreate', async () => {
  const other = await up('--env=MORE=1', 'slow');
  expect(other.stderr).toMatch(/\+ --env=MORE=1|\+ --env/);
  const again = await up('--recreate', '--env=MORE=1', 'slow');
  expect(again.code, again.stderr).toBe(0);
  const { stdout } = await run('podman', ['container', 'inspect', '--format', '{{.Config.Env}}', 'tcf-slow']);
  expect(stdout).toContain('MORE=1');
});
