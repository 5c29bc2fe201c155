import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { containerd2, type Daemon, startContainerd, startDockerd } from '../engines.ts';
import { must, run } from '../support.ts';
import {
  openDocker,
  openUser,
  out,
  type Place,
  refused,
  type Steps,
  shell,
  started,
  write,
} from './place.ts';

/* The section "Hooks". */

const hook = '/usr/share/containers/oci/hooks.d/tcf.json';
const install = (place: Place, ...flags: readonly string[]) =>
  place.here('hook', 'install', 'podman', ...place.policy, ...flags);
const start = (place: Place, ...words: readonly string[]) =>
  place.podman('run', '--rm', ...out(place), ...words);

/** With the hook of the machine while `work` runs. */
async function withHook(place: Place, work: () => Promise<void>, ...flags: readonly string[]): Promise<void> {
  const installed = await install(place, ...flags);
  expect(installed.code, installed.stderr).toBe(0);
  try {
    await work();
  } finally {
    await place.here('hook', 'uninstall', 'podman');
  }
}

const pull = (...images: readonly string[]) =>
  Promise.all(images.map((image) => must('podman', ['pull', '--quiet', '--tls-verify=false', image])));

const stopped = (daemon: Daemon): AsyncDisposable => ({ [Symbol.asyncDispose]: () => daemon.stop() });

const build = (place: Place, ...flags: readonly string[]) => {
  write(
    place,
    'Containerfile',
    `FROM localhost/tcf-way-evil\nRUN ["/bin/sh", "-c", "echo >/out/started # ${crypto.randomUUID()}"]\n`,
  );
  return place.podman(
    'build',
    '--quiet',
    ...out(place),
    '--isolation=oci',
    ...flags,
    '--file',
    'Containerfile',
    place.folder,
  );
};

/** Which verbs have left an entry in the log. */
export async function verbsInLog(place: Place): Promise<readonly string[]> {
  const { stdout } = await place.here('log', 'show', '--json');
  return [
    ...new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => String(JSON.parse(line).verb)),
    ),
  ];
}

