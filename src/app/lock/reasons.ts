import type { Stanza } from '../../catalogers/dpkg/deb822.ts';

/**
 * Why each package is there: the one on the shortest way from what was asked for. Packages that were asked
 * for have no reason but that.
 *
 * @param asked names; what provides one of them counts as it.
 */
export function packageReasons(
  stanzas: readonly Stanza[],
  asked: readonly string[],
): ReadonlyMap<string, string> {
  const providers = new Map<string, string>();
  const needs = new Map<string, readonly string[]>();
  for (const { fields } of stanzas) {
    const name = fields.get('package') ?? '';
    for (const provided of namesIn(fields.get('provides'))) {
      providers.set(provided, providers.get(provided) ?? name);
    }
    needs.set(name, [...namesIn(fields.get('pre-depends')), ...namesIn(fields.get('depends'))]);
  }
  const toPackage = (name: string): string | undefined => (needs.has(name) ? name : providers.get(name));
  const reasons = new Map<string, string>();
  const roots = asked.flatMap((name) => toPackage(name) ?? []);
  const seen = new Set(roots);
  // A list that grows while it is walked: breadth first, so that the way is a shortest one.
  const queue = [...seen];
  for (const name of queue) {
    for (const needed of (needs.get(name) ?? []).flatMap((each) => toPackage(each) ?? [])) {
      if (!seen.has(needed)) {
        seen.add(needed);
        reasons.set(needed, name);
        queue.push(needed);
      }
    }
  }
  return reasons;
}

/** The names in a field such as Depends, of alternatives all of them (Debian Policy 7.1). */
function namesIn(field = ''): readonly string[] {
  return field
    .split(/[,|]/)
    .map((part) => /^\s*([A-Za-z0-9][A-Za-z0-9.+-]*)/.exec(part)?.[1] ?? '')
    .filter((name) => name !== '');
}
