import type { Command } from 'commander';
import { callerHost } from '../app/hooks/caller.ts';
import { pluginSocket } from '../app/hooks/docker.ts';
import { askedByHook, enterContainerd, enterPodman } from '../app/hooks/enter.ts';
import { hookTargets } from '../app/hooks/index.ts';
import { installHook, uninstallHook } from '../app/hooks/install.ts';
import type { HookAsks, HookPlace, InstallRequest, StatusRequest } from '../app/hooks/request.ts';
import type { HookTarget } from '../app/hooks/target.ts';
import { verifyImage } from '../app/verify-image.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { type AuthzServer, serveAuthz } from '../launch/authz-server.ts';
import { formatImageRef } from '../oci/reference.ts';
import { formatVerdict } from '../report/text.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { readSeconds } from './options/network.ts';
import { parsePlatform } from './options/platform.ts';
import type { Verb, VerbEntry } from './verb.ts';

const names = hookTargets.map(({ name }) => name).join(', ');

const declarePolicy = (command: Command): Command =>
  command
    .option('--policy <file>', 'a policy that has to allow every image, beside those of machine and user')
    .option('--trusted-root <file>', 'trusted_root.json for policies but that of the machine')
    .option('--allow-http', 'speak plain HTTP to a registry on loopback')
    .option('--timeout <seconds>', 'how long a registry may stay silent (default: 30)')
    .option('--deadline <seconds>', 'when a hook answers at the latest (default: 110, and 8 for containerd)')
    .option(
      '--allow-builds',
      'podman: let RUN steps of podman build and buildah run, which nothing has verified',
    );

const declarePlace = (command: Command): Command =>
  command
    .option('--hooks-dir <folder>', 'podman: where the hook is, other than the usual place')
    .option('--bin-dir <folder>', 'containerd: the bin_dir of its image verifier, if it is not the usual one')
    .option('--root <folder>', 'docker: the root of the machine, to prepare one that does not run');

const entry = ({ declare, run, ...rest }: Omit<VerbEntry, 'load'> & Verb): VerbEntry => ({
  ...rest,
  load: async () => ({ verb: { declare, run } }),
});

export const actions: readonly VerbEntry[] = [
  entry({
    name: 'install',
    usage: 'RUNTIME [options]',
    summary: 'have a runtime ask tcf before it starts something',
    declare: (command) => declarePlace(declarePolicy(command.argument('<runtime>', names))),
    run: (host, [name], options) =>
      install(host, targetOf(name), { ...readAsks(options), ...readPlace(options) }),
  }),
  entry({
    name: 'status',
    usage: '[RUNTIME] [options]',
    summary: 'prove that a hook works, by an unsigned and a signed image that the runtime is asked for',
    declare: (command) =>
      declarePlace(command.argument('[runtime]', `${names}; without it, all that are installed`))
        .option('--image <image>', 'an image that the policy allows (default: what was allowed last)')
        .option('--address <socket>', 'containerd: its socket')
        .option('--allow-http', 'containerd: pull that image by plain HTTP'),
    run: (host, [name], options) => {
      const request = compact({
        ...readPlace(options),
        image: textOption(options, 'image'),
        address: textOption(options, 'address'),
        allowHttp: flag(options, 'allowHttp'),
      });
      return name === undefined ? statusOfAll(host, request) : status(host, targetOf(name), request);
    },
  }),
  entry({
    name: 'uninstall',
    usage: 'RUNTIME [options]',
    summary: 'take away what install wrote',
    declare: (command) => declarePlace(command.argument('<runtime>', names)),
    run: (host, [name], options) => uninstall(host, targetOf(name), readPlace(options)),
  }),
  entry({
    name: 'enter',
    hidden: true,
    usage: 'podman|containerd [options]',
    summary: 'what a runtime calls before it starts or pulls something',
    declare: (command) =>
      declarePolicy(command.argument('<runtime>').argument('[arguments...]', 'what containerd says')),
    run: async (host, [name, ...words], options) => {
      const args = words.filter((word) => word !== undefined);
      const asks = readAsks(options);
      if (name === 'podman' && args.length === 0) {
        return await enterPodman(await callerHost(host), asks);
      }
      if (name === 'containerd') {
        return await enterContainerd(host, args, asks);
      }
      throw unknown([name ?? '', ...args].join(' '));
    },
  }),
  entry({
    name: 'serve',
    hidden: true,
    usage: 'docker [options]',
    summary: 'answer the daemon of Docker',
    declare: (command) =>
      declarePolicy(command.argument('<runtime>'))
        .option('--socket <path>', 'where the plugin listens')
        .option('--daemon <path>', 'the socket of the daemon'),
    run: async (host, [name], options) => {
      if (name === 'docker') {
        return await serveDocker(host, options);
      }
      throw unknown(name ?? '');
    },
  }),
];

