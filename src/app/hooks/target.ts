import type { Diagnostic } from '../../base/diagnostic.ts';
import type { HookCall } from '../../launch/oci-hook.ts';
import type { Host } from '../../system/host.ts';
import type { HookPlace, StatusRequest } from './request.ts';

/** A runtime that asks tcf before it starts something. */
export interface HookTarget {
  readonly name: string;
  /** What stays uncovered. SECURITY.md has the same list, and each entry has a test that shows it. */
  readonly gaps: readonly Gap[];
  /**
   * Puts the hook in place, over an older one of tcf. Returns what was written and what is left to do, one
   * line each.
   */
  install(host: Host, call: HookCall, place: HookPlace): Promise<readonly string[]>;
  /**
   * Looks whether the hook is in force, and proves it by asking the runtime: something unsigned is refused,
   * something signed is not.
   */
  status(host: Host, request: StatusRequest): Promise<readonly Diagnostic[]>;
  /** Whether a hook of tcf is there at all. */
  isInstalled(host: Host, place: HookPlace): Promise<boolean>;
  /** Takes away what `install` wrote. Returns what is gone, one line each. */
  uninstall(host: Host, place: HookPlace): Promise<readonly string[]>;
}

/** One way around a hook. */
export interface Gap {
  /** By which the matrix of ways and the test name it. */
  readonly code: string;
  readonly text: string;
}

/** Whether the runtime, or a look, says that it is well. */
export const isProven = ({ level }: Diagnostic): boolean => level === 'ok';
