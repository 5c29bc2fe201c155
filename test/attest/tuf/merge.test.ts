import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { merge } from '../../../src/attest/tuf/merge.ts';
import { newRepository, type TufRepository, update } from '../../../src/attest/tuf/update.ts';
import { ed25519Key, TestTuf } from '../../support/tuf.ts';

const now = new Date('2026-11-23T12:00:00Z');
const tuf = new TestTuf(Buffer.from('{}'), now);
/** Every state that a client passes on its way through six publications and two roots. */
const states: TufRepository[] = [newRepository(tuf.anchor)];

beforeAll(async () => {
  let known = newRepository(tuf.anchor);
  for (let step = 0; step < 6; step += 1) {
    if (step % 2 === 1) {
      tuf.publish({ target: Buffer.from(`{"step": ${step}}`) });
    }
    if (step === 2) {
      tuf.publishRoot();
    }
    if (step === 4) {
      tuf.publishRoot({ timestamp: { keys: [ed25519Key()], threshold: 1 } });
    }
    if (step === 4) {
      tuf.publish();
    }
    const persist = async (state: TufRepository) => void states.push(state);
    known = await update(known, {
      download: tuf.download,
      accept: () => {},
      now: new Date(Number(now) + step * 1000),
      persist,
    });
  }
});

const versions = (state: TufRepository) => [
  state.root.version,
  state.timestamp?.version,
  state.snapshot?.version,
  state.targets?.version,
  state.trustedRoot?.refreshedAt,
];

test('what is merged is at least as new as each part, in any order, and merging again adds nothing', () => {
  const any = fc.nat(states.length - 1).map((index) => states[index] ?? newRepository(tuf.anchor));
  fc.assert(
    fc.property(any, any, (one, other) => {
      const both = merge(one, other);
      expect(versions(merge(other, one))).toEqual(versions(both));
      expect(versions(merge(both, one))).toEqual(versions(both));
      expect(versions(merge(one, one))).toEqual(versions(one));
    }),
    { seed: 20261128 },
  );
});

test('the state that was reached last is what all of them together are', () => {
  const last = states.at(-1) ?? newRepository(tuf.anchor);
  expect(versions(states.reduce(merge))).toEqual(versions(last));
  expect(versions(states.toReversed().reduce(merge))).toEqual(versions(last));
});
