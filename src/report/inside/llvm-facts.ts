import { compact } from '../../base/compact.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { isLlvm } from './gpu-parts.ts';

/** One LLVM of an image, as docs/llvm.md says it; `core` is the one that Triton is linked with. */
export interface LlvmFacts {
  readonly item: ContentItem;
  readonly role: string;
  readonly pin: string;
  /** `f6ded0be... by release-table`, each; `claimForPeople` says it in words. */
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

/** How something about an LLVM was learned (docs/llvm.md), in words. */
const methodWords: Readonly<Record<string, string>> = {
  'bare-version': 'a version that stands alone',
  'checkout-pin': 'the pin of the checkout',
  'codegen-revision': 'the revision in its code generator',
  'config-version': 'its configuration for CMake',
  'core-library': 'the name of its core library',
  'gsan-ident': 'an ident string of GSan',
  'lld-version': 'its lld',
  lookup: 'the commit, looked up',
  observation: 'its own word',
  'pins-file': 'a signed file of pins',
  'prebuilt-directory': 'the folder of the prebuilt package',
  'prebuilt-url': 'the address of the prebuilt package',
  'release-table': 'the table of Triton releases',
  soname: 'the name of its library',
  'tool-version': 'its tools',
  'vcs-revision': 'the revision in its headers',
  'version-and-commit': 'version and commit side by side',
  'version-literal': 'a version in the binary',
};

/**
 * `f6ded0be... by lld-version,tool-version` as `f6ded0be..., by its lld, its tools`. A method that nobody
 * knows stands as it is.
 */
export function claimForPeople(claim: string, short = false): string {
  const [, said = claim, methods = ''] = /^(.*?)(?: by ([\w,-]+))?$/s.exec(claim) ?? [];
  const words = methods
    .split(',')
    .filter((method) => method !== '')
    .map((method) => (Object.hasOwn(methodWords, method) ? methodWords[method] : method));
  const shown = short ? said.replace(/^([0-9a-f]{12})[0-9a-f]+$/, '$1') : said;
  return words.length === 0 ? shown : `${shown}, by ${words.join(', ')}`;
}

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
