import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { must, run } from '../support.ts';
import { type Place, refused, type Steps, write } from './place.ts';

/* The section "Dev containers": opened by the real CLI, with podman. */

const project = (place: Place) => join(place.folder, 'project');
const file = (place: Place) => join(project(place), '.devcontainer/devcontainer.json');
const json = (place: Place) => JSON.parse(readFileSync(file(place), 'utf8')) as Record<string, unknown>;
const tcf = (place: Place, ...args: readonly string[]) =>
  place.tcf.run(args, { cwd: project(place), env: place.env });

/** Opens the folder as an editor does. Returns also whether a container ran its command. */
async function open(place: Place) {
  const cli = join(inject('work'), 'devcontainer-cli/node_modules/.bin/devcontainer');
  const marker = join(project(place), 'opened');
  rmSync(marker, { force: true });
  const ran = await run(
    cli,
    ['up', '--docker-path', 'podman', '--workspace-folder', project(place), '--remove-existing-container'],
    {
      cwd: project(place),
      env: { ...place.env, PATH: `${place.folder}/bin:${process.env['PATH']}` },
    },
  );
  const made = (
    await must('podman', [
      'ps',
      '--all',
      '--quiet',
      '--filter',
      `label=devcontainer.local_folder=${project(place)}`,
    ])
  )
    .split('\n')
    .filter(Boolean);
  if (made.length > 0) {
    await run('podman', ['rm', '--force', '--time=0', ...made]);
  }
  return { ...ran, hasOpened: existsSync(marker), made: made.length };
}

const change = (place: Place, members: object) => {
  const before = readFileSync(file(place), 'utf8');
  writeFileSync(file(place), JSON.stringify({ ...JSON.parse(before), ...members }));
  return () => writeFileSync(file(place), before);
};

