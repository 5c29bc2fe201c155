import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCachePlace } from '../../src/app/layer-cache/cache-place.ts';
import { formatCacheEntry, parseCacheEntry } from '../../src/app/layer-cache/entry.ts';
import type { EntryStore } from '../../src/app/layer-cache/entry-store.ts';
import { layerCode } from '../../src/app/layer-cache/layer-cache.ts';
import type { CacheJudge } from '../../src/app/layer-cache/proof.ts';
import { openSharedCache } from '../../src/app/layer-cache/shared-cache.ts';
import { loadTrust } from '../../src/app/trust/trust.ts';
import { cannotTell } from '../../src/base/error.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import { formatLayerRecord } from '../../src/image/layer-record.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { type LayerScan, LayerScanner } from '../../src/image/scan-layer.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { folder, type TestHost, testHost } from '../support/host.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/** What two layers say, as a scan does. */
async function scanned(text: string): Promise<{ readonly diffId: Digest; readonly scan: LayerScan }> {
  const [layer] = memoryImage({ layers: [archive(file('etc/os-release', text))] }).layers;
  if (layer === undefined) {
    throw new Error('no layer');
  }
  const scanner = new LayerScanner(catalogers);
  return { diffId: layer.diffId, scan: scanner.finish(await readLayer(layer, scanner)) };
}

const debian = await scanned('ID=debian\n');
const evil = await scanned('ID=evil\n');
const pairOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const [team, stranger] = [pairOf(), pairOf()];
const pemOf = ({ publicKey }: ReturnType<typeof pairOf>) =>
  publicKey.export({ format: 'pem', type: 'spki' }).toString();

async function judgeOf(
  host: TestHost,
  more = 'layerCache: { signers: [team] }',
  pair = team,
): Promise<CacheJudge> {
  const policy = parsePolicy(
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { key: ${JSON.stringify(pemOf(pair))} } }\nscopes: [{ match: registry.example, require: { signed: { by: [team] } } }]\n${more}\n`,
    'policy.yaml',
  );
  return { policy, trust: await loadTrust(host, policy, undefined) };
}

interface MemoryStore extends EntryStore {
  readonly entries: Map<string, Uint8Array>;
  asked: number;
}

function memoryStore(): MemoryStore {
  const store: MemoryStore = {
    name: 'registry.example/cache',
    entries: new Map(),
    asked: 0,
    async get(key) {
      store.asked += 1;
      return store.entries.get(key);
    },
    has: async (key) => store.entries.has(key),
    async put(key, bytes) {
      store.entries.set(key, bytes);
    },
  };
  return store;
}

const signingOf = (pair: typeof team) => ({
  signer: keySigner(pair.privateKey),
  witnesses: [],
  isSigner: () => true,
});

/** Lets somebody put what layers say into a store. */
async function fill(
  store: EntryStore,
  { by = team, code = layerCode(), layers = [debian] } = {},
): Promise<void> {
  using work = folder();
  await using cache = openSharedCache(testHost({ cwd: work.path }), {
    code,
    from: [],
    judges: [],
    to: [store],
    signing: signingOf(by),
  });
  for (const { diffId, scan } of layers) {
    await cache.keep(diffId, scan);
  }
}

async function ask(store: EntryStore, more?: string, code = layerCode()) {
  using work = folder();
  const host = testHost({ cwd: work.path });
  await using cache = openSharedCache(host, {
    code,
    from: [store],
    to: [],
    judges: [await judgeOf(host, more)],
  });
  const has = await cache.has(debian.diffId);
  const found = await cache.load(debian.diffId);
  const again = await cache.load(debian.diffId);
  expect(again === undefined).toBe(found === undefined);
  return { has, found, err: host.err() };
}

test('what one has signed, another one reads', async () => {
  const store = memoryStore();
  await fill(store, { layers: [debian, evil] });
  expect(store.entries.size).toBe(2);
  expect(await ask(store)).toEqual({ has: true, found: debian.scan, err: '' });
});

test('one signature for all layers of an image', async () => {
  const store = memoryStore();
  await fill(store, { layers: [debian, evil] });
  const bundles = [...store.entries.values()].map(
    (entry) => parseCacheEntry(entry)?.bundle ?? new Uint8Array(),
  );
  expect(new Set(bundles.map((bundle) => createHash('sha256').update(bundle).digest('hex'))).size).toBe(1);
});

test.for([
  ['no signers', ''],
  [
    'a denied key',
    `layerCache: { signers: [team] }\ndeny: { keys: ["sha256:${createHash('sha256')
      .update(team.publicKey.export({ format: 'der', type: 'spki' }))
      .digest('hex')}"] }`,
  ],
] as const)('a policy with %s takes nothing', async ([, more]) => {
  const store = memoryStore();
  await fill(store);
  const { err, found, has } = await ask(store, more);
  expect({ found, has }).toEqual({ found: undefined, has: false });
  expect(err.match(/tcf: warning: /g)).toHaveLength(1);
});

