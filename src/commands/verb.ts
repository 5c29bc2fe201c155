import type { Command } from 'commander';
import type { Options } from '../app/options.ts';
import type { ExitCode, Host } from '../system/host.ts';

/** One verb of the command line. A module in this folder exports it as `verb` and stands in `index.ts`. */
export interface Verb {
  /** Adds arguments, options and examples to the command. */
  declare(command: Command): void;
  run(host: Host, args: readonly (string | undefined)[], options: Options): Promise<ExitCode>;
}
