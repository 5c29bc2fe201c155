import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { type Fault, startRegistry, type TestRegistry } from '../support/registry.ts';

let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let digest: string;
let unsigned: string;
let configDigest: string;
const password = { COSIGN_PASSWORD: 'x' };
const tcf = (...args: readonly string[]): Promise<Called> => type(args, { cwd: place.path, env: password });

beforeAll(async () => {
  place = folder();
  registry = await startRegistry();
  digest = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  configDigest = imageIdsOn(registry)[0] ?? '';
  unsigned = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '2', deb: 'other' });
  await tcf('keygen', '--output-key-prefix', 'team');
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  const signed = await tcf(
    'sign',
    `${registry.host}/dev:1`,
    '--key',
    'team.key',
    '--allow-http',
    '--no-sbom',
  );
  expect(signed.exit, signed.err).toBe(0);
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const flags = ['--policy', 'policy.yaml', '--allow-http'];

describe('podman', () => {
  const hex = (letter: string) => letter.repeat(64);
  let bundle: string;

  /** A store with one container, as podman leaves it, whose image is known by `manifest` and `names`. */
  function stored(image: {
    names: readonly string[];
    manifest: string;
    typed?: string;
    id?: string;
    mounts?: readonly object[];
  }): string {
    const root = join(place.path, 'store');
    bundle = join(root, 'bundle');
    for (const name of ['overlay-containers', 'overlay-images', 'bundle'])
      mkdirSync(join(root, name), { recursive: true });
    const id = image.id ?? configDigest.slice('sha256:'.length);
    const container = {
      id: hex('1'),
      image: id,
      layer: hex('3'),
      metadata: JSON.stringify({ 'image-name': image.typed ?? image.names[0] ?? id }),
    };
    writeFileSync(join(root, 'overlay-containers/containers.json'), JSON.stringify([container]));
    writeFileSync(
      join(root, 'overlay-images/images.json'),
      JSON.stringify([
        { id, digest: image.manifest, names: image.names, 'big-data-digests': { manifest: image.manifest } },
      ]),
    );
    // What an image says about itself stands in the annotations; nobody asks it.
    const annotations = {
      'io.kubernetes.cri-o.ImageName': `${registry.host}/dev:1`,
      'io.tcf.verified': 'true',
    };
    writeFileSync(
      join(bundle, 'config.json'),
      JSON.stringify({
        annotations,
        root: { path: join(root, 'overlay', hex('3'), 'merged') },
        ...(image.mounts === undefined ? {} : { mounts: image.mounts }),
      }),
    );
    return JSON.stringify({ id: hex('1'), bundle, annotations });
  }
  const enter = (stdin: string): Promise<Called> =>
    type(['hook', 'enter', 'podman', ...flags], { cwd: place.path, env: password, stdin });

  test('lets the signed image start, by name and by id', async () => {
    const names = [`${registry.host}/dev:1`];
    expect(await enter(stored({ names, manifest: digest }))).toMatchObject({ exit: 0 });
    expect(await enter(stored({ names, manifest: digest, typed: configDigest.slice(7, 19) }))).toMatchObject({
      exit: 0,
    });
  });

  const layer = join('/s/overlay', hex('4'), 'merged');
  test.for<readonly [string, object]>([
    [
      'as podman mounts one to read',
      { type: 'overlay', source: '/s/m', options: [`lowerdir=${layer}:/s/x`] },
    ],
    ['and to write', { type: 'overlay', source: '/s/m', options: [`lowerdir=${layer}`, 'upperdir=/s/u'] }],
    ['as Kubernetes mounts one', { type: 'bind', source: layer, options: ['rbind', 'ro'] }],
    ['below other folders', { type: 'overlay', options: [`lowerdir=/home/x:${layer}`] }],
    ['by the short name of a layer', { type: 'overlay', options: ['lowerdir=/s/overlay/l/ABC'] }],
    ['a part of one', { type: 'bind', source: join(layer, 'usr') }],
    ['of vfs', { type: 'bind', source: join('/s/vfs/dir', hex('4')), options: ['rbind', 'ro'] }],
  ])('stops where a second image is mounted into the signed one: %s', async ([, mount]) => {
    const names = [`${registry.host}/dev:1`];
    const mounts = [
      { destination: '/proc', type: 'proc' },
      { destination: '/x', ...mount },
    ];
    expect(await enter(stored({ names, manifest: digest, mounts }))).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/an image is mounted at "\/x"/),
    });
  });

  test('folders of the machine may be mounted, over one another too', async () => {
    const mounts = [
      { destination: '/a', type: 'bind', source: '/home/x/overlay/src', options: ['rbind'] },
      { destination: '/b', type: 'overlay', source: '/s/m', options: ['lowerdir=/home/x', 'upperdir=/s/u'] },
      { destination: '/c', type: 'tmpfs', options: null },
    ];
    const names = [`${registry.host}/dev:1`];
    expect(await enter(stored({ names, manifest: digest, mounts }))).toMatchObject({ exit: 0 });
  });

  test.for<readonly [string, () => Parameters<typeof stored>[0], number, RegExp]>([
    ['an unsigned image', () => ({ names: [`${registry.host}/dev:2`], manifest: unsigned }), 1, /✗ signed/],
    [
      'an image that was given a good name',
      () => ({ names: [`${registry.host}/dev:1`], manifest: `sha256:${hex('f')}` }),
      2,
      /the registry has no/,
    ],
    [
      'other content under a signed digest',
      () => ({ names: [`${registry.host}/dev:1`], manifest: digest, id: hex('e') }),
      1,
      /and the container has sha256:eee/,
    ],
    [
      'a good image under a name that is not covered',
      () => ({ names: ['127.0.0.1:9/dev:1'], manifest: digest }),
      2,
      /127\.0\.0\.1:9/,
    ],
    [
      'an image that was built here',
      () => ({ names: ['localhost/dev:1'], manifest: digest }),
      2,
      /was built or loaded here/,
    ],
    [
      'the image that podman builds for its pods',
      () => ({ names: ['localhost/podman-pause:5.0.0-0'], manifest: digest }),
      2,
      /infra_image/,
    ],
    ['an image without a name', () => ({ names: [], manifest: digest }), 2, /was built or loaded here/],
  ])('stops %s', async ([, image, exit, message]) => {
    const ran = await enter(stored(image()));
    expect(ran.exit).toBe(exit);
    expect(ran.err).toMatch(message);
  });

  test.for<readonly [string, () => string]>([
    ['nothing on standard input', () => ''],
    ['a bundle that is not there', () => JSON.stringify({ id: hex('1'), bundle: '/nowhere' })],
    [
      'another container',
      () => stored({ names: [`${registry.host}/dev:1`], manifest: digest }).replace(hex('1'), hex('2')),
    ],
  ])('stops where there is %s', async ([, stdin]) => {
    expect((await enter(stdin())).exit).toBeGreaterThan(0);
  });

  test('is not installed with a policy that others may change', async () => {
    for (const path of ['policy.yaml', '.']) {
      const before = statSync(join(place.path, path)).mode;
      chmodSync(join(place.path, path), 0o777);
      expect(await tcf('hook', 'install', 'podman', '--hooks-dir', 'hooks', ...flags)).toMatchObject({
        exit: 3,
        err: expect.stringMatching(/must be yours alone: others may write/),
      });
      chmodSync(join(place.path, path), before);
    }
    expect(existsSync(join(place.path, 'hooks/tcf.json'))).toBe(false);
  });

  test('installs, says what is not covered, and uninstalls', async () => {
    const installed = await tcf('hook', 'install', 'podman', ...flags, '--hooks-dir', 'hooks');
    expect(installed).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/wrote .*hooks\/tcf\.json\nnot covered: /),
    });
    const hook = JSON.parse(readFileSync(join(place.path, 'hooks/tcf.json'), 'utf8'));
    expect(hook.hook.args).toEqual(
      expect.arrayContaining([
        '/usr/bin/node',
        '/usr/lib/tcf/tcf.js',
        'hook',
        'enter',
        'podman',
        '--policy',
        join(place.path, 'policy.yaml'),
        '--allow-http',
      ]),
    );
    expect(await tcf('hook', 'uninstall', 'podman', '--hooks-dir', 'hooks')).toMatchObject({ exit: 0 });
    expect(existsSync(join(place.path, 'hooks/tcf.json'))).toBe(false);
    expect(await tcf('hook', 'uninstall', 'podman', '--hooks-dir', 'hooks')).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/no hook/),
    });
  });

  test('is not installed without a policy, which would stop every container', async () => {
    expect(await tcf('hook', 'install', 'podman', '--hooks-dir', 'none')).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/there is no policy/),
    });
    expect(existsSync(join(place.path, 'none'))).toBe(false);
  });

  test('status: not installed, its program gone, not asked', async () => {
    const status = () => tcf('hook', 'status', 'podman', '--hooks-dir', 'hooks');
    expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/there is no hook/) });
    await tcf('hook', 'install', 'podman', ...flags, '--hooks-dir', 'hooks');
    expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/program .* is not there/) });
    const path = join(place.path, 'hooks/tcf.json');
    writeFileSync(
      path,
      readFileSync(path, 'utf8')
        .replace('/usr/bin/node', process.execPath)
        .replace('/usr/lib/tcf/tcf.js', import.meta.filename),
    );
    // The engine of these tests starts everything and asks nobody.
    expect(await status()).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/was not asked about an image that nobody signed/),
    });
  });

  test("a user's own hooks_dir is not replaced", async () => {
    if (process.getuid?.() === 0) return;
    mkdirSync(join(place.path, 'home/.config/containers'), { recursive: true });
    writeFileSync(
      join(place.path, 'home/.config/containers/containers.conf'),
      '[engine]\nhooks_dir = ["/x"]\n',
    );
    expect(await tcf('hook', 'install', 'podman', ...flags)).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/hooks_dir of its own/),
    });
  });
});

