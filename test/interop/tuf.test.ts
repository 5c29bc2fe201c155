import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../support/host.ts';
import { newKey } from '../support/sigstore/authority.ts';
import { newSigstore } from '../support/sigstore.ts';
import { serveTuf, TestTuf, type TufServer } from '../support/tuf.ts';
import { attacks } from '../support/tuf-attacks.ts';
import { type Ran, run } from './support.ts';

/* The reference implementation of TUF and that of npm, against the same mirrors as tcf: what one accepts the others do, and what is refused is
   refused by all. So neither the repository under test nor tcf's reading of the specification is one of our own. */

const home = '/var/tmp/tcf-interop/tuf';
const python = join(home, 'venv/bin/python');
const modules = join(home, 'node_modules');

beforeAll(() => {
  mkdirSync(home, { recursive: true });
  if (!existsSync(join(home, 'venv/done'))) {
    execFileSync('python3', ['-m', 'venv', join(home, 'venv')]);
    execFileSync(python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      'tuf==7.0.1',
      'securesystemslib[crypto]==1.6.0',
    ]);
    writeFileSync(join(home, 'venv/done'), '');
  }
  if (!existsSync(join(modules, 'tuf-js'))) {
    execFileSync('npm', [
      'install',
      '--silent',
      '--ignore-scripts',
      '--no-package-lock',
      '--prefix',
      home,
      'tuf-js@5.0.1',
    ]);
  }
}, 300_000);

const now = new Date();
const { trustedRoot } = newSigstore();
let place: ReturnType<typeof folder>;
let tuf: TestTuf;
let mirror: TufServer;

beforeEach(async () => {
  place = folder();
  for (const name of ['python', 'npm']) {
    mkdirSync(join(place.path, name));
  }
  tuf = new TestTuf(trustedRoot, now);
  mirror = await serveTuf(tuf.files);
  writeFileSync(join(place.path, 'root.json'), tuf.anchor);
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const source = (name: string) => join(import.meta.dirname, name);
const clients: Readonly<Record<string, () => Promise<Ran>>> = {
  tcf: async () => {
    const update = ['trust', 'update', 'corp', '--mirror', mirror.url, '--root', 'root.json'];
    const env = { XDG_STATE_HOME: join(place.path, 'tcf') };
    return run(place.path, process.execPath, [source('../../src/main.ts'), ...update], env);
  },
  python: () => run(place.path, python, [source('tuf-client.py'), mirror.url, 'root.json', 'python']),
  npm: () =>
    run(place.path, process.execPath, [source('tuf-client.mjs'), modules, mirror.url, 'root.json', 'npm']),
};

/** Who accepted what the mirror serves. */
async function accepting(): Promise<readonly string[]> {
  const ran = await Promise.all(
    Object.entries(clients).map(async ([name, client]) => ((await client()).code === 0 ? [name] : [])),
  );
  return ran.flat();
}

const everybody = Object.keys(clients);

describe('all accept', () => {
  test('a new repository, new targets, and new keys of every role', async () => {
    expect(await accepting()).toEqual(everybody);
    tuf.publish();
    expect(await accepting()).toEqual(everybody);
    tuf.publishRoot({
      root: { keys: [newKey(), newKey()], threshold: 2 },
      timestamp: { keys: [newKey()], threshold: 1 },
      snapshot: { keys: [newKey()], threshold: 1 },
      targets: { keys: [newKey()], threshold: 1 },
    });
    tuf.publish();
    expect(await accepting()).toEqual(everybody);
  });

  test('the true versions after a fast-forward attack, once there are new keys', async () => {
    const before = { ...tuf.versions };
    tuf.publish({ versions: { timestamp: 10_000, snapshot: 10_000 } });
    expect(await accepting()).toEqual(everybody);
    Object.assign(tuf.versions, before);
    tuf.publish();
    expect(await accepting()).toEqual([]);
    tuf.publishRoot({ timestamp: { keys: [newKey()], threshold: 1 } });
    tuf.publish();
    expect(await accepting()).toEqual(everybody);
  });
});

test.for(attacks)('none accepts %s', async ([, attack]) => {
  expect(await accepting()).toEqual(everybody);
  attack(tuf);
  expect(await accepting()).toEqual([]);
});
