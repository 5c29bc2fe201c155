import { compact } from '../base/compact.ts';
import { Shape } from '../base/shape.ts';
import { ownedBy } from './layout.ts';
import { readPurl } from './purl.ts';
import { parseSbom, type SbomComponent, type SbomFacts } from './read.ts';

/**
 * A CycloneDX document as people look at it: every component once, with where it lies, who brought it and
 * what it needs. Claims of its author, as `SbomFacts` are.
 */
export interface BomContents extends SbomFacts {
  readonly items: readonly ContentItem[];
  /** The layers that occurrences name, lowest first. */
  readonly layers: readonly NamedLayer[];
  /** Properties of the document and of its subject. Values of one name stand in their order. */
  readonly about: ReadonlyMap<string, readonly string[]>;
  /**
   * Items that nothing in the document needs or has inside, apart from the image and its operating system.
   */
  readonly roots: readonly number[];
}

export interface ContentItem {
  /** Its place in `items`; others name it by that. */
  readonly index: number;
  readonly component: SbomComponent;
  /** The type of its purl: `deb`, `pypi`; the type of the component where it has none. */
  readonly kind: string;
  /** What is concluded, else what is declared; in place of a text without a name too. */
  readonly licenses: readonly string[];
  /** The lowest layer in which any of it was seen. */
  readonly layer?: number;
  readonly origin?: 'added' | 'base';
  /** Bytes, by the word of a package database. */
  readonly size?: number;
  /** The item in which it lies. */
  readonly owner?: number;
  /** Places in the image; the first ones where there are many. */
  readonly locations: readonly string[];
  /** `undefined` where the document says nothing of its dependencies, which is not "none". */
  readonly needs?: readonly number[];
}

export interface NamedLayer {
  readonly index: number;
  readonly diffId: string;
  /** The build step, as far as the document has it. */
  readonly step?: string;
}

const maxComponents = 200_000;
const maxEntries = 10_000;
const maxEdges = 200_000;
const maxLocations = 5;

/**
 * Reads what `parseSbom` reads, and how the components hang together. Edges to nothing are passed over.
 *
 * @throws TcfError as `parseSbom`.
 */
export function parseBomContents(value: unknown, what: string): BomContents {
  const facts = parseSbom(value, what);
  const bom = new Shape(value, what);
  const root = bom.optional('metadata')?.optional('component');
  const placed = [...(root === undefined ? [] : placedIn(root)), ...placedIn(bom)];
  const layers = new Map<number, NamedLayer>();
  const read = placed.map(({ shape }, index) => readItem(shape, facts.components[index], layers));
  const byRef = new Map<string, number>();
  for (const [index, { component }] of read.entries()) {
    if (component.bomRef !== undefined && !byRef.has(component.bomRef)) {
      byRef.set(component.bomRef, index);
    }
  }
  const needs = readNeeds(bom, byRef);
  const items = read.map((item, index): ContentItem => {
    const named = byRef.get(item.component.properties[ownedBy] ?? '');
    const owner = placed[index]?.owner ?? (named === index ? undefined : named);
    return { ...item, index, ...compact({ owner, needs: needs.get(index) }) };
  });
  return {
    ...facts,
    items,
    layers: [...layers.values()].sort((a, b) => a.index - b.index),
    about: new Map([...readProperties(bom), ...(root === undefined ? [] : readProperties(root))]),
    roots: rootsOf(items),
  };
}

interface Placed {
  readonly shape: Shape;
  readonly owner?: number;
}

/** In the order of `SbomFacts.components`: each before what is nested in it. */
function placedIn(parent: Shape): readonly Placed[] {
  const found: Placed[] = [];
  const walk = (shape: Shape, owner: number | undefined): void => {
    for (const child of shape.optional('components')?.list(maxComponents) ?? []) {
      found.push(compact({ shape: child, owner }));
      walk(child, found.length - 1);
    }
  };
  walk(parent, undefined);
  return found;
}

