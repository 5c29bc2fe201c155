import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { toSignatureStatement } from '../../src/attest/statement.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import {
  imageDigest,
  jsonBytes,
  keyBundle,
  type Loose,
  otherDigest,
  testKey,
} from '../support/key-bundle.ts';
import {
  dsseBody,
  type EntryParts,
  integratedAt,
  logEntry,
  loggedBundle,
  rootOf,
  testLog,
} from '../support/log.ts';

const key = testKey();
const stranger = testKey();
const log = testLog();
const second = testLog('rekor2.test');
const now = new Date('2026-06-01T00:00:00Z');

function trusting(root: Loose, keyThreshold = { logs: 1, times: 1 }): Trust {
  return { roots: [parseTrustedRoot(jsonBytes(root))], keys: [key.trusted], keyThreshold };
}

function verify(bundle: Loose, trust: Trust = trusting(rootOf(log))): Outcome<Verified, Refusal> {
  const parsed = parseBundle(jsonBytes(bundle));
  return parsed.ok ? verifyAttestation(parsed.value, trust, { subject: imageDigest }, now) : parsed;
}

function changed(change: (entry: Loose, bundle: Loose) => void): Loose {
  const bundle = loggedBundle(key, log);
  change(bundle.verificationMaterial.tlogEntries[0], bundle);
  return bundle;
}

/** A genuine entry of the log, with another body or checkpoint. */
function relogged(change: (body: Loose) => void, parts: EntryParts = {}): Loose {
  const bundle = keyBundle(key);
  const body = dsseBody(bundle, key.pem);
  change(body);
  bundle.verificationMaterial.tlogEntries = [logEntry(log, body, parts)];
  return bundle;
}

const same = (): void => undefined;

test('a logged signature has a time and a log', () => {
  expect(verify(loggedBundle(key, log))).toMatchObject({
    ok: true,
    value: { times: [integratedAt], logs: [{ logId: log.id.toString('hex'), logIndex: '7' }] },
  });
});

