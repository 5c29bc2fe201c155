import type { KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Delegation, searchTarget } from '../../../src/attest/tuf/delegations.ts';
import { parseTargets } from '../../../src/attest/tuf/metadata.ts';
import { formatState, parseState } from '../../../src/attest/tuf/state.ts';
import { newRepository, type TufRepository, update } from '../../../src/attest/tuf/update.ts';
import { newKey } from '../../support/sigstore/authority.ts';
import { day, formatKey, keyIdOf, signMetadata, TestTuf } from '../../support/tuf.ts';

// biome-ignore lint/suspicious/noExplicitAny: metadata that tests make wrong on purpose
type Loose = any;

const now = new Date('2026-11-23T12:00:00Z');
const target = Buffer.from('{"trusted": 1}');
const mirror = 'https://mirror.test';

interface Role {
  readonly name: string;
  readonly key: KeyObject;
  readonly paths?: readonly string[];
  readonly terminating?: boolean;
  readonly targets?: Loose;
  readonly delegations?: Loose;
  /** Milliseconds until it expires. */
  readonly life?: number;
  readonly version?: number;
  /** Who signs in place of the key. */
  readonly signer?: KeyObject;
}

const delegationsOf = (roles: readonly Role[]) => ({
  keys: Object.fromEntries(roles.map(({ key }) => [keyIdOf(key), formatKey(key)])),
  roles: roles.map(({ key, name, paths = ['*'], terminating = false }) => ({
    name,
    paths,
    terminating,
    keyids: [keyIdOf(key)],
    threshold: 1,
  })),
});

const metadataOf = ({ delegations, key, life = day, signer = key, targets = {}, version = 1 }: Role) =>
  signMetadata(
    {
      _type: 'targets',
      spec_version: '1.0.34',
      version,
      expires: new Date(Number(now) + life).toISOString().replace(/\.\d{3}/, ''),
      targets,
      ...(delegations === undefined ? {} : { delegations }),
    },
    [signer],
  );

/**
 * A repository whose top-level role lists no file: what it would list stands in the role `trust`, which the role
 * `team` delegates to.
 */
function delegated(trust: Partial<Role> = {}, listed: Loose = { version: 1 }): TestTuf {
  const tuf = new TestTuf(target, now);
  const [teamKey, trustKey] = [newKey(), newKey()];
  let own: Loose;
  tuf.publish({ edit: { targets: (signed) => (own = { ...signed.targets }) } });
  const inner: Role = { name: 'trust', key: trustKey, targets: own, ...trust };
  const team: Role = { name: 'a team/1', key: teamKey, delegations: delegationsOf([inner]) };
  tuf.publish({
    edit: {
      targets: (signed) => Object.assign(signed, { targets: {}, delegations: delegationsOf([team]) }),
      snapshot: (signed) =>
        Object.assign(signed.meta, {
          'a team/1.json': { version: 1 },
          ...(listed === 'none' ? {} : { 'trust.json': listed }),
        }),
    },
  });
  tuf.files.set('1.a%20team%2F1.json', metadataOf(team));
  tuf.files.set(`${inner.version ?? 1}.trust.json`, metadataOf(inner));
  return tuf;
}

const bring = async (tuf: TestTuf, from: TufRepository = newRepository(tuf.anchor)) =>
  await update(from, { download: tuf.download, accept: () => {}, now, persist: async () => {} });

test('a trusted root that two delegations lead to is found, and kept so that it proves itself again', async () => {
  const tuf = delegated();
  const repository = await bring(tuf);
  expect(repository.trustedRoot?.bytes).toEqual(target);
  expect([...(repository.trustedRoot?.roles.keys() ?? [])]).toEqual(['a team/1', 'trust']);
  const bytes = formatState({ mirror, repository });
  const state = parseState(bytes, 'it', tuf.anchor);
  expect(formatState(state)).toEqual(bytes);
  tuf.asked.length = 0;
  await bring(tuf, state.repository);
  expect(tuf.asked).toEqual(['2.root.json', 'timestamp.json']);
});

test.for<[string, Partial<Role>, Loose, string]>([
  ['signed by a stranger', { signer: newKey() }, { version: 1 }, 'tuf.signatures'],
  ['expired', { life: -1000 }, { version: 1 }, 'tuf.expired'],
  ['of another version than the snapshot says', { version: 2 }, { version: 1 }, 'tuf.missing'],
  ['of another hash', {}, { version: 1, hashes: { sha256: 'a'.repeat(64) } }, 'tuf.content'],
  ['not in the snapshot', {}, 'none', 'tuf.malformed'],
  ['for other names', { paths: ['*.txt'] }, { version: 1 }, 'tuf.no-target'],
  ['without the file', { targets: {} }, { version: 1 }, 'tuf.no-target'],
])('a delegated role that is %s is refused', async ([, trust, listed, code]) => {
  await expect(bring(delegated(trust, listed))).rejects.toMatchObject({ code });
});

