import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { engineGlobals } from '../../launch/dev/compose.ts';
import { type Container, findEngine } from '../../launch/engine.ts';
import { parseImageRef } from '../../oci/reference.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { nameToAsk } from '../local-image.ts';
import { checkContainer, findDevContainer } from './dev-container.ts';
import { allowedImage, notStarted } from './launching.ts';
import { type Readiness, readinessOf } from './ready.ts';
import type { StartRequest } from './start-verified.ts';

/** A command for a dev container that runs. */
export interface ExecRequest extends Pick<StartRequest, 'engine' | 'question'> {
  readonly name: string;
  /** A remote podman connection or docker context. Default: this machine. */
  readonly connection: string | undefined;
  /** Flags of `podman exec` and `docker exec`. */
  readonly engineFlags: readonly string[];
  /** Default: bash. */
  readonly command: readonly string[];
}

/**
 * Verifies the image of a dev container once more, since a policy may have changed, and runs a command in it.
 *
 * @returns the exit code of the command, 125 where the image is denied.
 * @throws TcfError `dev.*`, `engine.*` (exit 2 and 3), and as verification does.
 */
export async function execInContainer(host: Host, request: ExecRequest): Promise<ExitCode> {
  const { connection, name } = request;
  const engine = findEngine(host, request.engine);
  const globals = engineGlobals(engine.name, connection);
  const container = await findDevContainer(host, engine, globals, name);
  if (!container.isRunning) {
    throw askedWrongly('dev.stopped', `the dev container ${name} does not run`, { hint: `tcf up ${name}` });
  }
  const image = await allowedImage(host, {
    ...request.question(nameToAsk(parseImageRef(container.imageName))),
    engine: engine.name,
  }).catch((error: unknown) => {
    throw asAskedAnew(error, name);
  });
  if (image === undefined) {
    return notStarted;
  }
  checkContainer(name, container, image);
  requireReady(name, await readinessOf(host, engine, globals, container));
  return await host.exec(engine.path, [
    ...globals,
    'exec',
    '--interactive',
    ...(host.stdout.isTerminal ? ['--tty'] : []),
    ...userFlags(container, request.engineFlags),
    ...request.engineFlags,
    // The name may belong to another container by now.
    container.id,
    ...(request.command.length === 0 ? ['bash'] : request.command),
  ]);
}

/**
 * What `tcf up --policy` was given counts for that start: a label of a container must not say which policy
 * judges it. Whoever expects it to be remembered is told how to name it again.
 */
function asAskedAnew(error: unknown, name: string): unknown {
  if (!(error instanceof TcfError) || error.code !== 'policy.none') {
    return error;
  }
  return askedWrongly(error.code, `${error.message}; tcf exec asks again, whatever tcf up was given`, {
    hint: `tcf exec --policy FILE ${name}, or put the policy into ~/.config/tcf/policy.yaml once`,
    cause: error,
  });
}

function requireReady(name: string, state: Readiness): void {
  if (state.kind === 'setting-up') {
    throw askedWrongly('dev.setup', `the dev container ${name} is still being set up`, {
      hint: `tcf up ${name} waits for it, and shows how far it is`,
    });
  }
  if (state.kind === 'failed') {
    throw cannotTell('dev.setup', `the set-up of ${name} failed: ${state.why}`);
  }
}

/** The user whom the entry point made, where nobody else is asked for. */
function userFlags({ user }: Container, flags: readonly string[]): readonly string[] {
  const isNamed = flags.some((flag) => /^(?:-u|--user)/.test(flag));
  return user === undefined || isNamed ? [] : [`--user=${user}`];
}
