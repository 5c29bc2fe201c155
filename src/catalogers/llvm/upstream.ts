import type { Component } from '../../bom/model.ts';
import type { LlvmSource } from './properties.ts';
import type { Thing } from './things.ts';

export const upstream = 'llvm/llvm-project';
/** Repositories whose LLVM is the project's but for a few commits: Triton is built from both. */
const ofTriton: ReadonlySet<string> = new Set([upstream, 'triton-lang/llvm-project']);
/**
 * From this release on the licence is Apache-2.0 WITH LLVM-exception; before, the University of Illinois/NCSA
 * one (LLVM 9.0 release notes).
 */
const relicensed = 9;

/**
 * Whether upstream's CPE is this LLVM's: it was seen or known to be of the project, or Triton pins it. A
 * distribution patches its own and says so in its advisories; what a library of somebody else holds may be a
 * fork.
 */
export function isUpstream({ role }: Thing, source: LlvmSource | undefined): boolean {
  if (role === 'distro' || role === 'rocm') {
    return false;
  }
  return (source !== undefined && ofTriton.has(source.repository)) || isPinnable(role);
}

/**
 * Who answers for the code and under which licence it is, where the repository, the pin or the name of LLVM's
 * own library tells; nothing for an LLVM that is known by words in somebody else's file alone.
 */
export function makerOf(
  thing: Thing,
  source: LlvmSource | undefined,
  version: string | undefined,
): Pick<Component, 'licenses' | 'supplier'> {
  const isOwnLibrary = thing.claims.some(({ rung }) => rung === 'C' || rung === 'D' || rung === 'N');
  const known = source !== undefined || isPinnable(thing.role) || isOwnLibrary;
  const expression = known ? licenseOf(version) : undefined;
  const [owner = ''] = source?.repository.split('/') ?? [];
  return {
    ...(source === undefined
      ? {}
      : {
          supplier:
            source.repository === upstream
              ? { name: 'LLVM Project', url: 'https://llvm.org/' }
              : { name: owner, url: `https://github.com/${owner}` },
        }),
    ...(expression === undefined ? {} : { licenses: [{ acknowledgement: 'concluded', expression }] }),
  };
}

function licenseOf(version: string | undefined): string | undefined {
  const major = /^\d+/.exec(version ?? '')?.[0];
  if (major === undefined) {
    return undefined;
  }
  return Number(major) >= relicensed ? 'Apache-2.0 WITH LLVM-exception' : 'NCSA';
}

function isPinnable(role: Thing['role']): boolean {
  return role === 'amd-codegen' || role === 'cache' || role === 'core' || role === 'nvidia-codegen';
}
