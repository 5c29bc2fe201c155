import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hookTargets } from '../../src/app/hooks/index.ts';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { type Fault, startRegistry, type TestRegistry } from '../support/registry.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';

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
  writeKeyPair(place.path, 'team');
  writeFileSync(join(place.path, 'policy.yaml'), keyPolicy(registry.host, 'signed: { by: [team] }'));
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

const isRoot = process.getuid?.() === 0;
/** A hook of the machine has a copy of its policy, that of a user the policy itself. */
const policyOf = (target: string) =>
  join(place.path, isRoot ? `etc/tcf/hooks/${target}/policy.yaml` : 'policy.yaml');
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
    for (const name of ['overlay-containers', 'overlay-images', 'bundle']) {
      mkdirSync(join(root, name), { recursive: true });
    }
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
      'an image that was built here (A-115)',
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

  test('is not installed with what others may change', async () => {
    for (const path of ['policy.yaml', 'team.pub', '.']) {
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

  test('installs, says what is not covered (A-118), and uninstalls', async () => {
    const installed = await tcf('hook', 'install', 'podman', ...flags, '--hooks-dir', 'hooks');
    expect(installed).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/wrote .*hooks\/tcf\.json\n(?:.*\n)*not covered: /),
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
        policyOf('podman'),
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

  test('the policy in the environment is the one that is written', async () => {
    for (const [variable, exit] of [
      ['policy.yaml', 0],
      ['', 3],
      ['gone.yaml', 3],
    ] as const) {
      rmSync(join(place.path, 'env'), { recursive: true, force: true });
      const ran = await type(['hook', 'install', 'podman', '--hooks-dir', 'env'], {
        cwd: place.path,
        env: { TCF_POLICY: variable },
      });
      expect(ran.exit, ran.err).toBe(exit);
      expect(existsSync(join(place.path, 'env/tcf.json'))).toBe(exit === 0);
    }
    await type(['hook', 'install', 'podman', '--hooks-dir', 'env'], {
      cwd: place.path,
      env: { TCF_POLICY: 'policy.yaml' },
    });
    expect(readFileSync(join(place.path, 'env/tcf.json'), 'utf8')).toContain(`"${policyOf('podman')}"`);
  });

  test('a hook of the machine has copies of its policy and keys, which others may read and not write', async () => {
    const machine = (...args: readonly string[]) => type(args, { cwd: place.path, env: password, uid: 0 });
    if (!isRoot) {
      return;
    }
    mkdirSync(join(place.path, 'sub'), { recursive: true });
    writeFileSync(join(place.path, 'root.json'), readFileSync('src/attest/data/trusted-root.json'));
    writeFileSync(
      join(place.path, 'sub/policy.yaml'),
      `version: 1\ntrust: { root: ../root.json, logs: { key: 0 } }\nsigners: { team: { keyFile: ../team.pub }, two: { keyFile: ${place.path}/two.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
    );
    writeKeyPair(place.path, 'two');
    const installed = await machine(
      'hook',
      'install',
      'podman',
      '--hooks-dir',
      'copies',
      '--policy',
      'sub/policy.yaml',
    );
    expect(installed.exit, installed.err).toBe(0);
    const copies = join(place.path, 'etc/tcf/hooks/podman');
    for (const name of ['policy.yaml', '0-team.pub', '1-two.pub', 'policy-root.json']) {
      expect(statSync(join(copies, name)).mode & 0o777).toBe(0o644);
    }
    rmSync(join(place.path, 'root.json'));
    rmSync(join(place.path, 'two.pub'));
    expect(await machine('policy', 'check', join(copies, 'policy.yaml'))).toMatchObject({ exit: 0 });
    expect(await machine('hook', 'uninstall', 'podman', '--hooks-dir', 'copies')).toMatchObject({ exit: 0 });
    expect(existsSync(copies)).toBe(false);
  });

  test.for<readonly [string, string]>([
    ['the program', 'lib/tcf.js'],
    ['a file beside it', 'lib/chunk.js'],
    ['its folder', 'lib'],
    ['a folder above', '.'],
  ])('is not installed from a program that others may change: %s', async ([, path]) => {
    const home = folder();
    mkdirSync(join(home.path, 'lib'));
    for (const name of ['tcf.js', 'chunk.js']) {
      writeFileSync(join(home.path, 'lib', name), '');
    }
    const install = () =>
      type(['hook', 'install', 'podman', '--hooks-dir', 'program', ...flags], {
        cwd: place.path,
        self: [process.execPath, join(home.path, 'lib/tcf.js')],
      });
    chmodSync(join(home.path, path), 0o777);
    expect(await install()).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/the program of a hook must be .* alone: others may write/),
    });
    chmodSync(join(home.path, path), 0o755);
    expect(await install()).toMatchObject({ exit: 0 });
    home[Symbol.dispose]();
  });

  test('status sees what became of the policy, its key and its folders', async () => {
    const status = () => tcf('hook', 'status', 'podman', '--hooks-dir', 'watched');
    await type(['hook', 'install', 'podman', ...flags, '--hooks-dir', 'watched'], {
      cwd: place.path,
      self: [process.execPath, import.meta.filename],
    });
    const policy = policyOf('podman');
    const key = isRoot ? join(policy, '../0-team.pub') : join(place.path, 'team.pub');
    for (const path of [policy, key, join(policy, '..')]) {
      const before = statSync(path).mode;
      chmodSync(path, 0o777);
      expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/others may write/) });
      chmodSync(path, before);
    }
    expect((await status()).out).toMatch(/✓ podman: it decides by /);
    const text = readFileSync(policy, 'utf8');
    const keyText = readFileSync(key, 'utf8');
    for (const [path, change] of [
      [key, 'no key'],
      [policy, 'version: 1'],
    ] as const) {
      writeFileSync(path, change);
      expect(await status()).toMatchObject({
        exit: 1,
        out: expect.stringMatching(/no policy that can be read, and refuses everything/),
      });
      writeFileSync(policy, text);
      writeFileSync(key, keyText);
    }
    rmSync(policy);
    expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/refuses everything/) });
    writeFileSync(policy, text);
    await tcf('hook', 'uninstall', 'podman', '--hooks-dir', 'watched');
  });

  test('status: not installed, its program gone, not asked', async () => {
    const status = () => tcf('hook', 'status', 'podman', '--hooks-dir', 'asked');
    expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/there is no hook/) });
    await tcf('hook', 'install', 'podman', ...flags, '--hooks-dir', 'asked');
    expect(await status()).toMatchObject({ exit: 1, out: expect.stringMatching(/program .* is not there/) });
    const path = join(place.path, 'asked/tcf.json');
    writeFileSync(
      path,
      readFileSync(path, 'utf8')
        .replace('/usr/bin/node', process.execPath)
        .replace('/usr/lib/tcf/tcf.js', import.meta.filename),
    );
    // The engine of these tests starts everything and asks nobody.
    expect(await status()).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/let an unsigned image start/),
    });
    // One that refuses everything asks nobody either.
    const refusing = await type(['hook', 'status', 'podman', '--hooks-dir', 'asked'], {
      cwd: place.path,
      answer: (args) => ({ code: args.includes('run') ? 126 : 0 }),
    });
    expect(refusing).toMatchObject({ exit: 1, out: expect.stringMatching(/was not asked/) });
    expect(
      await type(['hook', 'status', 'podman', '--hooks-dir', 'asked'], {
        cwd: place.path,
        answer: () => ({ code: 125 }),
      }),
    ).toMatchObject({ exit: 2, out: expect.stringMatching(/\? podman: podman cannot make an image/) });
  });

  test("a user's own hooks_dir is not replaced", async () => {
    if (process.getuid?.() === 0) {
      return;
    }
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
      out: expect.stringMatching(/^tcf: .*did not answer before the caller's deadline/),
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
    for (let count = 0; count < 10; count += 1) {
      writeFileSync(join(place.path, `bin/a${count}`), '');
    }
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
      if (incoming.method === 'GET' && incoming.url === '/containers/abc/json') {
        outgoing.end(JSON.stringify(typeof container === 'function' ? container() : container));
      } else {
        outgoing.writeHead(404).end();
      }
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
    for (let attempt = 0; !existsSync(socket()) && attempt < 200; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
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

test('status without a runtime looks at what is installed', async () => {
  const place = folder();
  const status = () =>
    type(['hook', 'status', '--bin-dir', 'bin', '--hooks-dir', 'hooks', '--root', '.'], { cwd: place.path });
  expect(await status()).toMatchObject({
    exit: 1,
    out: expect.stringMatching(/^no hook of tcf is installed/),
  });
  mkdirSync(join(place.path, 'bin'));
  writeFileSync(join(place.path, 'bin/tcf'), '#!/bin/sh\nexit 1\n');
  const { exit, out } = await status();
  expect(exit).toBe(1);
  expect(out).toMatch(/^✓ containerd/);
  expect(out).not.toMatch(/podman|docker/);
  place[Symbol.dispose]();
});

describe('containerd is asked whether it asks', () => {
  const plugins = (verifier: string) =>
    `TYPE                                   ID       PLATFORMS      STATUS\nio.containerd.snapshotter.v1           overlayfs   linux/amd64    ok\n${verifier}`;
  const status = async (found: readonly string[], answer: (args: readonly string[]) => object) => {
    await type(['hook', 'install', 'containerd', ...flags, '--bin-dir', 'bin2'], {
      cwd: place.path,
      self: [process.execPath, import.meta.filename],
    });
    return await type(['hook', 'status', 'containerd', '--bin-dir', 'bin2'], {
      cwd: place.path,
      found,
      answer,
    });
  };
  const version = (text: string) => `Client:\n  Version:  x\n\nServer:\n  Version:  ${text}\n`;

  test.for<readonly [string, readonly string[], (args: readonly string[]) => object, number, RegExp]>([
    ['no ctr', [], () => ({}), 2, /\? containerd: there is no ctr/],
    ['no answer', ['ctr'], () => ({ code: 1, stderr: 'connection refused' }), 2, /\? .*does not answer/],
    [
      'containerd 1.6, which has no verifiers',
      ['ctr'],
      (args) => ({ stdout: args.includes('version') ? version('1.6.20') : plugins('') }),
      1,
      /containerd 1\.6\.20 has no image verifiers, so it asks no verifier/,
    ],
    [
      'a plugin that was not loaded',
      ['ctr'],
      (args) => ({
        stdout: args.includes('version')
          ? version('2.1.4')
          : plugins('io.containerd.image-verifier.v1        bindir   -              skip\n'),
      }),
      1,
      /has no image verifiers \(skip\)/,
    ],
    [
      'a plugin that is loaded, and a pull that asks nobody',
      ['ctr'],
      (args) => ({
        stdout: args.includes('version')
          ? version('2.1.4')
          : plugins('io.containerd.image-verifier.v1        bindir   -              ok\n'),
      }),
      1,
      /let an unsigned image start/,
    ],
  ])('%s', async ([, found, answer, exit, message]) => {
    const ran = await status(found, answer);
    expect(ran.out).toMatch(message);
    expect(ran.exit).toBe(exit);
  });
});

test('what is not covered is in SECURITY.md, word by word', () => {
  const page = readFileSync('SECURITY.md', 'utf8').replace(/\s+/g, ' ');
  for (const { gaps, name } of hookTargets) {
    for (const { text } of gaps) {
      expect(page, name).toContain(text);
    }
  }
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
