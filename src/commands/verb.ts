import type { Command } from 'commander';
import type { Options } from '../app/options.ts';
import type { ExitCode, Host } from '../system/host.ts';

/** One verb of the command line, or one action of a verb. A module in this folder exports it as `verb` and stands in `index.ts`. */
export interface Verb {
  /** Adds arguments, options and examples to the command. */
  declare(command: Command): void;
  run(host: Host, args: readonly (string | undefined)[], options: Options): Promise<ExitCode>;
}

/** An action of a verb, with arguments, options and help of its own: `tcf hook install`. */
export interface Action extends Verb {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Called by programs, not by people: the help does not list it. */
  readonly hidden?: boolean;
}

/** A verb whose first word says what is done. */
export interface ActionVerb {
  readonly actions: readonly Action[];
}
