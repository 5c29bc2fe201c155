import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publicGoodRoot, publicGoodSigningConfigs } from '../../../src/attest/public-good.ts';
import { knownRepositories } from '../../../src/attest/tuf/anchors.ts';
import {
  type Download,
  newRepository,
  type SigningConfigName,
  update,
} from '../../../src/attest/tuf/update.ts';

/* What the public Sigstore instance served on 2026-08-21, and tcf's own anchors. */

const folder = join(import.meta.dirname, '../../../fixtures/sigstore/tuf');
const data = (name: string) => readFileSync(join(import.meta.dirname, '../../../src/attest/data', name));
const served: Readonly<Record<string, Uint8Array>> = Object.fromEntries([
  ...[
    '13.root.json',
    '14.root.json',
    '15.root.json',
    'timestamp.json',
    '165.snapshot.json',
    '14.targets.json',
  ].map((name) => [name, readFileSync(join(folder, name))] as const),
  ...[
    [
      '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66.trusted_root.json',
      'trusted-root.json',
    ],
    [
      '9711a6d5375706957a4859af31c5866a4474f81f0544f9f4b76c9c4f4c8a539c.signing_config.v0.2.json',
      'signing-config.json',
    ],
    [
      '0f5f38554e29e770d4d5d6f0e1b51fcbf84f61dc6934530a09b7a901eaad5bee.signing_config_rekor_v2.v0.2.json',
      'signing-config-rekor-2.json',
    ],
  ].map(([path = '', name = '']) => [`targets/${path}`, data(name)] as const),
]);
const download: Download = async (path) => served[path];
const persist = async () => {};
const accept = () => {};
const read = (name: string) => served[name] ?? Buffer.of();

test.for([
  ['the root that tcf carries', knownRepositories.sigstore.anchor()],
  ['an older root', read('13.root.json')],
] as const)(
  'from %s on leads to the trusted root and the signing configs that tcf carries',
  async ([, anchor]) => {
    const now = new Date('2026-08-22T12:00:00Z');
    const state = await update(newRepository(anchor), { download, accept, now, persist });
    expect(Buffer.compare(state.trustedRoot?.bytes ?? Buffer.of(), publicGoodRoot())).toBe(0);
    for (const [name, bytes] of Object.entries(publicGoodSigningConfigs())) {
      expect(
        Buffer.from(state.trustedRoot?.signingConfigs[name as SigningConfigName] ?? []).equals(bytes),
      ).toBe(true);
    }
    expect(state).toMatchObject({ root: { version: 15 }, timestamp: { version: 762 } });
  },
);

test('a week later the recording is a frozen mirror', async () => {
  const now = new Date('2026-08-28T19:25:56Z');
  await expect(
    update(newRepository(read('15.root.json')), { download, accept, now, persist }),
  ).rejects.toMatchObject({
    code: 'tuf.expired',
    message: expect.stringContaining('timestamp'),
  });
});

test.for(Object.entries(knownRepositories))(
  'the anchor of %s is signed by its own keys',
  ([, { anchor }]) => {
    expect(newRepository(anchor()).root.roles.root.threshold).toBe(3);
  },
);
