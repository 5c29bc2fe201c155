import { describe, expect, test } from 'vitest';
import { parseTargets } from '../../../src/attest/tuf/metadata.ts';
import {
  newRepository,
  signingConfigNames,
  type TufRepository,
  update,
  vouchedFor,
} from '../../../src/attest/tuf/update.ts';
import { newKey } from '../../support/sigstore/authority.ts';
import {
  day,
  ed25519Key,
  formatKey,
  keyIdOf,
  type Publication,
  signMetadata,
  TestTuf,
} from '../../support/tuf.ts';
import { attacks } from '../../support/tuf-attacks.ts';

const accept = () => {};
const now = new Date('2026-11-23T12:00:00Z');
const later = new Date(Number(now) + day);
const target = Buffer.from('{"first": 1}');
const other = Buffer.from('{"second": 2}');

/** A client that keeps what it was told to persist, as the store does. */
class Client {
  kept: TufRepository;
  writes = 0;
  constructor(tuf: TestTuf) {
    this.kept = newRepository(tuf.anchor);
  }
  async update(tuf: TestTuf, at = now): Promise<string> {
    const persist = async (state: TufRepository) => {
      this.kept = state;
      this.writes += 1;
    };
    const state = await update(this.kept, { download: tuf.download, accept, now: at, persist });
    return Buffer.from(state.trustedRoot?.bytes ?? []).toString();
  }
}

async function begin(): Promise<{ tuf: TestTuf; client: Client }> {
  const tuf = new TestTuf(target, now);
  const client = new Client(tuf);
  expect(await client.update(tuf)).toBe(String(target));
  return { tuf, client };
}

describe('welcomes', () => {
  test('the first update asks for each file once, and a second one with nothing new asks two questions', async () => {
    const { client, tuf } = await begin();
    const hash = /^targets\/[0-9a-f]{64}\.trusted_root\.json$/;
    expect(tuf.asked).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
      expect.stringMatching(hash),
    ]);
    tuf.asked.length = 0;
    expect(await client.update(tuf, later)).toBe(String(target));
    expect(tuf.asked).toEqual(['2.root.json', 'timestamp.json']);
    expect(client.kept.trustedRoot?.refreshedAt).toEqual(later);
  });

  test('a new target is followed', async () => {
    const { client, tuf } = await begin();
    tuf.publish({ target: other });
    expect(await client.update(tuf, later)).toBe(String(other));
  });

  test('keys of every role may change, root by root, and the intermediate roots may have expired', async () => {
    const { client, tuf } = await begin();
    const one = () => ({ keys: [ed25519Key()], threshold: 1 });
    tuf.publishRoot({ root: { keys: [newKey(), newKey()], threshold: 2 } }, { life: { root: -day } });
    tuf.publishRoot({ timestamp: one(), snapshot: one() }, { life: { root: -1000 } });
    tuf.publishRoot({ targets: one() });
    tuf.publish({ target: other });
    expect(await client.update(tuf)).toBe(String(other));
    expect(client.kept.chain.map(({ version }) => version)).toEqual([2, 3, 4]);
  });

  test('a repository without consistent snapshots has plain names', async () => {
    const tuf = new TestTuf(target, now);
    tuf.consistentSnapshot = false;
    tuf.publishRoot();
    tuf.publish();
    expect(await new Client(tuf).update(tuf)).toBe(String(target));
    expect(tuf.asked.slice(-4)).toEqual([
      'timestamp.json',
      'snapshot.json',
      'targets.json',
      'targets/trusted_root.json',
    ]);
  });

  test('lengths and hashes of metadata may be left out, as the public Sigstore instance does', async () => {
    const { client, tuf } = await begin();
    const bare = (signed: { meta: Record<string, object> }) => {
      for (const file of Object.values(signed.meta)) {
        for (const key of ['length', 'hashes']) {
          delete (file as Record<string, unknown>)[key];
        }
      }
    };
    tuf.publish({ target: other, edit: { snapshot: bare, timestamp: bare } });
    expect(await client.update(tuf)).toBe(String(other));
  });

  test('a timestamp of the version that is known says nothing new (5.4.3.1)', async () => {
    const { client, tuf } = await begin();
    tuf.publish({ target: other, versions: { timestamp: 1 } });
    expect(await client.update(tuf)).toBe(String(target));
  });

  test('after a fast-forward attack, new online keys let the true versions return (5.3.11)', async () => {
    const { client, tuf } = await begin();
    const old = { ...tuf.versions };
    tuf.publish({ versions: { timestamp: 10_000, snapshot: 10_000 } });
    await client.update(tuf);
    Object.assign(tuf.versions, old);
    tuf.publish({ target: other });
    await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.rollback' });
    tuf.publishRoot({ timestamp: { keys: [ed25519Key()], threshold: 1 } });
    tuf.publish({ target: other });
    expect(await client.update(tuf)).toBe(String(other));
  });
});