function readItem(
  shape: Shape,
  component: SbomComponent = { type: '', name: '', properties: {}, licenses: [], hashes: [] },
  layers: Map<number, NamedLayer>,
): Omit<ContentItem, 'index'> {
  const occurrences = shape.optional('evidence')?.optional('occurrences')?.list(maxComponents) ?? [];
  const seen = occurrences.flatMap((occurrence) => readLayer(occurrence) ?? []);
  for (const layer of seen) {
    layers.set(layer.index, layer);
  }
  const origin = component.properties['tcf:origin'];
  const size = component.properties['tcf:size'];
  return {
    component,
    kind: readPurl(component.purl ?? '')?.type ?? component.type,
    licenses: readLicenses(shape) ?? component.licenses,
    locations: occurrences.slice(0, maxLocations).map((one) => one.get('location').string()),
    ...(seen.length === 0 ? {} : { layer: Math.min(...seen.map(({ index }) => index)) }),
    ...(origin === 'base' || origin === 'added' ? { origin } : {}),
    ...(size !== undefined && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
  };
}

/** `layer 3 sha256:...: RUN pip install torch`, as tcf writes it; others say it in their own ways. */
function readLayer(occurrence: Shape): NamedLayer | undefined {
  const context = occurrence.optional('additionalContext')?.string() ?? '';
  const [, index, diffId = '', step] = /^layer (\d{1,6}) (\w+:[0-9a-f]+)(?:: (.*))?$/s.exec(context) ?? [];
  return index === undefined ? undefined : compact({ index: Number(index), diffId, step });
}

/**
 * Those of the component itself; what stands in its evidence was declared beside them, and says more to
 * people than the digest of a text that is on no list.
 */
function readLicenses(component: Shape): readonly string[] | undefined {
  const own = licensesIn(component);
  const evidence = component.optional('evidence');
  const declared = evidence === undefined ? [] : licensesIn(evidence);
  const isText = own.length > 0 && own.every((license) => license.startsWith('LicenseRef-tcf-'));
  const texts = isText && declared.length > 0 ? declared : own;
  return texts.length === 0 ? undefined : texts;
}

function licensesIn(owner: Shape): readonly string[] {
  const entries = owner.optional('licenses')?.list(maxEntries) ?? [];
  const texts = entries.map((entry) => {
    const expression = entry.optional('expression');
    const license = expression === undefined ? entry.get('license') : undefined;
    return (expression ?? license?.optional('id') ?? license?.get('name'))?.string() ?? '';
  });
  return [...new Set(texts)];
}

function readNeeds(bom: Shape, byRef: ReadonlyMap<string, number>): ReadonlyMap<number, readonly number[]> {
  const needs = new Map<number, Set<number>>();
  for (const entry of bom.optional('dependencies')?.list(maxEdges) ?? []) {
    const from = byRef.get(entry.get('ref').string());
    const to = entry.optional('dependsOn')?.list(maxEdges) ?? [];
    if (from === undefined) {
      continue;
    }
    const found = needs.get(from) ?? new Set();
    needs.set(from, found);
    for (const ref of to) {
      const at = byRef.get(ref.string());
      if (at !== undefined && at !== from) {
        found.add(at);
      }
    }
  }
  return new Map([...needs].map(([from, found]) => [from, [...found]]));
}

function readProperties(owner: Shape): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const property of owner.optional('properties')?.list(maxComponents) ?? []) {
    const name = property.get('name').string();
    const known = values.get(name) ?? [];
    known.push(property.optional('value')?.string() ?? '');
    values.set(name, known);
  }
  return values;
}

/** The operating system leads to every package of it, which makes none of them less of a beginning. */
function rootsOf(items: readonly ContentItem[]): readonly number[] {
  const reached = new Set(
    items.filter(({ component }) => component.type !== 'operating-system').flatMap(({ needs = [] }) => needs),
  );
  return items
    .filter(
      ({ component, index, owner }) =>
        !reached.has(index) && owner === undefined && component.type !== 'operating-system',
    )
    .map(({ index }) => index);
}
