import { rm } from 'node:fs/promises';
import { quoted } from '../../base/text.ts';
import type { HookCall } from '../../launch/oci-hook.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { loadPolicies } from '../trust/policies.ts';
import { tellUnmoved } from '../verify-image.ts';
import { copiesFolder, settleFiles } from './policy-files.ts';
import { closedToOthers, refuseForeignProgram } from './program.ts';
import type { HookPlace, InstallRequest } from './request.ts';
import type { HookTarget } from './target.ts';

/** Puts a hook in place with all that it decides by, and returns what was done, one line each. */
export async function installHook(
  host: Host,
  target: HookTarget,
  request: InstallRequest,
): Promise<readonly string[]> {
  refuseForeignProgram(host);
  const { flags, lines } = await settleFiles(host, target.name, request);
  const given = flags[flags.indexOf('--policy') + 1];
  await tellUnmoved(
    host,
    await loadPolicies({ ...host, cwd: '/' }, flags.includes('--policy') ? given : undefined),
    request.trustedRoot,
  );
  const written = await target.install(host, hookCall(host, flags, request), request);
  return [...lines, ...written, ...othersLine(host, target, flags)];
}

/**
 * podman calls hooks of the machine as each user; what they cannot read would refuse all their containers.
 */
function othersLine(host: Host, target: HookTarget, flags: readonly string[]): readonly string[] {
  if (host.uid !== 0 || target.name !== 'podman') {
    return [];
  }
  const closed = closedToOthers(host, flags);
  return closed === undefined
    ? []
    : [`for root alone: other users cannot read ${quoted(closed)}, so all their containers are refused`];
}

/** Takes a hook away with the copies that were made for it. */
export async function uninstallHook(
  host: Host,
  target: HookTarget,
  place: HookPlace,
): Promise<readonly string[]> {
  const lines = await target.uninstall(host, place);
  const copies = copiesFolder(host, target.name);
  if (host.uid !== 0 || !fileExists(host, copies)) {
    return lines;
  }
  await rm(copies, { recursive: true });
  return [...lines, `removed ${copies}`];
}

/** Variables of the installer that a hook needs, since runtimes pass none on. */
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

function hookCall(host: Host, files: readonly string[], request: InstallRequest): HookCall {
  const seconds = (name: 'deadline' | 'timeout') => {
    const value = request[name];
    return value === undefined ? [] : [`--${name}`, String(value / 1000)];
  };
  const found = kept.flatMap((name) => {
    const value = host.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    program: host.self,
    flags: [
      ...files,
      ...(request.allowHttp ? ['--allow-http'] : []),
      ...seconds('timeout'),
      ...seconds('deadline'),
      ...(request.allowBuilds ? ['--allow-builds'] : []),
    ],
    env: {
      HOME: host.home,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...Object.fromEntries(found),
    },
  };
}