test.for(attacks)('%s is refused, and what was known stays', async ([, attack, code]) => {
  const { client, tuf } = await begin();
  attack(tuf);
  await expect(client.update(tuf)).rejects.toMatchObject({ code, exit: 2 });
  expect(client.kept.trustedRoot?.bytes).toEqual(target);
});

test.for<[string, object]>([
  ['with another hash, under the version that is known', { version: 1, hashes: { sha256: '0'.repeat(64) } }],
  ['with another length and no hash', { version: 2, length: 10_000 }],
])('a snapshot that is announced %s is not taken from what is there', async ([, announced]) => {
  const { client, tuf } = await begin();
  tuf.publish({ edit: { timestamp: (signed) => (signed.meta['snapshot.json'] = announced) } });
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.content' });
});

/** A role that goes back to a version that was genuine once. */
const rollbacks: readonly (readonly [string, Publication])[] = [
  ['timestamp', { versions: { timestamp: 1, snapshot: 2, targets: 2 } }],
  ['snapshot', { versions: { timestamp: 3, snapshot: 1, targets: 2 } }],
  ['targets', { versions: { timestamp: 3, snapshot: 3, targets: 1 } }],
];

test.for(rollbacks)('a rollback of %s alone is refused (A-104)', async ([, publication]) => {
  const { client, tuf } = await begin();
  tuf.publish({ target: other });
  await client.update(tuf);
  tuf.publish({ ...publication, target });
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.rollback' });
  expect(client.kept.trustedRoot?.bytes).toEqual(other);
});

test('a mirror that goes back in time as a whole is refused', async () => {
  const { client, tuf } = await begin();
  const before = [...tuf.files];
  tuf.publish({ target: other });
  await client.update(tuf);
  for (const [path, bytes] of before) {
    tuf.files.set(path, bytes);
  }
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.rollback' });
});

test('a frozen mirror is noticed once its timestamp expires, though nothing on it has changed', async () => {
  const { client, tuf } = await begin();
  const week = new Date(Number(now) + 7 * day);
  expect(await client.update(tuf, new Date(Number(week) - 1))).toBe(String(target));
  await expect(client.update(tuf, week)).rejects.toMatchObject({ code: 'tuf.expired' });
});

test('what became trusted before an update failed is a floor for the next one (5.4.5)', async () => {
  const { client, tuf } = await begin();
  const old = tuf.files.get('timestamp.json') ?? Buffer.of();
  tuf.publish({ target: other });
  tuf.files.delete('2.snapshot.json');
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.missing' });
  tuf.files.set('timestamp.json', old);
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.rollback' });
});

test('a trusted root that revoked keys signed is gone once the new root is known', async () => {
  const { client, tuf } = await begin();
  tuf.publishRoot({ targets: { keys: [newKey()], threshold: 1 } });
  tuf.files.delete('timestamp.json');
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.missing' });
  expect(client.kept).toMatchObject({ root: { version: 2 } });
  expect(client.kept.trustedRoot).toBeUndefined();
});

test('nothing is vouched for that is not there', () => {
  const tuf = new TestTuf(target, now);
  const { root } = newRepository(tuf.anchor);
  const targets = parseTargets(tuf.files.get('1.targets.json') ?? Buffer.of());
  expect(vouchedFor({}, root)).toStrictEqual({});
  expect(vouchedFor({ targets }, root)).toStrictEqual({ targets });
});

test('one key under two ids is one signer', async () => {
  const { client, tuf } = await begin();
  const key = newKey();
  const twin = { ...formatKey(key), note: 'another key object, another id' };
  tuf.publishRoot(
    { targets: { keys: [key], threshold: 2 } },
    {
      edit: {
        root: (signed) => {
          signed.keys['twin'] = twin;
          signed.roles.targets.keyids.push('twin');
        },
      },
    },
  );
  tuf.publish();
  const targets = JSON.parse(String(tuf.files.get('2.targets.json')));
  targets.signatures.push({ ...targets.signatures[0], keyid: 'twin' });
  expect(targets.signatures[0].keyid).toBe(keyIdOf(key));
  tuf.publishSnapshot({}, Buffer.from(JSON.stringify(targets)));
  await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.signatures' });
});

test('a first root that is not signed by its own keys is not an anchor', () => {
  const tuf = new TestTuf(target, now);
  const { signed } = JSON.parse(String(tuf.anchor));
  expect(() => newRepository(signMetadata(signed, [newKey(), newKey()]))).toThrow(
    expect.objectContaining({ code: 'tuf.signatures' }),
  );
});

