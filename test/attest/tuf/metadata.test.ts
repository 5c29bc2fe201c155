import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/attest/tuf/canonical-json.ts';
import { toTufKey } from '../../../src/attest/tuf/keys.ts';
import {
  maxLength,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
} from '../../../src/attest/tuf/metadata.ts';
import { isSigned, trustRoot } from '../../../src/attest/tuf/workflow.ts';
import { parseJson } from '../../../src/base/json.ts';
import { runs } from '../../support/runs.ts';
import { spkiOf } from '../../support/sigstore/authority.ts';
import { TestTuf } from '../../support/tuf.ts';

// biome-ignore lint/suspicious/noExplicitAny: metadata made wrong on purpose
type Loose = any;

const now = new Date('2026-11-23T12:00:00Z');
const tuf = new TestTuf(Buffer.from('{}'), now);
const parsers = {
  root: [parseRoot, tuf.anchor],
  timestamp: [parseTimestamp, tuf.files.get('timestamp.json')],
  snapshot: [parseSnapshot, tuf.files.get('1.snapshot.json')],
  targets: [parseTargets, tuf.files.get('1.targets.json')],
} as const;

describe('canonical JSON', () => {
  test.for([
    [
      'keys by code point, not by UTF-16 unit',
      '{"\\ud83d\\ude00":1,"\\uffee":2,"b":3,"a":4}',
      '{"a":4,"b":3,"\uffee":2,"\u{1f600}":1}',
    ],
    ['only quotes and backslashes escaped', '"a\\"b\\\\c\\n\\u00e9/"', '"a\\"b\\\\c\n\u00e9/"'],
    ['no blanks', '[ 1, true , null, { } ]', '[1,true,null,{}]'],
    ['__proto__ is a key like any other', '{"__proto__": 1}', '{"__proto__":1}'],
  ] as const)('%s', ([, text, canonical]) => {
    expect(Buffer.from(canonicalJson(parseJson(text, 'it'))).toString()).toBe(canonical);
  });

  test.for(['1.5', '9007199254740993', '1e300'])('%s has no canonical form', (text) => {
    expect(() => canonicalJson(parseJson(text, 'it'))).toThrow(
      expect.objectContaining({ code: 'tuf.malformed', exit: 2 }),
    );
  });

  test('blanks and the order of keys change nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
        const whole = JSON.parse(JSON.stringify(value), (_, member) =>
          typeof member === 'number' ? Math.trunc(member) % 1000 : member,
        );
        const turned = JSON.stringify(whole, (_, member) =>
          typeof member === 'object' && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).reverse())
            : member,
        );
        expect(canonicalJson(JSON.parse(turned))).toEqual(canonicalJson(whole));
      }),
    );
  });
});

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const pem = (key: KeyObject) =>
  `-----BEGIN PUBLIC KEY-----\n${spkiOf(key).toString('base64')}\n-----END PUBLIC KEY-----\n`;
const hex = (key: KeyObject) => spkiOf(key).subarray(-32).toString('hex');

