import { printable } from '../../base/text.ts';
import type { Skipped, Tree } from '../contract.ts';
import { parseStanzas } from './deb822.ts';
import type { Deb } from './packages.ts';

/** What apt records beside dpkg: which packages only came because another one needs them (apt-mark(8)). */
export const extendedStates = 'var/lib/apt/extended_states';

/**
 * Whether a package came automatically; `undefined` for all where apt keeps no record. apt files packages for
 * all architectures under the native one.
 */
export function automaticIn(
  tree: Tree,
  native: string,
  skipped: Skipped[],
): (deb: Deb) => boolean | undefined {
  const file = tree.file(extendedStates);
  if (file === undefined) {
    return () => undefined;
  }
  const path = printable(file.path);
  const content = file.content();
  if (content === undefined) {
    skipped.push({ path, reason: 'is too large to read' });
    return () => undefined;
  }
  const automatic = new Set<string>();
  for (const { fields, faults } of parseStanzas(Buffer.from(content).toString('utf8'))) {
    for (const fault of faults) {
      skipped.push({ path, reason: fault });
    }
    if (fields.get('auto-installed') === '1') {
      automatic.add(`${fields.get('package')}:${fields.get('architecture')}`);
    }
  }
  return ({ name, architecture }) =>
    automatic.has(`${name}:${architecture === 'all' ? native : architecture}`);
}
