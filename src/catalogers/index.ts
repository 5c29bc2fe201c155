import { apk } from './apk.ts';
import { conda } from './conda.ts';
import type { Cataloger } from './contract.ts';
import { cudaTools } from './cuda-tools.ts';
import { dpkg } from './dpkg.ts';
import { llvm } from './llvm.ts';
import { npm } from './npm.ts';
import { osRelease } from './os-release.ts';
import { python } from './python.ts';
import { rpm } from './rpm.ts';
import { triton } from './triton.ts';

/** Every cataloger of tcf. A new one is one file, one fixture and one line here (docs/make-it-yours.md). */
export const catalogers: readonly Cataloger[] = [
  apk,
  conda,
  cudaTools,
  dpkg,
  llvm,
  npm,
  osRelease,
  python,
  rpm,
  triton,
];
