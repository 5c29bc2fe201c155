import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { cannotTell, TcfError } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { findStoredContainer, type StoredContainer } from '../../image/stored-container.ts';
import { hasLocalSignatures } from '../../image/stored-store.ts';
import { parseVerifierArguments, reasonLimit, verifierDeadline } from '../../launch/containerd-hook.ts';
import {
  checkMounts,
  configLimits,
  hookDeadline,
  parseContainerState,
  parseRootPath,
  stateLimit,
} from '../../launch/oci-hook.ts';
import { hexOf } from '../../oci/digest.ts';
import { formatImageRef, parseImageRef } from '../../oci/reference.ts';
import { formatVerdict } from '../../report/text.ts';
import { isSystemError } from '../../system/errors.ts';
import { readPlainFile } from '../../system/files.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { logDecision } from '../decision-log.ts';
import { localSignatures } from '../local-image.ts';
import { type Verification, type VerifyRequest, verifyImage } from '../verify-image.ts';
import type { HookAsks } from './request.ts';

/**
 * What a hook asks: the evidence of an image that was allowed today is proven again without a request, and
 * the runtime does not wait for ever.
 *
 * @param deadline seconds, where the request names none.
 */
export function askedByHook(
  { allowHttp, deadline, policy, timeout, trustedRoot }: HookAsks,
  verb: string,
  seconds: number = hookDeadline,
): (image: string) => VerifyRequest {
  const signal = AbortSignal.timeout(deadline ?? seconds * 1000);
  return (image) =>
    compact({
      image,
      verb,
      policy,
      trustedRoot,
      cache: true,
      network: compact({ allowHttp, idle: timeout, signal }),
    });
}

/** Called by podman and CRI-O before the first process of a container, with its state on standard input. */
export async function enterPodman(host: Host, request: HookAsks): Promise<ExitCode> {
  const verb = 'hook podman';
  const state = parseContainerState(await collect(host.stdin, stateLimit, 'the state of the container'));
  if (state.kind === 'build') {
    if (request.allowBuilds) {
      return 0;
    }
    throw cannotTell('container.build', 'a step of a build runs in an image that nothing has verified', {
      hint: 'build elsewhere, or install the hook with --allow-builds; what was built starts only once it is pushed and signed',
    });
  }
  const path = join(state.bundle, 'config.json');
  const config = await readPlainFile(host, path, configLimits.maxBytes, 'the config.json of the container');
  checkMounts(config, withoutLinks);
  const container = await findStoredContainer(state.id, parseRootPath(config, state.bundle));
  const root = parseRootPath(config, state.bundle);
  const names = [...namesOf(container), ...(await localNames(host, container, root))];
  if (names.length === 0) {
    const name = container.typed ?? container.names[0] ?? container.config;
    const error = cannotTell(
      'container.local',
      `${quoted(name)} was built or loaded here, and no registry vouches for it`,
      {
        hint: name.startsWith('localhost/podman-pause:')
          ? 'podman builds this image for its pods; name a signed one instead, as infra_image in containers.conf'
          : 'push it, sign it with "tcf sign", and start it by the name of the registry; or sign it here: tcf sign containers-storage:NAME --key FILE',
      },
    );
    await logDecision(host, { verb, name, policies: [], error });
    throw error;
  }
  return await admit(host, names, container, askedByHook(request, verb));
}

/**
 * Where a mount leads: podman hands over the path that was typed, and a link may lead to an image. What is
 * not there leads nowhere.
 */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isSystemError(error)) {
      return path;
    }
    throw error;
  }
}

/**
 * One name that leads to a yes about this very content is enough: an image may have a digest here that no
 * registry knows.
 */
async function admit(
  host: Host,
  names: readonly string[],
  { config }: StoredContainer,
  ask: (image: string) => VerifyRequest,
): Promise<ExitCode> {
  const denials: Verification[] = [];
  const errors: TcfError[] = [];
  for (const name of names) {
    try {
      const verification = await verifyImage(host, ask(name));
      const isSame = verification.imageIds.some((id) => id === config);
      if (verification.verdict.verdict === 'allow' && isSame) {
        return 0;
      }
      denials.push(verification);
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
      errors.push(error);
    }
  }
  for (const { imageIds, pinned, verdict } of denials) {
    if (verdict.verdict === 'deny') {
      await host.stderr.write(formatVerdict(verdict));
    } else {
      await host.stderr.write(`tcf: ${pinned} is ${imageIds[0]}, and the container has ${config}\n`);
    }
  }
  await host.stderr.write('tcf: nothing was started\n');
  const [error] = errors;
  if (denials.length === 0 && error !== undefined) {
    throw error;
  }
  return 1;
}

/**
 * The names under which the image may be known to a registry: the repository that was typed (or, where an id
 * was typed, those that the store has for the image) with each digest that the store has for it. An image
 * that a name was merely given to has a digest that the registry does not know, or has no signature for
 * (A-115).
 */
function namesOf({ manifests, names, typed }: StoredContainer): readonly string[] {
  const spelled = typed === undefined || /^(?:sha256:)?[0-9a-f]{6,64}$/.test(typed) ? names : [typed];
  const repositories = new Set<string>();
  for (const name of spelled) {
    try {
      const { registry, repository } = parseImageRef(name);
      // podman's name for what has no registry.
      if (registry !== 'localhost') {
        repositories.add(formatImageRef({ registry, repository }));
      }
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
    }
  }
  return [...repositories].flatMap((repository) => manifests.map((digest) => `${repository}@${digest}`));
}

/**
 * The names of an image that never was in a registry, and that somebody signed on this machine: by its store,
 * since a user may have several.
 */
async function localNames(
  host: Host,
  { config, manifests, names }: StoredContainer,
  root: string,
): Promise<readonly string[]> {
  const folder = localSignatures(host);
  const signed = await Promise.all(manifests.map((digest) => hasLocalSignatures(folder, digest)));
  if (!signed.includes(true) || !names.some((name) => name.startsWith('localhost/'))) {
    return [];
  }
  const [, graphRoot, driver] = /^(.+)\/(overlay|vfs)\//.exec(root) ?? [];
  return graphRoot === undefined ? [] : [`containers-storage:[${driver}@${graphRoot}]${hexOf(config)}`];
}

/** Called by containerd before it keeps what it pulls. */
export async function enterContainerd(
  host: Host,
  args: readonly string[],
  request: HookAsks,
): Promise<ExitCode> {
  try {
    const name = formatImageRef(parseVerifierArguments(args));
    const { verdict } = await verifyImage(
      host,
      askedByHook(request, 'hook containerd', verifierDeadline)(name),
    );
    const text = verdict.verdict === 'allow' ? `tcf: ${name} is allowed\n` : `tcf: ${formatVerdict(verdict)}`;
    await host.stdout.write(text.slice(0, reasonLimit / 4));
    return verdict.exit;
  } catch (error) {
    // containerd shows what stands on standard output, and keeps the rest for its own log.
    if (error instanceof TcfError) {
      await host.stdout.write(`tcf: ${printable(error.message, 2000)}\n`);
    }
    throw error;
  }
}
