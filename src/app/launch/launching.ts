import type { Command } from 'commander';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { OwnFlags, RunArguments } from '../../launch/arguments.ts';
import { engineGlobals } from '../../launch/dev/compose.ts';
import { type Engine, type Launch, pullCommand, runCommand } from '../../launch/engine.ts';
import { shellLine } from '../../launch/shell.ts';
import { toText } from '../../report/text.ts';
import type { Host } from '../../system/host.ts';
import { paintSigns } from '../../system/terminal.ts';
import { type Verification, type VerifyRequest, verifyImage } from '../verify-image.ts';

/** podman and docker exit with it when they, not the container, failed. A denied container did not fail, it never was. */
export const notStarted = 125;

/** Everything is left to `parseRunArguments`: `tcf run IMAGE python --help` asks python, not us. */
export function declareWords(command: Command): void {
  command.argument('[arguments...]').allowUnknownOption().helpOption(false);
}

/** tcf's own flags of the verbs that start something; `true`: with a value. */
export const runFlags: OwnFlags = {
  policy: true,
  'trusted-root': true,
  platform: true,
  engine: true,
  timeout: true,
  'allow-http': false,
  'dry-run': false,
  'no-cache': false,
  'update-trust': false,
  help: false,
};

/** Our flags in the names that the other verbs use for them. @throws TcfError `run.flag` (exit 3) for one that stands twice. */
export function ownOptions(own: RunArguments['own'], flags: OwnFlags): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(own).map(([name, values]) => {
      const camel = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (values.length > 1) throw askedWrongly('run.flag', `--${name} stands ${values.length} times`);
      return [camel, flags[name] ? values[0] : true];
    }),
  );
}

/** `--connection`, as the engine spells it. */
export function connectionGlobals(
  engine: Engine,
  options: Readonly<Record<string, unknown>>,
): readonly string[] {
  const connection = options['connection'];
  return typeof connection === 'string' ? engineGlobals(engine.name, connection) : [];
}

/** `--engine`; `undefined` means podman where it is installed. @throws TcfError `run.engine` (exit 3). */
export function engineName(options: Readonly<Record<string, unknown>>): Engine['name'] | undefined {
  const name = options['engine'];
  if (name === undefined || name === 'podman' || name === 'docker') return name;
  throw askedWrongly('run.engine', `tcf run does not know the engine ${quoted(String(name))}`, {
    hint: 'podman or docker',
  });
}

/** Decides about an image, by default from the cache, unlike those who only judge; a denial is told, and `undefined`. */
export async function allowedImage(
  host: Host,
  request: VerifyRequest,
): Promise<(Verification & { readonly verdict: { readonly verdict: 'allow' } }) | undefined> {
  const verification = await verifyImage(host, { cache: true, ...request });
  const { verdict } = verification;
  if (verdict.verdict === 'allow') return { ...verification, verdict };
  await host.stderr.write(paintSigns(toText(verdict), host.stderr));
  await host.stderr.write('tcf: nothing was started\n');
  return undefined;
}

/** What the engine is told, one command a line, to be pasted into a shell. */
export function launchLines(engine: Engine, launch: Launch): string {
  return [pullCommand(engine, launch), runCommand(engine, launch)]
    .map((words) => `${shellLine(engine.name, words)}\n`)
    .join('');
}

/** How the engine pulls, in the words of the flags that verified. */
export function transport(
  options: Readonly<Record<string, unknown>>,
): Pick<Launch, 'plainHttp' | 'platform'> {
  const platform = options['platform'];
  return {
    plainHttp: options['allowHttp'] === true,
    ...(typeof platform === 'string' ? { platform } : {}),
  };
}
