import { printable } from '../base/text.ts';

/** Variables that make Triton use another LLVM, when it is built or when it runs. */
const llvmNames: ReadonlySet<string> = new Set([
  'LLVM_BUILD_PATH',
  'LLVM_COMMIT_HASH',
  'LLVM_INCLUDE_DIRS',
  'LLVM_LIBRARY_DIR',
  'LLVM_PROJECT_URL',
  'LLVM_SYSPATH',
  'TRITON_AMD_CODEGEN_PATH',
  'TRITON_LLVM_SYSTEM_SUFFIX',
  'TRITON_PLUGIN_DIRS',
  'TRITON_UNSAFE_DISABLE_SHA_CHECK',
]);

/** Variables that make Triton run another tool than the one it ships, by the tool's name. */
const toolNames: ReadonlyMap<string, string> = new Map([
  ['TRITON_CUOBJDUMP_PATH', 'cuobjdump'],
  ['TRITON_NVDISASM_PATH', 'nvdisasm'],
  ['TRITON_PTXAS_BLACKWELL_PATH', 'ptxas-blackwell'],
  ['TRITON_PTXAS_PATH', 'ptxas'],
]);

/** `NAME=value` of each variable that overrides Triton's LLVM, on one safe line. */
export function llvmOverrides(env: readonly string[]): readonly string[] {
  return env.filter((entry) => llvmNames.has(nameOf(entry))).map((entry) => printable(entry));
}

/** `NAME=value` of each variable that overrides one of Triton's tools; of all tools without a name. */
export function toolOverrides(env: readonly string[], tool?: string): readonly string[] {
  return env
    .filter((entry) => {
      const overridden = toolNames.get(nameOf(entry));
      return overridden !== undefined && (tool === undefined || overridden === tool);
    })
    .map((entry) => printable(entry));
}

/**
 * The absolute path a variable holds, without slashes at its ends. The last entry of a name counts, as for a
 * process.
 */
export function pathFrom(env: readonly string[], name: string): string | undefined {
  const value = env.findLast((entry) => nameOf(entry) === name)?.slice(name.length + 1) ?? '';
  const path = value.replace(/^\/+|\/+$/g, '');
  return value.startsWith('/') && path !== '' ? path : undefined;
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}
