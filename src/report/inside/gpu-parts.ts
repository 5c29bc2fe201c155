import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { readPurl } from '../../bom/purl.ts';

/** What of an image is for GPUs. */
export interface GpuParts {
  readonly cuda: readonly ContentItem[];
  readonly rocm: readonly ContentItem[];
  /** Compiled by Triton before the image was shipped. */
  readonly kernels: readonly ContentItem[];
}

/**
 * Names of packages as NVIDIA and AMD give them, in every ecosystem. For people to look at: nothing is
 * decided by them.
 */
const cudaName =
  /^(?:nvidia-|cuda(?:$|[-_.\d])|libcu(?:blas|da|dart|dnn|fft|pti|rand|solver|sparse|tensor)|libn(?:ccl|vjit|vrtc)|ptxas|nvcc|cuobjdump|nvdisasm|nvlink|fatbinary|libdevice|tensorrt|cupti)/i;
const rocmName =
  /^(?:rocm|hip(?:$|[-_a-z])|roc(?:blas|fft|rand|solver|sparse|tx|tracer|prof)|hsa-|amd-bitcode|ockl|ocml|migraphx|miopen|rccl|comgr|libamd)/i;

export function gpuPartsOf({ items }: BomContents): GpuParts {
  const isKernel = ({ component }: ContentItem) => component.properties['tcf:kernel:kind'] !== undefined;
  const kernels = items.filter(isKernel);
  const others = items.filter((item) => !isKernel(item) && !isLlvm(item));
  return {
    cuda: others.filter((item) => isOf(item, 'nvidia', cudaName)),
    rocm: others.filter((item) => !isOf(item, 'nvidia', cudaName) && isOf(item, 'amd', rocmName)),
    kernels,
  };
}

function isOf({ component, kind }: ContentItem, maker: string, name: RegExp): boolean {
  return (
    (kind === 'generic' && readPurl(component.purl ?? '')?.namespace === maker) || name.test(component.name)
  );
}

export function isLlvm({ component }: ContentItem): boolean {
  return component.properties['tcf:llvm:role'] !== undefined;
}
