import { generateKeyPairSync } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { formatStatement, toSignatureStatement } from '../../src/attest/statement.ts';
import { parsePublicKey } from '../../src/attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import { keylessSigner } from '../../src/sigstore/fulcio.ts';
import { parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { chooseServices, parseSigningConfig } from '../../src/sigstore/signing-config.ts';
import { toWitnesses } from '../../src/sigstore/witnesses.ts';
import { imageDigest, type Loose } from '../support/key-bundle.ts';
import { runs } from '../support/runs.ts';
import { testServices } from '../support/signing.ts';
import { startSigstore } from '../support/sigstore.ts';
import { changedAt, fieldChanges, flipped, leaves, type Path, valueAt } from '../support/tamper.ts';

/* Whatever is changed in a genuine bundle, it is refused, or it proves exactly what it proved before. */

const now = new Date('2026-11-23T12:00:00Z');
const seed = 20261123;
/** For each kind of bundle. */
/** Milliseconds; ten seconds on two idle cores. */
const timeout = 300_000;
const kinds = ['key', 'key with Rekor v1', 'keyless with Rekor v1', 'keyless with Rekor v2'] as const;
type Kind = (typeof kinds)[number];

interface Genuine {
  readonly json: Loose;
  readonly trust: Trust;
  /** What it proves. */
  readonly proven: unknown;
}
const genuine = new Map<Kind, Genuine>();

function verify(text: string, trust: Trust): unknown {
  const bundle = parseBundle(Buffer.from(text));
  const outcome = bundle.ok ? verifyAttestation(bundle.value, trust, { subject: imageDigest }, now) : bundle;
  return outcome.ok ? outcome.value : undefined;
}

beforeAll(async () => {
  await using sigstore = await startSigstore({ now: () => now });
  const services = testServices();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trusted = parsePublicKey(publicKey.export({ format: 'pem', type: 'spki' }).toString(), 'team.pub');
  const roots = [parseTrustedRoot(sigstore.trustedRoot)];
  const keyless = () =>
    keylessSigner({
      fulcio: new URL(sigstore.urls.fulcio),
      token: parseIdentityToken(sigstore.token()),
      services,
      now: () => now,
    });
  const witnesses = (version: 1 | 2) =>
    toWitnesses(chooseServices(parseSigningConfig(sigstore.signingConfig(version)), now), services);
  const witnessed: Trust = { roots, keys: [trusted], keyThreshold: { logs: 1, times: 1 } };
  for (const [kind, signer, witnessing, trust] of [
    ['key', keySigner(privateKey), [], { roots: [], keys: [trusted] }],
    ['key with Rekor v1', keySigner(privateKey), witnesses(1), witnessed],
    ['keyless with Rekor v1', keyless(), witnesses(1), { roots, keys: [] }],
    ['keyless with Rekor v2', keyless(), witnesses(2), { roots, keys: [] }],
  ] as const) {
    const statement = formatStatement(toSignatureStatement(imageDigest, { env: 'prod' }));
    const text = Buffer.from(await signStatement(statement, signer, witnessing)).toString();
    const proven = verify(text, trust);
    expect(proven, kind).toBeDefined();
    genuine.set(kind, { json: JSON.parse(text), trust, proven });
  }
});

function of(kind: Kind): Genuine {
  const found = genuine.get(kind);
  if (found === undefined) {
    throw new Error(`no bundle was made: ${kind}`);
  }
  return found;
}

/**
 * What nothing signs and nothing is decided by: the index of an entry without a promise (the one in the proof
 * counts), and in a timestamp what CMS leaves out of its signature: status, versions, certificates.
 */
const harmless: Readonly<Record<Kind, readonly string[]>> = {
  key: [],
  'key with Rekor v1': ['signedTimestamp'],
  'keyless with Rekor v1': ['signedTimestamp'],
  'keyless with Rekor v2': ['signedTimestamp', 'logIndex'],
};

/**
 * What a reader takes from it: `"1"` and `1` are one number in Protocol Buffers, and so are `0` and nothing.
 */
const meaning = (text: string): unknown => parseBundle(Buffer.from(text));

describe.for(kinds)('%s', (kind) => {
  const isHarmless = (path: Path) => harmless[kind].includes(String(path.at(-1)));

  test('no field can be changed', { timeout }, () => {
    const { json, proven, trust } = of(kind);
    const original = meaning(JSON.stringify(json));
    const accepted: string[] = [];
    for (const path of leaves(json)) {
      for (const [what, change] of fieldChanges) {
        const text = JSON.stringify(changedAt(json, path, change));
        const told = verify(text, trust);
        if (told === undefined) {
          continue;
        }
        expect(told).toEqual(proven);
        if (!isHarmless(path) && !isDeepStrictEqual(meaning(text), original)) {
          accepted.push(`${path.join('.')} ${what}`);
        }
      }
    }
    expect(accepted).toEqual([]);
  });

  test('no byte can be changed, neither of the bundle nor inside its base64', { timeout }, () => {
    const { json, proven, trust } = of(kind);
    const whole = Buffer.from(JSON.stringify(json));
    const encoded = [...leaves(json)].filter((path) => {
      const text = valueAt(json, path);
      return typeof text === 'string' && text.length > 40 && /^[A-Za-z0-9+/]+=*$/.test(text);
    });
    fc.assert(
      fc.property(
        fc.nat(encoded.length),
        fc.nat(1_000_000),
        fc.integer({ min: 1, max: 255 }),
        (which, at, mask) => {
          const path = encoded[which];
          const text =
            path === undefined
              ? flipped(whole, at, mask).toString('latin1')
              : JSON.stringify(
                  changedAt(json, path, (value) =>
                    flipped(Buffer.from(value, 'base64'), at, mask).toString('base64'),
                  ),
                );
          const told = verify(text, trust);
          if (told === undefined) {
            return;
          }
          expect(told).toEqual(proven);
          if (path === undefined) {
            expect(isHarmless([memberAt(whole, at)])).toBe(true);
          } else {
            expect(isHarmless(path)).toBe(true);
          }
        },
      ),
      { seed, numRuns: runs(2000) },
    );
  });
});

/** The member in whose value the byte stands. */
function memberAt(whole: Buffer, at: number): string {
  const before = whole.toString('latin1', 0, (at % whole.length) + 1);
  return /.*"([A-Za-z0-9]+)":/s.exec(before)?.[1] ?? '';
}
