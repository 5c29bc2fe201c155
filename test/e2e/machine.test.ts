import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPlace, type Place } from './page/place.ts';
import { must, type Ran } from './support.ts';

/*
 * Machines that differ from this one, each in a mount namespace of its own: other CDI files, an
 * administrator's hooks_dir, a /usr that nobody can write (ostree, bootc). podman is the real one.
 */

let place: Place;
beforeAll(async () => {
  place = await openPlace();
  await must('podman', ['pull', '--quiet', '--tls-verify=false', place.good]);
  await must('podman', ['pull', '--quiet', '--tls-verify=false', place.evil]);
  mkdirSync('/run/cdi', { recursive: true });
});
afterAll(async () => {
  rmdirSync('/run/cdi');
  await place[Symbol.asyncDispose]();
});

/**
 * containers.conf of the machine, as the tests need it for this sandbox; CONTAINERS_CONF would hide what lies
 * beside it.
 */
const plainPodman = () => `unset CONTAINERS_CONF
cp ${join(inject('work'), 'containers.conf')} /etc/containers/containers.conf
mkdir -p /etc/containers/containers.conf.d
`;

describe('CDI', () => {
  const file = (path: string, names: readonly string[], edits: string) => {
    const devices = names.map((name) => `{ name: "${name}", containerEdits: ${edits} }`).join(', ');
    return `printf 'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices: [${devices}]\n' >${path}\n`;
  };
  const from = (name: string) => `{ env: [CDI=${name}] }`;
  const gone = '{ env: [CDI=stale], mounts: [{ hostPath: /gone/libcuda.so.1, containerPath: /x }] }';
  const start = (...words: readonly string[]) =>
    `podman run --rm --network=none ${words.join(' ')} ${place.good} /bin/sh -c 'echo "$CDI"'\n`;
  const tcfRun = (...words: readonly string[]) =>
    `$TCF run ${place.policy.join(' ')} dev -i ${place.good} -u root -d cuda ${words.join(' ')} -- /bin/sh -c 'echo "$CDI"'\n`;
  const machine = (script: string) => place.inMachine(`mount -t tmpfs none /run/cdi\n${script}`);
  const doctor = '$TCF doctor || true\n';

  test('a stale file in /var/run/cdi wins over a new one, and what the hint writes comes to count', async () => {
    const fresh = file('/etc/cdi/nvidia.yaml', ['all'], from('etc'));
    const stale = file('/var/run/cdi/nvidia.yaml', ['all'], gone);
    const wins = await machine(`${fresh}${stale}${start('--device=nvidia.com/gpu=all')}`);
    expect(wins.code).not.toBe(0);
    const told = await machine(`${fresh}${stale}${doctor}`);
    expect(told.stdout).toMatch(
      /✗ gpu: \/var\/run\/cdi\/nvidia\.yaml is older than the driver: it names \/gone\/libcuda\.so\.1, and that is gone; it wins over \/etc\/cdi\/nvidia\.yaml\n {4}hint: nvidia-ctk cdi generate --output=\/var\/run\/cdi\/nvidia\.yaml, or rm \/var\/run\/cdi\/nvidia\.yaml/,
    );
    const repaired = await machine(`${fresh}${stale}rm /var/run/cdi/nvidia.yaml\n${tcfRun()}`);
    expect(repaired.stdout, repaired.stderr).toBe('etc\n');
    const written = await machine(
      `${fresh}${stale}${file('/var/run/cdi/nvidia.yaml', ['all'], from('run'))}${tcfRun()}`,
    );
    expect(written.stdout, written.stderr).toBe('run\n');
  });

  test('a stale file that is shadowed does no harm, and is a note', async () => {
    const both = file('/etc/cdi/a.yaml', ['all'], gone) + file('/var/run/cdi/a.yaml', ['all'], from('run'));
    const ran = await machine(both + tcfRun());
    expect(ran.stdout, ran.stderr).toBe('run\n');
    expect((await machine(both + doctor)).stdout).toMatch(
      /• gpu: \/etc\/cdi\/a\.yaml is older .*wins over it\n/,
    );
  });

  test('a device that two files of one folder name is given to nobody', async () => {
    const both = file('/etc/cdi/a.yaml', ['0', '1'], from('a')) + file('/etc/cdi/b.yaml', ['0'], from('b'));
    expect((await machine(both + start('--device=nvidia.com/gpu=0'))).code).not.toBe(0);
    expect((await machine(both + doctor)).stdout).toMatch(
      /✗ gpu: .*a\.yaml and .*b\.yaml both name nvidia\.com\/gpu=0/,
    );
    const ran = await machine(both + tcfRun());
    expect(ran.stdout, ran.stderr).toBe('a\n');
  });

  test.for<readonly [string, readonly string[], readonly string[]]>([
    ['only gpu=0', ['0'], []],
    ['UUIDs', ['GPU-5c0e1b6f'], []],
    ['parts of GPUs', ['1:0', 'MIG-77aa'], []],
    ['a part that was chosen', ['0', '1:0'], ['--gpu', '1:0']],
    ['a UUID that was chosen', ['0', 'GPU-5c0e1b6f'], ['--gpu', 'GPU-5c0e1b6f']],
  ])('a file with %s is enough', async ([, names, flags]) => {
    const ran = await machine(file('/etc/cdi/nvidia.yaml', names, from('here')) + tcfRun(...flags));
    expect(ran.stdout, ran.stderr).toBe('here\n');
  });
});

