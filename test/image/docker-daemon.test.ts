import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, type } from '../support/host.ts';
import { buildImage, dockerArchive, writeFiles } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/*
 * The two questions that are put to Docker, answered well and badly. The real dockerd is asked in
 * test/e2e/docker-ways.test.ts.
 */

const layers = [
  archive(file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n')),
  archive(file('b', 'two'.repeat(9000))),
];
const image = buildImage({ layers, compression: 'none' });
const name = 'quay.io/team/dev:1';
const saved = Buffer.from(dockerArchive(image, layers, [name]));

interface Asked {
  readonly path: string;
  readonly count: number;
}

type Answer = (asked: Asked, response: ServerResponse) => void;

/** `tcf sbom docker-daemon:IMAGE` with this Docker. */
async function ask(answer: Answer, asked = `docker-daemon:${name}`) {
  using place = folder();
  const socket = join(place.path, 'docker.sock');
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    answer({ path: request.url ?? '', count: paths.length }, response);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    const env = { DOCKER_HOST: `unix://${socket}` };
    writeFiles(place.path, new Map([['saved.tar', saved]]));
    const archived = await type(['sbom', `docker-archive:saved.tar`], { cwd: place.path });
    return { ...(await type(['sbom', asked], { cwd: place.path, env })), paths, archived: archived.out };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const inspect = JSON.stringify({ Id: image.configDigest, RepoTags: [name] });
const good: Answer = ({ path }, response) => {
  response.end(path.endsWith('/json') ? inspect : saved);
};

test('the image is the one that docker save would write', async () => {
  const read = await ask(good);
  expect(read).toMatchObject({ exit: 0, err: expect.stringContaining('wrote') });
  expect(read.out).toBe(read.archived);
  // By name once, then by id; for its table of contents and for its layers.
  const get = `/images/${image.configDigest}/get`;
  expect(read.paths).toEqual([`/images/${name}/json`, get, get]);
});

test('an image is named by its id as well', async () => {
  const read = await ask(good, `docker-daemon:${image.configDigest}`);
  expect(read).toMatchObject({ exit: 0, out: read.archived });
});

describe('what Docker says is no image', () => {
  test.for<readonly [string, Answer, string]>([
    [
      'it has none',
      (_, response) => void response.writeHead(404).end('{"message":"No such image"}'),
      'has no image',
    ],
    ['an error', (_, response) => void response.writeHead(500).end('{"message":"\u001b[2Jboom"}'), '500'],
    ['no JSON', (_, response) => void response.end('hello'), 'is not'],
    ['no id', (_, response) => void response.end('{}'), 'Id'],
    ['a closed connection', (_, response) => void response.destroy(), 'cannot ask Docker'],
    ['an archive that ends early', cut(0.5), 'docker-daemon'],
    ['an archive whose connection breaks', broken, 'cannot ask Docker'],
    ['another archive the second time', other, 'docker-daemon'],
    ['an error in place of the archive', refused, '409'],
  ])('%s', async ([, answer, told]) => {
    const read = await ask(answer);
    expect(read).toMatchObject({ exit: 2, out: '', err: expect.stringContaining(told) });
    expect(read.err).not.toMatch(/fault in tcf|\u001b/);
  });
});

function cut(part: number): Answer {
  return ({ path }, response) => {
    response.end(path.endsWith('/json') ? inspect : saved.subarray(0, saved.length * part));
  };
}

function broken({ path }: Asked, response: ServerResponse): void {
  if (path.endsWith('/json')) {
    response.end(inspect);
  } else {
    response.writeHead(200, { 'content-length': saved.length });
    response.write(saved.subarray(0, saved.length / 2), () => response.destroy());
  }
}

function other({ count, path }: Asked, response: ServerResponse): void {
  const spoiled = Buffer.from(saved);
  const at = spoiled.indexOf('twotwo');
  spoiled.write('TWOTWO', at);
  response.end(path.endsWith('/json') ? inspect : count > 2 ? spoiled : saved);
}

function refused({ path }: Asked, response: ServerResponse): void {
  if (path.endsWith('/json')) {
    response.end(inspect);
  } else {
    response.writeHead(409).end('{"message":"the image is being removed"}');
  }
}

test.for([
  ['tcp://127.0.0.1:2375', 3],
  ['ssh://me@there', 3],
  ['unix://relative', 3],
  ['unix:///there/is/no.sock', 2],
] as const)('DOCKER_HOST=%s is told', async ([host, exit]) => {
  using place = folder();
  const read = await type(['sbom', 'docker-daemon:dev'], { cwd: place.path, env: { DOCKER_HOST: host } });
  expect(read).toMatchObject({ exit, out: '', err: expect.stringContaining('tcf: hint:') });
});
