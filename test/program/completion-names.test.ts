import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completionFiles, shells } from '../../src/report/completion/index.ts';
import { folder, type } from '../support/host.ts';
import { completeIn, files, installedShells, someFile } from '../support/shells.ts';

/*
 * Names that only this machine knows, by a store of podman, a Docker and a podman that are made here. The
 * shells call `tcf` of their PATH, which is the real program.
 */

const place = folder();
const bin = join(place.path, 'bin');
const store = join(place.path, 'store');
const socket = join(place.path, 'docker.sock');
const conf = join(place.path, 'storage.conf');
let docker: Server;

const hex = (digit: string): string => digit.repeat(64);
const stored = [
  { id: hex('a'), names: ['quay.io/acme/dev:1', 'quay.io/acme/dev@sha256:'.concat(hex('e'))] },
  { id: hex('b'), names: ['localhost/mine:latest'] },
  { id: hex('c') },
  // Whoever pushes an image into a store may call it what he likes.
  { id: hex('d'), names: ['quay.io/$(touch hurt):1', 'quay.io/a b:1', '-rf', "quay.io/'x"] },
];
const ofDocker = [
  { RepoTags: ['quay.io/acme/docker:2', 'mine:latest'] },
  { RepoTags: null },
  { RepoTags: ['`touch hurt`:1'] },
];
const env = {
  PATH: `${bin}:${process.env['PATH']}`,
  CONTAINERS_STORAGE_CONF: conf,
  DOCKER_HOST: `unix://${socket}`,
};

function script(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

beforeAll(async () => {
  for (const path of [bin, join(store, 'overlay-images'), join(place.path, '.config/tcf')]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(join(place.path, someFile), '');
  writeFileSync(conf, `[storage]\ndriver = "overlay"\ngraphroot = "${store}"\n`);
  writeFileSync(join(store, 'overlay-images/images.json'), JSON.stringify(stored));
  writeFileSync(
    join(place.path, '.config/tcf/profiles.yaml'),
    'version: 1\nprofiles: { nightly: { extends: dev } }\n',
  );
  script('tcf', `exec '${process.execPath}' '${join(import.meta.dirname, '../../src/main.ts')}' "$@"`);
  script('podman', 'printf "tcf-dev\\ntcf-torch\\nsomebody-elses\\n"');
  docker = createServer(({ url = '' }, response) => {
    const isImages = url === '/images/json';
    response.end(JSON.stringify(isImages ? ofDocker : [{ Names: ['/tcf-docked'] }, { Names: ['/other'] }]));
  });
  await new Promise<void>((resolve) => docker.listen(socket, resolve));
  for (const shell of shells) {
    writeFileSync(
      join(place.path, completionFiles[shell]),
      (await type(['completion', shell], { cwd: place.path })).out,
    );
  }
});

afterAll(async () => {
  await new Promise((resolve) => docker.close(resolve));
  place[Symbol.dispose]();
});

const names = async (kind: string, over: Readonly<Record<string, string>> = {}) => {
  const host = { cwd: place.path, env: { HOME: place.path, ...env, ...over } };
  const { err, exit, out } = await type(['completion-names', kind], host);
  expect({ err, exit }).toEqual({ err: '', exit: 0 });
  return out.split('\n').filter((name) => name !== '');
};

test.for([
  [
    'images',
    [
      'docker-daemon:mine:latest',
      'docker-daemon:quay.io/acme/docker:2',
      'localhost/mine:latest',
      'quay.io/acme/dev:1',
    ],
  ],
  [
    'signed-images',
    ['containers-storage:localhost/mine:latest', 'quay.io/acme/dev:1', 'quay.io/acme/docker:2'],
  ],
  ['registry-images', ['quay.io/acme/dev:1', 'quay.io/acme/docker:2']],
] as const)('%s are those of podman and of Docker that have a plain name', async ([kind, expected]) => {
  expect(await names(kind)).toEqual(expected);
});

test.for([
  ['a Docker that is not there', { DOCKER_HOST: 'unix:///nowhere/docker.sock' }],
  ['a Docker of another machine', { DOCKER_HOST: 'tcp://docker.example:2375' }],
] as const)('%s is no error', async ([, over]) => {
  expect(await names('registry-images', over)).toEqual(['quay.io/acme/dev:1']);
});

test('a store that cannot be read is no error', async () => {
  writeFileSync(join(place.path, 'broken.conf'), '[storage');
  const over = { CONTAINERS_STORAGE_CONF: join(place.path, 'broken.conf') };
  expect(await names('registry-images', over)).toEqual(['quay.io/acme/docker:2']);
});

test('a Docker that does not answer is waited for a second, and no longer', async () => {
  const deaf = createServer(() => {});
  const path = join(place.path, 'deaf.sock');
  await new Promise<void>((resolve) => deaf.listen(path, resolve));
  const start = performance.now();
  expect(await names('registry-images', { DOCKER_HOST: `unix://${path}` })).toEqual(['quay.io/acme/dev:1']);
  expect(performance.now() - start).toBeLessThan(5000);
  deaf.closeAllConnections();
  await new Promise((resolve) => deaf.close(resolve));
});

describe.for(installedShells)('%s', (shell) => {
  const offered = async (...words: readonly string[]) => {
    const { errors, offered: all } = await completeIn(place.path, shell, words, env);
    expect(errors).toBe('');
    return all;
  };

  test.for([
    [['sbom', 'quay'], ['quay.io/acme/dev:1']],
    [['verify', 'quay.io/acme/do'], ['quay.io/acme/docker:2']],
    [['gate', '--policy', 'p', 'quay.io/acme/dev'], ['quay.io/acme/dev:1']],
    [['run', '--rm', '-it', 'quay.io/acme/dev'], ['quay.io/acme/dev:1']],
    [['diff', 'x', 'local'], ['localhost/mine:latest']],
    [['sbom', '--base', 'local'], ['localhost/mine:latest']],
    [['policy', 'init', 'quay.io/acme/dev'], ['quay.io/acme/dev:1']],
    [['up', 'n'], ['nightly']],
    [
      ['exec', ''],
      ['dev', 'docked', 'torch'],
    ],
    [
      ['down', 'd'],
      ['dev', 'docked'],
    ],
  ] as const)('tcf %j offers %j', async ([words, expected]) => {
    expect(await offered(...words)).toEqual(expected);
  });

  test('where no name fits, files are offered for what may be a file', async () => {
    expect(await offered('sbom', 'here')).toEqual([files]);
  });
});

test('bash offers what stands behind the last of its own breaks', async () => {
  for (const [typed, rest] of [
    ['quay.io/acme/dev:', '1'],
    ['containers-storage:local', 'localhost/mine:latest'],
  ] as const) {
    // As readline hands the words over: parted at the colon, and the line as it was typed.
    const [head = '', tail = ''] = typed.split(':');
    const words = ['verify', head, ':', tail];
    const line = { COMP_TYPED: `tcf verify ${typed}` };
    expect((await completeIn(place.path, 'bash', words, { ...env, ...line })).offered).toEqual([rest]);
  }
});
