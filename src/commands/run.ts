import type { Command } from 'commander';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { parseRunArguments, type RunArguments } from '../launch/arguments.ts';
import { findEngine, type Launch, launchContainer, pullCommand, runCommand } from '../launch/engine.ts';
import { toText } from '../report/text.ts';
import type { ExitCode } from './host.ts';
import { verifyImage } from './shared/verification.ts';
import type { Options, Verb } from './verb.ts';

const ownFlags = {
  policy: true,
  'trusted-root': true,
  platform: true,
  engine: true,
  timeout: true,
  'allow-http': false,
  'dry-run': false,
  'no-cache': false,
  help: false,
} as const;

/** podman and docker exit with it when they, not the container, failed. A denied container did not fail, it never was. */
const notStarted = 125;

export const verb: Verb = {
  /** Everything is left to `parseRunArguments`: `tcf run IMAGE python --help` asks python, not us. */
  declare(command: Command): void {
    command.argument('[arguments...]').allowUnknownOption().helpOption(false);
  },
  async run(host, args): Promise<ExitCode> {
    const line = parseRunArguments(
      args.filter((word) => word !== undefined),
      ownFlags,
    );
    const options = ownOptions(line);
    if (options['help'] === true) {
      await host.stdout.write(help);
      return 0;
    }
    const image = line.image ?? '';
    const engine = findEngine(host, engineName(options));
    const { verdict, imageIds } = await verifyImage(
      host,
      image,
      { ...options, cache: options['noCache'] !== true },
      'run',
    );
    if (verdict.verdict !== 'allow') {
      await host.stderr.write(toText(verdict));
      await host.stderr.write('tcf: nothing was started\n');
      return notStarted;
    }
    const launch: Launch = {
      allow: verdict.allow,
      imageIds,
      engineFlags: line.engineFlags,
      command: line.command,
      plainHttp: options['allowHttp'] === true,
      ...(typeof options['platform'] === 'string' ? { platform: options['platform'] } : {}),
    };
    if (options['dryRun'] === true) {
      await host.stdout.write(`${shellLine(engine.name, pullCommand(engine, launch))}\n`);
      await host.stdout.write(`${shellLine(engine.name, runCommand(launch))}\n`);
      return 0;
    }
    return await launchContainer(host, engine, launch);
  },
};

const help = `Usage: tcf run [options] [runtime flags] IMAGE [COMMAND...]

Verifies an image, then starts exactly that digest. Takes the flags of podman run and docker run. Its own:
  --policy FILE        a policy that has to allow the image
  --trusted-root FILE  trusted_root.json in place of the public Sigstore instance
  --platform OS/ARCH   which image of an index
  --engine NAME        podman or docker (default: podman where it is installed)
  --dry-run            verify, then print the commands instead of running them
  --no-cache           ask the registry for signatures, even if it was asked today
  --allow-http         speak plain HTTP to a registry on loopback
  --timeout SECONDS    how long a registry may stay silent
Returns the container's exit code; 125 if nothing was started.
`;

/** Our flags in the names that the other verbs use for them. */
function ownOptions({ own }: RunArguments): Options {
  return Object.fromEntries(
    Object.entries(own).map(([name, values]) => {
      const camel = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (values.length > 1) throw askedWrongly('run.flag', `--${name} stands ${values.length} times`);
      return [camel, ownFlags[name as keyof typeof ownFlags] ? values[0] : true];
    }),
  );
}

function engineName(options: Options): 'docker' | 'podman' | undefined {
  const name = options['engine'];
  if (name === undefined || name === 'podman' || name === 'docker') return name;
  throw askedWrongly('run.engine', `tcf run does not know the engine ${quoted(String(name))}`, {
    hint: 'podman or docker',
  });
}

/** A command that can be pasted into a shell. */
function shellLine(file: string, args: readonly string[]): string {
  return [file, ...args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