test('without a policy nothing is asked', async () => {
  using work = folder();
  const store = memoryStore();
  await fill(store);
  await using cache = openSharedCache(testHost({ cwd: work.path }), {
    code: layerCode(),
    from: [store],
    to: [],
    judges: [],
  });
  expect(await cache.has(debian.diffId)).toBe(false);
  expect(await cache.load(debian.diffId)).toBeUndefined();
  expect(store.asked).toBe(0);
});

test('every policy has to believe the signer', async () => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  const store = memoryStore();
  await fill(store);
  const judges = [await judgeOf(host), await judgeOf(host, undefined, stranger)];
  await using cache = openSharedCache(host, { code: layerCode(), from: [store], to: [], judges });
  expect(await cache.has(debian.diffId)).toBe(false);
});

describe('A-130: an entry that is not what was asked for changes nothing, and is told once', () => {
  const only = (store: MemoryStore) => [...store.entries][0] ?? ['', new Uint8Array()];
  const flipped = (bytes: Uint8Array, at: number) => {
    const copy = Uint8Array.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const put = async (change: (store: MemoryStore) => Promise<void> | void) => {
    const store = memoryStore();
    await fill(store);
    await change(store);
    return store;
  };
  const changed = (how: (entry: Uint8Array) => Uint8Array) => (store: MemoryStore) => {
    const [key, entry] = only(store);
    store.entries.set(key, how(entry));
  };
  test.for([
    ['cut', changed((entry) => entry.subarray(0, entry.length - 1))],
    ['cut in its bundle', changed((entry) => entry.subarray(0, 100))],
    ['empty', changed(() => new Uint8Array())],
    ['changed in the record', changed((entry) => flipped(entry, entry.length - 1))],
    ['changed in the bundle', changed((entry) => flipped(entry, 60))],
    ['with a bundle longer than all', changed((entry) => flipped(entry, 18))],
    ['of something else', changed(() => Buffer.from('<html>'))],
    [
      'with a record that nobody signed',
      changed((entry) => {
        const { bundle } = parseCacheEntry(entry) ?? { bundle: new Uint8Array() };
        return formatCacheEntry({ bundle, record: formatLayerRecord(evil.scan) });
      }),
    ],
    ['signed by a stranger', (store: MemoryStore) => fill(store, { by: stranger })],
    [
      'of another layer by the same signer',
      async (store: MemoryStore) => {
        const other = memoryStore();
        await fill(other, { layers: [evil] });
        store.entries.set(only(store)[0], only(other)[1]);
      },
    ],
    [
      'of another version of the code by the same signer',
      async (store: MemoryStore) => {
        const other = memoryStore();
        await fill(other, { code: 'older' });
        store.entries.set(only(store)[0], only(other)[1]);
      },
    ],
    [
      'out of reach',
      (store: MemoryStore) => {
        store.get = async () => {
          store.asked += 1;
          throw cannotTell('registry.unreachable', 'could not talk to it');
        };
      },
    ],
    [
      'too large',
      (store: MemoryStore) => {
        store.get = async () => {
          throw cannotTell('bytes.too-large', 'it has more bytes than the limit');
        };
      },
    ],
  ] as const)('%s', async ([, change]) => {
    const store = await put(change);
    const { err, found, has } = await ask(store);
    expect({ found, has }).toEqual({ found: undefined, has: false });
    expect(err.match(/tcf: warning: the shared cache of layers: /g)).toHaveLength(1);
    expect(err.split('\n')).toHaveLength(2);
  });

  test('a place that does not answer is asked once', async () => {
    const store = memoryStore();
    store.get = async () => {
      store.asked += 1;
      throw cannotTell('registry.unreachable', 'could not talk to it');
    };
    await ask(store);
    expect(store.asked).toBe(1);
  });

  test('a good entry behind a bad one counts', async () => {
    using work = folder();
    const host = testHost({ cwd: work.path });
    const [bad, good] = [memoryStore(), memoryStore()];
    await fill(bad, { by: stranger });
    await fill(good);
    await using cache = openSharedCache(host, {
      code: layerCode(),
      from: [bad, good],
      to: [],
      judges: [await judgeOf(host)],
    });
    expect(await cache.load(debian.diffId)).toEqual(debian.scan);
  });
});

test('a full store costs a warning', async () => {
  const store = memoryStore();
  store.put = async () => {
    throw cannotTell('registry.refused', 'no room left');
  };
  using work = folder();
  const host = testHost({ cwd: work.path });
  {
    await using cache = openSharedCache(host, {
      code: layerCode(),
      from: [],
      judges: [],
      to: [store],
      signing: signingOf(team),
    });
    await cache.keep(debian.diffId, debian.scan);
    await cache.keep(evil.diffId, evil.scan);
  }
  expect(host.err()).toBe('tcf: warning: the shared cache of layers: no room left\n');
});

test('what others lack is offered to them, and what they have is not written again', async () => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  const store = memoryStore();
  for (const size of [1, 1]) {
    await using cache = openSharedCache(host, {
      code: layerCode(),
      from: [],
      judges: [],
      to: [store],
      signing: signingOf(team),
    });
    await cache.offer(debian.diffId, () => formatLayerRecord(debian.scan));
    await cache[Symbol.asyncDispose]();
    expect(store.entries.size).toBe(size);
  }
});

