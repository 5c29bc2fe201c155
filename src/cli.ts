import { Command, CommanderError } from 'commander';
import { closest } from './base/closest.ts';
import { compact } from './base/compact.ts';
import { askedWrongly, TcfError } from './base/error.ts';
import { printable, quoted } from './base/text.ts';
import { declareVerb, formatExamples } from './commands/declare.ts';
import { verbs } from './commands/index.ts';
import { flag } from './commands/options/bag.ts';
import type { Verb, VerbEntry } from './commands/verb.ts';
import { formatDiagnostic } from './report/diagnostics.ts';
import { isSystemError, systemWords } from './system/errors.ts';
import type { ExitCode, Host } from './system/host.ts';
import { quieted } from './system/quiet.ts';
import { textWidth } from './system/terminal.ts';
import { version } from './version.ts';

/**
 * The whole command line: arguments to exit code. This is the one place where an error becomes an exit code,
 * so "no" (1, returned by a verb) and "cannot tell" (2, thrown) can never share a path (CVE-2025-25204).
 */
export async function main(argv: readonly string[], host: Host): Promise<ExitCode> {
  try {
    return await dispatch(argv, host);
  } catch (error) {
    const exit = await report(error, host);
    // podman and docker keep 125 for "the engine itself failed"; whoever wraps them expects it of us too.
    return ['run', 'up', 'exec'].includes(argv[0] ?? '') ? 125 : exit;
  }
}

async function dispatch(argv: readonly string[], host: Host): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-V') {
    await host.stdout.write(`tcf ${version}\n`);
    return 0;
  }
  const isHelp = name === undefined || ['--help', '-h', 'help'].includes(name);
  if (!isHelp) {
    return await callNamed({ path: 'tcf', entries: verbs, what: 'verb' }, argv, host);
  }
  if (name === 'help' && rest.length > 0) {
    return await dispatch([...rest, '--help'], host);
  }
  await host.stdout.write(help());
  return name === undefined ? 3 : 0;
}

/** Verbs that have a word before them in common. */
interface Group {
  /** `tcf`, or `tcf log`. */
  readonly path: string;
  readonly entries: readonly VerbEntry[];
  readonly what: 'action' | 'verb';
}

async function callNamed(
  { entries, path, what }: Group,
  argv: readonly string[],
  host: Host,
): Promise<ExitCode> {
  const [name = '', ...rest] = argv;
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) {
    const near = closest(name, namesOf(entries));
    const asked = name === '' ? `${path} needs an ${what}` : `${path} has no ${what} ${quoted(name)}`;
    throw askedWrongly(`cli.${what}`, asked, {
      hint: near === undefined ? `${path} --help lists the ${what}s` : `did you mean ${path} ${near}?`,
    });
  }
  const loaded = await entry.load();
  const own = `${path} ${entry.name}`;
  if ('verb' in loaded) {
    return await callVerb(own, entry, loaded.verb, rest, host);
  }
  if (rest[0] !== '--help' && rest[0] !== '-h') {
    return await callNamed({ path: own, entries: loaded.actions, what: 'action' }, rest, host);
  }
  await host.stdout.write(groupHelp(own, entry, loaded.actions));
  return 0;
}

async function callVerb(
  path: string,
  { hidden, summary, usage }: VerbEntry,
  verb: Verb,
  args: readonly string[],
  host: Host,
): Promise<ExitCode> {
  let shown = '';
  const command = new Command(path)
    .summary(summary)
    .description(summary)
    .usage(usage)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        shown += text;
      },
      writeErr: () => {},
      getOutHelpWidth: () => textWidth(host.stdout),
    });
  declareVerb(command, verb, hidden);
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    if (error.exitCode === 0) {
      // After the first line, which says what is typed.
      const [usage = '', rest = ''] = shown.split(/\n\n(.*)/s);
      await host.stdout.write(`${usage}\n\n${formatExamples(path)}${rest}`);
      return 0;
    }
    const said = error.message.replace(/^error: /, '');
    const near = nearestOption(said, command);
    throw askedWrongly('cli.usage', said, {
      hint:
        near === undefined ? `${path} --help` : `did you mean --${near}? ${path} --help lists the options`,
    });
  }
  const options = command.opts();
  return await verb.run(flag(options, 'quiet') ? quieted(host) : host, command.args, options);
}