test('a trusted root that is said to be larger than any is not asked for', async () => {
  const { client, tuf } = await begin();
  tuf.publish({ edit: { targets: (signed) => (signed.targets['trusted_root.json'].length = 2 ** 40) } });
  tuf.asked.length = 0;
  await expect(client.update(tuf)).rejects.toThrow('more than the limit');
  expect(tuf.asked.filter((path) => path.startsWith('targets/'))).toEqual([]);
});

test('a first snapshot that lists no targets leads nowhere', async () => {
  const tuf = new TestTuf(target, now);
  tuf.publish({ edit: { snapshot: (signed) => delete signed.meta['targets.json'] } });
  await expect(new Client(tuf).update(tuf)).rejects.toMatchObject({ code: 'tuf.malformed' });
});

test('a trusted root that cannot be used is not taken, and its timestamp is a floor all the same', async () => {
  const { client, tuf } = await begin();
  tuf.publish({ target: other });
  const refuse = () => {
    throw new Error('of tomorrow');
  };
  const persist = async (state: TufRepository) => {
    client.kept = state;
  };
  await expect(update(client.kept, { download: tuf.download, accept: refuse, now, persist })).rejects.toThrow(
    'of tomorrow',
  );
  expect(client.kept).toMatchObject({ timestamp: { version: 2 }, targets: { version: 1 } });
  expect(client.kept.trustedRoot?.bytes).toEqual(target);
});

describe('signing configs', () => {
  const [plain, second] = signingConfigNames;
  const configs = { [plain]: Buffer.from('{"config": 1}'), [second]: Buffer.from('{"config": 2}') };
  const kept = ({ kept: { trustedRoot } }: Client) => trustedRoot?.signingConfigs;

  test('come with the trusted root where the repository has them, and are asked for once', async () => {
    const { client, tuf } = await begin();
    expect(kept(client)).toEqual({});
    tuf.publish({ others: configs });
    tuf.asked.length = 0;
    await client.update(tuf, later);
    expect(kept(client)).toEqual(configs);
    expect(tuf.asked.slice(4)).toEqual([
      expect.stringMatching(/^targets\/[0-9a-f]{64}\.signing_config\.v0\.2\.json$/),
      expect.stringMatching(/^targets\/[0-9a-f]{64}\.signing_config_rekor_v2\.v0\.2\.json$/),
    ]);
    tuf.asked.length = 0;
    await client.update(tuf, later);
    expect(tuf.asked).toEqual(['2.root.json', 'timestamp.json']);
    expect(kept(client)).toEqual(configs);
  });

  test('that the repository no longer has go', async () => {
    const { client, tuf } = await begin();
    tuf.publish({ others: configs });
    await client.update(tuf);
    tuf.publish({ others: { [second]: configs[second] } });
    await client.update(tuf);
    expect(kept(client)).toEqual({ [second]: configs[second] });
  });

  test('go with the trusted root where its keys are revoked', async () => {
    const { client, tuf } = await begin();
    tuf.publish({ others: configs });
    await client.update(tuf);
    tuf.publishRoot({ targets: { keys: [newKey()], threshold: 1 } });
    tuf.files.delete('timestamp.json');
    await expect(client.update(tuf)).rejects.toMatchObject({ code: 'tuf.missing' });
    expect(client.kept.trustedRoot).toBeUndefined();
  });

  const evil = Buffer.from('{"config": 6}');
  const replace = (tuf: TestTuf, name: string, bytes?: Uint8Array) => {
    for (const path of tuf.files.keys()) {
      if (path.endsWith(`.${name}`)) {
        bytes === undefined ? tuf.files.delete(path) : tuf.files.set(path, bytes);
      }
    }
  };
  test.for<readonly [string, (tuf: TestTuf) => void, string]>([
    ['is another one of the same length', (tuf) => replace(tuf, plain, evil), 'tuf.content'],
    ['is shorter', (tuf) => replace(tuf, second, Buffer.from('{}')), 'tuf.content'],
    ['is withheld', (tuf) => replace(tuf, plain), 'tuf.missing'],
    [
      'is said to be larger than any',
      (tuf) => tuf.publish({ edit: { targets: (signed) => (signed.targets[plain].length = 2 ** 40) } }),
      'tuf.content',
    ],
  ])('one that %s is not taken, nor is the root that it came with', async ([, attack, code]) => {
    const { client, tuf } = await begin();
    tuf.publish({ others: configs });
    await client.update(tuf);
    tuf.publish({ target: other, others: { [plain]: Buffer.from('{"config": 3}'), [second]: evil } });
    attack(tuf);
    await expect(client.update(tuf)).rejects.toMatchObject({ code, exit: 2 });
    expect(client.kept.trustedRoot?.bytes).toEqual(target);
    expect(kept(client)).toEqual(configs);
  });
});
