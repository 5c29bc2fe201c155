import { copyFileSync, cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { must, type Ran, run, scratch, startDockerRegistry } from './support.ts';

/*
 * podman of somebody who is not root: tcf reads that store, and stands in front of what is started from it.
 */

const user = 'tcf-e2e';
const home = `/home/${user}`;
const folder = scratch();
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;

const environment = {
  HOME: home,
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  XDG_RUNTIME_DIR: join(home, 'run'),
  COSIGN_PASSWORD: 'e2e password',
};

function as(...command: readonly string[]): Promise<Ran> {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const who = ['--reuid', user, '--regid', user, '--init-groups'];
  return run('setpriv', [...who, 'env', '-i', ...variables, ...command], { cwd: home });
}

async function mustAs(...command: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await as(...command);
  if (code !== 0) {
    throw new Error(`${command.join(' ')} exited ${code}: ${stderr}`);
  }
  return stdout;
}

const program = [join(home, 'node'), join(home, 'tcf/tcf.js')];
const tcf = (...args: readonly string[]): Promise<Ran> => as(...program, ...args);

/**
 * Two layers with a shell and a package; the second takes a file away, and gives another one to a user of the
 * image alone.
 */
const recipe = (name: string) => `set -e
c=$(buildah from scratch); m=$(buildah mount $c)
mkdir -p $m/bin $m/var/lib/dpkg; cp /bin/busybox $m/bin/sh; echo gone >$m/gone
printf 'Package: ${name}\\nStatus: install ok installed\\nArchitecture: all\\nVersion: 1\\n' >$m/var/lib/dpkg/status
buildah umount $c >/dev/null; buildah commit --quiet --rm $c localhost/tcf-rootless-base >/dev/null
c=$(buildah from localhost/tcf-rootless-base); m=$(buildah mount $c)
rm $m/gone; echo secret >$m/secret; [ ${name} = private ] && { chmod 600 $m/secret; chown 1000:1000 $m/secret; }
buildah umount $c >/dev/null; buildah commit --quiet --rm $c localhost/tcf-rootless-${name} >/dev/null
podman push --quiet --tls-verify=false localhost/tcf-rootless-${name} $1/dev:${name}
podman image rm --force localhost/tcf-rootless-${name} localhost/tcf-rootless-base >/dev/null`;

beforeAll(async () => {
  if (!existsSync(home)) {
    await must('useradd', ['--create-home', '--shell', '/bin/sh', user]);
  }
  const root = join(import.meta.dirname, '../..');
  await must(process.execPath, ['toolchain/build.ts'], { cwd: root });
  copyFileSync(process.execPath, join(home, 'node'));
  cpSync(join(root, 'dist'), join(home, 'tcf'), { recursive: true });
  registry = await startDockerRegistry(folder.path);
  for (const name of ['signed', 'unsigned', 'private']) {
    await must('bash', ['-c', recipe(name), 'bash', registry.host]);
  }
  await mustAs('mkdir', '-p', '-m', '700', 'run', '.config/containers', '.config/tcf');
  copyFileSync(join(inject('work'), 'containers.conf'), join(home, '.config/containers/containers.conf'));
  await mustAs(...program, 'keygen', '--output-key-prefix', '.config/tcf/team');
  writeFileSync(
    join(home, '.config/tcf/policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  await must('chown', ['--recursive', `${user}:`, join(home, '.config')]);
  const key = ['--key', '.config/tcf/team.key', '--allow-http', '--no-sbom'];
  await mustAs(...program, 'sign', `${registry.host}/dev:signed`, ...key);
});

afterAll(async () => {
  await registry.stop();
  // Ends the process that holds the user's namespace.
  await as('podman', 'system', 'migrate');
  await must('userdel', ['--force', user]);
  rmSync(home, { recursive: true, force: true });
  folder[Symbol.dispose]();
});

describe.for(['overlay', 'vfs'] as const)('with a store of %s', (driver) => {
  const image = (name: string) => `${registry.host}/dev:${name}`;

  beforeAll(async () => {
    writeFileSync(
      join(home, '.config/containers/storage.conf'),
      `[storage]\ndriver = "${driver}"\ngraphroot = "${home}/${driver}-store"\n`,
    );
    for (const name of ['signed', 'unsigned', 'private']) {
      await mustAs('podman', 'pull', '--quiet', '--tls-verify=false', image(name));
    }
    const { stdout } = await as('podman', 'info', '--format', '{{.Store.GraphDriverName}}');
    expect(stdout.trim()).toBe(driver);
  });

  test('the SBOM of an image is the one that the registry gives', async () => {
    const [stored, fetched] = [
      await mustAs(...program, 'sbom', '--verify-layers', `containers-storage:${image('signed')}`),
      await mustAs(...program, 'sbom', `docker://${image('signed')}`, '--allow-http'),
    ];
    expect(stored).toContain('"name": "signed"');
    expect(stored).toBe(fetched);
    // Read in place it says so, and nothing else differs.
    const inPlace = await mustAs(...program, 'sbom', `containers-storage:${image('signed')}`);
    expect(inPlace).toContain('tcf:layer-digests');
    const without = (text: string) => {
      const bom = JSON.parse(text) as { properties?: readonly { readonly name: string }[] };
      const properties = bom.properties?.filter(({ name }) => name !== 'tcf:layer-digests') ?? [];
      return { ...bom, serialNumber: '', properties };
    };
    expect(without(inPlace)).toEqual(without(fetched));
  });

  test('files of other users of the image can be read in podman unshare', async () => {
    const named = ['sbom', '--verify-layers', `containers-storage:${image('private')}`];
    const refused = await tcf(...named);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('podman unshare');
    const stored = await mustAs('podman', 'unshare', ...program, ...named);
    expect(stored).toBe(await mustAs(...program, 'sbom', `docker://${image('private')}`, '--allow-http'));
  });

  test('tcf run starts what is signed and nothing else', async () => {
    const words = ['/bin/sh', '-c', 'echo started'];
    const good = await tcf('run', '--allow-http', '--rm', image('signed'), ...words);
    expect(good, good.stderr).toMatchObject({ code: 0, stdout: 'started\n' });
    const bad = await tcf('run', '--allow-http', '--rm', image('unsigned'), ...words);
    expect(bad).toMatchObject({ code: 125, stdout: '' });
  });

  test('with the hook podman starts what is signed and nothing else, also with the ids of the user', async () => {
    await mustAs(...program, 'hook', 'install', 'podman', '--allow-http');
    const status = await tcf('hook', 'status', 'podman', '--image', image('signed'));
    expect(status.code, status.stdout).toBe(0);
    for (const ids of [[], ['--userns=keep-id']]) {
      const words = ['/bin/sh', '-c', 'echo started'];
      const good = await as('podman', 'run', '--rm', ...ids, image('signed'), ...words);
      expect(good, good.stderr).toMatchObject({ code: 0, stdout: 'started\n' });
      const bad = await as('podman', 'run', '--rm', ...ids, image('unsigned'), ...words);
      expect(bad.code).not.toBe(0);
      expect(bad.stdout).toBe('');
      expect(bad.stderr).toContain('the image has no signature by a trusted signer');
    }
    await mustAs(...program, 'hook', 'uninstall', 'podman');
    const unhooked = await as('podman', 'run', '--rm', image('unsigned'), '/bin/sh', '-c', 'echo started');
    expect(unhooked, unhooked.stderr).toMatchObject({ code: 0, stdout: 'started\n' });
  });
});
