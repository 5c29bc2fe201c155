import { realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { logDecision } from '../app/decision-log.ts';
import { pluginSocket } from '../app/hooks/docker.ts';
import { ownerFinding } from '../app/hooks/files.ts';
import { hookTargets } from '../app/hooks/index.ts';
import type { HookTarget } from '../app/hooks/target.ts';
import { loadPolicies } from '../app/trust/policies.ts';
import { tellUnmoved, type Verification, type VerifyRequest, verifyImage } from '../app/verify-image.ts';
import { collect } from '../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { findStoredContainer, type StoredContainer } from '../image/stored-container.ts';
import { type AuthzServer, serveAuthz } from '../launch/authz-server.ts';
import { parseVerifierArguments, reasonLimit, verifierDeadline } from '../launch/containerd-hook.ts';
import {
  checkMounts,
  configLimits,
  type HookCall,
  hookDeadline,
  parseContainerState,
  parseRootPath,
  stateLimit,
} from '../launch/oci-hook.ts';
import { formatImageRef, parseImageRef } from '../oci/reference.ts';
import { toText } from '../report/text.ts';
import { readPlainFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { readSeconds } from './options/network.ts';
import { parsePlatform } from './options/platform.ts';
import { readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

const names = () => hookTargets.map(({ name }) => name).join(', ');

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<action>', 'install, status or uninstall; enter and serve are for the runtimes')
      .argument('[target]', `${names()}; without it, status looks at all that are installed`)
      .argument('[arguments...]', 'what containerd says to a verifier')
      .option('--policy <file>', 'a policy that has to allow every image, beside those of machine and user')
      .option('--trusted-root <file>', 'trusted_root.json for policies but that of the machine')
      .option('--allow-http', 'speak plain HTTP to a registry on loopback')
      .option('--timeout <seconds>', 'how long a registry may stay silent (default: 30)')
      .option(
        '--deadline <seconds>',
        'when a hook answers at the latest (default: 110, and 8 for containerd)',
      )
      .option(
        '--allow-builds',
        'podman: let RUN steps of podman build and buildah run, which nothing has verified',
      )
      .option('--hooks-dir <folder>', 'podman: where the hook is, other than the usual place')
      .option(
        '--bin-dir <folder>',
        'containerd: the bin_dir of its image verifier, if it is not the usual one',
      )
      .option('--root <folder>', 'docker: the root of the machine, to prepare one that does not run')
      .option('--socket <path>', 'docker, serve: where the plugin listens')
      .option('--daemon <path>', 'docker, serve: the socket of the daemon');
  },
  async run(host, [action = '', target, ...words], options): Promise<ExitCode> {
    const args = words.filter((word) => word !== undefined);
    switch (`${action} ${target ?? ''}`) {
      case 'enter podman':
        return await enterPodman(host, options);
      case 'enter containerd':
        return await enterContainerd(host, args, options);
      case 'serve docker':
        return await serveDocker(host, options);
    }
    if (action === 'status' && target === undefined) return await statusOfAll(host, options);
    const chosen = hookTargets.find(({ name }) => name === target);
    if (chosen === undefined || !['install', 'status', 'uninstall'].includes(action) || args.length > 0) {
      throw askedWrongly(
        'hook.action',
        `tcf hook does not know ${quoted([action, target, ...args].join(' ').trim())}`,
        {
          hint: `tcf hook install|status|uninstall, and one of ${names()}`,
        },
      );
    }
    if (action === 'install') return await install(host, chosen, options);
    if (action === 'status') return await status(host, chosen, options);
    return await uninstall(host, chosen, options);
  },
};

async function install(host: Host, target: HookTarget, options: Options): Promise<ExitCode> {
  // A hook without a policy would stop every container of the machine, the reason hidden in a log.
  const policies = await loadPolicies(
    { ...host, cwd: '/' },
    textOption(options, 'policy') && resolve(host.cwd, textOption(options, 'policy') ?? ''),
  );
  for (const { name } of policies) refuseForeign(host, name);
  await tellUnmoved(host, policies, textOption(options, 'trustedRoot'));
  for (const line of await target.install(host, hookCall(host, options), options))
    await host.stdout.write(`${line}\n`);
  await host.stdout.write(`not covered: ${target.gaps.join('; ')}\n`);
  await host.stdout.write(`tcf hook status ${target.name} proves that it works\n`);
  return 0;
}

/** Under sudo the home may still be that of somebody else, who would decide from then on what root starts. */
function refuseForeign(host: Host, policy: string): void {
  const real = realpathSync(policy);
  // In a folder such as /tmp nobody moves the files of others.
  const folders = [dirname(real), realpathSync(dirname(policy))].filter(
    (folder) => (statSync(folder).mode & 0o1000) === 0,
  );
  for (const path of [real, ...folders]) {
    const { mend, message, ok } = ownerFinding(host, path);
    if (!ok)
      throw askedWrongly('hook.policy', `the policy of a hook must be yours alone: ${message}`, {
        hint: `${mend ?? ''}, or put the policy into /etc/tcf/policy.yaml`,
      });
  }
}

/** Paths in full, since a hook is called from anywhere. */
function hookCall(host: Host, options: Options): HookCall {
  const file = (name: string, option: string) => {
    const path = textOption(options, option);
    return path === undefined ? [] : [`--${name}`, resolve(host.cwd, path)];
  };
  const seconds = (name: string) => {
    const value = readSeconds(options, name);
    return value === undefined ? [] : [`--${name}`, String(value / 1000)];
  };
  const kept = [
    'HTTPS_PROXY',
    'NO_PROXY',
    'SSL_CERT_FILE',
    'REGISTRY_AUTH_FILE',
    'XDG_RUNTIME_DIR',
    'DOCKER_CONFIG',
    'XDG_CONFIG_HOME',
    'XDG_STATE_HOME',
    'XDG_CACHE_HOME',
  ];
  const found = kept.flatMap((name) => {
    const value = host.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    program: host.self,
    flags: [
      ...file('policy', 'policy'),
      ...file('trusted-root', 'trustedRoot'),
      ...(flag(options, 'allowHttp') ? ['--allow-http'] : []),
      ...seconds('timeout'),
      ...seconds('deadline'),
      ...(flag(options, 'allowBuilds') ? ['--allow-builds'] : []),
    ],
    env: {
      HOME: host.home,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...Object.fromEntries(found),
    },
  };
}

async function status(host: Host, target: HookTarget, options: Options): Promise<ExitCode> {
  const findings = await target.status(host, options);
  for (const { mend, message, ok } of findings) {
    await host.stdout.write(`${ok ? '✓' : '✗'} ${target.name}: ${printable(message, 1000)}\n`);
    if (mend !== undefined) await host.stdout.write(`    mend: ${mend}\n`);
  }
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

async function statusOfAll(host: Host, options: Options): Promise<ExitCode> {
  const exits: ExitCode[] = [];
  for (const target of hookTargets) exits.push(await status(host, target, options));
  return Math.max(...exits);
}

async function uninstall(host: Host, target: HookTarget, options: Options): Promise<ExitCode> {
  const lines = await target.uninstall(host, options);
  await host.stdout.write(
    lines.length === 0 ? `no hook of tcf is installed for ${target.name}\n` : `${lines.join('\n')}\n`,
  );
  return 0;
}

/** What a hook asks: the evidence of an image that was allowed today is proven again without a request, and the runtime does not wait for ever. */
function asked(options: Options, deadline: number): (image: string, verb: string) => VerifyRequest {
  const signal = AbortSignal.timeout(readSeconds(options, 'deadline') ?? deadline * 1000);
  return (image, verb) => {
    const request = readVerifyRequest(options, image, verb);
    return { ...request, cache: true, network: { ...request.network, signal } };
  };
}

async function enterPodman(host: Host, options: Options): Promise<ExitCode> {
  const verb = 'hook podman';
  const state = parseContainerState(await collect(host.stdin, stateLimit, 'the state of the container'));
  if (state.kind === 'build') {
    if (flag(options, 'allowBuilds')) return 0;
    throw cannotTell('container.build', 'a step of a build runs in an image that nothing has verified', {
      hint: 'build elsewhere, or install the hook with --allow-builds; what was built starts only once it is pushed and signed',
    });
  }
  const path = join(state.bundle, 'config.json');
  const config = await readPlainFile(host, path, configLimits.maxBytes, 'the config.json of the container');
  checkMounts(config);
  const container = await findStoredContainer(state.id, parseRootPath(config, state.bundle));
  const names = namesOf(container);
  if (names.length === 0) {
    const name = container.typed ?? container.names[0] ?? container.config;
    const error = cannotTell(
      'container.local',
      `${quoted(name)} was built or loaded here, and no registry vouches for it`,
      {
        hint: name.startsWith('localhost/podman-pause:')
          ? 'podman builds this image for its pods; name a signed one instead, as infra_image in containers.conf'
          : 'push it, sign it with "tcf sign", and start it by the name of the registry',
      },
    );
    await logDecision(host, { verb, name, policies: [], error });
    throw error;
  }
  return await admit(host, names, container, asked(options, hookDeadline));
}

/** One name that leads to a yes about this very content is enough: an image may have a digest here that no registry knows. */
async function admit(
  host: Host,
  names: readonly string[],
  { config }: StoredContainer,
  ask: (image: string, verb: string) => VerifyRequest,
): Promise<ExitCode> {
  const denials: Verification[] = [];
  const errors: TcfError[] = [];
  for (const name of names) {
    try {
      const verification = await verifyImage(host, ask(name, 'hook podman'));
      const isSame = verification.imageIds.some((id) => id === config);
      if (verification.verdict.verdict === 'allow' && isSame) return 0;
      denials.push(verification);
    } catch (error) {
      if (!(error instanceof TcfError)) throw error;
      errors.push(error);
    }
  }
  for (const { imageIds, pinned, verdict } of denials) {
    if (verdict.verdict === 'deny') await host.stderr.write(toText(verdict));
    else await host.stderr.write(`tcf: ${pinned} is ${imageIds[0]}, and the container has ${config}\n`);
  }
  await host.stderr.write('tcf: nothing was started\n');
  const [error] = errors;
  if (denials.length === 0 && error !== undefined) throw error;
  return 1;
}

/**
 * The names under which the image may be known to a registry: the repository that was typed (or, where an id was typed, those that the store has
 * for the image) with each digest that the store has for it. An image that a name was merely given to has a digest that the registry does
 * not know, or has no signature for.
 */
function namesOf({ manifests, names, typed }: StoredContainer): readonly string[] {
  const spelled = typed === undefined || /^(?:sha256:)?[0-9a-f]{6,64}$/.test(typed) ? names : [typed];
  const repositories = new Set<string>();
  for (const name of spelled) {
    try {
      const { registry, repository } = parseImageRef(name);
      // podman's name for what has no registry.
      if (registry !== 'localhost') repositories.add(formatImageRef({ registry, repository }));
    } catch (error) {
      if (!(error instanceof TcfError)) throw error;
    }
  }
  return [...repositories].flatMap((repository) => manifests.map((digest) => `${repository}@${digest}`));
}

async function enterContainerd(host: Host, args: readonly string[], options: Options): Promise<ExitCode> {
  try {
    const name = formatImageRef(parseVerifierArguments(args));
    const { verdict } = await verifyImage(host, asked(options, verifierDeadline)(name, 'hook containerd'));
    const text = verdict.verdict === 'allow' ? `tcf: ${name} is allowed\n` : `tcf: ${toText(verdict)}`;
    await host.stdout.write(text.slice(0, reasonLimit / 4));
    return verdict.exit;
  } catch (error) {
    // containerd shows what stands on standard output, and keeps the rest for its own log.
    if (error instanceof TcfError) await host.stdout.write(`tcf: ${printable(error.message, 2000)}\n`);
    throw error;
  }
}

async function serveDocker(host: Host, options: Options): Promise<ExitCode> {
  const socket = textOption(options, 'socket') ?? pluginSocket;
  const daemon = textOption(options, 'daemon') ?? '/var/run/docker.sock';
  await using server: AuthzServer = await serveAuthz(socket, daemon, async (ref, platform) => {
    try {
      const { imageIds, verdict } = await verifyImage(host, {
        ...asked(options, hookDeadline)(formatImageRef(ref), 'hook docker'),
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      });
      return verdict.verdict === 'allow' ? { imageIds } : { reason: toText(verdict) };
    } catch (error) {
      if (error instanceof TcfError) return { reason: error.message };
      throw error;
    }
  });
  await host.stderr.write(`tcf: asked by Docker on ${server.socket}\n`);
  await host.stopped();
  return 0;
}
