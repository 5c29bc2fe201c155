import { describe, expect, test } from 'vitest';
import { composeLaunch, type DevLaunch, defaultJobs, type Mounts } from '../../src/launch/dev/compose.ts';
import type { Machine } from '../../src/launch/dev/machine.ts';
import { parseDevOptions } from '../../src/launch/dev/options.ts';
import { type PinTexts, readPin } from '../../src/launch/dev/pin.ts';
import { applyProfile, builtIn, parseProfiles } from '../../src/launch/dev/profiles.ts';

const machine: Machine = {
  engine: 'podman',
  isRootless: true,
  user: { name: 'ann', uid: 1234, gid: 5678 },
  cores: 8,
  memory: 64 * 1024 ** 3,
  isTerminal: false,
  hasSelinux: false,
  cdi: ['nvidia.com/gpu=0', 'nvidia.com/gpu=all'],
  amdGroups: [44, 109],
  hasKfd: true,
  env: {},
};

interface Scene {
  readonly machine?: Partial<Machine>;
  readonly mounts?: Partial<Mounts>;
  readonly profile?: string;
}

/** A command line of the old launcher, after its name. Sources that it names are there. */
function launch(line: readonly string[], { machine: other, mounts, profile = 'dev' }: Scene = {}): DevLaunch {
  const { options } = parseDevOptions(line, {});
  const whole = applyProfile(builtIn.get(profile) ?? {}, { ...options, engineFlags: [] });
  return composeLaunch(
    whole,
    { ...machine, ...other },
    { paths: whole.sources, cacheRoot: '/cache', ...mounts },
  );
}

const quay = 'quay.io/triton-dev-containers';
const env = ({ engineFlags }: DevLaunch) =>
  Object.fromEntries(
    engineFlags
      .filter((flag) => flag.startsWith('--env='))
      .map((flag) => flag.slice('--env='.length).split(/=(.*)/s).slice(0, 2)),
  );

