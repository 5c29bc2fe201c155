import { expect, test } from 'vitest';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import { TcfError } from '../../src/base/error.ts';
import { jsonBytes, type Loose } from '../support/key-bundle.ts';
import { newSigstore } from '../support/sigstore.ts';
import { changedAt, leaves } from '../support/tamper.ts';

/* Every field of a trusted root that decides something has to be there, and has to be readable. */

const genuine: Loose = JSON.parse(Buffer.from(newSigstore().trustedRoot).toString());

/** Names and addresses of authorities are for people; the algorithm of hashes is always SHA-256. */
const forPeople = /subject|uri$|hashAlgorithm/;
const paths = [...leaves(genuine)].map((path) => path.join('.')).filter((path) => !forPeople.test(path));

test('the root as it is can be read', () => {
  expect(parseTrustedRoot(jsonBytes(genuine)).material.tlogs).toHaveLength(2);
});

test.for(paths)('%s has to be there, and to be what it should be', (path) => {
  // Any text may be the address of a log: it is compared with the origin of a checkpoint, and nothing is
  // fetched from it.
  const wrong = path.endsWith('baseUrl') ? [undefined, 7] : [undefined, 7, '', '***'];
  for (const value of wrong) {
    expect(isTrusted(jsonBytes(changedAt(genuine, path.split('.'), () => value)))).toBe(false);
  }
});

/** Whether every entry counts; a changed one is skipped or ends the reading. */
function isTrusted(bytes: Uint8Array): boolean {
  try {
    return parseTrustedRoot(bytes).skipped.length === 0;
  } catch (error) {
    if (error instanceof TcfError) {
      return false;
    }
    throw error;
  }
}
