import { composeForHost, loadProfiles, readDevLine } from '../app/launch/dev.ts';
import { checkContainer, containerName, removeContainer } from '../app/launch/dev-container.ts';
import { withDevLock } from '../app/launch/dev-lock.ts';
import { allowedImage, launchLines, notStarted } from '../app/launch/launching.ts';
import { waitUntilReady } from '../app/launch/ready.ts';
import type { Verification } from '../app/verify-image.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { parseRunArguments } from '../launch/arguments.ts';
import type { DevLaunch } from '../launch/dev/compose.ts';
import { differences, formatProfile } from '../launch/dev/made-with.ts';
import {
  type Engine,
  findEngine,
  inspectContainer,
  type Launch,
  profileLabel,
  startContainer,
} from '../launch/engine.ts';
import { shellLine } from '../launch/shell.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Options } from './options/bag.ts';
import {
  declareWords,
  engineName,
  ownOptions,
  readStartRequest,
  runFlags,
  transport,
} from './options/start.ts';
import type { Verb } from './verb.ts';

const ownFlags = { ...runFlags, name: true, recreate: false } as const;

const help = `Usage: tcf up [options] [runtime flags] PROFILE [profile options]

Verifies the image of a profile and starts a dev container of its name that goes on until "tcf down". A container that is there already is
verified and started again. The options are those of "tcf run PROFILE" (tcf run triton --help), and:
  --name NAME          another name than that of the profile
  --recreate           removes the container that is there, and makes it with the options of now
It is up when its health check passes or, where it has none, when the set-up of the image has come to its command.
Then: tcf exec NAME [COMMAND...], or attach an editor to the container tcf-NAME.
`;

export const verb: Verb = {
  declare: declareWords,
  flags: ownFlags,
  async run(host, args): Promise<ExitCode> {
    const words = args.filter((word) => word !== undefined);
    const line = parseRunArguments(words, ownFlags);
    if (line.own['help'] !== undefined) {
      return await tell(host);
    }
    const profile = (await loadProfiles(host)).get(line.image ?? '');
    if (profile === undefined) {
      throw askedWrongly('dev.profile', `there is no profile ${quoted(line.image ?? '')}`, {
        hint: 'dev, triton, torch, helion, vllm, or one of ~/.config/tcf/profiles.yaml; for a bare image: tcf up dev --image IMAGE',
      });
    }
    const dev = readDevLine(line, profile, ownFlags);
    if (dev.help) {
      return await tell(host);
    }
    const options = ownOptions(dev.own, ownFlags);
    const name = typeof options['name'] === 'string' ? options['name'] : (line.image ?? '');
    if (dev.options.remove) {
      throw askedWrongly('run.option', 'a container of tcf up is removed by tcf down, not by --rm');
    }
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
  const since = host.now();
  const container = containerName(name);
  const isDry = options['dryRun'] === true;
  const engine = findEngine(host, engineName(options));
  // Without a command of its own it waits; people come in with exec.
  const waiting = wanted.command.length === 0 ? { ...wanted, command: ['sleep', 'infinity'] } : wanted;
  const composed = await composeForHost(host, engine, waiting);
  const verification = await allowedImage(host, {
    ...readStartRequest(options, composed.image, 'up'),
    engine: engine.name,
  });
  if (verification === undefined) {
    return notStarted;
  }
  const work = () => start(host, { name, container, engine, options, composed, verification });
  const started = isDry ? await work() : await withDevLock(host, container, work);
  return started ? await done(host, { name, engine, globals: composed.globals, options, since }) : 0;
}

interface Work {
  readonly name: string;
  readonly container: string;
  readonly engine: Engine;
  readonly options: Options;
  readonly composed: DevLaunch;
  readonly verification: Verification & { readonly verdict: { readonly verdict: 'allow' } };
}

/** Starts the container, or the one that is there. Returns whether there is something to wait for. */
async function start(host: Host, work: Work): Promise<boolean> {
  const { composed, container, engine, name, options, verification } = work;
  const { command, engineFlags, globals } = composed;
  const isDry = options['dryRun'] === true;
  const detached = ['--detach', `--name=${container}`, ...engineFlags.filter((flag) => flag !== '--tty')];
  const profile = formatProfile({ flags: detached, command });
  const launch: Launch = {
    allow: verification.verdict.allow,
    imageIds: verification.imageIds,
    globals,
    engineFlags: [...detached, `--label=${profileLabel}=${profile}`],
    command,
    ...transport(options),
  };

  const there = await inspectContainer(host, engine, globals, container);
  const isRemoved = there !== undefined && options['recreate'] === true;
  if (isRemoved && !isDry) {
    await removeContainer(host, engine, globals, there.id, container);
  }
  if (there !== undefined && !isRemoved) {
    checkContainer(name, there, verification);
    for (const line of differences(there.profile, profile)) {
      await host.stderr.write(`tcf: ${line}\n`);
    }
    if (there.isRunning) {
      return true;
    }
    // By its id: the name may belong to another container now.
    const line = [...globals, 'start', there.id];
    if (isDry) {
      await host.stdout.write(`${shellLine(engine.name, line)}\n`);
      return false;
    }
    const started = await host.run(engine.path, line);
    if (started.code !== 0) {
      throw cannotTell(
        'engine.start',
        `${engine.name} did not start ${container}: ${printable(started.stderr.trim(), 1000)}`,
      );
    }
    return true;
  }
  if (isDry) {
    await host.stdout.write(launchLines(engine, launch));
    return false;
  }
  await startContainer(host, engine, launch);
  return true;
}

async function done(
  host: Host,
  {
    engine,
    globals,
    name,
    options,
    since,
  }: Pick<Work, 'engine' | 'name' | 'options'> & {
    readonly globals: readonly string[];
    readonly since: Date;
  },
): Promise<ExitCode> {
  await waitUntilReady(host, engine, globals, containerName(name), since);
  // exec asks the same policies only if it is told of them.
  const { policy, trustedRoot } = options;
  const flags = [
    ...(typeof policy === 'string' ? ['--policy', policy] : []),
    ...(typeof trustedRoot === 'string' ? ['--trusted-root', trustedRoot] : []),
    ...(options['allowHttp'] === true ? ['--allow-http'] : []),
  ];
  await host.stderr.write(
    `tcf: ${containerName(name)} is running; ${shellLine('tcf', ['exec', ...flags, name])} goes in, tcf down ${name} ends it\n`,
  );
  return 0;
}