export const hooks: Steps = {
  async 'a hook is installed with its policy, says what it does not cover, and goes'(place) {
    const installed = await install(place, '--hooks-dir', 'hooks.d');
    expect(installed.stdout).toMatch(
      /wrote .*\/hooks\.d\/tcf\.json\n[\s\S]*not covered: RUN steps of podman build and buildah with --allow-builds[\s\S]*tcf hook status podman proves that it works\n$/,
    );
    const gone = await place.here('hook', 'uninstall', 'podman', '--hooks-dir', 'hooks.d');
    expect(gone.stdout).toMatch(/removed .*\/hooks\.d\/tcf\.json\n/);
    expect(existsSync(join(place.folder, 'hooks.d/tcf.json'))).toBe(false);
    const without = await place.tcf.run(['hook', 'install', 'podman'], {
      cwd: '/',
      env: { HOME: '/nowhere' },
    });
    expect(without.code).toBe(3);
  },

  async 'podman asks before the first process of every container'(place) {
    await pull(place.good, place.evil);
    await withHook(place, async () => {
      expect(existsSync(hook)).toBe(true);
      started(place, await start(place, place.good, ...shell));
      refused(place, await start(place, place.evil), /no signature by a trusted signer/);
      const pod = write(
        place,
        'pod.yaml',
        'apiVersion: v1\nkind: Pod\nmetadata: {name: tcf-page-pod}\nspec: {containers: [{name: x, image: localhost/tcf-way-evil, imagePullPolicy: Never}]}\n',
      );
      refused(place, await place.podman('play', 'kube', '--replace', pod));
      // Pods need a signed image of podman's own container.
      expect((await place.podman('play', 'kube', '--replace', pod)).stderr).toMatch(
        /podman-pause|infra_image/,
      );
      await place.podman('pod', 'rm', '--force', 'tcf-page-pod');
      refused(
        place,
        await run('sh', ['-c', `podman run --rm -v ${place.folder}/out:/out ${place.evil}`], {
          env: place.env,
        }),
      );
      // By id, by a claim of its own, and retagged.
      const id = (await must('podman', ['image', 'inspect', '--format', '{{.Id}}', place.good])).trim();
      started(place, await start(place, id, ...shell));
      const claims = [
        `--annotation=io.kubernetes.cri-o.ImageName=${place.good}`,
        `--label=org.opencontainers.image.ref.name=${place.good}`,
      ];
      refused(place, await start(place, ...claims, place.evil));
      await must('podman', ['tag', 'localhost/tcf-way-evil', `${place.registry}/dev:retagged`]);
      refused(place, await start(place, '--pull=never', `${place.registry}/dev:retagged`));
      refused(
        place,
        await start(place, 'localhost/tcf-way-evil'),
        /built or loaded here, and no registry vouches/,
      );
      // A name that was given to the very content that the registry vouches for.
      await must('podman', ['tag', place.good, `${place.registry}/dev:another`]);
      started(place, await start(place, '--pull=never', `${place.registry}/dev:another`, ...shell));
      refused(place, await build(place), /step of a build/);
      const mount = ['--mount=type=image,source=localhost/tcf-way-evil,destination=/mnt'];
      refused(place, await start(place, ...mount, place.good, '/mnt/bin/sh', '-c', 'echo >/out/started'));
      // The program is gone: nothing starts.
      const [, main = ''] = place.tcf.program;
      renameSync(main, `${main}.away`);
      const gone = await start(place, place.good, ...shell);
      renameSync(`${main}.away`, main);
      expect(gone.code).not.toBe(0);
      expect(place.hasRun()).toBe(false);
    });
    await withHook(place, async () => started(place, await build(place)), '--allow-builds');
  },

  async 'a signed infra image lets pods start'(place) {
    const infra = `${place.registry}/dev:infra`;
    await must('bash', [
      '-c',
      `c=$(buildah from --tls-verify=false ${place.good}) && buildah config --entrypoint '["/bin/sleep","1000"]' $c && buildah commit --quiet --rm $c localhost/tcf-way-infra && podman push --quiet --tls-verify=false localhost/tcf-way-infra ${infra} && podman image rm --force localhost/tcf-way-infra`,
    ]);
    await place.here('sign', infra, '--key', 'team.key', '--allow-http', '--no-sbom');
    await pull(place.good, infra);
    const conf = (await must('cat', [join(inject('work'), 'containers.conf')])).replace(
      '[engine]',
      `[engine]\ninfra_image = "${place.registry}/dev:infra"`,
    );
    const env = { ...place.env, CONTAINERS_CONF: write(place, 'infra.conf', conf) };
    await withHook(place, async () => {
      const ran = await run(
        'podman',
        ['run', '--rm', '--pod', 'new:tcf-page-infra', ...out(place), place.good, ...shell],
        { env },
      );
      await run('podman', ['pod', 'rm', '--force', '--time=0', 'tcf-page-infra'], { env });
      started(place, ran);
    });
  },

  async 'a hook of the machine serves every user'(place) {
    await using user = await openUser(place);
    const theirs = (...words: readonly string[]) =>
      user.as('podman', 'run', '--rm', '-v', `${user.home}/out:/out`, ...words);
    const marker = join(user.home, 'out/started');
    const took = () => {
      const found = existsSync(marker);
      rmSync(marker, { force: true });
      return found;
    };
    await withHook(place, async () => {
      const copies = '/etc/tcf/hooks/podman';
      expect((await must('ls', [copies])).split('\n').filter(Boolean)).toEqual(['0-team.pub', 'policy.yaml']);
      for (const ids of [[], ['--userns=keep-id']]) {
        const good = await theirs(...ids, place.good, ...shell);
        expect(good.code, good.stderr).toBe(0);
        expect(took()).toBe(true);
        const evil = await theirs(...ids, place.evil);
        expect(evil.code).not.toBe(0);
        expect(evil.stderr).toMatch(/no signature by a trusted signer/);
        expect(took()).toBe(false);
      }
      expect(existsSync(join(user.home, '.local/state/tcf/decisions'))).toBe(true);
      expect(existsSync(join(user.home, '.cache/tcf/evidence'))).toBe(true);
      await user.as(
        'sh',
        '-c',
        `printf '[storage]\\ndriver = "vfs"\\ngraphroot = "${user.home}/vfs"\\n' >${user.home}/.config/containers/storage.conf`,
      );
      await user.as('podman', 'pull', '--quiet', '--tls-verify=false', place.good);
      await user.as('podman', 'pull', '--quiet', '--tls-verify=false', place.evil);
      expect((await user.as('podman', 'info', '--format', '{{.Store.GraphDriverName}}')).stdout.trim()).toBe(
        'vfs',
      );
      const good = await theirs(place.good, ...shell);
      expect(good.code, good.stderr).toBe(0);
      expect(took()).toBe(true);
      expect((await theirs(place.evil)).code).not.toBe(0);
      expect(took()).toBe(false);
    });
    await user.as('sh', '-c', `rm ${user.home}/.config/containers/storage.conf`);
    // A user's own: their folder, their policy.
    await must('bash', [
      '-c',
      `mkdir -p ${user.home}/.config/tcf && cp ${place.folder}/policy.yaml ${place.folder}/team.pub ${user.home}/.config/tcf/ && chown -R tcf-page: ${user.home}/.config`,
    ]);
    const program = [...place.tcf.program];
    await must('bash', [
      '-c',
      `cp -r ${join(program[0] ?? '', '..')} ${user.home}/tcf && chown -R tcf-page: ${user.home}/tcf`,
    ]);
    const ownProgram = program.map((path) => path.replace(join(program[0] ?? '', '..'), `${user.home}/tcf`));
    const mine = await user.as(...ownProgram, 'hook', 'install', 'podman', '--allow-http');
    expect(mine.stdout, mine.stderr).toMatch(/wrote .*\/\.config\/containers\/oci\/hooks\.d\/tcf-user\.json/);
    expect((await theirs(place.evil)).code).not.toBe(0);
    expect(took()).toBe(false);
  },

  async 'root installs no hook that others could change'(place) {
    const refuse = async (why: RegExp) => {
      const ran = await install(place);
      expect(ran.code, ran.stdout).toBe(3);
      expect(ran.stderr).toMatch(why);
      expect(existsSync(hook)).toBe(false);
    };
    const [, main = ''] = place.tcf.program;
    for (const [path, why] of [
      [main, /program of a hook must be root's alone/],
      [join(main, '..'), /program of a hook must be root's alone/],
      [join(place.folder, 'policy.yaml'), /must be yours alone/],
      [join(place.folder, 'team.pub'), /must be yours alone/],
      [place.folder, /must be yours alone/],
    ] as const) {
      const mode = Number.parseInt((await must('stat', ['--format', '%a', path])).trim(), 8);
      chmodSync(path, mode | 0o022);
      await refuse(why);
      chmodSync(path, mode);
    }
  },

  async 'status asks podman from both sides, and doctor too'(place) {
    await pull(place.good, place.evil);
    await withHook(place, async () => {
      const status = (...args: readonly string[]) => place.here('hook', 'status', 'podman', ...args);
      expect(await status('--image', place.good)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/it denied an unsigned image\n.*it allowed .* which is signed/),
      });
      // What was allowed last.
      expect(await status()).toMatchObject({ code: 0 });
      expect(await status('--image', place.evil)).toMatchObject({ code: 1 });
      expect(await status('--image', 'localhost:1/not/there:1')).toMatchObject({ code: 2 });
      const [, main = ''] = place.tcf.program;
      const text = readFileSync(hook, 'utf8');
      expect((await place.here('doctor')).stdout).toMatch(/✓ hooks: podman: it denied/);
      writeFileSync(hook, text.replace(main, '/gone/tcf.js'));
      const doctor = await place.here('doctor');
      writeFileSync(hook, text);
      expect(doctor.stdout).toMatch(/✗ hooks: podman: its program .*\/gone\/tcf\.js" is not there/);
      expect(doctor.code).toBe(1);
    });
  },

  async 'containerd asks at each pull'(place) {
    const found = containerd2();
    if ('missing' in found) {
      throw new Error(found.missing);
    }
    const { folder } = found;
    const bin = join(place.folder, 'verifiers');
    mkdirSync(bin, { recursive: true });
    const daemon = await startContainerd(folder, join(place.folder, 'containerd'), bin);
    const ctr = (...args: readonly string[]) =>
      run(join(folder, 'ctr'), ['--address', daemon.socket, ...args]);
    const fetchImage = (image: string) => ctr('image', 'pull', '--plain-http', image);
    const status = () =>
      place.tcf.run(
        [
          'hook',
          'status',
          'containerd',
          '--bin-dir',
          bin,
          '--address',
          daemon.socket,
          '--image',
          `${place.registry}/dev:good`,
          '--allow-http',
        ],
        { cwd: place.folder, env: { ...place.env, PATH: `${folder}:${process.env['PATH']}` } },
      );
    try {
      // An empty folder allows everything.
      expect(await fetchImage(place.evil)).toMatchObject({ code: 0 });
      await ctr('image', 'rm', place.evil);
      const installed = await place.here('hook', 'install', 'containerd', ...place.policy, '--bin-dir', bin);
      expect(installed.code, installed.stderr).toBe(0);
      refused(place, await fetchImage(place.evil), /no signature by a trusted signer/);
      expect(await fetchImage(place.good)).toMatchObject({ code: 0 });
      // It is asked when an image is pulled, not when it runs.
      await ctr('image', 'pull', '--local', '--plain-http', place.evil);
      const mount = `type=bind,src=${place.folder}/out,dst=/out,options=rbind:rw`;
      started(
        place,
        await ctr(
          'run',
          '--rm',
          '--mount',
          mount,
          place.evil,
          'tcf-page',
          '/bin/sh',
          '-c',
          'echo >/out/started',
        ),
      );
      expect(await status()).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/has loaded its image verifiers\n/),
      });
      // A registry that never answers: the reason comes before containerd ends the verifier.
      const { createServer } = await import('node:net');
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const address = silent.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const policy = readFileSync('/etc/tcf/hooks/containerd/policy.yaml', 'utf8');
      writeFileSync(
        '/etc/tcf/hooks/containerd/policy.yaml',
        policy.replaceAll(place.registry, `127.0.0.1:${port}`),
      );
      const before = performance.now();
      const asked = await run(join(bin, 'tcf'), [
        '-name',
        `127.0.0.1:${port}/x/y:1`,
        '-digest',
        `sha256:${'0'.repeat(64)}`,
        '-stdin-media-type',
        'x',
      ]);
      const seconds = (performance.now() - before) / 1000;
      writeFileSync('/etc/tcf/hooks/containerd/policy.yaml', policy);
      silent.close();
      expect(asked.code).not.toBe(0);
      expect(asked.stdout).toMatch(/tcf: /);
      expect(seconds).toBeGreaterThan(7);
      expect(seconds).toBeLessThan(10);
      await place.here('hook', 'install', 'containerd', ...place.policy, '--bin-dir', bin, '--deadline', '3');
      expect(readFileSync(join(bin, 'tcf'), 'utf8')).toMatch(/--deadline 3/);
    } finally {
      await place.here('hook', 'uninstall', 'containerd', '--bin-dir', bin);
      await daemon.stop();
    }
  },

  async 'Docker asks for every container, and denies everything without the plugin'(place) {
    await using it = await openDocker(place);
    const { docker } = it;
    const flags = ['--network=none', '-v', `${place.folder}/out:/out`];
    const dockerRun = (...words: readonly string[]) => docker('run', '--rm', ...flags, ...words);
    started(place, await dockerRun(place.good, ...shell));
    await docker('pull', '--quiet', `${place.registry}/dev:evil`);
    await docker('pull', '--quiet', `${place.registry}/dev:good`);
    refused(place, await dockerRun(place.evil), /✗ signed/);
    refused(place, await dockerRun(`${place.registry}/dev:good`, ...shell), /has no digest in its name/);
    write(place, 'Dockerfile', 'FROM scratch\nCOPY policy.yaml /\n');
    mkdirSync(join(place.folder, 'context'));
    await must('cp', [
      join(place.folder, 'Dockerfile'),
      join(place.folder, 'policy.yaml'),
      join(place.folder, 'context'),
    ]);
    refused(
      place,
      await run(
        '/usr/bin/docker',
        ['-H', `unix://${it.daemon.socket}`, 'build', join(place.folder, 'context')],
        {
          env: { ...place.env, DOCKER_BUILDKIT: '0' },
        },
      ),
      /a build runs images/,
    );
    refused(
      place,
      await docker('swarm', 'init', '--advertise-addr', '127.0.0.1'),
      /tcf does not know "swarm\/init"/,
    );
    const post = (path: string, ...more: readonly string[]) =>
      run('curl', [
        ...['--silent', '--fail-with-body', '--unix-socket', it.daemon.socket, '--request', 'POST'],
        ...[...more, `http://docker/v1.41${path}`],
      ]);
    refused(
      place,
      await post(`/plugins/pull?remote=${place.registry}/dev:evil`),
      /tcf does not know .*plugins\/pull/,
    );
    const create = (body: object) =>
      post(
        '/containers/create',
        '--header',
        'Content-Type: application/json',
        '--data',
        JSON.stringify(body),
      );
    const mounted = { Mounts: [{ Type: 'image', Source: 'x', Target: '/y' }] };
    refused(
      place,
      await create({ Image: place.good, HostConfig: mounted }),
      /content that nothing has verified/,
    );
    expect(await docker('create', '--name', 'still', ...flags, place.good, '/bin/sh')).toMatchObject({
      code: 0,
    });
    const copied = await docker('cp', join(place.folder, 'policy.yaml'), 'still:/program');
    expect(copied.code).not.toBe(0);
    expect(copied.stderr).toMatch(/start it first/);
    refused(place, await post('/containers/still/start?checkpoint=x'), /checkpoint/);
    // Anything at the socket, such as what Compose sends.
    refused(place, await create({ Image: place.evil }), /✗ signed/);
    // A store that holds the unsigned content under the signed digest.
    const idOf = async (name: string) =>
      (await docker('image', 'inspect', '--format', '{{.Id}}', name)).stdout.trim();
    const [good, evil] = [await idOf(place.good), await idOf(`${place.registry}/dev:evil`)];
    const names = join(place.folder, 'data/image/vfs/repositories.json');
    await it.daemon.stop();
    const honest = readFileSync(names, 'utf8');
    writeFileSync(names, honest.replaceAll(good, evil));
    const lying = await startDockerd(place.folder, '--authorization-plugin=tcf');
    refused(place, await dockerRun(place.good, ...shell), /which is not what was verified/);
    await lying.stop();
    writeFileSync(names, honest);
    await using _again = stopped(await startDockerd(place.folder, '--authorization-plugin=tcf'));
    const machine = join(place.folder, 'docker-machine');
    const status = () =>
      place.tcf.run(['hook', 'status', 'docker', '--root', machine, '--image', place.good], {
        cwd: place.folder,
        env: { ...place.env, DOCKER_HOST: `unix://${it.daemon.socket}` },
      });
    await place.here('hook', 'install', 'docker', ...place.policy, '--root', machine);
    expect(await status()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/the daemon has the plugin\n.*it denied .*\n.*it allowed/),
    });
    await place.here('hook', 'uninstall', 'docker', '--root', machine);
    it.plugin.kill('SIGKILL');
    await must('sleep', ['1']);
    const without = await dockerRun(place.good, ...shell);
    expect(without.code).not.toBe(0);
    expect(place.hasRun()).toBe(false);
  },

  async 'an NRI plugin finds the same evidence'(place) {
    // Registries without the referrers API list what refers to a digest under its fallback tag (OCI
    // distribution).
    const tag = place.good.replace('@sha256:', ':sha256-');
    const index = JSON.parse(
      await must('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${tag}`]),
    );
    expect(index.manifests.map(({ artifactType }: { artifactType: string }) => artifactType)).toContain(
      'application/vnd.dev.sigstore.bundle.v0.3+json',
    );
  },

  async 'the runtimes end in the same log'(place) {
    expect(await verbsInLog(place)).toEqual(
      expect.arrayContaining(['hook podman', 'hook containerd', 'hook docker']),
    );
  },
};
