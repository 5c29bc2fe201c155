import { newKey } from './sigstore/authority.ts';
import type { TestTuf } from './tuf.ts';

const other = Buffer.from('{"second": 2}');

/** The same metadata with a line feed for a blank: every signature holds, and only the hash is another. */
const respaced = (bytes?: Uint8Array) => Buffer.from(String(bytes).replace('": ', '":\n'));

const strangers = [newKey(), newKey()];

/** What a mirror does after a client has seen version 1 of everything, and what the client says to it. */
export const attacks: readonly (readonly [string, (tuf: TestTuf) => void, string])[] = [
  ['a root by strangers', (tuf) => tuf.publishRoot({}, { signers: { root: strangers } }), 'tuf.signatures'],
  [
    'a root that only its own new keys sign',
    (tuf) => tuf.publishRoot({ root: { keys: strangers, threshold: 2 } }, { signers: { root: strangers } }),
    'tuf.signatures',
  ],
  [
    'a root that its new keys do not sign',
    (tuf) => {
      const old = tuf.setup.root.keys;
      tuf.publishRoot({ root: { keys: strangers, threshold: 2 } }, { signers: { root: old } });
    },
    'tuf.signatures',
  ],
  [
    'a root below its threshold',
    (tuf) => tuf.publishRoot({}, { signers: { root: tuf.setup.root.keys.slice(0, 1) } }),
    'tuf.signatures',
  ],
  ['an old root under a new name', (tuf) => tuf.files.set('2.root.json', tuf.anchor), 'tuf.rollback'],
  [
    'a root that passes over a version',
    (tuf) => {
      tuf.publishRoot({}, { versions: { root: 3 } });
      tuf.files.set('2.root.json', tuf.files.get('3.root.json') ?? Buffer.of());
    },
    'tuf.rollback',
  ],
  ['a last root that has expired', (tuf) => tuf.publishRoot({}, { life: { root: -1000 } }), 'tuf.expired'],
  [
    'a root that expires this very moment',
    (tuf) => tuf.publishRoot({}, { life: { root: 0 } }),
    'tuf.expired',
  ],
  ['a timestamp by strangers', (tuf) => tuf.publish({ signers: { timestamp: strangers } }), 'tuf.signatures'],
  ['a snapshot by strangers', (tuf) => tuf.publish({ signers: { snapshot: strangers } }), 'tuf.signatures'],
  ['targets by strangers', (tuf) => tuf.publish({ signers: { targets: strangers } }), 'tuf.signatures'],
  [
    'targets signed by the online key',
    (tuf) => tuf.publish({ signers: { targets: tuf.setup.snapshot.keys } }),
    'tuf.signatures',
  ],
  [
    'targets below their threshold',
    (tuf) => tuf.publish({ signers: { targets: tuf.setup.targets.keys.slice(1) } }),
    'tuf.signatures',
  ],
  ['an expired timestamp', (tuf) => tuf.publish({ life: { timestamp: -1000 } }), 'tuf.expired'],
  ['an expired snapshot', (tuf) => tuf.publish({ life: { snapshot: -1000 } }), 'tuf.expired'],
  ['expired targets', (tuf) => tuf.publish({ life: { targets: -1000 } }), 'tuf.expired'],
  [
    'another target than the one announced',
    (tuf) => {
      for (const path of tuf.files.keys()) {
        if (path.startsWith('targets/')) {
          tuf.files.set(path, other);
        }
      }
      tuf.publish({ target: Buffer.from('new') });
      for (const path of tuf.files.keys()) {
        if (path.startsWith('targets/')) {
          tuf.files.set(path, Buffer.from('old'));
        }
      }
    },
    'tuf.content',
  ],
  [
    'a snapshot that is not the announced one',
    (tuf) => {
      tuf.publish();
      tuf.files.set('2.snapshot.json', respaced(tuf.files.get('2.snapshot.json')));
    },
    'tuf.content',
  ],
  [
    'targets that are not the announced ones',
    (tuf) => {
      tuf.publish();
      tuf.files.set('2.targets.json', respaced(tuf.files.get('2.targets.json')));
    },
    'tuf.content',
  ],
  [
    'an older snapshot where no hashes are announced (mix and match)',
    (tuf) => {
      const old = tuf.files.get('1.snapshot.json') ?? Buffer.of();
      tuf.publish({ edit: { timestamp: (signed) => (signed.meta['snapshot.json'] = { version: 2 }) } });
      tuf.files.set('2.snapshot.json', old);
    },
    'tuf.mixed',
  ],
  [
    'older targets where no hashes are announced (mix and match)',
    (tuf) => {
      const old = tuf.files.get('1.targets.json') ?? Buffer.of();
      tuf.publish({ edit: { snapshot: (signed) => (signed.meta['targets.json'] = { version: 2 }) } });
      tuf.files.set('2.targets.json', old);
    },
    'tuf.mixed',
  ],
  [
    'a snapshot that lists fewer files',
    (tuf) => tuf.publish({ edit: { snapshot: (signed) => delete signed.meta['other.json'] } }),
    'tuf.rollback',
  ],
  [
    'a snapshot without targets, where none were known',
    (tuf) =>
      tuf.publish({ edit: { snapshot: (signed) => (signed.meta = { 'other.json': { version: 1 } }) } }),
    'tuf.rollback',
  ],
  [
    'targets without a trusted root',
    (tuf) => tuf.publish({ edit: { targets: (signed) => (signed.targets = {}) } }),
    'tuf.no-target',
  ],
  ['a missing timestamp', (tuf) => tuf.files.delete('timestamp.json'), 'tuf.missing'],
  [
    'a missing snapshot',
    (tuf) => {
      tuf.publish();
      tuf.files.delete('2.snapshot.json');
    },
    'tuf.missing',
  ],
  [
    'a timestamp in place of the snapshot, signed by a key that both roles share',
    (tuf) => {
      tuf.publishRoot({ snapshot: tuf.setup.timestamp });
      tuf.publish({ edit: { timestamp: (signed) => (signed.meta['snapshot.json'] = { version: 2 }) } });
      tuf.files.set('2.snapshot.json', tuf.files.get('timestamp.json') ?? Buffer.of());
    },
    'document.malformed',
  ],
];
