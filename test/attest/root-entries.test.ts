import { expect, test } from 'vitest';
import { publicGoodRoot } from '../../src/attest/public-good.ts';
import { listRoot } from '../../src/attest/root-entries.ts';

test('a root is listed in the order of its file', () => {
  const entries = listRoot(publicGoodRoot());
  expect(entries.map(({ kind, uri }) => [kind, uri])).toEqual([
    ['certificate authority', 'https://fulcio.sigstore.dev'],
    ['certificate authority', 'https://fulcio.sigstore.dev'],
    ['certificate log', 'https://ctfe.sigstore.dev/test'],
    ['certificate log', 'https://ctfe.sigstore.dev/2022'],
    ['transparency log', 'https://rekor.sigstore.dev'],
    ['transparency log', 'https://log2025-1.rekor.sigstore.dev'],
    ['timestamp authority', 'https://timestamp.sigstore.dev/api/v1/timestamp'],
  ]);
  expect(entries.map(({ end }) => end !== undefined)).toEqual([
    true,
    false,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('a root that nothing could be verified with is not listed', () => {
  const text = Buffer.from(publicGoodRoot()).toString().replace('trustedroot+json', 'another+json');
  expect(() => listRoot(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'document.malformed' }));
});
