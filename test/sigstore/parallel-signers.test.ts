import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatStatement, predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { attachBundle } from '../../src/sigstore/attach.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { VirtualClock } from '../support/clock.ts';
import type { TestRegistryOptions } from '../support/registry.ts';
import { openShelf } from '../support/signing.ts';

const signers = 10;
/** Signatures are lost within the first rounds or not at all; test/e2e has as many as people wait for. */
const rounds = 6;
/** Milliseconds that docker-registry was seen to need for an answer. */
const jitter = 15;

test.for<readonly [string, TestRegistryOptions]>([
  ['without ETags', {}],
  ['with ETags', { etags: true }],
])(
  'ten signers at once, six rounds, on a registry without the referrers API and %s: no signature is lost',
  { timeout: 120_000 },
  async ([, options]) => {
    const clock = new VirtualClock();
    const { sleep } = clock;
    await using shelf = await openShelf({ referrersApi: false, jitter, sleep, ...options });
    const { image, repository } = shelf;
    const sign = async () => {
      const statement = toStatement({
        subject: image.digest,
        name: 'dev',
        predicateType: predicateTypes.cyclonedx,
        predicate: { by: randomUUID() },
      });
      const { privateKey } = generateKeyPairSync('ed25519');
      const bundle = await signStatement(formatStatement(statement), keySigner(privateKey), []);
      // A client of its own, as another machine has.
      const registry = openRegistry({
        userAgent: 'tcf-test',
        allowHttp: true,
        timeouts: { idle: 30_000, document: 30_000 },
        sleep,
      });
      const { digest } = await attachBundle(registry, repository, image, {
        bundle,
        predicateType: predicateTypes.cyclonedx,
        now: new Date(),
      });
      return digest;
    };
    const attached: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      attached.push(...(await Promise.all(Array.from({ length: signers }, () => clock.run(sign)))));
      const listed = await shelf.registry.referrers(repository, image.digest);
      expect(listed.map(({ digest }) => digest).sort(), `round ${round}`).toEqual([...attached].sort());
    }
    const found = await discoverBundles(shelf.registry, repository, image.digest);
    expect(found.filter(({ ok }) => ok)).toHaveLength(signers * rounds);
    expect(attached).toHaveLength(signers * rounds);
  },
);
