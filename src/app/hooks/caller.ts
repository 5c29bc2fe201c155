import { statSync } from 'node:fs';
import { isSystemError } from '../../system/errors.ts';
import type { Host } from '../../system/host.ts';
import { uidOutside } from '../../system/namespace.ts';

/**
 * A hook of the machine is asked by every user: for anybody but root the log, the cache and the logins are
 * those of the caller, not those of the root who installed it, whose home others may not even enter.
 */
export async function callerHost(host: Host): Promise<Host> {
  if (isOwnHome(host)) {
    return host;
  }
  const uid = uidOutside(host.uid);
  if (uid === 0) {
    return host;
  }
  const asked = await host.run(host.find('getent') ?? '/usr/bin/getent', ['passwd', String(uid)]);
  const home = asked.code === 0 ? asked.stdout.trim().split(':')[5] : undefined;
  // In a container whose root is nobody outside there is no such user; then root is who calls.
  if (!home?.startsWith('/')) {
    return host;
  }
  const { DOCKER_CONFIG: _, REGISTRY_AUTH_FILE: __, ...rest } = host.env;
  const env = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('XDG_')));
  return { ...host, home, env: { ...env, HOME: home, XDG_RUNTIME_DIR: `/run/user/${uid}` } };
}

/** Within the namespace the caller's files are root's, and those of the root outside are nobody's. */
function isOwnHome({ home, uid }: Host): boolean {
  try {
    return statSync(home).uid === uid;
  } catch (error) {
    if (isSystemError(error)) {
      return false;
    }
    throw error;
  }
}