/** For an option that there is none of, the one that was most likely meant, without its dashes. */
function nearestOption(said: string, { options }: Command): string | undefined {
  const unknown = /^unknown option '--([^'=]+)/.exec(said)?.[1];
  return unknown === undefined
    ? undefined
    : closest(unknown, ['help', ...options.flatMap(({ long }) => long?.slice(2) ?? [])]);
}

function namesOf(entries: readonly VerbEntry[]): readonly string[] {
  return entries.filter(({ hidden }) => !hidden).map(({ name }) => name);
}

function groupHelp(path: string, { summary, usage }: VerbEntry, actions: readonly VerbEntry[]): string {
  const shown = actions.filter(({ hidden }) => !hidden);
  const calls = shown.map((action) => `${action.name} ${action.usage}`.trim());
  const width = Math.max(...calls.map(({ length }) => length)) + 2;
  const lines = shown.map((action, at) => `  ${(calls[at] ?? '').padEnd(width)}${action.summary}`);
  return [
    `Usage: ${path} ${usage}`,
    '',
    summary,
    '',
    'Actions:',
    ...lines,
    '',
    `${path} ACTION --help says more.`,
    '',
  ].join('\n');
}

function help(): string {
  const lines = [
    'Usage: tcf VERB [arguments]',
    '',
    'Triton Container First: SBOM, signature and policy for Triton dev images.',
  ];
  for (const group of ['Everyday', 'More'] as const) {
    lines.push('', `${group}:`);
    for (const verb of verbs.filter((one) => one.group === group && !one.hidden)) {
      lines.push(`  ${verb.name.padEnd(15)}${verb.summary}`);
    }
  }
  lines.push(
    '',
    'IMAGE is docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, dir:PATH,',
    'containers-storage:REF, docker-daemon:REF, or a bare REF.',
    'Exit codes: 0 yes, 1 no, 2 cannot tell, 3 asked wrongly. tcf help VERB says more.',
    '',
  );
  return lines.join('\n');
}

/** `cannot open "/home/ann/policy.yaml": permission denied (EACCES)`. */
function systemReason(error: NodeJS.ErrnoException): string {
  const where = error.path === undefined ? '' : ` ${quoted(error.path)}`;
  return `cannot ${error.syscall}${where}: ${systemWords(error)}`;
}

/** What an error says on standard error, and the exit code that it ends with. */
function described(error: unknown): { readonly exit: ExitCode; readonly text: string } {
  if (error instanceof TcfError) {
    const { code, exit, hint, message } = error;
    return { exit, text: formatDiagnostic(compact({ level: 'error', code, message, hint })) };
  }
  // Whatever the operating system refuses (a full disk, a folder that went away, too many open files) is said
  // in its words, and is no fault of ours.
  if (isSystemError(error)) {
    return { exit: 2, text: `tcf: error: ${printable(systemReason(error), 2000)}\n` };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // Messages of the system hold names of files, and a project may have chosen those.
  const lines = detail.split('\n').map((line) => printable(line, 2000));
  return {
    exit: 2,
    text: `tcf: error: this is a fault in tcf ${version}\n${lines.join('\n')}\ntcf: hint: please report it with the lines above\n`,
  };
}

async function report(error: unknown, host: Host): Promise<ExitCode> {
  const { exit, text } = described(error);
  // Where nobody can be told, the exit code still says it.
  await host.stderr.write(text).catch(() => undefined);
  return exit;
}
