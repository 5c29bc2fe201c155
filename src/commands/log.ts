import type { Command } from 'commander';
import { checkLog, entryNumbers, type ReadEntry, readEntry } from '../app/decision-log.ts';
import { archiveLog, type Kept, pruneLog } from '../app/log-upkeep.ts';
import { flag, type Options, textOption } from '../app/options.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { parseDigest } from '../oci/digest.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'show: what was decided, the latest last; verify: whether entries were changed or removed; prune: take old ones away; archive: keep a broken log under another name and begin a new one',
      )
      .option('--last <count>', 'show: only so many')
      .option('--json', 'show: the entries as they are, one a line')
      .option('--keep <count>', 'prune: keep so many of the latest decisions')
      .option('--before <date>', 'prune: take away what is older, such as 2026-01-31')
      .option(
        '--head <digest>',
        'verify: the digest that an earlier "tcf log verify" printed must be among them',
      );
  },
  async run(host, [action], options): Promise<ExitCode> {
    if (action === 'show') return await show(host, options);
    if (action === 'verify') return await verify(host, options);
    if (action === 'prune') return await prune(host, options);
    if (action === 'archive') return await archive(host);
    throw askedWrongly('log.action', `tcf log does not know ${quoted(String(action))}`, {
      hint: 'tcf log show, tcf log verify, tcf log prune, or tcf log archive',
    });
  },
};

async function show(host: Host, options: Options): Promise<ExitCode> {
  const numbers = entryNumbers(host);
  let exit: ExitCode = 0;
  for (const number of numbers.slice(-readCount(options))) {
    try {
      const entry = await readEntry(host, number);
      await host.stdout.write(flag(options, 'json') ? entry.text : line(entry, number));
    } catch (error) {
      // One entry that cannot be read does not hide the others.
      if (!(error instanceof TcfError)) throw error;
      await host.stderr.write(`tcf: error: ${printable(error.message, 2000)}\n`);
      if (exit === 0) await host.stderr.write(`tcf: hint: ${error.hint ?? 'tcf log archive'}\n`);
      exit = 2;
    }
  }
  return exit;
}

async function archive(host: Host): Promise<ExitCode> {
  const path = await archiveLog(host);
  await host.stdout.write(`the old log is ${printable(path)}; the next decision begins a new one\n`);
  return 0;
}

function line({ logged }: ReadEntry, number: number): string {
  if (logged.kind === 'pruning') {
    const { at, pruned, uid } = logged.entry;
    return `${number} ${printable(at)} pruned by user ${uid}, up to entry ${pruned.sequence}, ${pruned.digest}\n`;
  }
  const { asked, at, image, reasons, verb: by, verdict } = logged.entry;
  const name = image === undefined || image === asked ? asked : `${asked} (${image})`;
  const why = reasons.map((reason) => `\n    ${printable(reason, 1000)}`).join('');
  return `${number} ${printable(at)} ${verdict} ${printable(by)} ${printable(name, 1000)}${why}\n`;
}

async function verify(host: Host, options: Options): Promise<ExitCode> {
  const head = textOption(options, 'head');
  const log = await checkLog(host, head === undefined ? undefined : parseDigest(head));
  if ('broken' in log) {
    await host.stderr.write(`tcf: the log was changed at ${log.broken}\n`);
    return 1;
  }
  if (!log.hasWanted) {
    await host.stderr.write(`tcf: the log has no entry ${head}: it was cut off or begun anew\n`);
    return 1;
  }
  const end = log.end === undefined ? '' : `, the last is ${log.end.digest}`;
  const { pruning } = log;
  const begin =
    pruning === undefined
      ? ''
      : `, pruned up to entry ${pruning.pruned.sequence} at ${printable(pruning.at)}`;
  await host.stdout.write(`${plural(log.count, 'decision')} in an unbroken chain${begin}${end}\n`);
  return 0;
}

async function prune(host: Host, options: Options): Promise<ExitCode> {
  const log = await pruneLog(host, readKept(options));
  if ('broken' in log) {
    await host.stderr.write(`tcf: the log was changed at ${log.broken}; nothing was taken away\n`);
    return 1;
  }
  const end = log.end === undefined ? '' : `, the last is ${log.end.digest}`;
  const what =
    log.pruned === undefined
      ? 'nothing'
      : `${plural(log.count, 'entry', 'entries')} up to ${log.pruned.digest}`;
  await host.stdout.write(`took away ${what}${end}\n`);
  return 0;
}

function readKept(options: Options): Kept {
  const keep = textOption(options, 'keep');
  const before = textOption(options, 'before');
  if ((keep === undefined) === (before === undefined)) {
    throw askedWrongly('log.prune', 'say what is to stay', {
      hint: 'give one of --keep COUNT and --before DATE',
    });
  }
  if (before === undefined) return { keep: toCount(keep ?? '') };
  const from = new Date(before);
  if (/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(before) && !Number.isNaN(Number(from))) return { from };
  throw askedWrongly('log.before', `${quoted(before)} is no date`, {
    hint: 'write 2026-01-31, or 2026-01-31T12:00:00Z',
  });
}

function readCount(options: Options): number {
  const text = textOption(options, 'last');
  if (text === undefined) return Number.MAX_SAFE_INTEGER;
  return toCount(text);
}

function toCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw askedWrongly('log.last', `${quoted(text)} is not a number of entries`);
}
