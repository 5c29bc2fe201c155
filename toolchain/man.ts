import { Command, type Option } from 'commander';
import { declareVerb } from '../src/commands/declare.ts';
import { examples } from '../src/commands/examples.ts';
import { verbs } from '../src/commands/index.ts';
import type { Verb, VerbEntry } from '../src/commands/verb.ts';
import { execHelp, profileHelp, runHelp, upHelp } from '../src/report/start-help.ts';
import { version } from '../src/version.ts';

/*
 * Manual pages from the table of verbs: `tcf.1`, and one for each verb, with its actions. What stands in
 * `--help` stands here.
 */

/** When the text of a page was last looked at as a whole; the same bytes on any day. */
const revised = '2026-11-30';

/** Pages by file name. */
export async function manualPages(): Promise<ReadonlyMap<string, string>> {
  const shown = verbs.filter(({ hidden }) => !hidden);
  const pages = await Promise.all(
    shown.map(async (verb) => [`tcf-${verb.name}.1`, await verbPage(verb)] as const),
  );
  return new Map([['tcf.1', topPage(shown)], ...pages]);
}

const exits = `.SH EXIT STATUS
.TP
.B 0
yes
.TP
.B 1
no: tcf has looked, and the answer is no
.TP
.B 2
cannot tell
.TP
.B 3
asked wrongly
.PP
A verb that starts containers ends with the code of the container, and with
125 where nothing was started.
`;

function topPage(entries: readonly VerbEntry[]): string {
  const list = entries
    .map(({ name, summary }) => `.TP\n.BR tcf\\-${escaped(name)} (1)\n${line(summary)}\n`)
    .join('');
  return `${head('tcf', 'SBOM, signature and policy for Triton dev images')}.SH SYNOPSIS
.B tcf
.I VERB
.RI [ arguments ]
.SH DESCRIPTION
Writes the SBOM of an image, with the LLVM that Triton pins, signs image and
SBOM with Sigstore, and lets no container start before the image has passed a
policy.
.SH VERBS
${list}${exits}`;
}

async function verbPage(entry: VerbEntry): Promise<string> {
  const path = `tcf ${entry.name}`;
  const loaded = await entry.load();
  const actions = 'actions' in loaded ? loaded.actions.filter(({ hidden }) => !hidden) : [];
  const parts = 'verb' in loaded ? [section(path, loaded.verb)] : [];
  for (const action of actions) {
    const own = await action.load();
    const title = `${path} ${action.name}`;
    parts.push(`.SH ${title.toUpperCase().replaceAll('-', '\\-')}
.B ${escaped(title)}
${line(action.usage)}
.PP
${line(action.summary)}
${'verb' in own ? section(title, own.verb) : ''}`);
  }
  return `${head(`tcf-${entry.name}`, entry.summary)}.SH SYNOPSIS
.B ${escaped(path)}
${line(entry.usage)}
${parts.join('')}${exits}.SH SEE ALSO
.BR tcf (1)
`;
}

/** Examples and options of a verb or an action. */
function section(path: string, verb: Verb): string {
  const shown = (examples[path.replace(/^tcf /, '')] ?? []).map(
    ([call, what]) => `.TP\n.B tcf ${escaped(call)}\n${line(what)}\n`,
  );
  const under = path.split(' ').length > 2 ? 'SS' : 'SH';
  return `${shown.length === 0 ? '' : `.${under} EXAMPLES\n${shown.join('')}`}${optionsOf(path, verb, under)}`;
}

const ownHelp: Readonly<Record<string, readonly string[]>> = {
  'tcf run': [runHelp, profileHelp],
  'tcf up': [upHelp],
  'tcf exec': [execHelp],
};

function optionsOf(path: string, verb: Verb, under: string): string {
  if (verb.flags !== undefined) {
    const text = (ownHelp[path] ?? []).join('\n').trim().split('\n').map(verbatim).join('\n');
    return `.${under} OPTIONS\n.nf\n${text}\n.fi\n`;
  }
  const command = new Command();
  declareVerb(command, verb);
  const help = command.createHelp();
  const rows = command.options.map(
    (option: Option) => `.TP\n.B ${escaped(option.flags)}\n${line(help.optionDescription(option))}\n`,
  );
  return `.${under} OPTIONS\n${rows.join('')}`;
}

function head(name: string, summary: string): string {
  return `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 "${revised}" "tcf ${version}" "Triton Container First"
.SH NAME
${escaped(name)} \\- ${escaped(summary)}
`;
}

/**
 * A paragraph in lines that an editor shows whole. A dot or an apostrophe at the start would be a request.
 */
function line(text: string): string {
  const lines: string[] = [''];
  for (const word of escaped(text).split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length > 76) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    }
  }
  return lines.map((one) => one.replace(/^(?=[.'])/, '\\&')).join('\n');
}

/** A line of a text that is shown as it is. */
function verbatim(text: string): string {
  return escaped(text).replace(/^(?=[.'])/, '\\&');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
}
