import { amdBitcode } from './amd-bitcode.ts';
import { apk } from './apk.ts';
import { conda } from './conda.ts';
import type { Cataloger } from './contract.ts';
import { cudaTools } from './cuda-tools.ts';
import { dpkg } from './dpkg.ts';
import { elf } from './elf.ts';
import { goBinary } from './go-binary.ts';
import { gpuHeaders } from './gpu-headers.ts';
import { gpuToolkits } from './gpu-toolkits.ts';
import { builtInPins, type PinTable } from './llvm/pins.ts';
import { llvmCataloger } from './llvm.ts';
import { npm } from './npm.ts';
import { osRelease } from './os-release.ts';
import { pythonCataloger } from './python.ts';
import { rpm } from './rpm.ts';
import { rustBinary } from './rust-binary.ts';
import { triton } from './triton.ts';
import { tritonKernels } from './triton-kernels.ts';
import { others, packed } from './unread.ts';

/** Every cataloger of tcf. A new one is one file, one fixture and one line here (docs/make-it-yours.md). */
export const catalogersWith = (pins: PinTable): readonly Cataloger[] => [
  amdBitcode,
  apk,
  conda,
  cudaTools,
  dpkg,
  elf,
  goBinary,
  gpuHeaders,
  gpuToolkits,
  llvmCataloger(pins),
  npm,
  osRelease,
  others,
  packed,
  pythonCataloger(pins),
  rpm,
  rustBinary,
  triton,
  tritonKernels,
];

/** With the pins that tcf brings along. */
export const catalogers: readonly Cataloger[] = catalogersWith(builtInPins);
