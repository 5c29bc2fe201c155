import type { Command } from 'commander';
import type { Verb } from './verb.ts';

/** Declares all options of a verb: its own, and those that every verb has. */
export function declareVerb(command: Command, verb: Verb, hidden?: boolean): void {
  verb.declare(command);
  // What runtimes call, and whoever leaves its words to an engine, reads its own flags.
  if (!hidden && verb.flags === undefined) {
    command.option('--quiet', 'print nothing on standard error but errors; the exit code says the rest');
  }
}
