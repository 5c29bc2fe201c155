import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openInputStore } from '../../../src/app/lock/input-store.ts';
import { inputsOf } from '../../../src/app/lock/inputs.ts';
import type { Lock } from '../../../src/app/lock/lock.ts';
import { folder, type TestHostOptions, testHost } from '../../support/host.ts';

/*
 * Where inputs come from: apt as apt-get(8) and apt-helper(8) answer, pip as `pip download` (PyPA) leaves
 * files, mirrors on loopback and in folders. No lock names a host.
 */

const place = folder();
let server: Server;
let origin = '';
const content = 'the package';
const sha256 = createHash('sha256').update(content).digest('hex');
const path = 'pool/main/g/git/git_2_amd64.deb';

beforeAll(async () => {
  server = createServer((request, response) => {
    const isKnown = request.url === `/debian/${path}`;
    response.writeHead(isKnown ? 200 : 404).end(isKnown ? content : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mkdirSync(join(place.path, 'mirror/pool/main/g/git'), { recursive: true });
  writeFileSync(join(place.path, 'mirror', path), content);
});
afterAll(() => {
  server.close();
  place[Symbol.dispose]();
});

const deb: Pick<Lock, 'debian' | 'platform'> = {
  platform: 'linux/amd64',
  debian: {
    suite: 'trixie',
    packages: [{ name: 'git', version: '2', sha256, size: content.length, path }],
  },
};
const wheel: Pick<Lock, 'platform' | 'python'> = {
  platform: 'linux/amd64',
  python: {
    version: '3.13',
    wheels: [{ name: 'a-b', version: '1', sha256, file: 'a_b-1-py3-none-any.whl' }],
  },
};

type Surroundings = Omit<TestHostOptions, 'cwd'>;

let stores = 0;
async function fill(
  lock: Parameters<typeof inputsOf>[0],
  mirrors: readonly string[],
  parts: Surroundings = {},
): Promise<string> {
  stores += 1;
  const store = join(place.path, `store-${stores}`);
  const host = testHost({ cwd: place.path, ...parts });
  const inputs = inputsOf(lock, place.path);
  const opened = await openInputStore(host, { store, mirrors });
  expect(await opened.fill(inputs)).toEqual({ fetched: 1, bytes: content.length });
  // What clients downloaded is gone.
  expect(readdirSync(store)).toEqual(['sha256']);
  return readFileSync(join(store, 'sha256', sha256), 'utf8');
}

/** A machine with apt that is configured so, and that downloads into the file it is told. */
function withApt(lines: readonly string[], asked: string[] = []): Surroundings {
  return {
    found: ['apt-get'],
    answer: (args) => {
      if (args.includes('indextargets')) {
        return { stdout: `${lines.join('\n')}\n` };
      }
      const at = args.indexOf('download-file');
      const [url = '', file = '', hash = ''] = args.slice(at + 1);
      asked.push(url, hash);
      writeFileSync(file, content);
      return {};
    },
  };
}

describe('a package of Debian', () => {
  test.for([
    ['a mirror on this machine', (): string => `debian=${origin}/debian`],
    ['the same with a slash at its end', (): string => `debian=${origin}/debian/`],
    ['a folder', (): string => `debian=${join(place.path, 'mirror')}`],
    ['a folder, relative', (): string => 'debian=./mirror'],
    ['a file: URL', (): string => `debian=file://${join(place.path, 'mirror')}`],
  ] as const)('comes from %s', async ([, mirror]) => {
    expect(await fill(deb, [mirror()])).toBe(content);
  });

  test('else from the archive that apt is configured with, through apt, by its hash', async () => {
    const asked: string[] = [];
    const lines = [
      'http://other.example/ubuntu/|noble|Ubuntu|Ubuntu',
      'http://deb.example/debian-security/|bookworm-security|Debian|Debian-Security',
      'http://deb.example/debian/|bookworm|Debian|Debian',
    ];
    expect(await fill(deb, [], withApt(lines, asked))).toBe(content);
    expect(asked).toEqual([`http://deb.example/debian/${path}`, `SHA256:${sha256}`]);
  });

  test('of security comes from the archive for security', async () => {
    const asked: string[] = [];
    const security = {
      ...deb,
      debian: {
        suite: 'trixie',
        packages: (deb.debian?.packages ?? []).map((each) => ({ ...each, from: 'security' as const })),
      },
    };
    const lines = ['http://deb.example/debian/|bookworm||', 'http://deb.example/debian-security/|||'];
    await fill(security, [], withApt(lines, asked));
    expect(asked[0]).toBe(`http://deb.example/debian-security/${path}`);
  });

  test('of a folder that apt is configured with needs no client', async () => {
    const asked: string[] = [];
    const lines = [`copy:${join(place.path, 'mirror')}/|bookworm|Debian|Debian`];
    expect(await fill(deb, [], withApt(lines, asked))).toBe(content);
    expect(asked).toEqual([]);
  });

  test.for([
    ['no apt', {}, /there is no address for the archive debian/],
    [
      'apt of another distribution',
      withApt(['http://a.example/ubuntu/|noble|Ubuntu|Ubuntu']),
      /there is no address for/,
    ],
  ] as const)('with %s and no mirror: what to do', async ([, parts, message]) => {
    await expect(fill(deb, [], parts)).rejects.toThrow(message);
  });
});

describe('a wheel', () => {
  /** pip that leaves one file in the folder of --dest. */
  const pip = (written: string, calls: (readonly string[])[] = []): Surroundings => ({
    program: async (_file, args) => {
      calls.push(args);
      const dest = args[args.indexOf('--dest') + 1] ?? '';
      calls.push([readFileSync(join(dest, 'requirements.txt'), 'utf8')]);
      writeFileSync(join(dest, 'a_b-1-py3-none-any.whl'), written);
      return { code: 0, stdout: new Uint8Array(), stderr: '' };
    },
  });

  test('comes from the index that pip is configured with, by its hash', async () => {
    const calls: (readonly string[])[] = [];
    expect(await fill(wheel, [], pip(content, calls))).toBe(content);
    expect(calls[0]).toEqual(expect.arrayContaining(['download', '--require-hashes', '--no-deps']));
    expect(calls[0]).not.toContain('--index-url');
    expect(calls[1]).toEqual([`a-b==1 --hash=sha256:${sha256}\n`]);
  });

  test.for([
    ['an index', 'python=https://index.example/simple/', ['--index-url', 'https://index.example/simple']],
    ['a folder of wheels', 'python=/srv/wheels', ['--no-index', '--find-links', '/srv/wheels']],
  ] as const)('comes from %s that is named', async ([, mirror, options]) => {
    const calls: (readonly string[])[] = [];
    await fill(wheel, [mirror], pip(content, calls));
    expect(calls[0]?.join(' ')).toContain(options.join(' '));
  });

  test('of other bytes is not kept, whatever pip says', async () => {
    await expect(fill(wheel, [], pip('something else'))).rejects.toThrow(
      /no file with the hash of wheel a-b 1/,
    );
    expect(existsSync(join(place.path, `store-${stores}`, 'sha256', sha256))).toBe(false);
  });
});

test.for([
  'debian',
  '=x',
  'debain=https://mirror.example/debian',
  'debian=mirror.example',
  'debian=ftp://mirror.example/debian',
  'python=',
])('the mirror %s is a mistake of whoever typed it', async (mirror) => {
  await expect(openInputStore(testHost({ cwd: place.path }), { mirrors: [mirror] })).rejects.toMatchObject({
    code: 'input.mirror',
    exit: 3,
  });
});