describe('command lines of triton-dev-containers.sh and its Makefile', () => {
  test.for<
    readonly [
      string,
      readonly string[],
      { image: string; flags?: readonly string[]; env?: Record<string, string>; not?: RegExp },
    ]
  >([
    ['nothing at all', [], { image: `${quay}/base:centos9` }],
    ['-d cpu', ['-d', 'cpu'], { image: `${quay}/cpu:centos9` }],
    ['-d CPU', ['-d', 'CPU'], { image: `${quay}/cpu:centos9` }],
    [
      'make cuda-run',
      ['-t', 'centos9', '-p', '8888', '-j', '4', '-o', 'INSTALL_JUPYTER=true', '-u', 'ann', '-d', 'cuda'],
      {
        image: `${quay}/cuda:centos9`,
        flags: [
          '--device=nvidia.com/gpu=all',
          '--security-opt=label=disable',
          '--publish=127.0.0.1:8888:8888',
        ],
        env: {
          MAX_JOBS: '4',
          CUDA_VERSION: '12-9',
          CUDA_VISIBLE_DEVICES: '0',
          INSTALL_JUPYTER: 'true',
          NOTEBOOK_PORT: '8888',
          USERNAME: 'ann',
        },
      },
    ],
    ['-d cuda', ['-d', 'cuda'], { image: `${quay}/cuda:12-9-centos9` }],
    [
      'another CUDA',
      ['-d', 'cuda', '-o', 'CUDA_VERSION=13-0'],
      { image: `${quay}/cuda:13-0-centos9`, env: { CUDA_VERSION: '13-0' } },
    ],
    [
      '-d rocm',
      ['-d', 'rocm'],
      {
        image: `${quay}/rocm:7.1.1-centos9`,
        flags: [
          '--device=/dev/kfd',
          '--device=/dev/dri',
          '--cap-add=SYS_PTRACE',
          '--group-add=keep-groups',
          '--ipc=host',
          '--security-opt=seccomp=unconfined',
        ],
        env: { ROCM_VERSION: '7.1.1', ROCR_VISIBLE_DEVICES: '0' },
      },
    ],
    [
      'a variable in lower case',
      ['-o', 'use_ccache=1'],
      { image: `${quay}/base:centos9`, env: { USE_CCACHE: '1', CCACHE_DIR: '/workspace/.cache/ccache' } },
    ],
    [
      '-k triton',
      ['-k', 'triton'],
      { image: `${quay}/base:centos9`, env: { INSTALL_TRITON: 'source', INSTALL_TORCH: 'release' } },
    ],
    [
      '-k helion',
      ['-k', 'helion'],
      { image: `${quay}/base:centos9`, env: { INSTALL_HELION: 'source', INSTALL_TORCH: 'release' } },
    ],
    ['-k torch', ['-k', 'torch'], { image: `${quay}/base:centos9`, env: { INSTALL_TORCH: 'source' } }],
    ['-k vllm', ['-k', 'vllm'], { image: `${quay}/base:centos9`, env: { INSTALL_VLLM: 'source' } }],
    [
      'an option wins over a stack',
      ['-k', 'triton', '-o', 'INSTALL_TORCH=nightly'],
      { image: `${quay}/base:centos9`, env: { INSTALL_TORCH: 'nightly', INSTALL_TRITON: 'source' } },
    ],
    [
      'a mount is a source to build from',
      ['-s', 'TORCH=/src/torch', '-s', 'user=/src/mine'],
      {
        image: `${quay}/base:centos9`,
        flags: ['--volume=/src/torch:/workspace/torch', '--volume=/src/mine:/workspace/user'],
        env: { INSTALL_TORCH: 'source' },
        not: /INSTALL_USER/,
      },
    ],
    ['-i', ['-i', 'quay.io/me/mine:1', '-d', 'cpu'], { image: 'quay.io/me/mine:1' }],
    ['-r', ['-r'], { image: `${quay}/base:centos9`, flags: ['--rm'] }],
    [
      'letters together',
      ['-rvdcpu', '-j2'],
      { image: `${quay}/cpu:centos9`, flags: ['--rm'], env: { MAX_JOBS: '2' } },
    ],
    [
      'long names',
      ['--device=cpu', '--rm', '--jobs', '2'],
      { image: `${quay}/cpu:centos9`, flags: ['--rm'], env: { MAX_JOBS: '2' } },
    ],
    [
      'wheels by version',
      ['-o', 'PIP_TORCH_VERSION=2.9.0', '-o', 'UV_TORCH_BACKEND=cpu'],
      { image: `${quay}/base:centos9`, env: { PIP_TORCH_VERSION: '2.9.0', UV_TORCH_BACKEND: 'cpu' } },
    ],
    [
      'an URL with an equals sign',
      ['-o', 'PIP_TORCH_INDEX_URL=https://x.example/?a=b'],
      { image: `${quay}/base:centos9`, env: { PIP_TORCH_INDEX_URL: 'https://x.example/?a=b' } },
    ],
  ])('%s', ([, line, expected]) => {
    const composed = launch(line);
    expect(composed.image).toBe(expected.image);
    expect(composed.command).toEqual(['bash']);
    expect(composed.engineFlags).toEqual(expect.arrayContaining([...(expected.flags ?? [])]));
    expect(env(composed)).toMatchObject(expected.env ?? {});
    if (expected.not) {
      expect(composed.engineFlags.join(' ')).not.toMatch(expected.not);
    }
  });
});

