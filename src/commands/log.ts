import type { Command } from 'commander';
import { askedWrongly } from '../base/error.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { parseDigest } from '../oci/digest.ts';
import { parseDecision } from '../report/decision-entry.ts';
import type { ExitCode, Host } from './host.ts';
import { checkLog, entryNumbers, readEntry } from './shared/decision-log.ts';
import { flag, type Options, textOption, type Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'show: what was decided, the latest last; verify: whether entries were changed or removed',
      )
      .option('--last <count>', 'show: only so many')
      .option('--json', 'show: the entries as they are, one a line')
      .option(
        '--head <digest>',
        'verify: the digest that an earlier "tcf log verify" printed must be among them',
      );
  },
  async run(host, [action], options): Promise<ExitCode> {
    if (action === 'show') return await show(host, options);
    if (action === 'verify') return await verify(host, options);
    throw askedWrongly('log.action', `tcf log does not know ${quoted(String(action))}`, {
      hint: 'tcf log show, or tcf log verify',
    });
  },
};

async function show(host: Host, options: Options): Promise<ExitCode> {
  const numbers = await entryNumbers(host);
  for (const number of numbers.slice(-readCount(options))) {
    const text = await readEntry(host, number);
    if (flag(options, 'json')) await host.stdout.write(text);
    else await host.stdout.write(line(text, number));
  }
  return 0;
}

function line(text: string, number: number): string {
  const { asked, at, image, reasons, verb: by, verdict } = parseDecision(text, `entry ${number}`);
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
  await host.stdout.write(`${plural(log.count, 'decision')} in an unbroken chain${end}\n`);
  return 0;
}

function readCount(options: Options): number {
  const text = textOption(options, 'last');
  if (text === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw askedWrongly('log.last', `${quoted(text)} is not a number of entries`);
}
