import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isSystemError } from './errors.ts';

/** What became of a process that was written down. */
export type ProcessState =
  | 'alive'
  /** It ended, and another one may have its number now. */
  | 'gone'
  /** Its number counts in another namespace of processes, such as that of a container. */
  | 'elsewhere';

/**
 * One line that no other process has, before or after this one: its number, the moment of its start in ticks
 * since the boot (proc(5), "stat"), the boot, and the namespace in which the number counts.
 */
export function ownIdentity(): string {
  const pid = basename(realpathSync('/proc/self'));
  return [pid, startOf(pid), bootId(), namespace()].join(' ');
}

/** What became of the process that wrote this identity. What is not an identity is gone. */
export function processState(identity: string): ProcessState {
  const [pid = '', start, boot, where] = identity.trim().split(' ');
  if (!/^\d{1,10}$/.test(pid) || start === undefined || boot !== bootId()) {
    return 'gone';
  }
  if (where !== namespace()) {
    return 'elsewhere';
  }
  return startOf(pid) === start ? 'alive' : 'gone';
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const namespace = (): string => readlinkSync('/proc/self/ns/pid');

/** `undefined` where there is no such process. */
function startOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(join('/proc', pid, 'stat'), 'utf8');
    // The name of the program stands in parentheses, and may have any of them in it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (isSystemError(error)) {
      return undefined;
    }
    throw error;
  }
}
