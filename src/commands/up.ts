import { composeForHost, loadProfiles, readDevLine } from '../app/launch/dev.ts';
import { checkContainer, containerName } from '../app/launch/dev-container.ts';
import {
  allowedImage,
  declareWords,
  engineName,
  launchLines,
  notStarted,
  ownOptions,
  runFlags,
  transport,
} from '../app/launch/launching.ts';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { parseRunArguments } from '../launch/arguments.ts';
import { findEngine, inspectContainer, type Launch, startContainer } from '../launch/engine.ts';
import { shellLine } from '../launch/shell.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Options } from './options/bag.ts';
import { readStartRequest } from './options/start.ts';
import type { Verb } from './verb.ts';

const ownFlags = { ...runFlags, name: true } as const;

const help = `Usage: tcf up [options] [runtime flags] PROFILE [profile options]

Verifies the image of a profile and starts a dev container of its name that goes on until "tcf down". A container that is there already is
verified and started again. The options are those of "tcf run PROFILE" (tcf run triton --help), and:
  --name NAME          another name than that of the profile
Then: tcf exec NAME [COMMAND...], or attach an editor to the container tcf-NAME.
`;

export const verb: Verb = {
  declare: declareWords,
  async run(host, args): Promise<ExitCode> {
    const words = args.filter((word) => word !== undefined);
    const line = parseRunArguments(words, ownFlags);
    if (line.own['help'] !== undefined) return await tell(host);
    const profile = (await loadProfiles(host)).get(line.image ?? '');
    if (profile === undefined) {
      throw askedWrongly('dev.profile', `there is no profile ${quoted(line.image ?? '')}`, {
        hint: 'dev, triton, torch, helion, vllm, or one of ~/.config/tcf/profiles.yaml; for a bare image: tcf up dev --image IMAGE',
      });
    }
    const dev = readDevLine(line, profile, ownFlags);
    if (dev.help) return await tell(host);
    const options = ownOptions(dev.own, ownFlags);
    const name = typeof options['name'] === 'string' ? options['name'] : (line.image ?? '');
    if (dev.options.remove)
      throw askedWrongly('run.option', 'a container of tcf up is removed by tcf down, not by --rm');
    return await up(host, name, options, dev.options);
  },
};

async function tell(host: Host): Promise<ExitCode> {
  await host.stdout.write(help);
  return 0;
}

async function up(
  host: Host,
  name: string,
  options: Options,
  wanted: Parameters<typeof composeForHost>[2],
): Promise<ExitCode> {
  const engine = findEngine(host, engineName(options));
  const container = containerName(name);
  // Without a command of its own it waits; people come in with exec.
  const waiting = wanted.command.length === 0 ? { ...wanted, command: ['sleep', 'infinity'] } : wanted;
  const { command, engineFlags, globals, image } = await composeForHost(host, engine, waiting);
  const verification = await allowedImage(host, {
    ...readStartRequest(options, image, 'up'),
    engine: engine.name,
  });
  if (verification === undefined) return notStarted;
  const { imageIds, verdict } = verification;

  const there = await inspectContainer(host, engine, globals, container);
  if (there !== undefined) {
    checkContainer(name, there, verification);
    if (!there.isRunning) {
      // By its id: the name may belong to another container by now.
      const line = [...globals, 'start', there.id];
      if (options['dryRun'] === true) {
        await host.stdout.write(`${shellLine(engine.name, line)}\n`);
        return 0;
      }
      const started = await host.run(engine.path, line);
      if (started.code !== 0)
        throw askedWrongly(
          'engine.start',
          `${engine.name} did not start ${container}: ${started.stderr.trim()}`,
        );
    }
    return await done(host, name);
  }
  const detached = ['--detach', `--name=${container}`, ...engineFlags.filter((flag) => flag !== '--tty')];
  const launch: Launch = {
    allow: verdict.allow,
    imageIds,
    globals,
    engineFlags: detached,
    command,
    ...transport(options),
  };
  if (options['dryRun'] === true) {
    await host.stdout.write(launchLines(engine, launch));
    return 0;
  }
  await startContainer(host, engine, launch);
  return await done(host, name);
}

async function done(host: Host, name: string): Promise<ExitCode> {
  await host.stderr.write(
    `tcf: ${containerName(name)} is running; tcf exec ${name} goes in, tcf down ${name} ends it\n`,
  );
  return 0;
}