describe('containerd', () => {
  const ask = (name: string, of: string, ...more: readonly string[]) =>
    tcf(
      'hook',
      'enter',
      'containerd',
      ...flags,
      ...more,
      '--',
      '-name',
      name,
      '-digest',
      of,
      '-stdin-media-type',
      'application/vnd.oci.descriptor.v1+json',
    );

  test('allows the digest that was signed, whatever its tag', async () => {
    expect(await ask(`${registry.host}/dev:1`, digest)).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/is allowed/),
    });
    expect(await ask(`${registry.host}/dev:moved`, digest)).toMatchObject({ exit: 0 });
  });

  test('blocks with the reason on standard output, within what containerd keeps', async () => {
    const ran = await ask(`${registry.host}/dev:1`, unsigned);
    expect(ran.exit).toBe(1);
    expect(ran.out).toMatch(/✗ signed/);
    expect(Buffer.byteLength(ran.out)).toBeLessThanOrEqual(32 * 1024);
    expect(await ask(`${registry.host}/gone:1`, `sha256:${'0'.repeat(64)}`)).toMatchObject({
      exit: 2,
      out: expect.stringMatching(/^tcf: the registry has no/),
    });
    expect((await tcf('hook', 'enter', 'containerd', ...flags, '--', '-name', 'x')).exit).toBe(2);
  });

  test.for<readonly [string, Fault]>([
    ['says nothing', { hang: true }],
    ['sends one byte after the other', { drip: 300 }],
    ['wants to be asked later', { status: 429, headers: { 'retry-after': '25' } }],
  ])('answers in time with a reason where the registry %s', async ([, fault]) => {
    registry.fault(/./, fault);
    const ran = await ask(`${registry.host}/dev:2`, unsigned, '--deadline', '1');
    registry.clearFaults();
    expect(ran).toMatchObject({
      exit: 2,
      out: expect.stringMatching(/^tcf: .*did not answer in the time/),
    });
  });

  test('installs an executable, finds it without its program, and takes it away', async () => {
    expect(await tcf('hook', 'install', 'containerd', ...flags, '--bin-dir', 'bin')).toMatchObject({
      exit: 0,
    });
    expect(statSync(join(place.path, 'bin/tcf')).mode & 0o777).toBe(0o755);
    expect(await tcf('hook', 'status', 'containerd', '--bin-dir', 'bin')).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/is not there/),
    });
    for (let count = 0; count < 10; count += 1) writeFileSync(join(place.path, `bin/a${count}`), '');
    expect((await tcf('hook', 'status', 'containerd', '--bin-dir', 'bin')).out).toMatch(
      /10 other verifiers stand before it/,
    );
    expect(await tcf('hook', 'uninstall', 'containerd', '--bin-dir', 'bin')).toMatchObject({ exit: 0 });
    expect(existsSync(join(place.path, 'bin/tcf'))).toBe(false);
  });
});

