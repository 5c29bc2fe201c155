import { TcfError } from '../base/error.ts';
import { no, type Outcome, yes } from '../base/outcome.ts';

/**
 * Why a bundle does not count. `code` is stable: `signature.invalid`, `certificate.expired`,
 * `statement.subject`.
 */
export interface Refusal {
  readonly code: string;
  /** One sentence; strangers' text in it is escaped. */
  readonly message: string;
}

/** Carries a refusal up to `answer`; it never leaves this package. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refused(code: string, message: string): Error {
  return new Refused({ code, message });
}

/**
 * Runs a proof that stops at its first refusal. What the strict readers of base throw about a stranger's
 * document is an answer too: it becomes `malformed` (`bundle.malformed`). Every other error is ours and goes
 * on.
 */
export function answer<T>(malformed: string, proof: () => T): Outcome<T, Refusal> {
  try {
    return yes(proof());
  } catch (error) {
    if (error instanceof Refused) {
      return no(error.refusal);
    }
    if (error instanceof TcfError) {
      return no({ code: malformed, message: error.message });
    }
    throw error;
  }
}

/**
 * Calls code of @sigstore that throws anything at a stranger's bytes: SyntaxError, TypeError, errors of
 * OpenSSL. Whatever it threw is a refusal; a malformed bundle never ends the process.
 */
export function guarded<T>(refusal: (thrown: unknown) => Refusal, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Refused) {
      throw error;
    }
    throw new Refused(refusal(error));
  }
}
