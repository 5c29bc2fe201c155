import { compact } from '../../base/compact.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { isLlvm } from './gpu-parts.ts';

/** One LLVM of an image, as docs/llvm.md says it; `core` is the one that Triton is linked with. */
export interface LlvmFacts {
  readonly item: ContentItem;
  readonly role: string;
  readonly pin: string;
  /** `f6ded0be... by release-table`, each. */
  readonly declared: readonly string[];
  readonly observed: readonly string[];
  readonly repository?: string;
  /** Why the pin is a mismatch, or unknown. */
  readonly reason?: string;
  readonly overrides: readonly string[];
}

/** What a pin means, in a few words. */
const pinWords: Readonly<Record<string, string>> = {
  match: 'as pinned',
  'version-match': 'the pinned version, its commit not seen',
  mismatch: 'NOT as pinned',
  'observed-only': 'seen, with no pin to compare',
  unknown: 'not known',
};

/** Those of Triton first. */
export function llvmFactsOf({ items }: BomContents): readonly LlvmFacts[] {
  return items
    .filter(isLlvm)
    .map(factsOf)
    .sort((a, b) => Number(b.role === 'core') - Number(a.role === 'core'));
}

function factsOf(item: ContentItem): LlvmFacts {
  const { properties } = item.component;
  const values = (name: string): readonly string[] =>
    properties[`tcf:llvm:${name}`]?.split('\n').filter((value) => value !== '') ?? [];
  return compact({
    item,
    role: values('role')[0] ?? 'other',
    pin: values('pin')[0] ?? 'unknown',
    declared: values('declared'),
    observed: values('observed'),
    repository: values('repository')[0],
    reason: values('conflict')[0] ?? values('reason')[0],
    overrides: values('override'),
  });
}

export function wordOfPin(pin: string): string {
  return Object.hasOwn(pinWords, pin) ? (pinWords[pin] ?? pin) : pin;
}

/** The sign of a pin, as that of a finding: `✓`, `✗`, `?`. */
export function signOfPin(pin: string): '?' | '✓' | '✗' {
  if (pin === 'match') {
    return '✓';
  }
  return pin === 'mismatch' ? '✗' : '?';
}
