import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { openRecording, recordings } from '../support/recordings.ts';

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
