import type { Command } from 'commander';
import type { OwnFlags } from '../launch/arguments.ts';
import type { NameKind } from '../report/completion/call.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Options } from './options/bag.ts';

/**
 * What follows `tcf NAME`, or `tcf GROUP NAME`. A module in this folder exports it as `verb` and stands in an
 * `index.ts`.
 */
export interface Verb {
  /** Adds arguments, options and examples to the command. */
  declare(command: Command): void;
  /** What `run` reads itself, in place of options, for a verb that leaves its words to an engine. */
  readonly flags?: OwnFlags;
  /** What its words name, where a shell can find that on this machine; files otherwise. */
  readonly names?: NameKind;
  run(host: Host, args: readonly (string | undefined)[], options: Options): Promise<ExitCode>;
}

/** A verb before it is loaded: `tcf verify` must not pay for what `tcf sbom` needs. */
export interface VerbEntry {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Not in the list of `--help`: called by a runtime and not by a person. */
  readonly hidden?: true;
  readonly load: () => Promise<{ readonly verb: Verb } | { readonly actions: readonly VerbEntry[] }>;
}
