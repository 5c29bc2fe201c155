import { readFileSync } from 'node:fs';
import { parseState } from '../../src/attest/tuf/state.ts';
import { openTrustStore } from '../../src/sigstore/trust/store.ts';

/*
 * Keeps the state that stands in a file, over and over, each time a second newer: something to kill in the
 * middle of a write.
 */

const [folder = '', file = ''] = process.argv.slice(2);
const state = parseState(readFileSync(file), 'corp', undefined);
const { trustedRoot } = state.repository;
if (trustedRoot === undefined) {
  throw new Error('the state has no trusted root');
}
const store = openTrustStore(folder);
for (let second = 1; ; second += 1) {
  const refreshedAt = new Date(Number(trustedRoot.refreshedAt) + second * 1000);
  await store.keep('corp', {
    ...state,
    repository: { ...state.repository, trustedRoot: { ...trustedRoot, refreshedAt } },
  });
  process.stdout.write(`${second}\n`);
}