test.for<[string, (roles: Loose[]) => Loose[], string]>([
  ['is gone', (roles) => roles.slice(0, 1), 'tuf.missing'],
  [
    'is signed by somebody else',
    ([team, trust]) => [
      team,
      { ...trust, bytes: Buffer.from(metadataOf({ name: 'trust', key: newKey() })).toString('base64') },
    ],
    'tuf.signatures',
  ],
])('a kept role that %s proves nothing', async ([, change, code]) => {
  const tuf = delegated();
  const state = JSON.parse(Buffer.from(formatState({ mirror, repository: await bring(tuf) })).toString());
  const changed = Buffer.from(JSON.stringify({ ...state, roles: change(state.roles) }));
  expect(() => parseState(changed, 'it', tuf.anchor)).toThrow(expect.objectContaining({ code }));
});

describe('delegations that no repository may have', () => {
  const read = (edit: (delegations: Loose) => void) => {
    const key = newKey();
    const delegations: Loose = delegationsOf([
      { name: 'a', key },
      { name: 'b', key },
    ]);
    edit(delegations);
    return () => parseTargets(metadataOf({ name: 'x', key, delegations }));
  };
  test.for<[string, (delegations: Loose) => void]>([
    ['a name twice', ({ roles }) => (roles[1].name = 'a')],
    ['no name', ({ roles }) => (roles[0].name = '')],
    ['the name of a top-level role', ({ roles }) => (roles[0].name = 'snapshot')],
    ['a threshold of nothing', ({ roles }) => (roles[0].threshold = 0)],
    ['a key that is not there', ({ roles }) => roles[0].keyids.push('x')],
    ['paths and hashes of paths', ({ roles }) => (roles[0].path_hash_prefixes = ['00'])],
    ['neither', ({ roles }) => delete roles[0].paths],
    ['no word on what comes after', ({ roles }) => delete roles[0].terminating],
  ])('%s', ([, edit]) => {
    expect(read(edit)).toThrow(expect.objectContaining({ code: 'document.malformed' }));
  });
  test('those of TAP 15 are not followed', () => {
    const key = newKey();
    const delegations = {
      keys: {},
      succinct_roles: { keyids: [], threshold: 1, bit_length: 8, name_prefix: 'x' },
    };
    expect(parseTargets(metadataOf({ name: 'x', key, delegations })).delegations).toEqual([]);
  });
});

test.for([
  ['*', 'trusted_root.json', true],
  ['*', 'a/b', false],
  ['*/*', 'a/b', true],
  ['a/*.json', 'a/x.json', true],
  ['a/*.json', 'a/x.jsonl', false],
  ['foo-?.tgz', 'foo-1.tgz', true],
  ['foo-?.tgz', 'foo-12.tgz', false],
  ['*a*b*', 'xxaxxbxx', true],
  ['*a*b', 'abab', true],
  ['*a*b', 'aba', false],
  ['**', 'x', true],
  ['', 'x', false],
  ['README.md', 'README.MD', false],
  ['[ab]', 'a', false],
  [`${'*a'.repeat(400)}b`, 'a'.repeat(900), false],
] as const)('the pattern %s and the name %s: %s', ([pattern, name, expected]) => {
  const key = newKey();
  const delegations = delegationsOf([{ name: 'a', key, paths: [pattern] }]);
  const [delegation] = parseTargets(metadataOf({ name: 'x', key, delegations })).delegations;
  expect(delegation?.speaksOf(name)).toBe(expected);
});

test('a role of hashes speaks of names by the beginning of their SHA-256', () => {
  const key = newKey();
  const delegations: Loose = delegationsOf([{ name: 'a', key }]);
  delete delegations.roles[0].paths;
  // `printf trusted_root.json | sha256sum` begins with abefa304, that of `a` with ca978112.
  delegations.roles[0].path_hash_prefixes = ['abef', 'ca979'];
  const [delegation] = parseTargets(metadataOf({ name: 'x', key, delegations })).delegations;
  expect(['trusted_root.json', 'a'].map((name) => delegation?.speaksOf(name))).toEqual([true, false]);
});

describe('the order of a search', () => {
  const to = (name: string, terminating = false): Delegation => ({
    name,
    terminating,
    keys: new Map(),
    threshold: 1,
    speaksOf: () => true,
  });
  const roleOf = (...delegations: readonly Delegation[]) => ({
    targets: new Map<string, number>(),
    delegations,
  });
  const visits = (roles: Readonly<Record<string, readonly Delegation[]>>): readonly string[] => {
    const search = searchTarget(roleOf(...(roles['targets'] ?? [])), 'x');
    const found: string[] = [];
    for (let step = search.next(); step.done !== true; ) {
      found.push(step.value.name);
      step = search.next(roleOf(...(roles[step.value.name] ?? [])));
    }
    return found;
  };
  test.for<[string, Readonly<Record<string, readonly Delegation[]>>, string]>([
    ['depth first', { targets: [to('a'), to('b')], a: [to('c'), to('d')], c: [to('e')] }, 'acedb'],
    ['a circle', { targets: [to('a')], a: [to('b')], b: [to('a')] }, 'ab'],
    ['two that lead to one', { targets: [to('a'), to('b')], a: [to('c')], b: [to('c')] }, 'acb'],
    ['one that ends it', { targets: [to('a'), to('b')], a: [to('c', true), to('d')], c: [to('e')] }, 'ace'],
  ])('%s', ([, roles, expected]) => {
    expect(visits(roles).join('')).toBe(expected);
  });
  test('no more than 32 roles are asked', () => {
    const many = Array.from({ length: 100 }, (_, at) => to(`r${at}`));
    expect(visits({ targets: many })).toHaveLength(32);
  });
});
