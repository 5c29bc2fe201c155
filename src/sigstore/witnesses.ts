import { rekor2Witness, rekorWitness } from './rekor.ts';
import type { Services } from './services.ts';
import type { SigningServices } from './signing-config.ts';
import { timestampWitness } from './timestamp.ts';
import type { Witness } from './witness.ts';

/** The witnesses of a signature. They are asked at once, while the certificate is fresh. */
export function toWitnesses({ timestamps, logs }: SigningServices, services: Services): readonly Witness[] {
  return [
    ...timestamps.map((url) => timestampWitness(url, services)),
    ...logs.map(({ url, version }) => (version === 2 ? rekor2Witness : rekorWitness)(url, services)),
  ];
}