const old = (bundle: Loose) => (bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1');

test.for<[string, Loose]>([
  [
    'a number where Protocol Buffers write digits in a text',
    changed((entry) => (entry.logIndex = Number(entry.logIndex))),
  ],
  ['a promise and a proof in version 0.1', changed((_, bundle) => old(bundle))],
  [
    'a promise alone in version 0.1',
    changed((entry, bundle) => {
      old(bundle);
      delete entry.inclusionProof;
    }),
  ],
  [
    'a promise, and a proof without a checkpoint, in version 0.1',
    changed((entry, bundle) => {
      old(bundle);
      delete entry.inclusionProof.checkpoint;
    }),
  ],
])('counts: %s', ([, bundle]) => {
  expect(verify(bundle)).toMatchObject({ ok: true, value: { times: [integratedAt] } });
});

test('a log that no root knows does not count, and takes nothing away', () => {
  const trust = { roots: [], keys: [key.trusted] };
  expect(verify(loggedBundle(key, log), trust)).toMatchObject({ ok: true, value: { times: [], logs: [] } });
});

test('a wrong log entry counts against the signature, even where none is required', () => {
  const wrong = relogged((body) => (body.spec.payloadHash.value = '0'.repeat(64)));
  const trust = trusting(rootOf(log), { logs: 0, times: 0 });
  expect(verify(loggedBundle(key, log), trust)).toMatchObject({ ok: true, value: { times: [integratedAt] } });
  expect(verify(wrong, trust)).toMatchObject({ ok: false, reason: { code: 'log.digest' } });
});

test('two distinct logs count twice', () => {
  const bundle = loggedBundle(key, log);
  bundle.verificationMaterial.tlogEntries.push(logEntry(second, dsseBody(bundle, key.pem)));
  expect(verify(bundle, trusting(rootOf(log, second), { logs: 2, times: 1 }))).toMatchObject({ ok: true });
});

test('without a promise the index is the one that the proof walked, not the one written beside it', () => {
  const bundle = changed((entry) => {
    delete entry.inclusionPromise;
    entry.logIndex = '999999';
  });
  const outcome = verify(bundle, trusting(rootOf(log), { logs: 1, times: 0 }));
  expect(outcome).toMatchObject({ ok: true, value: { times: [], logs: [{ logIndex: '0' }] } });
});

test('co-signatures of witnesses change nothing', () => {
  const bundle = changed(({ inclusionProof: { checkpoint } }) => {
    const [note, own] = checkpoint.envelope.split('\n\n');
    checkpoint.envelope = `${note}\n\n\u2014 witness.test AAAAAAAAAAAA\n${own}`;
  });
  expect(verify(bundle)).toMatchObject({ ok: true });
});

describe('CVE-2026-48816: an integrated time counts with a promise over this very entry only', () => {
  const fifteenYears = String(Date.parse('2041-01-01T00:00:00Z') / 1000);
  const promiseOf = (parts: EntryParts) =>
    relogged(same, parts).verificationMaterial.tlogEntries[0].inclusionPromise;
  const noTimes = { logs: 1, times: 0 };

  test.for<[string, string, Loose]>([
    [
      'a time of its own beside a genuine proof and promise',
      'log.promise',
      changed((entry) => (entry.integratedTime = fifteenYears)),
    ],
    [
      'the promise of another time',
      'log.promise',
      changed((entry) => (entry.inclusionPromise = promiseOf({ integratedTime: 1_800_000_000 }))),
    ],
    [
      'the promise of another log',
      'log.promise',
      changed((entry, bundle) => {
        const foreign = logEntry(second, dsseBody(bundle, key.pem));
        entry.inclusionPromise = foreign.inclusionPromise;
      }),
    ],
    [
      'the promise of another body',
      'log.promise',
      changed((entry) => {
        const foreign = loggedBundle(stranger, log).verificationMaterial.tlogEntries[0];
        entry.inclusionPromise = foreign.inclusionPromise;
      }),
    ],
    [
      'an empty promise',
      'bundle.malformed',
      changed((entry) => (entry.inclusionPromise = { signedEntryTimestamp: '' })),
    ],
  ])('%s', ([, code, bundle]) => {
    for (const threshold of [noTimes, { logs: 1, times: 1 }, { logs: 0, times: 0 }]) {
      expect(verify(bundle, trusting(rootOf(log, second), threshold))).toMatchObject({
        ok: false,
        reason: { code },
      });
    }
  });

  test.for([
    ['without a promise', undefined],
    ['with a promise that is null', null],
  ] as const)('the time of an entry %s is not a time, however good its proof', ([, promise]) => {
    const bundle = changed((entry) => {
      Object.assign(entry, { integratedTime: fifteenYears, inclusionPromise: promise });
    });
    expect(verify(bundle, trusting(rootOf(log), noTimes))).toMatchObject({ ok: true, value: { times: [] } });
    expect(verify(bundle)).toMatchObject({ ok: false, reason: { code: 'time.missing' } });
  });
});

describe('CVE-2026-31830: the result of each binding check is obeyed', () => {
  const hex = (fill: string) => fill.repeat(64);
  /** Signed, logged and promised genuinely; one binding is wrong, and nothing else is. */
  test.for<[string, string, Loose]>([
    [
      'the entry is of another payload',
      'log.digest',
      relogged((body) => (body.spec.payloadHash.value = hex('0'))),
    ],
    [
      'the hash of the payload is cut',
      'log.digest',
      relogged((body) => (body.spec.payloadHash.value = '00')),
    ],
    [
      'the hash of the payload is named as another',
      'log.digest',
      relogged((body) => (body.spec.payloadHash.algorithm = 'sha512')),
    ],
    [
      'the statement is about another image',
      'statement.subject',
      logged(keyBundle(key, { statement: toSignatureStatement(otherDigest) })),
    ],
    [
      'the payload is not a statement',
      'statement.malformed',
      logged(keyBundle(key, { payload: new TextEncoder().encode('{}') })),
    ],
  ])('%s', ([, code, bundle]) => {
    expect(verify(bundle)).toMatchObject({ ok: false, reason: { code } });
  });
});

function logged(bundle: Loose): Loose {
  bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, key.pem))];
  return bundle;
}