describe('docker', () => {
  let daemon: Server;
  let container: unknown;
  let stop = () => {};
  let served: Promise<Called>;
  const socket = () => join(place.path, 'plugins/tcf.sock');

  beforeEach(async () => {
    daemon = createServer((incoming, outgoing) => {
      if (incoming.method === 'GET' && incoming.url === '/containers/abc/json')
        outgoing.end(JSON.stringify(typeof container === 'function' ? container() : container));
      else outgoing.writeHead(404).end();
    });
    const daemonSocket = join(place.path, 'docker.sock');
    rmSync(daemonSocket, { force: true });
    await new Promise<void>((resolve) => daemon.listen(daemonSocket, resolve));
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    served = type(['hook', 'serve', 'docker', ...flags, '--socket', socket(), '--daemon', daemonSocket], {
      cwd: place.path,
      env: password,
      stopped: () => stopped,
    });
    for (let attempt = 0; !existsSync(socket()) && attempt < 200; attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
  });
  afterEach(async () => {
    stop();
    expect(await served).toMatchObject({ exit: 0 });
    daemon.close();
  });

  async function post(
    path: string,
    body: unknown,
  ): Promise<{ Allow?: boolean; Msg?: string; Implements?: string[] }> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const asked = request({ socketPath: socket(), method: 'POST', path }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          answer += chunk;
        });
        response.on('end', () => resolve(JSON.parse(answer)));
      });
      asked.on('error', reject);
      asked.end(text);
    });
  }
  const authz = (method: string, uri: string, body?: unknown) =>
    post('/AuthZPlugin.AuthZReq', {
      User: '',
      RequestMethod: method,
      RequestUri: uri,
      ...(body === undefined ? {} : { RequestBody: Buffer.from(JSON.stringify(body)).toString('base64') }),
    });
  const create = (image: string) => authz('POST', '/v1.41/containers/create', { Image: image });

  test('speaks the protocol', async () => {
    expect(await post('/Plugin.Activate', '')).toEqual({ Implements: ['authz'] });
    expect(await post('/AuthZPlugin.AuthZRes', {})).toEqual({ Allow: true });
    expect(await authz('GET', '/v1.41/info')).toEqual({ Allow: true });
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
  });

  test('creates the signed digest and nothing else', async () => {
    expect(await create(`${registry.host}/dev@${digest}`)).toEqual({ Allow: true });
    expect(await create(`${registry.host}/dev@${unsigned}`)).toMatchObject({
      Allow: false,
      Msg: expect.stringMatching(/signed/),
    });
    expect(await create(`${registry.host}/dev:1`)).toMatchObject({
      Allow: false,
      Msg: expect.stringMatching(/has no digest/),
    });
    expect(await create(`${registry.host}/gone@${digest}`)).toMatchObject({ Allow: false });
  });

  test.for<readonly [string, () => unknown, boolean]>([
    [
      'made from the verified content',
      () => ({ Id: 'abc', Image: configDigest, Config: { Image: `${registry.host}/dev@${digest}` } }),
      true,
    ],
    [
      'made from the verified content, as the daemon says with another image store',
      () => ({
        Id: 'abc',
        Image: digest,
        ImageManifestDescriptor: { digest, platform: { os: 'linux', architecture: 'amd64' } },
        Config: { Image: `${registry.host}/dev@${digest}` },
      }),
      true,
    ],
    [
      'made from another manifest of the verified index',
      () => ({
        Id: 'abc',
        Image: digest,
        ImageManifestDescriptor: { digest: unsigned, platform: { os: 'linux', architecture: 'arm64' } },
        Config: { Image: `${registry.host}/dev@${digest}` },
      }),
      false,
    ],
    [
      'whose name is given to another one meanwhile',
      () => {
        let asked = 0;
        return () => {
          asked += 1;
          return { Id: `${asked}`, Image: configDigest, Config: { Image: `${registry.host}/dev@${digest}` } };
        };
      },
      false,
    ],
    [
      'made from other content under that name',
      () => ({
        Id: 'abc',
        Image: `sha256:${'e'.repeat(64)}`,
        Config: { Image: `${registry.host}/dev@${digest}` },
      }),
      false,
    ],
    [
      'made by tag, before the plugin was there',
      () => ({ Id: 'abc', Image: configDigest, Config: { Image: `${registry.host}/dev:1` } }),
      false,
    ],
    ['that the daemon describes in another way', () => ({}), false],
  ])('starts a container: %s', async ([, inspected, isAllowed]) => {
    container = inspected();
    expect((await authz('POST', '/v1.41/containers/abc/start')).Allow).toBe(isAllowed);
  });

  test('starts no container that the daemon does not know', async () => {
    expect(await authz('POST', '/v1.41/containers/other/start')).toMatchObject({
      Allow: false,
      Msg: expect.stringMatching(/answers 404/),
    });
  });

  test.for<readonly [string, string, string]>([
    ['no JSON', '/AuthZPlugin.AuthZReq', 'x'],
    ['too much', '/AuthZPlugin.AuthZReq', `"${'x'.repeat(5 * 1024 * 1024)}"`],
    ['another path', '/AuthZPlugin.Other', '{}'],
  ])('%s is a denial', async ([, path, body]) => {
    expect(await post(path, body)).toMatchObject({ Allow: false });
  });
});

