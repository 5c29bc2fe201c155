import { readFileSync } from 'node:fs';
import { isSystemError } from './errors.ts';

/**
 * The user of the machine who started us: rootless podman runs hooks as root of a namespace of its own, whose
 * root is that user outside (user_namespaces(7), "uid_map").
 *
 * @param uidMap the text of `/proc/self/uid_map`.
 */
export function outerUid(uidMap: string): number {
  const line = uidMap.split('\n').find((candidate) => /^\s*0\s/.test(candidate)) ?? '';
  const outer = Number(line.trim().split(/\s+/)[1]);
  return Number.isSafeInteger(outer) ? outer : 0;
}

/** `uid` as it is outside of the namespace of this process, where it is 0 inside. */
export function uidOutside(uid: number): number {
  if (uid !== 0) {
    return uid;
  }
  try {
    return outerUid(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch (error) {
    // Elsewhere than on Linux there are no namespaces.
    if (isSystemError(error)) {
      return uid;
    }
    throw error;
  }
}