describe('does not count', () => {
  const theirs = keyBundle(stranger);
  /** Knows the log, and its key no longer counts. */
  const ended = rootOf(log);
  ended.tlogs[0].publicKey.validFor.end = '2026-01-01T00:00:01Z';

  test.for<[string, string, Loose]>([
    [
      'an entry about another signature',
      'log.signature',
      relogged((body) => (body.spec.signatures[0].signature = theirs.dsseEnvelope.signatures[0].sig)),
    ],
    [
      'an entry by another key (CVE-2026-22703)',
      'log.key',
      relogged((body) => (body.spec.signatures[0].verifier = Buffer.from(stranger.pem).toString('base64'))),
    ],
    [
      'an entry about another payload',
      'log.digest',
      relogged((body) => (body.spec.payloadHash.value = '00'.repeat(32))),
    ],
    [
      'an entry with two signatures',
      'bundle.malformed',
      relogged((body) => body.spec.signatures.push(body.spec.signatures[0])),
    ],
    ['an entry of an unknown version', 'log.unsupported', relogged((body) => (body.apiVersion = '0.0.9'))],
    ['an entry of an unknown kind', 'log.unsupported', relogged((body) => (body.kind = 'rfc3161'))],
    [
      'an entry whose kind is not the one announced',
      'log.body',
      changed((entry) => (entry.kindVersion.kind = 'hashedrekord')),
    ],
    ['a checkpoint of another origin', 'log.checkpoint', relogged(same, { origin: 'evil.test - 1' })],
    ['an origin that is a pattern', 'log.checkpoint', relogged(same, { origin: '.* - 1' })],
    ['an origin that continues', 'log.checkpoint', relogged(same, { origin: 'rekor.test.evil.test' })],
    ['an origin of the same length', 'log.checkpoint', relogged(same, { origin: 'evil9.test - 1' })],
    [
      'an origin with more before its tree',
      'log.checkpoint',
      relogged(same, { origin: 'rekor.test.evil - 1' }),
    ],
    [
      'an origin with more behind its tree',
      'log.checkpoint',
      relogged(same, { origin: 'rekor.test - 1.evil' }),
    ],
    ['a checkpoint of another size', 'log.checkpoint', relogged(same, { size: '2' })],
    [
      'a checkpoint of another root',
      'log.checkpoint',
      relogged(same, { root: Buffer.alloc(32).toString('base64') }),
    ],
    ['a checkpoint whose root is not base64', 'log.checkpoint', relogged(same, { root: '***' })],
    ...(
      [
        ['without its blank line', (text: string) => text.replace('\n\n', '\n')],
        ['without its last line feed', (text: string) => text.slice(0, -1)],
        ['whose last line never ends', (text: string) => `${text}\u2014 witness.test AAAAAAAAAAAA`],
        ['with a signature that is not base64', (text: string) => text.replace(/ \S+\n$/, ' ***\n')],
        ['under the key of nobody', (text: string) => text.replace(/ \S+\n$/, ' AAAAAAAAAAAA\n')],
        ['of two lines', (text: string) => text.replace('\n', ' ')],
        ['with a second one behind it', (text: string) => `${text}${text}`],
        ['with a line among its signatures that is not a signature', (text: string) => `${text}rekor.test\n`],
        [
          'with a signature behind other text',
          (text: string) => `${text}x\u2014 witness.test AAAAAAAAAAAA\n`,
        ],
        [
          'with a signature before other text',
          (text: string) => `${text}\u2014 witness.test AAAAAAAAAAAA x\n`,
        ],
      ] as const
    ).map(([what, change]): [string, string, Loose] => [
      `a checkpoint ${what}`,
      'log.checkpoint',
      changed(({ inclusionProof: { checkpoint } }) => {
        checkpoint.envelope = change(checkpoint.envelope);
      }),
    ]),
    ['a signature under part of the name', 'log.checkpoint', relogged(same, { signer: 'rekor' })],
    [
      'a checkpoint without a signature',
      'log.checkpoint',
      changed(({ inclusionProof: { checkpoint } }) => {
        checkpoint.envelope = `${checkpoint.envelope.split('\n\n')[0]}\n\n`;
      }),
    ],
    [
      'a checkpoint signed by nobody',
      'log.proof',
      changed(({ inclusionProof: { checkpoint } }) => {
        const other = Buffer.concat([log.id.subarray(0, 4), Buffer.alloc(70)]).toString('base64');
        checkpoint.envelope = `${checkpoint.envelope.split('\n\n')[0]}\n\n\u2014 rekor.test ${other}\n`;
      }),
    ],
    [
      'a proof for another index',
      'log.proof',
      changed(({ inclusionProof }) => (inclusionProof.logIndex = '1')),
    ],
    [
      'a proof with a hash too many',
      'log.proof',
      changed(({ inclusionProof }) => inclusionProof.hashes.push(inclusionProof.rootHash)),
    ],
    ['an index that the promise did not sign', 'log.promise', changed((entry) => (entry.logIndex = '8'))],
    [
      'a time that the promise did not sign',
      'log.promise',
      changed((entry) => (entry.integratedTime = String(Number(entry.integratedTime) + 1))),
    ],
    ['an invalid time', 'time.invalid', changed((entry) => (entry.integratedTime = '9999999999999'))],
    ['a promise without a time', 'time.missing', relogged(same, { integratedTime: 0 })],
    ['a time without a promise (A-56)', 'time.missing', changed((entry) => delete entry.inclusionPromise)],
    ['no entry', 'time.missing', keyBundle(key)],
    [
      'one log twice (A-54)',
      'log.duplicate',
      changed((entry, bundle) => bundle.verificationMaterial.tlogEntries.push(entry)),
    ],
    ['no proof in version 0.3', 'bundle.malformed', changed((entry) => delete entry.inclusionProof)],
    [
      'no checkpoint in version 0.3',
      'bundle.malformed',
      changed(({ inclusionProof }) => delete inclusionProof.checkpoint),
    ],
    [
      'no promise in version 0.1',
      'bundle.malformed',
      changed((entry, bundle) => {
        bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
        delete entry.inclusionPromise;
      }),
    ],
    ['a negative index', 'bundle.malformed', changed((entry) => (entry.logIndex = '-1'))],
    ['an index in hexadecimal', 'bundle.malformed', changed((entry) => (entry.logIndex = '0x7'))],
    [
      'a short root hash',
      'bundle.malformed',
      changed(({ inclusionProof }) => (inclusionProof.rootHash = 'AAAA')),
    ],
    [
      'an invalid timestamp',
      'time.invalid',
      changed((_, { verificationMaterial }) => {
        verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] };
      }),
    ],
  ])('%s', ([, code, bundle]) => {
    expect(verify(bundle)).toMatchObject({ ok: false, reason: { code } });
  });

  test('a log that the root does not know', () => {
    const outcome = verify(loggedBundle(key, second));
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'log.unknown' } });
  });

  test('one log where two are asked for', () => {
    const outcome = verify(loggedBundle(key, log), trusting(rootOf(log, second), { logs: 2, times: 1 }));
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'log.missing' } });
  });

  test.for<[string, readonly Loose[]]>([
    ['the first', [ended, rootOf(second)]],
    ['the second', [rootOf(second), ended]],
  ])('where no root proves it, the reason is that of the one that knows the log: %s', ([, roots]) => {
    const trust = { ...trusting(rootOf(log)), roots: roots.map((root) => parseTrustedRoot(jsonBytes(root))) };
    const outcome = verify(loggedBundle(key, log), trust);
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'log.window' } });
  });

  test('two logs of two roots: domains do not mix', () => {
    const bundle = loggedBundle(key, log);
    bundle.verificationMaterial.tlogEntries.push(logEntry(second, dsseBody(bundle, key.pem)));
    const trust = {
      ...trusting(rootOf(log)),
      roots: [log, second].map((one) => parseTrustedRoot(jsonBytes(rootOf(one)))),
    };
    expect(verify(bundle, trust)).toMatchObject({ ok: false, reason: { code: 'log.unknown' } });
  });
});

