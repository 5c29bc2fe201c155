import { formatBytes } from '../../base/size.ts';
import { byCodeUnit, plural, printable } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { cut } from './overview-text.ts';

/** A line of a tree with what hangs below it. */
export interface TreeNode {
  readonly label: string;
  readonly item?: ContentItem;
  /** What hangs below stands higher up already. */
  readonly isRepeated?: true;
  readonly children: readonly TreeNode[];
}

export const treeOrders = ['dependency', 'layer', 'owner'] as const;
export type TreeOrder = (typeof treeOrders)[number];

/** `torch 2.5.1 (pypi)`. */
function labelOf({ component, kind }: ContentItem): string {
  const version = component.version === undefined ? '' : ` ${printable(component.version, 80)}`;
  return `${printable(component.name, 120)}${version} (${printable(kind, 40)})`;
}

const byLabel = (a: ContentItem, b: ContentItem): number =>
  byCodeUnit(a.component.name, b.component.name) || a.index - b.index;

export function toTree(contents: BomContents, order: TreeOrder): readonly TreeNode[] {
  return { dependency: byDependency, layer: byLayer, owner: byOwner }[order](contents);
}

/**
 * What needs what, from what nothing else needs; what is needed in a circle only comes last. Each item is
 * unfolded once, with the operating system left out: it needs every package of its own.
 */
function byDependency(contents: BomContents): readonly TreeNode[] {
  const unfolded = new Set<ContentItem>();
  const grow = growing(contents.items, ({ needs = [] }) => needs, unfolded);
  const roots = contents.roots.flatMap((index) => contents.items[index] ?? []).sort(byLabel);
  const others = contents.items.filter(({ owner }) => owner === undefined).sort(byLabel);
  return forest([...roots, ...others.filter(isNoSystem)], grow, unfolded);
}

const isNoSystem = ({ component }: ContentItem): boolean => component.type !== 'operating-system';

/** One tree after the other; what stands in one already begins none. */
function forest(
  roots: readonly ContentItem[],
  grow: (item: ContentItem) => TreeNode,
  unfolded: ReadonlySet<ContentItem>,
): readonly TreeNode[] {
  return roots.flatMap((item) => (unfolded.has(item) ? [] : [grow(item)]));
}

function byOwner({ items }: BomContents): readonly TreeNode[] {
  const owned = Map.groupBy(items, ({ owner }) => owner);
  const unfolded = new Set<ContentItem>();
  const grow = growing(items, ({ index }) => (owned.get(index) ?? []).map((item) => item.index), unfolded);
  // A document may have items that lie in one another.
  return forest([...(owned.get(undefined) ?? []).sort(byLabel), ...[...items].sort(byLabel)], grow, unfolded);
}

function byLayer({ items, layers }: BomContents): readonly TreeNode[] {
  const groups = Map.groupBy(items, ({ layer }) => layer);
  const leaves = (group: readonly ContentItem[] = []) =>
    [...group].sort(byLabel).map((item): TreeNode => ({ label: labelOf(item), item, children: [] }));
  const nodes = layers.map(({ index, step }): TreeNode => {
    const group = groups.get(index) ?? [];
    const build = step === undefined ? '' : `: ${printable(step, 160)}`;
    return { label: `layer ${index}${build}`, children: leaves(group) };
  });
  const nowhere = groups.get(undefined) ?? [];
  return nowhere.length === 0 ? nodes : [...nodes, { label: 'in no known layer', children: leaves(nowhere) }];
}

/**
 * Who wants the items of a name, and who wants those, up to what nothing needs. `undefined` where nothing has
 * that name.
 */
export function toWhyTree({ items }: BomContents, name: string): readonly TreeNode[] | undefined {
  const wanted = items.filter(({ component }) => component.name === name || component.purl === name);
  if (wanted.length === 0) {
    return undefined;
  }
  const users = new Map<number, number[]>();
  for (const { component, index, needs = [], owner } of items) {
    const below = component.type === 'operating-system' ? [] : needs;
    for (const need of below) {
      users.set(need, [...(users.get(need) ?? []), index]);
    }
    if (owner !== undefined && items[owner]?.component.type !== 'operating-system') {
      users.set(index, [...(users.get(index) ?? []), owner]);
    }
  }
  const grow = growing(items, ({ index }) => [...new Set(users.get(index) ?? [])], new Set());
  return wanted.sort(byLabel).map(grow);
}

/**
 * Deeper than this no tree helps anybody, and a hostile document has chains of 200,000; they go on where the
 * item is looked at by itself.
 */
const maxDepth = 100;

function growing(
  items: readonly ContentItem[],
  below: (item: ContentItem) => readonly number[],
  unfolded: Set<ContentItem>,
): (item: ContentItem) => TreeNode {
  const grow = (item: ContentItem, depth: number): TreeNode => {
    const next = below(item).flatMap((index) => items[index] ?? []);
    const label = labelOf(item);
    if (next.length > 0 && (unfolded.has(item) || depth >= maxDepth)) {
      return { label, item, isRepeated: true, children: [] };
    }
    unfolded.add(item);
    return { label, item, children: [...next].sort(byLabel).map((one) => grow(one, depth + 1)) };
  };
  return (item) => grow(item, 0);
}

/** The tree in lines of at most `columns`; below `depth` levels what hangs there is counted. */
export function formatTree(nodes: readonly TreeNode[], columns: number, depth: number): string {
  const lines: string[] = [];
  const walk = (node: TreeNode, indent: string, branch: string, level: number): void => {
    const size = node.item?.size === undefined ? '' : `  ${formatBytes(node.item.size)}`;
    const isCut = level >= depth && node.children.length > 0;
    const more = isCut ? `  … ${plural(node.children.length, 'entry', 'entries')} below` : '';
    lines.push(cut(`${indent}${branch}${node.label}${size}${node.isRepeated ? ' …' : ''}${more}`, columns));
    if (isCut) {
      return;
    }
    const inner = level === 0 ? '' : `${indent}${branch === '└─ ' ? '   ' : '│  '}`;
    for (const [at, child] of node.children.entries()) {
      walk(child, inner, at === node.children.length - 1 ? '└─ ' : '├─ ', level + 1);
    }
  };
  for (const node of nodes) {
    walk(node, '', '', 0);
  }
  return lines.map((line) => `${line}\n`).join('');
}

interface JsonTree {
  readonly name: string;
  readonly version?: string | undefined;
  readonly purl?: string | undefined;
  readonly repeated?: true | undefined;
  readonly children: readonly JsonTree[];
}

/** The same for machines; a node that is no component has its label for a name. */
export function toTreeJson(nodes: readonly TreeNode[]): readonly JsonTree[] {
  return nodes.map(({ children, isRepeated, item, label }) => ({
    name: item?.component.name ?? label,
    version: item?.component.version,
    purl: item?.component.purl,
    repeated: isRepeated,
    children: toTreeJson(children),
  }));
}
