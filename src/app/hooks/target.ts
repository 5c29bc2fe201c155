import type { HookCall } from '../../launch/oci-hook.ts';
import type { Host } from '../../system/host.ts';
import type { Options } from '../options.ts';

/** A runtime that asks tcf before it starts something. */
export interface HookTarget {
  readonly name: string;
  /** What stays uncovered, one sentence each: a hook is a net, and this is how large its holes are. */
  readonly gaps: readonly string[];
  /** Puts the hook in place, over an older one of tcf. Returns what was written and what is left to do, one line each. */
  install(host: Host, call: HookCall, options: Options): Promise<readonly string[]>;
  /** Looks whether the hook is in force, and proves it by letting it deny something harmless. */
  status(host: Host, options: Options): Promise<readonly HookFinding[]>;
  /** Takes away what `install` wrote. Returns what is gone, one line each. */
  uninstall(host: Host, options: Options): Promise<readonly string[]>;
}

export interface HookFinding {
  readonly ok: boolean;
  readonly message: string;
  /** What to do where it is not ok. */
  readonly mend?: string;
}

export const fine = (message: string): HookFinding => ({ ok: true, message });
export const broken = (message: string, mend: string): HookFinding => ({ ok: false, message, mend });
