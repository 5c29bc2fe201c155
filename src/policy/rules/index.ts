import type { Rule } from '../rule.ts';
import { components } from './components.ts';
import { deny } from './deny.ts';
import { llvm } from './llvm.ts';
import { sbom } from './sbom.ts';
import { signed } from './signed.ts';

/** Every rule, in the order in which findings are reported. A new one joins here, and `fixtures/rules/<name>/` shows it at work. */
export const rules: readonly Rule[] = [deny, signed, sbom, llvm, components];