describe('its bugs are not ours', () => {
  test('1: -t counts for cuda and rocm too', () => {
    expect(launch(['-d', 'cuda', '-t', 'mytag']).image).toBe(`${quay}/cuda:mytag`);
    expect(launch(['-t', 'mytag', '-d', 'rocm']).image).toBe(`${quay}/rocm:mytag`);
  });

  test('2: a port is published, and so is the default one of a notebook server', () => {
    expect(launch(['-p', '9999']).engineFlags).toContain('--publish=127.0.0.1:9999:9999');
    expect(env(launch(['-p', '9999']))).toMatchObject({ INSTALL_JUPYTER: 'true', NOTEBOOK_PORT: '9999' });
    expect(launch(['-p', 'auto']).engineFlags).toContain('--publish=127.0.0.1:8888:8888');
    expect(launch(['-o', 'INSTALL_JUPYTER=true']).engineFlags).toContain('--publish=127.0.0.1:8888:8888');
    expect(launch(['-p', '0.0.0.0:9999']).engineFlags).toContain('--publish=0.0.0.0:9999:9999');
    expect(launch([]).engineFlags.join(' ')).not.toMatch(/publish/);
  });

  test('3: profilers get the capability that they need, and no more', () => {
    const flags = launch(['-d', 'cuda', '-o', 'INSTALL_TOOLS=true']).engineFlags;
    expect(flags).toContain('--cap-add=SYS_ADMIN');
    expect(flags.join(' ')).not.toMatch(/privileged/);
    expect(launch(['-d', 'cuda']).engineFlags).not.toContain('--cap-add=SYS_ADMIN');
  });

  test('4: a path is mounted as it is', () => {
    for (const path of ['/home/me/ross/assets', '/home/me/my triton', "/a'b", '/x\\s', '/tab\there']) {
      expect(launch(['-s', `TRITON=${path}`]).engineFlags).toContain(`--volume=${path}:/workspace/triton`);
    }
    expect(() => launch(['-s', 'TRITON=/a:b'])).toThrow(/has a colon/);
  });

  test('5: -h answers', () => {
    expect(parseDevOptions(['-h'], {}).help).toBe(true);
    expect(parseDevOptions(['--help'], {}).help).toBe(true);
    expect(parseDevOptions(['-rh'], {}).help).toBe(true);
  });

  test.for<readonly [string, readonly string[], RegExp]>([
    ['part of a value', ['-o', 'INSTALL_TRITON=e'], /INSTALL_TRITON cannot be "e"/],
    ['an empty value', ['-o', 'INSTALL_TRITON='], /cannot be ""/],
    ['the sign between the values', ['-o', 'INSTALL_TRITON=|'], /cannot be/],
    ['an unknown name', ['-o', 'INSTALL_NOTHING=true'], /does not know the option/],
    ['part of a name', ['-o', 'INSTALL=true'], /does not know the option/],
    ['no value', ['-o', 'INSTALL_TRITON'], /does not know the option/],
    ['a line break', ['-o', 'PIP_TORCH_VERSION=1\nX=y'], /line break/],
    ['an unknown source', ['-s', 'TRI=/x'], /does not know the source/],
    ['a source without a path', ['-s', 'TRITON='], /does not know the source/],
    ['an unknown device', ['-d', 'tpu'], /does not know the device/],
    ['an unknown stack', ['-k', 'jax'], /does not know the stack/],
    ['jobs that are none', ['-j', 'many'], /not a number of jobs/],
    ['no jobs', ['-j', '0'], /not a number of jobs/],
    ['a port that is none', ['-p', '70000'], /not a port/],
    ['an unknown letter', ['-x'], /does not know the option "-x"/],
    ['an unknown word', ['--privileged'], /does not know the flag/],
    ['an option without its value', ['-d'], /-d needs a value/],
  ])('6: %s is refused', ([, line, message]) => {
    expect(() => launch(line)).toThrow(message);
  });

  test('7: a user has that user’s ids', () => {
    const composed = launch(['-u', 'alice'], { machine: { user: { name: 'alice', uid: 4321, gid: 8765 } } });
    expect(env(composed)).toMatchObject({ USERNAME: 'alice', USER_UID: '4321', USER_GID: '8765' });
    expect(env(launch(['-u', 'root']))).not.toHaveProperty('USERNAME');
  });

  const commit = 'f6ded0be897e2878612dd903f7e8bb85448269e5';
  test('8: LLVM is built from the pin of the checkout, or not at all', () => {
    const line = ['-s', 'TRITON=/t', '-o', 'INSTALL_LLVM=source'];
    const pinned = (texts: PinTexts) => {
      const pin = readPin(texts, '/t');
      return { mounts: pin === undefined ? {} : { pin } };
    };
    expect(() => launch(line, pinned({}))).toThrow(/nothing says which LLVM to build/);
    expect(() => launch(line, pinned({ info: JSON.stringify({ llvm_hash: commit }) }))).toThrow(
      /has its pin in cmake\/llvm-info\.json/,
    );
    expect(launch(line, pinned({ hash: `${commit}\n` })).image).toBe(`${quay}/base:centos9`);
    // With an LLVM of one's own nothing is fetched.
    expect(launch([...line, '-s', 'LLVM=/l'], pinned({})).image).toBe(`${quay}/base:centos9`);
  });
});