test('docker: the daemon is told to ask, its other settings stay, and it is told to forget', async () => {
  const config = join(place.path, 'machine/etc/docker/daemon.json');
  mkdirSync(join(config, '..'), { recursive: true });
  writeFileSync(config, JSON.stringify({ 'log-driver': 'journald', 'authorization-plugins': ['other'] }));
  const read = () => JSON.parse(readFileSync(config, 'utf8'));
  for (let count = 0; count < 2; count += 1) {
    expect(await tcf('hook', 'install', 'docker', ...flags, '--root', 'machine')).toMatchObject({ exit: 0 });
    expect(read()).toEqual({ 'log-driver': 'journald', 'authorization-plugins': ['other', 'tcf'] });
  }
  const unit = readFileSync(join(place.path, 'machine/etc/systemd/system/tcf-docker-authz.service'), 'utf8');
  expect(unit).toMatch(
    /^ExecStart=\/usr\/bin\/node \/usr\/lib\/tcf\/tcf\.js hook serve docker --policy .*policy\.yaml --allow-http$/m,
  );
  expect(await tcf('hook', 'status', 'docker', '--root', 'machine')).toMatchObject({ exit: 1 });
  expect(await tcf('hook', 'uninstall', 'docker', '--root', 'machine')).toMatchObject({ exit: 0 });
  expect(read()).toEqual({ 'log-driver': 'journald', 'authorization-plugins': ['other'] });
});

test.for<readonly [string, readonly string[]]>([
  ['an unknown runtime', ['hook', 'install', 'rkt', ...flags]],
  ['an unknown action', ['hook', 'summon', 'podman']],
  ['install without a runtime', ['hook', 'install']],
])('%s is asked wrongly', async ([, args]) => {
  expect((await tcf(...args)).exit).toBe(3);
});
