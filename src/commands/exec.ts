import { checkContainer, findDevContainer } from '../app/launch/dev-container.ts';
import { allowedImage, notStarted } from '../app/launch/launching.ts';
import { readinessOf } from '../app/launch/ready.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { execFlags, parseRunArguments } from '../launch/arguments.ts';
import { findEngine } from '../launch/engine.ts';
import type { ExitCode } from '../system/host.ts';
import {
  connectionGlobals,
  declareWords,
  engineName,
  ownOptions,
  readStartRequest,
  runFlags,
} from './options/start.ts';
import type { Verb } from './verb.ts';

const { 'dry-run': _, ...flags } = runFlags;
const ownFlags = { ...flags, connection: true };

const help = `Usage: tcf exec [options] NAME [COMMAND...]

Runs a command (default: bash) in a dev container that "tcf up" has started, after verifying its image once more: a policy may have
changed since. As the user that the container was made for, unless --user says otherwise.
`;

export const verb: Verb = {
  declare: declareWords,
  flags: ownFlags,
  async run(host, args): Promise<ExitCode> {
    const line = parseRunArguments(
      args.filter((word) => word !== undefined),
      ownFlags,
      execFlags,
    );
    if (line.own['help'] !== undefined) {
      await host.stdout.write(help);
      return 0;
    }
    const name = line.image ?? '';
    const options = ownOptions(line.own, ownFlags);
    const engine = findEngine(host, engineName(options));
    const globals = connectionGlobals(engine, options);
    const container = await findDevContainer(host, engine, globals, name);
    if (!container.isRunning) {
      throw askedWrongly('dev.stopped', `the dev container ${name} does not run`, { hint: `tcf up ${name}` });
    }
    const verification = await allowedImage(host, {
      ...readStartRequest(options, container.imageName, 'exec'),
      engine: engine.name,
    });
    if (verification === undefined) {
      return notStarted;
    }
    checkContainer(name, container, verification);
    const state = await readinessOf(host, engine, globals, container);
    if (state.kind === 'setting-up') {
      throw askedWrongly('dev.setup', `the dev container ${name} is still being set up`, {
        hint: `tcf up ${name} waits for it, and shows how far it is`,
      });
    }
    if (state.kind === 'failed') {
      throw cannotTell('dev.setup', `the set-up of ${name} failed: ${state.why}`);
    }
    const hasUser = line.engineFlags.some((flag) => /^(?:-u|--user)/.test(flag));
    return await host.exec(engine.path, [
      ...globals,
      'exec',
      '--interactive',
      ...(host.stdout.isTerminal ? ['--tty'] : []),
      ...(container.user === undefined || hasUser ? [] : [`--user=${container.user}`]),
      ...line.engineFlags,
      // The name may belong to another container by now.
      container.id,
      ...(line.command.length === 0 ? ['bash'] : line.command),
    ]);
  },
};
