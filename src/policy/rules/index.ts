import type { Rule } from '../rule.ts';
import { attested } from './attested.ts';
import { baseImage } from './base-image.ts';
import { components } from './components.ts';
import { deny } from './deny.ts';
import { expressions } from './expressions.ts';
import { kernels } from './kernels.ts';
import { licenses } from './licenses.ts';
import { llvmRule } from './llvm.ts';
import { provenance } from './provenance.ts';
import { sbom } from './sbom.ts';
import { signed } from './signed.ts';
import { vsa } from './vsa.ts';
import { vulnerabilities } from './vulnerabilities.ts';

/**
 * Every rule, in the order in which findings are reported. A new one joins here, and `fixtures/rules/<name>/`
 * shows it at work.
 */
export const rules: readonly Rule[] = [
  deny,
  signed,
  provenance,
  vsa,
  baseImage,
  sbom,
  llvmRule,
  kernels,
  components,
  licenses,
  vulnerabilities,
  attested,
  expressions,
];
