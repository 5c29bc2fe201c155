import { Command, CommanderError } from 'commander';
import { askedWrongly, TcfError } from './base/error.ts';
import { printable, quoted } from './base/text.ts';
import { type VerbEntry, verbs } from './commands/index.ts';
import type { Action } from './commands/verb.ts';
import { formatDiagnostic } from './report/diagnostics.ts';
import { isSystemError } from './system/errors.ts';
import type { ExitCode, Host } from './system/host.ts';
import { version } from './version.ts';

/**
 * The whole command line: arguments to exit code. This is the one place where an error becomes an exit code, so "no" (1, returned by
 * a verb) and "cannot tell" (2, thrown) can never share a path (CVE-2025-25204).
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
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    await host.stdout.write(help());
    return name === undefined ? 3 : 0;
  }
  if (name === '--version' || name === '-V') {
    await host.stdout.write(`tcf ${version}\n`);
    return 0;
  }
  const entry = verbs.find((verb) => verb.name === name);
  if (entry === undefined) {
    throw askedWrongly('cli.verb', `tcf has no verb ${quoted(name)}`, { hint: 'tcf --help lists the verbs' });
  }
  return await callVerb(entry, rest, host);
}

async function callVerb(entry: VerbEntry, args: readonly string[], host: Host): Promise<ExitCode> {
  const { verb } = await entry.load();
  if (!('actions' in verb)) return await callCommand({ ...entry, ...verb }, args, host);
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    await host.stdout.write(actionHelp(entry, verb.actions));
    return name === undefined ? 3 : 0;
  }
  const action = verb.actions.find((candidate) => candidate.name === name);
  if (action !== undefined)
    return await callCommand({ ...action, name: `${entry.name} ${name}` }, rest, host);
  const known = verb.actions.flatMap((one) => (one.hidden ? [] : one.name));
  throw askedWrongly('cli.action', `tcf ${entry.name} does not know ${quoted(name)}`, {
    hint: `tcf ${entry.name} ${known.join('|')}`,
  });
}

async function callCommand(entry: Action, args: readonly string[], host: Host): Promise<ExitCode> {
  let shown = '';
  const command = new Command(`tcf ${entry.name}`)
    .summary(entry.summary)
    .description(entry.summary)
    .usage(entry.usage)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        shown += text;
      },
      writeErr: () => {},
      getOutHelpWidth: () => 100,
    });
  entry.declare(command);
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) {
      await host.stdout.write(shown);
      return 0;
    }
    throw askedWrongly('cli.usage', error.message.replace(/^error: /, ''), {
      hint: `tcf ${entry.name} --help`,
    });
  }
  return await entry.run(host, command.args, command.opts());
}

function actionHelp(entry: VerbEntry, actions: readonly Action[]): string {
  const lines = actions.flatMap(({ hidden, name, summary, usage }) =>
    hidden ? [] : [`  ${entry.name} ${name} ${usage}`, `      ${summary}`],
  );
  return [`Usage: tcf ${entry.name} ACTION [arguments]`, '', entry.summary, '', ...lines, ''].join('\n');
}

function help(): string {
  const lines = [
    'Usage: tcf VERB [arguments]',
    '',
    'Triton Container First: SBOM, signature and policy for Triton dev images.',
  ];
  for (const group of ['Everyday', 'More'] as const) {
    lines.push('', `${group}:`);
    for (const verb of verbs.filter((candidate) => candidate.group === group)) {
      lines.push(`  ${verb.name.padEnd(15)}${verb.summary}`);
    }
  }
  lines.push(
    '',
    'IMAGE is docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, containers-storage:REF, or a bare REF.',
    'Exit codes: 0 yes, 1 no, 2 cannot tell, 3 asked wrongly. tcf VERB --help says more.',
    '',
  );
  return lines.join('\n');
}

/** `cannot open "/home/ann/policy.yaml": permission denied (EACCES)`. */
function systemReason({ code, message, path, syscall }: NodeJS.ErrnoException): string {
  const why = /^\w+: (.*?), /.exec(message)?.[1] ?? message;
  return `cannot ${syscall}${path === undefined ? '' : ` ${quoted(path)}`}: ${why} (${code})`;
}

async function report(error: unknown, host: Host): Promise<ExitCode> {
  if (error instanceof TcfError) {
    const { code, exit, hint, message } = error;
    await host.stderr.write(
      formatDiagnostic({ level: 'error', code, message, ...(hint === undefined ? {} : { hint }) }),
    );
    return exit;
  }
  // Whatever the operating system refuses (a full disk, a folder that went away, too many open files) is said in its words, and is no fault of ours.
  if (isSystemError(error)) {
    await host.stderr.write(`tcf: error: ${printable(systemReason(error), 2000)}\n`);
    return 2;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // Messages of the system hold names of files, and a project may have chosen those.
  const lines = detail.split('\n').map((line) => printable(line, 2000));
  await host.stderr.write(`tcf: error: this is a fault in tcf ${version}\n${lines.join('\n')}\n`);
  await host.stderr.write('tcf: hint: please report it with the lines above\n');
  return 2;
}
