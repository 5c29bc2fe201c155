import { expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { jsonBytes, type Loose, testKey } from '../support/key-bundle.ts';
import { loggedBundle, testLog } from '../support/log.ts';

/* Numbers from 2^53 on: a double stands for several of them, and a proof is about one. */

const large = '9007199254740993';
const members: readonly (readonly [string, (entry: Loose) => Loose])[] = [
  ['logIndex', (entry) => entry],
  ['integratedTime', (entry) => entry],
  ['logIndex', (entry) => entry.inclusionProof],
  ['treeSize', (entry) => entry.inclusionProof],
];

function bundleWith(set: (entry: Loose) => void): Uint8Array {
  const bundle = loggedBundle(testKey(), testLog());
  const [entry] = bundle.verificationMaterial.tlogEntries;
  entry.inclusionProof ??= {
    logIndex: '0',
    treeSize: '1',
    rootHash: Buffer.alloc(32).toString('base64'),
    hashes: [],
    checkpoint: { envelope: 'a checkpoint' },
  };
  set(entry);
  return jsonBytes(bundle);
}

function read(bytes: Uint8Array): string {
  const outcome = parseBundle(bytes);
  return outcome.ok
    ? JSON.stringify(outcome.value.entries, (_, value) => (value instanceof Uint8Array ? undefined : value))
    : outcome.reason.message;
}

test.for(members)('%s keeps every digit, and has 64 bits', ([name, at]) => {
  const asText = bundleWith((entry) => void Object.assign(at(entry), { [name]: large }));
  const asNumber = Buffer.from(asText).toString().replace(`"${large}"`, large);
  for (const bytes of [asText, encodeUtf8(asNumber)]) {
    expect(read(bytes)).toContain(`"${name}":"${large}"`);
  }
  for (const beyond of ['9223372036854775808', '1e20', '-9007199254740993']) {
    const bytes = encodeUtf8(asNumber.replace(large, beyond));
    expect(read(bytes)).toMatch(new RegExp(`${name} is not a whole number of 64 bits`));
  }
});
