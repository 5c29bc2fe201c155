import { mkdirSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { must, run, startDockerRegistry } from '../support.ts';
import { verbsInLog } from './hooks.ts';
import { lastWords, out, type Place, read, refused, type Steps, shell, started, write } from './place.ts';

/* The first section of the page, "The launcher" and "Images that were built here". */

const container = (place: Place, format: string) =>
  run('podman', ['container', 'inspect', '--format', format, 'tcf-gpu'], { env: place.env });

/** An image whose entry point says two things, and then becomes the command. */
const slow = `set -e
c=$(buildah from scratch); m=$(buildah mount $c)
mkdir -p $m/bin $m/out; cp /bin/busybox $m/bin/sh; cp /bin/busybox $m/bin/sleep; cp /bin/busybox $m/bin/touch
printf '#!/bin/sh\\necho "set-up begins"\\nsleep 2\\necho "set-up ends"\\nexec "$@"\\n' >$m/bin/entry; chmod +x $m/bin/entry
buildah umount $c >/dev/null; buildah config --entrypoint '["/bin/entry"]' $c
buildah commit --quiet --rm $c localhost/tcf-way-slow >/dev/null
podman push --quiet --tls-verify=false localhost/tcf-way-slow $1/dev:slow`;

const cdi = (...names: readonly string[]) =>
  `printf 'cdiVersion: 0.5.0\\nkind: nvidia.com/gpu\\ndevices: [${names.map((name) => `{ name: "${name}", containerEdits: { env: [A=b] } }`).join(', ')}]\\n' >/etc/cdi/nvidia.yaml\n`;
const tcfRun = (place: Place, ...words: readonly string[]) =>
  `$TCF run ${place.policy.join(' ')} --dry-run ${words.join(' ')}\n`;

export const launcher: Steps = {
  async 'tcf itself verifies, pulls that digest, compares what came, and starts it'(place) {
    refused(
      place,
      await place.here('run', ...place.policy, '--rm', ...out(place), place.evil),
      /nothing was started/,
    );
    const { stdout } = await place.here('run', ...place.policy, '--dry-run', `${place.registry}/dev:good`);
    expect(stdout).toBe(
      `podman pull --quiet --tls-verify=false ${place.good}\npodman run --pull=never ${place.good}\n`,
    );
    started(place, await place.here('run', ...place.policy, '--rm', ...out(place), place.good, ...shell));
    write(
      place,
      '.config/tcf/profiles.yaml',
      `version: 1\nprofiles: { good: { image: "${place.good}" }, evil: { image: "${place.evil}" } }\n`,
    );
    for (const verb of ['run', 'up']) {
      refused(place, await place.here(verb, ...place.policy, ...out(place), 'evil'), /nothing was started/);
    }
    started(place, await place.here('run', ...place.policy, '--rm', ...out(place), 'good', '--', ...shell));
    // A store that holds the unsigned content under the signed digest.
    const root = join(place.folder, 'lying-store');
    const conf = write(
      place,
      'lying.conf',
      `[storage]\ndriver = "vfs"\ngraphroot = "${root}"\nrunroot = "${root}-run"\n`,
    );
    const env = { ...place.env, CONTAINERS_STORAGE_CONF: conf };
    await must('podman', ['pull', '--quiet', '--tls-verify=false', place.evil], { env });
    const list = join(root, 'vfs-images/images.json');
    const [good, evil] = [place.good, place.evil].map((name) => name.split('@')[1] ?? '');
    await must('sed', ['-i', `s/${evil}/${good}/g`, list]);
    await must('bash', ['-c', `cd ${root}/vfs-images && ls`]);
    const lied = await place.tcf.run(['run', ...place.policy, '--rm', ...out(place), place.good], {
      cwd: place.folder,
      env,
    });
    refused(place, lied, /which is not what was verified|podman (?:could not|did not)/);
  },

  async 'a script asks before it starts'(place) {
    const script = (image: string) =>
      run(
        'sh',
        [
          '-c',
          `image=$(${place.tcf.program.join(' ')} verify --quiet --print-digest ${place.policy.join(' ')} "$IMAGE") && podman run --rm -v ${place.folder}/out:/out "$image" /bin/sh -c 'echo >/out/started'`,
        ],
        { cwd: place.folder, env: { ...place.env, IMAGE: image } },
      );
    await must('podman', ['pull', '--quiet', '--tls-verify=false', place.good]);
    const no = await script(`${place.registry}/dev:evil`);
    expect(no.code).not.toBe(0);
    expect(place.hasRun()).toBe(false);
    started(place, await script(`${place.registry}/dev:good`));
  },

  async 'what was found within a day is proven again without a request'(place) {
    const folder = join(place.folder, 'second');
    mkdirSync(folder);
    const registry = await startDockerRegistry(folder);
    const image = `${registry.host}/dev:good`;
    await must('podman', ['push', '--quiet', '--tls-verify=false', place.good, image]);
    const policy = (key: string) =>
      write(
        place,
        `${key}-second.yaml`,
        `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: ${key}.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
      );
    await place.here('keygen', '--output-key-prefix', 'other');
    const asks = (key: string) => ['--policy', policy(key), '--allow-http'];
    await place.here('sign', image, '--key', 'team.key', '--allow-http', '--no-sbom');
    const { stdout } = await place.here('verify', ...asks('team'), '--print-digest', '--quiet', image);
    const pinned = stdout.trim();
    const start = (key: string, ...flags: readonly string[]) =>
      place.here('run', ...asks(key), ...flags, '--rm', ...out(place), pinned, ...shell);
    started(place, await start('team'));
    await registry.stop();
    started(place, await start('team'));
    // The policy of now decides, and a no is asked anew, which nobody answers.
    refused(place, await start('other'), /tcf/);
    refused(place, await start('team', '--no-cache'), /tcf/);
    const evidence = join(place.folder, '.cache/tcf/evidence');
    const files = (await must('ls', [evidence])).trim().split('\n');
    const text = (await Promise.all(files.map((file) => must('cat', [join(evidence, file)])))).join('');
    expect(text).not.toMatch(/allow|verdict|decision/i);
    // A day later.
    await must('bash', [
      '-c',
      `sed -i -E 's/"at": ?"20[0-9]{2}/"at":"2001/' ${evidence}/*.json && ! grep -L '"at":"2001' ${evidence}/*.json | grep .`,
    ]);
    refused(place, await start('team'), /tcf/);
    await must('bash', ['-c', `rm ${evidence}/*.json`]);
    await run('podman', ['image', 'rm', '--force', pinned]);
  },

  async 'a proof from the cache takes about half of a start'(place) {
    await must('podman', ['pull', '--quiet', '--tls-verify=false', place.good]);
    const seconds = async (work: () => Promise<unknown>) => {
      const times: number[] = [];
      for (let round = 0; round < 7; round += 1) {
        const before = performance.now();
        await work();
        times.push(performance.now() - before);
      }
      return times.sort((a, b) => a - b)[3] ?? 0;
    };
    await place.here('verify', ...place.policy, '--cache', place.good);
    const proof = await seconds(() => place.here('verify', ...place.policy, '--cache', place.good));
    const start = await seconds(() =>
      place.podman('run', '--rm', '--network=none', place.good, '/bin/sh', '-c', ':'),
    );
    // On a machine that is busy with other things: the figure itself is measured by bench/start.ts.
    expect(proof / start).toBeLessThan(1);
  },

  async 'the options of the script, where they differ on purpose'(place) {
    const image = ['--image', place.good];
    write(place, 'my triton/cmake/llvm-hash.txt', `${'a'.repeat(40)}\n`);
    write(place, 'other/cmake/llvm-hash.txt', `${'b'.repeat(40)}\n`);
    mkdirSync(join(place.folder, 'bare'));
    const triton = await place.dry('triton', ...image, '-d', 'cpu', '-s', 'TRITON=my triton');
    expect(triton).toContain('--env=INSTALL_TRITON=source');
    expect(triton).toContain(`--volume=${place.folder}/my triton:/workspace/triton`);
    const { stdout: help } = await place.here('run', 'triton', '--help');
    for (const option of 'c connection,d device,i image,j jobs,k stack,o option,p port,r rm,s source,t tag,u user,v verbose'.split(
      ',',
    )) {
      const [letter, name] = option.split(' ');
      expect(help).toMatch(new RegExp(`-${letter}, --${name}\\b`));
    }
    expect((await place.dry('dev', ...image)).join(' ')).not.toMatch(/INSTALL_/);

    const tools = await place.dry('dev', ...image, '-o', 'INSTALL_TOOLS=true');
    expect(tools).toEqual(expect.arrayContaining(['--env=INSTALL_TOOLS=true', '--cap-add=PERFMON']));
    expect(tools).not.toContain('--privileged');
    // The registry of the images cannot be reached from here; the log has what was asked for.
    await place.inMachine(`${cdi('all')}${tcfRun(place, 'dev', '-d', 'cuda', '-t', 'my-tag')}`);
    expect((await place.here('log', 'show', '--last', '1')).stdout).toMatch(
      /quay\.io\/triton-dev-containers\/cuda:my-tag/,
    );
    expect(
      await place.here('run', ...place.policy, 'triton', ...image, '-o', 'INSTALL_TRITON=e'),
    ).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/cannot be "e"/),
    });
    expect(await place.dry('dev', ...image, '-p', '8888')).toContain('--publish=127.0.0.1:8888:8888');
    expect(await place.dry('dev', ...image, '-p', '0.0.0.0:8888')).toContain('--publish=0.0.0.0:8888:8888');
    expect(await place.dry('dev', ...image, '-u', 'nobody')).toEqual(
      expect.arrayContaining(['--env=USERNAME=nobody', '--env=USER_UID=65534']),
    );
    expect(await place.dry('dev', ...image, '-u', 'not-here')).toEqual(
      expect.arrayContaining(['--env=USERNAME=not-here', `--env=USER_UID=${process.getuid?.()}`]),
    );
    const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 4 / 1024 ** 3)));
    expect(await place.dry('dev', ...image)).toContain(`--env=MAX_JOBS=${jobs}`);
    const cacheOf = async (checkout: string) =>
      (await place.dry('triton', ...image, '-s', `TRITON=${checkout}`)).find((word) =>
        word.endsWith(':/workspace/.triton'),
      );
    expect(await cacheOf('my triton')).toMatch(
      new RegExp(`^--volume=${place.folder}/.cache/tcf/dev/triton-`),
    );
    expect(await cacheOf('my triton')).not.toBe(await cacheOf('other'));
    const unpinned = ['-s', 'TRITON=bare', '-o', 'INSTALL_LLVM=source'];
    expect(await place.here('run', ...place.policy, 'triton', ...image, ...unpinned)).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/nothing says which LLVM to build/),
    });
  },

  async 'GPUs come through CDI, and one can choose among them'(place) {
    const image = ['--image', place.good];
    const cuda = (...more: readonly string[]) => tcfRun(place, 'dev', ...image, '-d', 'cuda', ...more);
    const devices = (stdout: string) => lastWords(stdout).filter((word) => word.startsWith('--device='));
    const none = await place.inMachine(`mount -t tmpfs none /etc/cdi; ${cuda()}`);
    expect(none.code).not.toBe(0);
    expect(none.stderr).toMatch(/no CDI file for them\n.*nvidia-ctk cdi generate/);
    const all = await place.inMachine(cdi('0', '1', '2', 'all') + cuda());
    expect(devices(all.stdout), all.stderr).toEqual(['--device=nvidia.com/gpu=all']);
    const some = await place.inMachine(cdi('0', '1', '2', 'all') + cuda('--gpu', '0,2'));
    expect(devices(some.stdout)).toEqual(['--device=nvidia.com/gpu=0', '--device=nvidia.com/gpu=2']);
    const uuid = await place.inMachine(cdi('GPU-5c0e', 'MIG-77aa') + cuda('--gpu', 'MIG-77aa'));
    expect(devices(uuid.stdout)).toEqual(['--device=nvidia.com/gpu=MIG-77aa']);
    const mounted = await place.inMachine(
      `${cdi('0')}${tcfRun(place, 'triton', ...image, '--device', 'cuda', '--source', "TRITON='my triton'")}`,
    );
    expect(lastWords(mounted.stdout), mounted.stderr).toEqual(
      expect.arrayContaining([
        '--device=nvidia.com/gpu=0',
        '--env=CUDA_VISIBLE_DEVICES=0',
        '--env=INSTALL_TRITON=source',
        `--volume=${place.folder}/my triton:/workspace/triton`,
      ]),
    );
  },

  async 'profiles of your own'(place) {
    const page = await must('cat', [join(import.meta.dirname, '../../../docs/nothing-unverified-starts.md')]);
    const profiles = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    mkdirSync(join(place.folder, 'triton'), { recursive: true });
    write(place, '.config/tcf/profiles.yaml', profiles);
    const gpu = await place.inMachine(
      `mkdir -p /data 2>/dev/null || true\n${cdi('all')}${tcfRun(place, 'gpu', '-i', place.good)}`,
    );
    expect(lastWords(gpu.stdout), gpu.stderr).toEqual(
      expect.arrayContaining([
        '--device=nvidia.com/gpu=all',
        '--env=USE_CCACHE=1',
        '--shm-size=8g',
        '--volume=/data:/data:ro',
        `--volume=${place.folder}/triton:/workspace/triton`,
      ]),
    );
    const ofMachine = await place.inMachine(
      `printf 'version: 1\\nprofiles: { shared: { image: "${place.good}", flags: ["--shm-size=7g"] } }\\n' >/etc/tcf/profiles.yaml\n${tcfRun(place, 'shared')}`,
    );
    expect(ofMachine.stdout, ofMachine.stderr).toContain('--shm-size=7g');
    write(place, '.tcf/profiles.yaml', profiles.replace('gpu:', 'ofproject:'));
    const ofProject = await place.here('run', ...place.policy, '--dry-run', 'ofproject');
    expect(ofProject.code).not.toBe(0);
    // It was taken for the name of an image.
    expect((await place.here('log', 'show', '--last', '1')).stdout).toMatch(/ run ofproject\n/);
  },

  async 'tcf up, exec and down'(place) {
    await must('bash', ['-c', slow, 'bash', place.registry]);
    await place.here('sign', `${place.registry}/dev:slow`, '--key', 'team.key', '--allow-http', '--no-sbom');
    write(
      place,
      '.config/tcf/profiles.yaml',
      `version: 1\nprofiles: { gpu: { image: "${place.registry}/dev:slow" } }\n`,
    );
    const starting = place.here('up', ...place.policy, 'gpu');
    let early = await place.here('exec', ...place.policy, '--user=0', 'gpu', 'touch', '/out/x');
    while (/there is no dev container|does not run/.test(early.stderr)) {
      early = await place.here('exec', ...place.policy, '--user=0', 'gpu', 'touch', '/out/x');
    }
    expect(early.stderr).toMatch(/still being set up/);
    const up = await starting;
    expect(up.code, up.stderr).toBe(0);
    expect(up.stderr).toMatch(/set-up begins\n[\s\S]*set-up ends\n[\s\S]*tcf-gpu is running/);
    expect(await place.here('exec', ...place.policy, '--user=0', 'gpu', 'touch', '/out/x')).toMatchObject({
      code: 0,
    });
    const stricter = write(
      place,
      'stricter.yaml',
      read(place, 'policy.yaml').replace('team.pub', 'other.pub'),
    );
    const denied = await place.here(
      'exec',
      '--policy',
      stricter,
      '--allow-http',
      '--user=0',
      'gpu',
      'touch',
      '/out/y',
    );
    expect(denied.code, denied.stderr).toBe(125);
    const other = await place.here('up', ...place.policy, '--env=MORE=1', 'gpu');
    expect(other.stderr).toMatch(/made with other options.*\n.*\+ --env=MORE=1/s);
    expect((await container(place, '{{.Config.Env}}')).stdout).not.toContain('MORE=1');
    expect(await place.here('up', ...place.policy, '--recreate', '--env=MORE=1', 'gpu')).toMatchObject({
      code: 0,
    });
    expect((await container(place, '{{.Config.Env}}')).stdout).toContain('MORE=1');
    // By its health check, where it has one.
    const checked = ['--health-cmd=test -e /out/healthy', '--health-interval=1s', '--health-retries=60'];
    const waiting = place.here('up', ...place.policy, '--recreate', ...checked, 'gpu');
    await must('sleep', ['4']);
    expect(await place.here('exec', ...place.policy, '--user=0', 'gpu', 'touch', '/out/y')).toMatchObject({
      stderr: expect.stringMatching(/still being set up/),
    });
    await must('podman', ['exec', 'tcf-gpu', 'touch', '/out/healthy']);
    await run('podman', ['healthcheck', 'run', 'tcf-gpu']);
    const healthy = await waiting;
    expect(healthy.code, healthy.stderr).toBe(0);
    const down = await place.here('down', 'gpu', '--time', '0');
    expect(down, down.stderr).toMatchObject({ code: 0, stderr: expect.stringMatching(/tcf-gpu is gone/) });
    // What somebody else made.
    const slowPinned = (
      await place.here('verify', ...place.policy, '--print-digest', '--quiet', `${place.registry}/dev:slow`)
    ).stdout.trim();
    await must('podman', ['create', '--name', 'tcf-gpu', slowPinned, 'sleep', 'infinity']);
    expect(await place.here('up', ...place.policy, 'gpu')).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/tcf did not make the container "tcf-gpu"/),
    });
    await must('podman', ['start', 'tcf-gpu']);
    expect(await place.here('exec', ...place.policy, '--user=0', 'gpu', 'touch', '/out/z')).toMatchObject({
      code: 125,
    });
    expect(await place.here('down', 'gpu', '--time', '0')).toMatchObject({ code: 0 });
    expect((await container(place, '{{.Id}}')).code).not.toBe(0);
  },

  async 'a mounted cache is told, and starts all the same'(place) {
    mkdirSync(join(place.folder, '.triton'), { recursive: true });
    const cache = ['-v', `${place.folder}/.triton:/root/.triton`];
    const ran = await place.here(
      'run',
      ...place.policy,
      '--rm',
      ...cache,
      ...out(place),
      place.good,
      ...shell,
    );
    started(place, ran);
    expect(ran.stderr).toMatch(
      /compiled kernels of Triton lie there, or will: native code .* neither the image's signature nor its SBOM covers/,
    );
  },

  async 'the targets of the Makefile'(place) {
    const image = ['-i', place.good];
    const cuda = await place.inMachine(
      cdi('all') +
        tcfRun(place, 'triton', '--device', 'cuda', ...image, '-j', '3', '-o', 'CUDA_VERSION=12-8'),
    );
    expect(lastWords(cuda.stdout), cuda.stderr).toEqual(
      expect.arrayContaining(['--env=INSTALL_TRITON=source', '--env=MAX_JOBS=3', '--env=CUDA_VERSION=12-8']),
    );
    const rocm = await place.here(
      'run',
      ...place.policy,
      '--dry-run',
      'helion',
      '--device',
      'rocm',
      ...image,
    );
    // Without an AMD GPU it says so, having read everything else.
    expect(rocm.stdout + rocm.stderr).toMatch(/--env=INSTALL_HELION=source|there is no \/dev\/kfd/);
    expect((await place.dry('dev', '--device', 'cpu', ...image)).join(' ')).not.toMatch(/INSTALL_/);
  },

  async 'an image that was built here'(place) {
    const name = 'containers-storage:localhost/tcf-way-dev';
    const build = (content: string) =>
      must('bash', [
        '-c',
        `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/out; cp /bin/busybox $m/bin/sh; echo ${content} >$m/content; buildah umount $c >/dev/null; buildah commit --quiet --rm $c localhost/tcf-way-dev >/dev/null`,
      ]);
    await build('one');
    const policy = (scope: string) =>
      write(
        place,
        'local.yaml',
        `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${scope}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
      );
    const asks = ['--policy', policy('localhost')];
    const start = () => place.here('run', ...asks, '--rm', ...out(place), name, ...shell);
    refused(place, await start(), /nothing was started/);
    expect(await place.here('sbom', name, '-o', 'bom.json')).toMatchObject({ code: 0 });
    const signed = await place.here('sign', name, '--key', 'team.key', '--sbom', 'bom.json');
    expect(signed.code, signed.stderr).toBe(0);
    const ran = await start();
    started(place, ran);
    expect(ran.stderr).toMatch(/never was in a registry/);
    expect(await place.here('verify', ...asks, name)).toMatchObject({ code: 0 });
    const digest = (
      await must('podman', ['image', 'inspect', '--format', '{{.Digest}}', 'localhost/tcf-way-dev'])
    ).trim();
    expect(
      (await must('ls', [join(place.folder, '.local/state/tcf/local-signatures')])).split('\n'),
    ).toContain(digest.slice('sha256:'.length));
    expect(
      await place.here('hook', 'install', 'podman', ...asks, '--hooks-dir', 'local-hooks'),
    ).toMatchObject({ code: 0 });
    const plain = () =>
      place.podman(
        '--hooks-dir',
        join(place.folder, 'local-hooks'),
        'run',
        '--rm',
        ...out(place),
        'localhost/tcf-way-dev',
        ...shell,
      );
    started(place, await plain());
    // Another scope does not speak for it.
    policy('example.org');
    refused(place, await start());
    policy('localhost');
    await build('two');
    refused(place, await start());
    refused(place, await plain());
    await place.here('hook', 'uninstall', 'podman', '--hooks-dir', 'local-hooks');
  },

  async 'the launcher and scripts end in the same log'(place) {
    expect(await verbsInLog(place)).toEqual(expect.arrayContaining(['run', 'up', 'exec', 'verify']));
  },
};
