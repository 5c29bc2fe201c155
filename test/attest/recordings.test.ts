import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { parseCosign2Layer } from '../../src/attest/cosign2.ts';
import { parsePublicKey } from '../../src/attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import type { Refusal, Verified } from '../../src/attest/verified.ts';
import { verifyAttestation, verifyCosign2 } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';

/* What the real cosign 2 and 3 wrote; test/interop/record.ts made these files, and each says with which command. */

const folder = join(import.meta.dirname, '../../fixtures/sigstore/recordings');
const now = new Date('2026-11-24T00:00:00Z');

interface Expected {
  readonly image: Digest;
  readonly predicateType: string;
  readonly signer: object;
  readonly annotations: object;
}

type Proof = (bytes: Uint8Array, subject: Digest) => Outcome<Verified, Refusal>;

function open(name: string): {
  readonly bytes: Uint8Array;
  readonly expected: Expected;
  readonly prove: Proof;
} {
  const at = (file: string) => join(folder, name, file);
  const expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as Expected;
  const trust: Trust = {
    roots: existsSync(at('trusted_root.json'))
      ? [parseTrustedRoot(readFileSync(at('trusted_root.json')))]
      : [],
    keys: existsSync(at('key.pub')) ? [parsePublicKey(readFileSync(at('key.pub'), 'utf8'), 'key.pub')] : [],
  };
  if (existsSync(at('bundle.json'))) {
    const prove: Proof = (bytes, subject) => {
      const bundle = parseBundle(bytes);
      return bundle.ok ? verifyAttestation(bundle.value, trust, { subject }, now) : bundle;
    };
    return { bytes: readFileSync(at('bundle.json')), expected, prove };
  }
  const { annotations, content, mediaType } = JSON.parse(readFileSync(at('layer.json'), 'utf8'));
  const prove: Proof = (bytes, subject) => {
    const signature = parseCosign2Layer({ mediaType, annotations, content: bytes });
    return signature.ok ? verifyCosign2(signature.value, trust, { subject }, now) : signature;
  };
  return { bytes: Buffer.from(content, 'base64'), expected, prove };
}

describe.for(readdirSync(folder))('%s', (name) => {
  const { bytes, expected, prove } = open(name);

  test('counts for what it was made for', () => {
    const outcome = prove(bytes, expected.image);
    expect(outcome).toMatchObject({
      ok: true,
      value: { signer: expected.signer, statement: { predicateType: expected.predicateType } },
    });
    const annotations = outcome.ok ? outcome.value.statement.subjects[0]?.annotations : undefined;
    expect(annotations).toEqual(expected.annotations);
  });

  test('is nothing for another image', () => {
    const other = digestOf(Buffer.from('another image'));
    expect(prove(bytes, other)).toMatchObject({ ok: false, reason: { code: 'statement.subject' } });
  });

  test('no byte of it can be changed', () => {
    const original = prove(bytes, expected.image);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        const outcome = prove(changed, expected.image);
        // A timestamp has bytes that CMS does not sign; whatever they say, the same is proven.
        if (outcome.ok) expect(outcome).toEqual(original);
      }),
      { seed: 20261123, numRuns: 500 },
    );
  });
});