describe('keys', () => {
  const message = Buffer.from('signed');
  test.for([
    ['ed25519', 'ed25519', hex(ed25519), sign(null, message, ed25519)],
    ['ed25519', 'ed25519', pem(ed25519), sign(null, message, ed25519)],
    ['ecdsa', 'ecdsa-sha2-nistp256', pem(p256), sign('sha256', message, p256)],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256', pem(p256), sign('sha256', message, p256)],
    ['ecdsa', 'ecdsa-sha2-nistp384', pem(p384), sign('sha384', message, p384)],
    [
      'rsa',
      'rsassa-pss-sha256',
      pem(rsa),
      sign('sha256', message, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
    ],
  ] as const)('%s with %s', ([keytype, scheme, text, signature]) => {
    const key = toTufKey({ keytype, scheme, public: text });
    expect(key?.isSignedBy(message, signature)).toBe(true);
    expect(key?.isSignedBy(Buffer.from('other'), signature)).toBe(false);
    expect(key?.isSignedBy(message, signature.subarray(1))).toBe(false);
  });

  test.for([
    ['a type that tcf does not know', 'sphincs', 'sphincs', hex(ed25519)],
    ['a scheme named like a member of every object', 'ed25519', 'constructor', hex(ed25519)],
    ['a scheme of another type', 'rsa', 'ed25519', pem(ed25519)],
    ['another curve than the scheme says', 'ecdsa', 'ecdsa-sha2-nistp256', pem(p384)],
    ['another algorithm than the scheme says', 'ecdsa', 'ecdsa-sha2-nistp256', pem(rsa)],
    ['a short RSA key', 'rsa', 'rsassa-pss-sha256', pem(weak)],
    ['a private key', 'ecdsa', 'ecdsa-sha2-nistp256', String(p256.export({ format: 'pem', type: 'pkcs8' }))],
    [
      'nonsense in PEM',
      'ecdsa',
      'ecdsa-sha2-nistp256',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
    ],
    ['PEM behind other text', 'ecdsa', 'ecdsa-sha2-nistp256', `x\n${pem(p256)}`],
    ['PEM before other text', 'ecdsa', 'ecdsa-sha2-nistp256', `${pem(p256)}x`],
    ['nonsense', 'ed25519', 'ed25519', 'zz'],
    ['digits behind other text', 'ed25519', 'ed25519', `aa${hex(ed25519)}`],
    ['digits before other text', 'ed25519', 'ed25519', `${hex(ed25519)}x`],
    ['too few digits', 'ed25519', 'ed25519', hex(ed25519).slice(2)],
  ] as const)('%s signs nothing', ([, keytype, scheme, text]) => {
    expect(toTufKey({ keytype, scheme, public: text })).toBeUndefined();
  });

  test('no signature makes the check throw', () => {
    const keys = [pem(p256), pem(rsa)].map((text, index) =>
      toTufKey({
        keytype: index === 0 ? 'ecdsa' : 'rsa',
        scheme: index === 0 ? 'ecdsa-sha2-nistp256' : 'rsassa-pss-sha256',
        public: text,
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (signature) =>
        keys.every((key) => key?.isSignedBy(message, signature) === false),
      ),
    );
  });
});

const wrongs: readonly (readonly [string, keyof typeof parsers, (document: Loose) => void, string])[] = [
  ['no signatures', 'root', (d) => delete d.signatures, 'root.signatures is missing'],
  ['a key id that stands twice', 'root', (d) => d.signatures.push(d.signatures[0]), 'stands twice'],
  ['a signature that is not hexadecimal', 'root', (d) => (d.signatures[0].sig = 'zz'), 'is not hexadecimal'],
  [
    'a signature with more before it',
    'root',
    (d) => (d.signatures[0].sig = `z${d.signatures[0].sig}`),
    'is not hexadecimal',
  ],
  ['a signature with more behind it', 'root', (d) => (d.signatures[0].sig += 'z'), 'is not hexadecimal'],
  ['half a byte of signature', 'root', (d) => (d.signatures[0].sig = 'abc'), 'is not hexadecimal'],
  ['another role', 'root', (d) => (d.signed._type = 'targets'), 'is "targets", not root'],
  ['another role', 'timestamp', (d) => (d.signed._type = 'snapshot'), 'is "snapshot", not timestamp'],
  ['another role', 'snapshot', (d) => (d.signed._type = 'timestamp'), 'is "timestamp", not snapshot'],
  ['another role', 'targets', (d) => (d.signed._type = 'root'), 'is "root", not targets'],
  ['version 2 of the specification', 'root', (d) => (d.signed.spec_version = '2.0.0'), 'and 1.0 is needed'],
  [
    'a specification that begins like 1',
    'root',
    (d) => (d.signed.spec_version = '10.0'),
    'and 1.0 is needed',
  ],
  [
    'a specification with more before it',
    'root',
    (d) => (d.signed.spec_version = 'x1.0.34'),
    'and 1.0 is needed',
  ],
  [
    'a specification with more behind it',
    'root',
    (d) => (d.signed.spec_version = '1.0.34x'),
    'and 1.0 is needed',
  ],
  ['version 0', 'timestamp', (d) => (d.signed.version = 0), 'versions begin with 1'],
  ['version 1.5', 'timestamp', (d) => (d.signed.version = 1.5), 'canonical JSON'],
  ['no expiry', 'timestamp', (d) => delete d.signed.expires, 'signed.expires is missing'],
  [
    'an expiry with an offset',
    'timestamp',
    (d) => (d.signed.expires = '2030-01-01T00:00:00+02:00'),
    'is not a time',
  ],
  [
    'a year of six digits',
    'timestamp',
    (d) => (d.signed.expires = '+002030-01-01T00:00:00Z'),
    'is not a time',
  ],
  ['a NUL behind an expiry', 'timestamp', (d) => (d.signed.expires += '\0'), 'is not a time'],
  [
    'a date that does not exist',
    'timestamp',
    (d) => (d.signed.expires = '2030-13-01T00:00:00Z'),
    'is not a time',
  ],
  [
    'a threshold of nothing',
    'root',
    (d) => (d.signed.roles.timestamp.threshold = 0),
    'anybody would meet it',
  ],
  [
    'a threshold below nothing',
    'root',
    (d) => (d.signed.roles.targets.threshold = -1),
    'is not a whole number',
  ],
  ['a missing role', 'root', (d) => delete d.signed.roles.snapshot, 'roles.snapshot is missing'],
  [
    'a key that is not there',
    'root',
    (d) => d.signed.roles.root.keyids.push('none'),
    'names a key that is not there',
  ],
  [
    'consistent snapshots of no kind',
    'root',
    (d) => (d.signed.consistent_snapshot = 'yes'),
    'is not true or false',
  ],
  ['a timestamp of nothing', 'timestamp', (d) => (d.signed.meta = {}), 'is missing'],
  [
    'a file of version 0',
    'snapshot',
    (d) => (d.signed.meta['targets.json'].version = 0),
    'versions begin with 1',
  ],
  [
    'a target without hashes',
    'targets',
    (d) => delete d.signed.targets['trusted_root.json'].hashes,
    'is missing',
  ],
  [
    'hashes of unknown kinds only',
    'targets',
    (d) => (d.signed.targets['trusted_root.json'].hashes = { md5: 'aa' }),
    'neither sha256 nor sha512',
  ],
  [
    'a hash that is too short',
    'targets',
    (d) => (d.signed.targets['trusted_root.json'].hashes = { sha256: 'aa' }),
    'is not 64 hexadecimal digits',
  ],
  ...['sha256', 'sha512'].flatMap((name): typeof wrongs =>
    [
      ['before', (hash: string) => `g${hash.slice(1)}`],
      ['behind', (hash: string) => `${hash.slice(1)}g`],
    ].map(([where, change]) => [
      `a ${name} with another digit ${where} its digits`,
      'targets',
      (d) => {
        const { hashes } = d.signed.targets['trusted_root.json'];
        hashes[name] = (change as (hash: string) => string)(hashes[name]);
      },
      'hexadecimal digits',
    ]),
  ),
  [
    'a hash in upper case',
    'targets',
    (d) => (d.signed.targets['trusted_root.json'].hashes = { sha256: 'A'.repeat(64) }),
    'is not 64 hexadecimal digits',
  ],
  [
    'a target without a length',
    'targets',
    (d) => delete d.signed.targets['trusted_root.json'].length,
    'is missing',
  ],
  [
    'ten thousand files and one',
    'snapshot',
    (d) => {
      for (let n = 0; n < 10_000; n += 1) {
        d.signed.meta[`${n}`] = { version: 1 };
      }
    },
    'more than 10000 entries',
  ],
];

test.for(wrongs)('%s in %s is refused', ([, role, spoil, message]) => {
  const [parse, genuine] = parsers[role];
  const document = JSON.parse(String(genuine));
  expect(() => parse(Buffer.from(JSON.stringify(document)))).not.toThrow();
  spoil(document);
  expect(() => parse(Buffer.from(JSON.stringify(document)))).toThrow(message);
});

test.for(Object.entries(parsers))('%s beyond its limit is not read', ([role, [parse, genuine]]) => {
  const limit = maxLength[role as keyof typeof parsers];
  const padded = Buffer.concat([genuine ?? Buffer.of(), Buffer.alloc(limit, 32)]);
  expect(() => parse(padded)).toThrow(expect.objectContaining({ code: 'json.too-large' }));
});

test('a key that stands twice in the JSON has no meaning', () => {
  const text = String(parsers.timestamp[1]).replace('"version": 1,', '"version": 1, "version": 2,');
  expect(() => parseTimestamp(Buffer.from(text))).toThrow('stands twice');
});

test('an empty signature of an absent signer is passed over', () => {
  const document = JSON.parse(String(tuf.anchor));
  document.signatures[0].sig = '';
  const root = parseRoot(Buffer.from(JSON.stringify(document)));
  expect(root.signatures.size).toBe(document.signatures.length - 1);
  expect(isSigned(root, trustRoot(tuf.anchor))).toBe(true);
});

test('no byte of what is signed can change', () => {
  const root = trustRoot(tuf.anchor);
  const genuine = Buffer.from(JSON.stringify(JSON.parse(String(parsers.timestamp[1])).signed));
  const { signatures } = JSON.parse(String(parsers.timestamp[1]));
  fc.assert(
    fc.property(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const signed = Buffer.from(genuine);
      signed[at] = (signed[at] ?? 0) ^ flip;
      const bytes = Buffer.from(
        `{"signatures":${JSON.stringify(signatures)},"signed":${signed.toString('latin1')}}`,
        'latin1',
      );
      try {
        return !isSigned(parseTimestamp(bytes), root);
      } catch (error) {
        return (error as { exit?: number }).exit === 2;
      }
    }),
    { seed: 20261128, numRuns: runs(1000) },
  );
});
