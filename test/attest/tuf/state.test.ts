import { beforeEach, expect, test } from 'vitest';
import { formatState, parseState } from '../../../src/attest/tuf/state.ts';
import { newRepository, type TufRepository, update } from '../../../src/attest/tuf/update.ts';
import { newKey } from '../../support/sigstore/authority.ts';
import { TestTuf } from '../../support/tuf.ts';

// biome-ignore lint/suspicious/noExplicitAny: a state made wrong on purpose
type Loose = any;

const accept = () => {};
const now = new Date('2026-11-23T12:00:00Z');
const target = Buffer.from('{"first": 1}');
const config = Buffer.from('{"sign": 1}');
const mirror = 'https://mirror.test';
let tuf: TestTuf;
let repository: TufRepository;

beforeEach(async () => {
  tuf = new TestTuf(target, now);
  tuf.publishRoot();
  tuf.publishRoot({ timestamp: { keys: [newKey()], threshold: 1 } });
  tuf.publish({ others: { 'signing_config.v0.2.json': config } });
  repository = await update(newRepository(tuf.anchor), {
    download: tuf.download,
    accept,
    now,
    persist: async () => {},
  });
});

const kept = (anchor?: Uint8Array) =>
  formatState({ mirror, repository, ...(anchor === undefined ? {} : { anchor }) });

test.for([
  ['of tcf', true],
  ['of its own', false],
] as const)('what is kept is read as it was, from an anchor %s', ([, isCarried]) => {
  const [carried, own] = isCarried ? [tuf.anchor, undefined] : [undefined, tuf.anchor];
  const state = parseState(kept(own), 'it', carried);
  expect(formatState(state)).toEqual(kept(own));
  expect(state.repository.trustedRoot?.refreshedAt).toEqual(now);
  expect(state.repository.trustedRoot?.signingConfigs).toEqual({
    'signing_config.v0.2.json': new Uint8Array(config),
  });
});

test('what a tcf kept that knew of no signing configs is read', () => {
  const { signingConfigs, ...older } = JSON.parse(Buffer.from(kept()).toString());
  expect(signingConfigs).toHaveLength(1);
  const state = parseState(Buffer.from(JSON.stringify(older)), 'it', tuf.anchor);
  expect(state.repository.trustedRoot).toMatchObject({ refreshedAt: now, signingConfigs: {} });
});

test('a repository that was never refreshed is kept too', () => {
  repository = newRepository(tuf.anchor);
  expect(formatState(parseState(kept(), 'it', tuf.anchor))).toEqual(kept());
});

test('a newer tcf carries a newer root: what led to it is passed over', () => {
  const state = parseState(kept(), 'it', tuf.files.get('2.root.json'));
  expect(state.repository.chain.map(({ version }) => version)).toEqual([3]);
  expect(state.repository.trustedRoot?.bytes).toEqual(new Uint8Array(target));
});

test('a root that tcf carries and the state has not seen decides what is left', () => {
  tuf.publishRoot({ timestamp: { keys: [newKey()], threshold: 1 } });
  const online = parseState(kept(), 'it', tuf.files.get('4.root.json')).repository;
  expect(online).toMatchObject({ root: { version: 4 }, chain: [], targets: { version: 2 } });
  expect([online.timestamp, online.snapshot]).toEqual([undefined, undefined]);
  tuf.publishRoot({ targets: { keys: [newKey()], threshold: 1 } });
  const offline = parseState(kept(), 'it', tuf.files.get('5.root.json')).repository;
  expect([offline.targets, offline.trustedRoot]).toEqual([undefined, undefined]);
});

const forgeries: readonly (readonly [string, (document: Loose, tuf: TestTuf) => void, string])[] = [
  ['another format', (d) => (d.format = 'tcf.tuf/2'), 'document.malformed'],
  ['no version of the root', (d) => delete d.rootVersion, 'document.malformed'],
  ['another trusted root', (d) => (d.trustedRoot = Buffer.from('{}').toString('base64')), 'tuf.content'],
  ['a trusted root without targets', (d) => delete d.targets, 'document.malformed'],
  ['a trusted root without its time', (d) => delete d.refreshedAt, 'document.malformed'],
  ['an invalid time', (d) => (d.refreshedAt = 'yesterday'), 'document.malformed'],
  [
    'another signing config',
    (d) => (d.signingConfigs[0].bytes = Buffer.from('{"sign": 6}').toString('base64')),
    'tuf.content',
  ],
  [
    'a signing config that the targets do not list',
    (d) => (d.signingConfigs[0].name = 'signing_config_rekor_v2.v0.2.json'),
    'tuf.no-target',
  ],
  [
    'a signing config of another name',
    (d) => (d.signingConfigs[0].name = 'other/file.txt'),
    'document.malformed',
  ],
  ['a chain that ends early', (d) => d.chain.pop(), 'trust.corrupt'],
  ['a chain that begins late', (d) => d.chain.shift(), 'tuf.rollback'],
  ['no chain', (d) => (d.chain = []), 'trust.corrupt'],
  ['not base64', (d) => (d.timestamp = '***'), 'document.malformed'],
  ['half a file', (d) => (d.snapshot = d.snapshot.slice(0, 400)), 'json.malformed'],
  ['a timestamp by a stranger', (d) => (d.timestamp = foreign('timestamp.json')), 'trust.corrupt'],
  ['a snapshot by a stranger', (d) => (d.snapshot = foreign('1.snapshot.json')), 'trust.corrupt'],
  [
    'targets by a stranger, with their target',
    (d) => {
      d.targets = foreign('1.targets.json');
      d.signingConfigs = [];
    },
    'trust.corrupt',
  ],
];

function foreign(path: string): string {
  const stranger = new TestTuf(target, now);
  return Buffer.from(stranger.files.get(path) ?? []).toString('base64');
}

test.for(forgeries)('%s is refused', ([, forge, code]) => {
  const document = JSON.parse(Buffer.from(kept()).toString());
  forge(document, tuf);
  expect(() => parseState(Buffer.from(JSON.stringify(document)), 'it', tuf.anchor)).toThrow(
    expect.objectContaining({ code, exit: 2 }),
  );
});

test('the state of another repository is refused, whatever anchor it names', () => {
  const stranger = new TestTuf(target, now);
  expect(() => parseState(kept(tuf.anchor), 'it', stranger.anchor)).toThrow(
    expect.objectContaining({ code: 'tuf.signatures' }),
  );
});

test('without an anchor there is nothing to begin with', () => {
  expect(() => parseState(kept(), 'it', undefined)).toThrow('it.anchor is missing');
});

test('a root that the kept chain does not lead to is not taken for a later one', async () => {
  const plain = new TestTuf(target, now);
  plain.publishRoot();
  const persist = async () => {};
  repository = await update(newRepository(plain.anchor), { download: plain.download, accept, now, persist });
  const document = JSON.parse(Buffer.from(kept()).toString());
  expect(() =>
    parseState(Buffer.from(JSON.stringify({ ...document, chain: [] })), 'it', plain.anchor),
  ).toThrow('does not hold root 2');
});
