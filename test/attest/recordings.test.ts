import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { blobRecordings, openBlobRecording, openRecording, recordings } from '../support/recordings.ts';

describe.for(recordings)('%s', (name) => {
  const { content, expected, image, prove, proveStored } = openRecording(name);
  const proven = {
    ok: true,
    value: { signer: expected.signer, statement: { predicateType: expected.predicateType } },
  };

  test('counts for what it was made for', () => {
    const outcome = prove(content, expected.image);
    expect(outcome).toMatchObject(proven);
    const annotations = outcome.ok ? outcome.value.statement.subjects[0]?.annotations : undefined;
    expect(annotations).toEqual(expected.annotations);
  });

  test('counts where it is found beside its image', async () => {
    expect(digestOf(image)).toBe(expected.image);
    expect(await proveStored()).toMatchObject(proven);
  });

  test('is nothing for another image', () => {
    const other = digestOf(Buffer.from('another image'));
    expect(prove(content, other)).toMatchObject({ ok: false, reason: { code: 'statement.subject' } });
  });
});

describe.for(blobRecordings)('%s', (name) => {
  const { artifact, content: bytes, prove, signer } = openBlobRecording(name);

  test('counts for its file and the digest of it, and for no other', () => {
    for (const about of [artifact, digestOf(artifact)]) {
      expect(prove(bytes, about)).toMatchObject({ ok: true, value: { signer } });
    }
    expect(prove(bytes, Buffer.from(`${artifact} `))).toMatchObject({
      ok: false,
      reason: { code: 'message.digest' },
    });
  });

  test('no byte of it can be changed', () => {
    const original = prove(bytes, artifact);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ mask;
        const outcome = prove(changed, artifact);
        // A timestamp has bytes that CMS does not sign; whatever they say, the same is proven.
        if (outcome.ok) {
          expect(outcome).toEqual(original);
        }
      }),
      { seed: 20261123, numRuns: 500 },
    );
  });
});