describe("a log's key counts from its start to its end, both included", () => {
  const at = (offset: number): string => new Date(integratedAt.getTime() + offset).toISOString();

  test.for<[string, { start: string; end?: string }, boolean]>([
    ['starts at that moment', { start: at(0) }, true],
    ['ends at that moment', { start: at(-1000), end: at(0) }, true],
    ['starts a millisecond later', { start: at(1) }, false],
    ['ended a millisecond earlier', { start: at(-1000), end: at(-1) }, false],
  ])('%s', ([, validFor, counts]) => {
    const root = rootOf(log);
    root.tlogs[0].publicKey.validFor = validFor;
    const outcome = verify(loggedBundle(key, log), trusting(root));
    expect(outcome.ok).toBe(counts);
    if (!outcome.ok) {
      expect(outcome.reason.code).toBe('log.window');
    }
  });
});

test.for([
  ['https://rekor.test', 'rekor.test'],
  ['https://rekor.test/', 'rekor.test'],
  ['https://rekor.test:3000', 'rekor.test:3000'],
  ['https://rekor.test:3000', 'rekor.test'],
  ['https://[::1]:3000', '[::1]'],
  ['https://rekor.test/2026/a', 'rekor.test/2026/a'],
  ['https://rekor.test/2026/a/', 'rekor.test'],
  ['rekor.test/https://2026', 'rekor.test/https://2026'],
] as const)('a log at %s may call itself %s', ([baseUrl, name]) => {
  const root = rootOf(log);
  root.tlogs[0].baseUrl = baseUrl;
  const bundle = relogged(same, { origin: name, signer: name });
  expect(verify(bundle, trusting(root))).toMatchObject({ ok: true });
});