describe('the pin of a checkout', () => {
  const commit = 'a'.repeat(40);
  test.for<readonly [string, PinTexts, string | undefined]>([
    ['neither file', {}, undefined],
    ['llvm-hash.txt', { hash: `${commit}\n` }, commit],
    ['a short hash', { hash: 'abcdef1' }, 'abcdef1'],
    ['llvm-info.json', { info: JSON.stringify({ llvm_hash: commit }) }, commit],
    ['both: the newer counts', { info: JSON.stringify({ llvm_hash: commit }), hash: 'b'.repeat(40) }, commit],
  ])('%s', ([, texts, expected]) => {
    expect(readPin(texts, '/t')?.commit).toBe(expected);
  });

  test.for<readonly [string, PinTexts]>([
    ['an empty file', { hash: '' }],
    ['a branch', { hash: 'main' }],
    ['upper case', { hash: 'ABCDEF1234' }],
    ['two lines', { hash: `${commit}\n${commit}` }],
    ['JSON without the hash', { info: '{}' }],
    ['JSON that is none', { info: '{' }],
    ['a hash that is a number', { info: '{"llvm_hash": 1234567}' }],
    ['a broken newer file beside a good older one', { info: '{', hash: commit }],
  ])('%s is refused', ([, texts]) => {
    expect(() => readPin(texts, '/t')).toThrow(/pins no LLVM commit/);
  });

  test('each set of pins has a cache of its own', () => {
    const sets: PinTexts[] = [
      { hash: commit },
      { hash: 'b'.repeat(40) },
      { hash: commit, nvidia: '{}' },
      { hash: commit, json: '{}' },
    ];
    expect(new Set(sets.map((texts) => readPin(texts, '/t')?.key)).size).toBe(sets.length);
    const pin = readPin({ hash: commit }, '/t');
    const composed = launch(['-s', 'TRITON=/t'], { mounts: pin === undefined ? {} : { pin } });
    expect(composed.folders).toEqual([`/cache/triton-${pin?.key}`]);
    expect(composed.engineFlags).toContain(`--volume=/cache/triton-${pin?.key}:/workspace/.triton`);
  });
});

