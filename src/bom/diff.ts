import { byCodeUnit } from '../base/text.ts';
import { type PurlParts, readPurl } from './purl.ts';
import type { SbomComponent, SbomFacts } from './read.ts';

/**
 * What differs between two documents. Components stand in the order of their keys, so the same two documents
 * give the same diff.
 */
export interface BomDiff {
  readonly old: SbomFacts;
  readonly new: SbomFacts;
  readonly added: readonly SbomComponent[];
  readonly removed: readonly SbomComponent[];
  readonly changed: readonly Change[];
  readonly unchanged: number;
}

export interface Change {
  readonly before: SbomComponent;
  readonly after: SbomComponent;
  /** At least one, in this order. `content` is named where the version stayed and the hashes did not. */
  readonly aspects: readonly Aspect[];
}

export const aspects = ['version', 'pin', 'content', 'licenses'] as const;
export type Aspect = (typeof aspects)[number];

/**
 * Compares two documents component by component. Two components are the same one in another state where they
 * agree in type and name of the package: the purl without version and qualifiers, the role of an LLVM,
 * otherwise the name. Where one package stands several times, in two environments or for two architectures,
 * each is paired with the one most like it before any other.
 */
export function diffBoms(before: SbomFacts, after: SbomFacts): BomDiff {
  const old = Map.groupBy(before.components.map(toEntry), ({ key }) => key);
  const now = Map.groupBy(after.components.map(toEntry), ({ key }) => key);
  const added: SbomComponent[] = [];
  const removed: SbomComponent[] = [];
  const changed: Change[] = [];
  let unchanged = 0;
  for (const key of [...new Set([...old.keys(), ...now.keys()])].sort(byCodeUnit)) {
    const matched = pairUp(old.get(key) ?? [], now.get(key) ?? []);
    added.push(...matched.added.map(({ component }) => component));
    removed.push(...matched.removed.map(({ component }) => component));
    for (const [one, other] of matched.pairs) {
      const differing = aspectsOf(one, other);
      if (differing.length === 0) {
        unchanged += 1;
      } else {
        changed.push({ before: one.component, after: other.component, aspects: differing });
      }
    }
  }
  return { old: before, new: after, added, removed, changed, unchanged };
}

/** Whether the diff says that the two documents list the same. */
export function isEmptyDiff({ added, changed, removed }: BomDiff): boolean {
  return added.length + changed.length + removed.length === 0;
}

/** `core`, `amd-codegen`, `nvidia-codegen`, ...: docs/llvm.md. */
export function llvmRoleOf(component: SbomComponent): string | undefined {
  return component.properties['tcf:llvm:role'];
}

/** A component with what it is compared by; reading a purl takes longer than everything else here. */
interface Entry {
  readonly component: SbomComponent;
  readonly key: string;
  readonly architecture: string;
}

function toEntry(component: SbomComponent): Entry {
  const parts = readPurl(component.purl ?? '');
  return { component, key: keyOf(component, parts), architecture: parts?.qualifiers?.['arch'] ?? '' };
}

/**
 * Nothing that changes from one release to the next may be part of it: an LLVM of a fork is still the LLVM of
 * Triton.
 */
function keyOf(component: SbomComponent, purl: PurlParts | undefined): string {
  const role = llvmRoleOf(component);
  if (role !== undefined) {
    return `llvm\0${role}`;
  }
  if (component.type === 'operating-system') {
    return 'operating-system';
  }
  if (purl === undefined) {
    return `${component.type}\0${component.name}`;
  }
  const { name, namespace = '', subpath = '', type } = purl;
  return ['purl', type, namespace, name, subpath].join('\0');
}

/**
 * From the closest resemblance to the loosest. One pass over a hash table each: a hostile document repeats
 * one name 200,000 times.
 */
const resemblances: readonly ((entry: Entry) => string)[] = [
  ({ architecture, component }) => [component.version, architecture, component.location].join('\0'),
  ({ architecture, component }) => [component.version, architecture].join('\0'),
  ({ architecture, component }) => [architecture, component.location].join('\0'),
  ({ architecture }) => architecture,
  () => '',
];

function pairUp(
  old: readonly Entry[],
  now: readonly Entry[],
): {
  readonly pairs: readonly (readonly [Entry, Entry])[];
  readonly added: readonly Entry[];
  readonly removed: readonly Entry[];
} {
  const pairs: (readonly [Entry, Entry])[] = [];
  let removed = sorted(old);
  let added = sorted(now);
  for (const resemblance of resemblances) {
    if (removed.length === 0 || added.length === 0) {
      break;
    }
    const waiting = Map.groupBy([...removed].reverse(), resemblance);
    const found = new Set<Entry>();
    added = added.filter((entry) => {
      const partner = waiting.get(resemblance(entry))?.pop();
      if (partner === undefined) {
        return true;
      }
      pairs.push([partner, entry]);
      found.add(partner);
      return false;
    });
    removed = removed.filter((entry) => !found.has(entry));
  }
  return { pairs, added, removed };
}

/**
 * By content, so that the order of a document changes nothing. Most packages stand once and need no order.
 */
function sorted(entries: readonly Entry[]): readonly Entry[] {
  if (entries.length < 2) {
    return entries;
  }
  const texts = new Map(entries.map((entry) => [entry, JSON.stringify(entry.component)]));
  return [...entries].sort((a, b) => byCodeUnit(texts.get(a) ?? '', texts.get(b) ?? ''));
}

function aspectsOf(before: Entry, after: Entry): readonly Aspect[] {
  const [old, now] = [before.component, after.component];
  const version = old.version !== now.version || before.architecture !== after.architecture;
  const differs: Readonly<Record<Aspect, boolean>> = {
    version,
    pin: pinOf(old) !== pinOf(now),
    content: !version && contentDiffers(old, now),
    licenses: !sameSet(old.licenses, now.licenses),
  };
  return aspects.filter((aspect) => differs[aspect]);
}

/** What a reader is told about the pin of an LLVM; another way of finding it does not change the pin. */
function pinOf({ properties }: SbomComponent): string {
  const [declared = '', observed = '', repository = ''] = ['declared', 'observed', 'repository'].map((name) =>
    (properties[`tcf:llvm:${name}`] ?? '').replaceAll(/ by .*$/gm, ''),
  );
  return [properties['tcf:llvm:pin'], declared, observed, repository].join('\0');
}

/**
 * Hashes are compared where both sides have one of the same bytes: `tcf:hash:subject` says of which they are.
 */
function contentDiffers(before: SbomComponent, after: SbomComponent): boolean {
  if (before.properties['tcf:hash:subject'] !== after.properties['tcf:hash:subject']) {
    return false;
  }
  const algorithms = (component: SbomComponent) => component.hashes.map((hash) => hash.split(' ')[0] ?? '');
  return sameSet(algorithms(before), algorithms(after)) && !sameSet(before.hashes, after.hashes);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...a].sort(byCodeUnit)) === JSON.stringify([...b].sort(byCodeUnit));
}
