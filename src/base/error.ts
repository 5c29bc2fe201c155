/**
 * 0 yes, 1 no, 2 cannot tell, 3 asked wrongly. "No" is an answer and never an error, so an error exits 2 or
 * 3.
 */
export type ErrorExit = 2 | 3;

export interface ErrorDetails {
  /** The next step for the person at the terminal, without a full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The one error that tcf throws on purpose. `code` is stable and meant for machines
 * (`registry.unauthorized`); `message` says what could not be done, with the value; `hint` says what to do
 * next.
 */
export class TcfError extends Error {
  readonly code: string;
  readonly exit: ErrorExit;
  readonly hint: string | undefined;

  constructor(exit: ErrorExit, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TcfError';
    this.code = code;
    this.exit = exit;
    this.hint = details.hint;
  }
}

/** The answer cannot be known: network, malformed or oversized input, untrusted data. Exit code 2. */
export function cannotTell(code: string, message: string, details?: ErrorDetails): TcfError {
  return new TcfError(2, code, message, details);
}

/** The question was wrong: flags, references, policy files written by the user. Exit code 3. */
export function askedWrongly(code: string, message: string, details?: ErrorDetails): TcfError {
  return new TcfError(3, code, message, details);
}

/** The message of anything that was thrown; an object that cannot be told as text has none. */
export function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'an error without a message';
  }
}
