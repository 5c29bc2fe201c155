import { reasonOf } from '../base/error.ts';

/** An error of the operating system: it names the call that failed. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** `ENOENT` and the like, also of errors of Node itself; the empty string where the error has no code. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * What the system said, for a person: `no space left on device (ENOSPC)`. The path is for the caller to say.
 */
export function systemWords(error: unknown): string {
  const said = reasonOf(error);
  const words = /^(E[A-Z0-9]+): (.+?)(?:, |$)/.exec(said);
  return words === null ? said : `${words[2]} (${words[1]})`;
}

/** Nothing stands at the path: ENOENT, and ENOTDIR for a path below a file. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

/** Something stands at the path already. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === 'EEXIST';
}