function readAsks(options: Options): HookAsks {
  return compact({
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    allowHttp: flag(options, 'allowHttp'),
    timeout: readSeconds(options, 'timeout'),
    deadline: readSeconds(options, 'deadline'),
    allowBuilds: flag(options, 'allowBuilds'),
  });
}

function readPlace(options: Options): HookPlace {
  return compact({
    hooksDir: textOption(options, 'hooksDir'),
    binDir: textOption(options, 'binDir'),
    root: textOption(options, 'root'),
  });
}

function unknown(name: string): TcfError {
  return askedWrongly('hook.runtime', `tcf hook does not know ${quoted(name)}`, { hint: `one of ${names}` });
}

function targetOf(name: string | undefined): HookTarget {
  const target = hookTargets.find((candidate) => candidate.name === name);
  if (target !== undefined) {
    return target;
  }
  throw unknown(name ?? '');
}

async function install(host: Host, target: HookTarget, request: InstallRequest): Promise<ExitCode> {
  const lines = await installHook(host, target, request);
  await host.stdout.write(
    [
      ...lines,
      ...target.gaps.map(({ text }) => `not covered: ${text}`),
      `tcf hook status ${target.name} proves that it works`,
      '',
    ].join('\n'),
  );
  return 0;
}

const signs = { proven: '✓', broken: '✗', open: '?' } as const;

/** 0: proven by the runtime, from both sides; 1: it does not hold; 2: not proven. */
async function status(host: Host, target: HookTarget, request: StatusRequest): Promise<ExitCode> {
  const findings = await target.status(host, request);
  for (const { hint, message, state } of findings) {
    await host.stdout.write(`${signs[state]} ${target.name}: ${printable(message, 1000)}\n`);
    if (hint !== undefined) {
      await host.stdout.write(`    hint: ${printable(hint, 1000)}\n`);
    }
  }
  if (findings.some(({ state }) => state === 'broken')) {
    return 1;
  }
  return findings.some(({ state }) => state === 'open') ? 2 : 0;
}

async function statusOfAll(host: Host, request: StatusRequest): Promise<ExitCode> {
  const exits: ExitCode[] = [];
  for (const target of hookTargets) {
    if (await target.isInstalled(host, request)) {
      exits.push(await status(host, target, request));
    }
  }
  if (exits.length === 0) {
    await host.stdout.write('no hook of tcf is installed here\n    hint: tcf hook install RUNTIME\n');
    return 1;
  }
  return exits.includes(1) ? 1 : Math.max(...exits);
}

async function uninstall(host: Host, target: HookTarget, place: HookPlace): Promise<ExitCode> {
  const lines = await uninstallHook(host, target, place);
  await host.stdout.write(
    lines.length === 0 ? `no hook of tcf is installed for ${target.name}\n` : `${lines.join('\n')}\n`,
  );
  return 0;
}

async function serveDocker(host: Host, options: Options): Promise<ExitCode> {
  const asks = readAsks(options);
  const socket = textOption(options, 'socket') ?? pluginSocket;
  const daemon = textOption(options, 'daemon') ?? '/var/run/docker.sock';
  await using server: AuthzServer = await serveAuthz(socket, daemon, async (ref, platform) => {
    try {
      const { imageIds, verdict } = await verifyImage(host, {
        ...askedByHook(asks, 'hook docker')(formatImageRef(ref)),
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      });
      return verdict.verdict === 'allow' ? { imageIds } : { reason: formatVerdict(verdict) };
    } catch (error) {
      if (error instanceof TcfError) {
        return { reason: error.message };
      }
      throw error;
    }
  });
  await host.stderr.write(`tcf: asked by Docker on ${server.socket}\n`);
  await host.stopped();
  return 0;
}