test.for([
  [
    'registry.example/team/cache',
    { kind: 'registry', repository: { registry: 'registry.example', repository: 'team/cache' } },
  ],
  [
    'type=registry,ref=registry.example/team/cache',
    { kind: 'registry', repository: { registry: 'registry.example', repository: 'team/cache' } },
  ],
  ['s3://team/ci', { kind: 's3', bucket: { bucket: 'team', prefix: 'ci' } }],
  [
    'type=s3,bucket=team,prefix=ci/,region=eu-central-1,endpoint_url=https://s3.example',
    {
      kind: 's3',
      bucket: { bucket: 'team', prefix: 'ci' },
      region: 'eu-central-1',
      endpoint: 'https://s3.example',
    },
  ],
] as const)('the place %s', ([text, place]) => {
  expect(parseCachePlace(text)).toEqual(place);
});

test.for([
  'type=gha',
  'type=registry',
  'type=registry,ref=a/b,mode=max',
  'type=s3,bucket=team,bucket=other',
  'type=s3,region=x',
  'type=constructor,ref=a/b',
  'registry.example/team/cache:1',
  's3://',
  'oci:folder',
])('no place: %s', (text) => {
  expect(() => parseCachePlace(text)).toThrow(expect.objectContaining({ exit: 3 }));
});

test('a policy that names nobody it defines is refused', () => {
  const policy = `version: 1\nsigners: { team: { key: ${JSON.stringify(pemOf(team))} } }\nscopes: [{ match: registry.example, require: { signed: { by: [team] } } }]\n`;
  const parse = (more: string) => () =>
    parsePolicy(`${policy}layerCache: { signers: ${more} }\n`, 'policy.yaml');
  expect(parse('[ci]')).toThrow('names "ci", which signers does not define');
  expect(parse('[]')).toThrow(expect.objectContaining({ code: 'policy.malformed' }));
});
