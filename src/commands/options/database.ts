import type { Command } from 'commander';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Options, textOption } from './bag.ts';

export function declareDatabase(command: Command): void {
  command.option('--db <file>', 'a database in place of the one that is kept (tcf db status)');
}

export function readDatabase(options: Options): string | undefined {
  return textOption(options, 'db');
}

/** A time that the user typed. @throws TcfError `db.taken` (exit 3). */
export function readTaken(options: Options): string | undefined {
  const text = textOption(options, 'taken');
  if (text === undefined) {
    return undefined;
  }
  const isTime =
    /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isTime) {
    throw askedWrongly('db.taken', `--taken ${quoted(text)} is not a time`, {
      hint: 'write 2026-11-30T00:00:00Z',
    });
  }
  return new Date(text).toISOString();
}
