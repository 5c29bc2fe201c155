import { byCodeUnit } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { type GpuParts, gpuPartsOf } from './gpu-parts.ts';
import { type LlvmFacts, llvmFactsOf } from './llvm-facts.ts';

/** An image at a glance. */
export interface Overview {
  /** The most frequent first. */
  readonly kinds: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
  /** Absent where the document does not tell base and rest apart. */
  readonly origins?: { readonly base: number; readonly added: number };
  readonly llvms: readonly LlvmFacts[];
  readonly gpu: GpuParts;
  readonly licenses: readonly LicenseUse[];
  /** Components of which no licence is known. */
  readonly unlicensed: number;
  readonly doubts: Doubts;
}

export interface LicenseUse {
  /** An SPDX expression, or the name that a packager gave. */
  readonly license: string;
  readonly items: readonly ContentItem[];
}

/** What the document itself says that it does not know. */
export interface Doubts {
  readonly complete: boolean | undefined;
  readonly skipped: readonly string[];
  readonly skippedCount: number;
  readonly leftOut: readonly string[];
  readonly leftOutCount: number;
  readonly unowned: readonly string[];
  readonly unownedCount: number;
}

export function overviewOf(contents: BomContents): Overview {
  const { items } = contents;
  const base = items.filter(({ origin }) => origin === 'base').length;
  const added = items.filter(({ origin }) => origin === 'added').length;
  return {
    kinds: kindsOf(items),
    ...(base + added === 0 ? {} : { origins: { base, added } }),
    llvms: llvmFactsOf(contents),
    gpu: gpuPartsOf(contents),
    licenses: licenseUses(items),
    unlicensed: items.filter(({ licenses }) => licenses.length === 0).length,
    doubts: doubtsOf(contents),
  };
}

function kindsOf(items: readonly ContentItem[]): Overview['kinds'] {
  return [...Map.groupBy(items, ({ kind }) => kind)]
    .map(([kind, group]) => ({ kind, count: group.length, bytes: packageBytes(group) }))
    .sort((a, b) => b.count - a.count || byCodeUnit(a.kind, b.kind));
}

/** What lies in another item is counted with that. */
export function packageBytes(items: readonly ContentItem[]): number {
  return items.reduce((sum, { owner, size = 0 }) => sum + (owner === undefined ? size : 0), 0);
}

/**
 * The most frequent first. Several statements about one component are one: nobody said how they go together.
 */
export function licenseUses(items: readonly ContentItem[]): readonly LicenseUse[] {
  const known = items.filter(({ licenses }) => licenses.length > 0);
  return [...Map.groupBy(known, ({ licenses }) => licenses.join('; '))]
    .map(([license, group]) => ({ license, items: group }))
    .sort((a, b) => b.items.length - a.items.length || byCodeUnit(a.license, b.license));
}

function doubtsOf({ about, complete }: BomContents): Doubts {
  const valuesOf = (name: string): readonly string[] => about.get(name) ?? [];
  const countOf = (name: string): number => {
    const said = valuesOf(`${name}:count`)[0];
    return said !== undefined && /^\d{1,9}$/.test(said) ? Number(said) : valuesOf(name).length;
  };
  return {
    complete,
    skipped: valuesOf('tcf:skipped'),
    skippedCount: countOf('tcf:skipped'),
    leftOut: valuesOf('tcf:left-out'),
    leftOutCount: countOf('tcf:left-out'),
    unowned: valuesOf('tcf:unowned-executable'),
    unownedCount: countOf('tcf:unowned-executable'),
  };
}