export const devContainers: Steps = {
  async 'init writes one digest and a script that asks'(place) {
    mkdirSync(project(place), { recursive: true });
    // The CLI keeps a container alive with these.
    const recipe = `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/out $m/tmp $m/root; cp /bin/busybox $m/bin/busybox; for name in sh cat sleep echo uname mkdir touch ls id getent awk grep test env ps; do ln $m/bin/busybox $m/bin/$name; done; mkdir -p $m/etc; echo root:x:0:0:root:/root:/bin/sh >$m/etc/passwd; buildah umount $c >/dev/null; buildah commit --quiet --rm $c localhost/tcf-way-editor >/dev/null; podman push --quiet --tls-verify=false localhost/tcf-way-editor ${place.registry}/dev:editor; podman image rm --force localhost/tcf-way-editor >/dev/null`;
    await must('bash', ['-c', recipe]);
    await place.here(
      'sign',
      `${place.registry}/dev:editor`,
      '--key',
      'team.key',
      '--allow-http',
      '--no-sbom',
    );
    for (const name of ['policy.yaml', 'team.pub']) {
      await must('cp', [join(place.folder, name), project(place)]);
    }
    write(place, 'bin/tcf', `#!/bin/sh\nexec ${place.tcf.program.join(' ')} "$@"\n`);
    await must('chmod', ['+x', join(place.folder, 'bin/tcf')]);
    const made = await tcf(
      place,
      'devcontainer',
      'init',
      `${place.registry}/dev:editor`,
      '--device',
      'cuda',
      '--policy',
      'policy.yaml',
      '--allow-http',
    );
    expect(made.stdout, made.stderr).toMatch(
      new RegExp(`^${place.registry}/dev:editor@sha256:[0-9a-f]{64}\n$`),
    );
    expect(json(place)).toMatchObject({
      name: 'Triton',
      image: made.stdout.trim(),
      initializeCommand: ['sh', '.devcontainer/tcf-check.sh'],
      updateRemoteUserUID: false,
    });
    expect(readFileSync(join(project(place), '.devcontainer/tcf-check.sh'), 'utf8')).toMatch(
      /^set -- devcontainer check --policy policy\.yaml --allow-http$/m,
    );
    const { runArgs: _, ...rest } = json(place);
    // There is no GPU here.
    writeFileSync(
      file(place),
      JSON.stringify({ ...rest, postCreateCommand: 'touch /workspace/triton/opened' }),
    );
    await must('podman', [
      'pull',
      '--quiet',
      '--tls-verify=false',
      made.stdout.trim().replace(/:editor@/, '@'),
    ]);
    const opened = await open(place);
    expect(opened.code, opened.stdout + opened.stderr).toBe(0);
    expect(opened.hasOpened).toBe(true);
    const log = await place.here('log', 'show', '--last', '5');
    expect(log.stdout).toMatch(/allow devcontainer/);
    // A tag that moved is pinned again.
    expect(await tcf(place, 'devcontainer', 'pin', '--policy', 'policy.yaml', '--allow-http')).toMatchObject({
      code: 0,
    });
  },

  async 'whoever opens the folder without tcf reads which release to install'(place) {
    const found = join(place.folder, 'bin/tcf');
    renameSync(found, `${found}.away`);
    const without = await open(place);
    expect(without.code).not.toBe(0);
    expect(without).toMatchObject({ hasOpened: false, made: 0 });
    expect(without.stdout + without.stderr).toMatch(
      /there is no tcf on this machine[\s\S]*releases\/tag\/v\d/,
    );
    // In ~/.local/bin it is found too.
    mkdirSync(join(place.folder, '.local/bin'), { recursive: true });
    await must('cp', [`${found}.away`, join(place.folder, '.local/bin/tcf')]);
    const opened = await open(place);
    rmSync(join(place.folder, '.local/bin/tcf'));
    renameSync(`${found}.away`, found);
    expect(opened.code, opened.stdout + opened.stderr).toBe(0);
    expect(opened.hasOpened).toBe(true);
  },

  async 'check refuses what would be built on top, join something else, or come by the label'(place) {
    for (const members of [
      { features: { 'ghcr.io/x/y:1': {} } },
      { build: { dockerfile: 'Dockerfile' } },
      { dockerComposeFile: 'compose.yaml' },
      { updateRemoteUserUID: true },
      { runArgs: ['--requires=x'] },
      { runArgs: ['--network=container:x'] },
      { mounts: ['type=image,source=x,target=/y'] },
      { image: place.evil },
    ]) {
      const undo = change(place, members);
      const [checked, opened] = [
        await tcf(place, 'devcontainer', 'check', ...place.policy),
        await open(place),
      ];
      undo();
      expect(checked.code, JSON.stringify(members)).toBe(1);
      expect(opened.code, JSON.stringify(members)).not.toBe(0);
      expect(opened).toMatchObject({ hasOpened: false, made: 0 });
    }
    await must('bash', [
      '-c',
      `c=$(buildah from --tls-verify=false ${place.good}) && buildah config --label 'devcontainer.metadata=[{"privileged":true}]' $c && buildah commit --quiet --rm $c localhost/tcf-way-powers && podman push --quiet --tls-verify=false localhost/tcf-way-powers ${place.registry}/dev:powers`,
    ]);
    await place.here(
      'sign',
      `${place.registry}/dev:powers`,
      '--key',
      'team.key',
      '--allow-http',
      '--no-sbom',
    );
    const pinned = (
      await place.here('verify', ...place.policy, '--print-digest', '--quiet', `${place.registry}/dev:powers`)
    ).stdout.trim();
    const undo = change(place, { image: pinned });
    const checked = await tcf(place, 'devcontainer', 'check', ...place.policy);
    undo();
    expect(checked).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/asks for privileged in its label/),
    });
  },

  async 'what gives the project the host is the user to allow, once for each folder'(place) {
    for (const members of [
      { mounts: ['type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock'] },
      { privileged: true },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of devcontainer.json
      { runArgs: ['--runtime=${localWorkspaceFolder}/evil.sh'] },
    ]) {
      const undo = change(place, members);
      const checked = await tcf(place, 'devcontainer', 'check', ...place.policy);
      undo();
      expect(checked.code).toBe(1);
      expect(checked.stderr).toMatch(
        /gives the project something of this machine[\s\S]*tcf devcontainer allow -- /,
      );
    }
    const undo = change(place, { privileged: true });
    expect(await tcf(place, 'devcontainer', 'allow', '--', '--privileged')).toMatchObject({ code: 0 });
    expect(await tcf(place, 'devcontainer', 'check', ...place.policy)).toMatchObject({ code: 0 });
    const elsewhere = join(place.folder, 'elsewhere');
    await must('cp', ['-r', project(place), elsewhere]);
    undo();
    const other = await place.tcf.run(['devcontainer', 'check', ...place.policy], {
      cwd: elsewhere,
      env: place.env,
    });
    expect(other.code).toBe(1);
  },

  async 'a file that leaves tcf out is seen by check, and stopped by a hook'(place) {
    const undo = change(place, { initializeCommand: ['true'], image: place.evil });
    await must('podman', ['pull', '--quiet', '--tls-verify=false', place.evil]);
    expect(await tcf(place, 'devcontainer', 'check', ...place.policy)).toMatchObject({ code: 1 });
    expect(await place.here('hook', 'install', 'podman', ...place.policy)).toMatchObject({ code: 0 });
    const opened = await open(place);
    await place.here('hook', 'uninstall', 'podman');
    undo();
    expect(opened.code, opened.stdout).not.toBe(0);
    expect(opened.hasOpened).toBe(false);
    refused(place, opened);
  },

  async 'migrate makes a verified file of one that builds'(place) {
    const folder = join(place.folder, 'builds');
    mkdirSync(join(folder, '.devcontainer'), { recursive: true });
    writeFileSync(
      join(folder, '.devcontainer/devcontainer.json'),
      '{ "build": { "dockerfile": "Dockerfile" } }',
    );
    const migrated = await place.tcf.run(
      ['devcontainer', 'migrate', `${place.registry}/dev:editor`, ...place.policy],
      { cwd: folder, env: place.env },
    );
    expect(migrated.code, migrated.stderr).toBe(0);
    const text = readFileSync(join(folder, '.devcontainer/devcontainer.json'), 'utf8');
    expect(text).toMatch(/"image": ".*@sha256:/);
    expect(text).not.toMatch(/build/);
    expect(
      await place.tcf.run(['devcontainer', 'check', ...place.policy], { cwd: folder, env: place.env }),
    ).toMatchObject({ code: 0 });
  },
};