describe('the hook of the machine', () => {
  const proves = (ran: Ran) => {
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/✓ podman: it denied an unsigned image\n✓ podman: it allowed/);
  };
  const install = () => `$TCF hook install podman ${place.policy.join(' ')}\n`;
  const status = () => `$TCF hook status podman --image ${place.good}\n`;

  test("goes where an administrator's hooks_dir leads", async () => {
    const conf =
      'printf \'[engine]\nhooks_dir = ["/etc/our-hooks"]\n\' >/etc/containers/containers.conf.d/admin.conf\n';
    const ran = await place.inMachine(`${plainPodman()}${conf}${install()}ls /etc/our-hooks\n${status()}`);
    proves(ran);
    expect(ran.stdout).toMatch(/wrote \/etc\/our-hooks\/tcf\.json\n/);
    const gone = await place.inMachine(
      `${plainPodman()}${conf}${install()}$TCF hook uninstall podman\nls /etc/our-hooks`,
    );
    expect(gone.stdout).toMatch(/removed \/etc\/our-hooks\/tcf\.json\n(?:removed .*\n)*$/);
  });

  test('is found by status after the administrator named another folder, which podman looks into alone', async () => {
    const conf =
      'printf \'[engine]\nhooks_dir = ["/etc/our-hooks"]\n\' >/etc/containers/containers.conf.d/admin.conf\n';
    const ran = await place.inMachine(
      `${plainPodman()}mount -t tmpfs none /usr/share/containers/oci/hooks.d\n${install()}${conf}${status()}`,
    );
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      /✗ podman: podman looks into \/etc\/our-hooks \(hooks_dir in containers\.conf\)/,
    );
    const gone = await place.inMachine(
      `${plainPodman()}mount -t tmpfs none /usr/share/containers/oci/hooks.d\n${install()}${conf}$TCF hook uninstall podman\n`,
    );
    expect(gone.stdout).toMatch(/removed \/usr\/share\/containers\/oci\/hooks\.d\/tcf\.json\n/);
  });

  test('goes to /etc where /usr cannot be written, and podman is told', async () => {
    const usr = 'mount --bind /usr /usr\nmount -o remount,bind,ro /usr\n! touch /usr/x 2>/dev/null\n';
    const ran = await place.inMachine(`${plainPodman()}${usr}${install()}${status()}`);
    proves(ran);
    expect(ran.stdout).toMatch(
      /wrote \/etc\/containers\/oci\/hooks\.d\/tcf\.json\nwrote \/etc\/containers\/containers\.conf\.d\/tcf-hook\.conf\n/,
    );
    const gone = await place.inMachine(
      `${plainPodman()}${usr}${install()}$TCF hook uninstall podman\n${status()}`,
    );
    expect(gone.stdout).toMatch(
      /removed \/etc\/containers\/oci\/hooks\.d\/tcf\.json\nremoved .*tcf-hook\.conf\n/,
    );
    expect(gone.code).toBe(1);
  });

  test('beside an administrator who has hooks in /usr and a hooks_dir in /etc', async () => {
    const usr = 'mount --bind /usr /usr\nmount -o remount,bind,ro /usr\n';
    const conf =
      'printf \'[engine]\nhooks_dir = ["/usr/share/containers/oci/hooks.d", "/etc/our-hooks"]\n\' >/etc/containers/containers.conf.d/admin.conf\n';
    const ran = await place.inMachine(`${plainPodman()}${usr}${conf}${install()}${status()}`);
    proves(ran);
    expect(ran.stdout).toMatch(/wrote \/etc\/our-hooks\/tcf\.json\n/);
  });
});
