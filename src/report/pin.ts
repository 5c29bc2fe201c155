import { printable } from '../base/text.ts';

/** The LLVM that a release of Triton pins, in the names of the data file. */
export interface PinnedRelease {
  readonly distribution: string;
  readonly triton_version: string;
  readonly role: string;
  readonly llvm_commit: string;
  readonly llvm_repository?: string;
  readonly llvm_version?: string;
}

/** One line, without a line feed. */
export function formatPin(pin: PinnedRelease): string {
  const { distribution, llvm_commit, llvm_repository, llvm_version, role, triton_version } = pin;
  const where = llvm_repository === undefined ? 'of an unknown repository' : `of ${llvm_repository}`;
  const version = llvm_version === undefined ? '' : ` (${llvm_version})`;
  return printable(`${distribution} ${triton_version} ${role}: ${llvm_commit} ${where}${version}`, 400);
}