describe('machines', () => {
  test('jobs: the cores, or one for each 4 GiB', () => {
    const gib = 1024 ** 3;
    expect(defaultJobs({ cores: 64, memory: 32 * gib })).toBe(8);
    expect(defaultJobs({ cores: 4, memory: 512 * gib })).toBe(4);
    expect(defaultJobs({ cores: 4, memory: gib })).toBe(1);
    expect(env(launch([], { machine: { env: { MAX_JOBS: '3' } } }))['MAX_JOBS']).toBe('3');
    expect(env(launch(['-j', '5'], { machine: { env: { MAX_JOBS: '3' } } }))['MAX_JOBS']).toBe('5');
  });

  test.for<readonly [string, readonly string[], Scene, readonly string[], RegExp | undefined]>([
    ['rootless podman keeps the id', [], {}, ['--userns=keep-id'], undefined],
    [
      'podman of root refuses keep-id, so it is not asked',
      [],
      { machine: { isRootless: false } },
      [],
      /keep-id/,
    ],
    ['docker knows no keep-id', [], { machine: { engine: 'docker' } }, [], /keep-id/],
    [
      'docker without CDI',
      ['-d', 'cuda'],
      { machine: { engine: 'docker', cdi: [] } },
      ['--runtime=nvidia', '--gpus=all'],
      /nvidia\.com/,
    ],
    [
      'groups by number, where they cannot be kept',
      ['-d', 'rocm'],
      { machine: { engine: 'docker' } },
      ['--group-add=44', '--group-add=109'],
      /render|keep-groups/,
    ],
    ['one GPU of several', ['-d', 'cuda', '--gpu', '0'], {}, ['--device=nvidia.com/gpu=0'], /gpu=all/],
    [
      'GPUs by index, counted from 0 inside',
      ['-d', 'cuda', '--gpu=0,2'],
      {
        machine: { cdi: ['nvidia.com/gpu=0', 'nvidia.com/gpu=1', 'nvidia.com/gpu=2', 'nvidia.com/gpu=all'] },
      },
      ['--device=nvidia.com/gpu=0', '--device=nvidia.com/gpu=2', '--env=CUDA_VISIBLE_DEVICES=0,1'],
      /gpu=(?:all|1)/,
    ],
    [
      'a part of a GPU',
      ['-d', 'cuda', '--gpu', 'MIG-5c0e1b6f-1'],
      { machine: { cdi: ['nvidia.com/gpu=MIG-5c0e1b6f-1'] } },
      ['--device=nvidia.com/gpu=MIG-5c0e1b6f-1'],
      undefined,
    ],
    [
      'a CDI file with UUIDs alone',
      ['-d', 'cuda'],
      { machine: { cdi: ['nvidia.com/gpu=GPU-x', 'nvidia.com/gpu=MIG-y'] } },
      ['--device=nvidia.com/gpu=GPU-x', '--device=nvidia.com/gpu=MIG-y'],
      undefined,
    ],
    [
      'a CDI file with parts of GPUs',
      ['-d', 'cuda'],
      { machine: { cdi: ['nvidia.com/gpu=0', 'nvidia.com/gpu=1:0', 'nvidia.com/gpu=GPU-x'] } },
      ['--device=nvidia.com/gpu=0', '--device=nvidia.com/gpu=1:0'],
      /GPU-x/,
    ],
    [
      'a CDI file without a name for all GPUs',
      ['-d', 'cuda'],
      { machine: { cdi: ['nvidia.com/gpu=0', 'nvidia.com/gpu=1', 'nvidia.com/gpu=GPU-x'] } },
      ['--device=nvidia.com/gpu=0', '--device=nvidia.com/gpu=1'],
      /gpu=(?:all|GPU)/,
    ],
    [
      'GPUs for docker without CDI',
      ['-d', 'cuda', '--gpu', '0,2'],
      { machine: { engine: 'docker', cdi: [] } },
      ['--gpus="device=0,2"'],
      /all/,
    ],
    ['GPUs of AMD', ['-d', 'rocm', '--gpu', '1'], {}, ['--env=ROCR_VISIBLE_DEVICES=1'], undefined],
    [
      'profilers with a display',
      ['-d', 'cuda', '-o', 'INSTALL_TOOLS=true'],
      { machine: { env: { DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0', XDG_RUNTIME_DIR: '/run/user/1' } } },
      [
        '--volume=/run/user/1/wayland-0:/tmp/wayland-0:ro',
        '--env=WAYLAND_DISPLAY=wayland-0',
        '--env=XDG_RUNTIME_DIR=/tmp',
        '--env=DISPLAY=:0',
      ],
      undefined,
    ],
    [
      'a display that is a path',
      ['-d', 'cuda', '-o', 'INSTALL_TOOLS=true'],
      { machine: { env: { DISPLAY: ':0', WAYLAND_DISPLAY: '../../etc', XDG_RUNTIME_DIR: '/run/user/1' } } },
      [],
      /\/run\/user/,
    ],
    [
      'no places of the host',
      [],
      {
        machine: {
          env: {
            TRITON_HOME: '/home/me',
            TRITON_CACHE_DIR: '/c',
            TRITON_PTXAS_PATH: '/opt/ptxas',
            LLVM_SYSPATH: '/llvm',
            TRITON_DUMP_TO: '/somewhere',
            TRITON_DEBUG: '1',
          },
        },
      },
      ['--env=TRITON_DEBUG=1'],
      /TRITON_(?:HOME|CACHE|PTXAS|DUMP)|LLVM_/,
    ],
    ['a terminal', [], { machine: { isTerminal: true } }, ['--interactive', '--tty'], undefined],
    ['no terminal', [], {}, ['--interactive'], /--tty/],
    [
      'SELinux',
      ['-s', 'TRITON=/t'],
      { machine: { hasSelinux: true } },
      ['--volume=/t:/workspace/triton:z'],
      undefined,
    ],
    [
      'variables that tune builds',
      [],
      { machine: { env: { TRITON_DEBUG: '1', MLIR_ENABLE_DUMP: '1', SECRET: 'x' } } },
      ['--env=MLIR_ENABLE_DUMP=1', '--env=TRITON_DEBUG=1'],
      /SECRET/,
    ],
    [
      'the GPUs of the host',
      ['-d', 'cuda'],
      { machine: { env: { CUDA_VISIBLE_DEVICES: '2,3' } } },
      ['--env=CUDA_VISIBLE_DEVICES=2,3'],
      /DEVICES=0/,
    ],
  ])('%s', ([, line, scene, flags, not]) => {
    const composed = launch(line, scene);
    expect(composed.engineFlags).toEqual(expect.arrayContaining([...flags]));
    if (not) {
      expect(composed.engineFlags.join(' ')).not.toMatch(not);
    }
  });

  test('a GPU that is not there is said before anything is pulled', () => {
    expect(() => launch(['-d', 'cuda'], { machine: { cdi: [] } })).toThrow(/has no CDI file/);
    expect(() => launch(['-d', 'rocm'], { machine: { hasKfd: false } })).toThrow(/no \/dev\/kfd/);
  });

  test('a remote engine is named before the verb, and this machine’s caches stay here', () => {
    const pin = readPin({ hash: 'a'.repeat(40) }, '/t');
    const composed = launch(['-c', 'big', '-d', 'cuda', '-s', 'TRITON=/t'], {
      machine: { cdi: [] },
      mounts: pin === undefined ? {} : { pin },
    });
    expect(composed.globals).toEqual(['--remote', '--connection=big']);
    expect(composed).toMatchObject({ folders: [] });
    expect(launch(['-c', 'big'], { machine: { engine: 'docker' } }).globals).toEqual(['--context=big']);
  });

  test('what follows the options is the command', () => {
    expect(launch(['-d', 'cpu', 'make', '-j', '4']).command).toEqual(['make', '-j', '4']);
    expect(launch(['--', '-d']).command).toEqual(['-d']);
  });
});

test.for<readonly [string, readonly string[], RegExp]>([
  ['a GPU that CDI does not list', ['-d', 'cuda', '--gpu', '7'], /CDI knows no nvidia\.com\/gpu=7/],
  ['a GPU that is none', ['-d', 'cuda', '--gpu', 'first'], /is not a GPU/],
  ['a device of another kind', ['-d', 'cuda', '--gpu', '0,evil.com/x=y'], /is not a GPU/],
  ['a GPU twice', ['-d', 'cuda', '--gpu', '0,0'], /twice/],
])('%s is refused', ([, line, message]) => {
  expect(() => launch(line)).toThrow(message);
});

describe('profiles', () => {
  const parse = (text: string) => parseProfiles(text, 'profiles.yaml', builtIn);

  test('a profile is a command line with a name, and the command line wins', () => {
    const profiles = parse(`version: 1
profiles:
  gpu: { extends: triton, device: cuda, tag: mine, jobs: 4, sources: { TRITON: ~/triton }, options: { USE_CCACHE: 1 }, mounts: ["/data:/data:ro"], flags: ["--shm-size=8g"] }
  big: { extends: gpu, jobs: 16, ports: ["127.0.0.1:6006:6006"], command: [bash, -l] }
`);
    const { options } = parseDevOptions(['-t', 'typed', '-o', 'INSTALL_TORCH=nightly'], {});
    expect(applyProfile(profiles.get('big') ?? {}, { ...options, engineFlags: ['--rm'] })).toEqual({
      stack: 'triton',
      device: 'cuda',
      tag: 'typed',
      jobs: 16,
      sources: { TRITON: '~/triton' },
      variables: { USE_CCACHE: '1', INSTALL_TORCH: 'nightly' },
      engineFlags: ['--shm-size=8g', '--volume=/data:/data:ro', '--publish=127.0.0.1:6006:6006', '--rm'],
      command: ['bash', '-l'],
    });
  });

  test.for<readonly [string, string, RegExp]>([
    ['no version', 'profiles: {}', /version/],
    ['another version', 'version: 2\nprofiles: {}', /is not 1/],
    ['an unknown key', 'version: 1\nprofiles: { a: { devise: cuda } }', /unknown key "devise"/],
    ['a key twice', 'version: 1\nprofiles: { a: { device: cuda, device: cpu } }', /profiles\.yaml:2/],
    ['an unknown device', 'version: 1\nprofiles: { a: { device: tpu } }', /does not know the device/],
    ['a name that leads to a registry', 'version: 1\nprofiles: { "quay.io/x": {} }', /cannot be the name/],
    [
      'a parent that comes later',
      'version: 1\nprofiles: { a: { extends: b }, b: {} }',
      /names no profile before/,
    ],
    [
      'a flag that hides the image',
      'version: 1\nprofiles: { a: { flags: ["--sneaky"] } }',
      /does not know the flag/,
    ],
    [
      'a flag that starts another file system',
      'version: 1\nprofiles: { a: { flags: ["--rootfs"] } }',
      /does not take --rootfs/,
    ],
    ['a word that is not a flag', 'version: 1\nprofiles: { a: { flags: [evil] } }', /is not a flag/],
    ['an alias', 'version: 1\nprofiles: { a: &x {}, b: *x }', /anchors and aliases/],
  ])('%s is refused', ([, text, message]) => {
    expect(() => parse(text)).toThrow(message);
  });
});
