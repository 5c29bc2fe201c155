import { compact } from './compact.ts';

/**
 * How much a diagnostic weighs: an error makes the answer no, what is unknown leaves it open, a warning may
 * be meant, a note is worth knowing, and `ok` says that something was looked at and is well.
 */
export type DiagnosticLevel = 'error' | 'note' | 'ok' | 'unknown' | 'warning';

/**
 * One thing that a person should hear about a document, an image or this machine. The only type for it: what
 * differs between two checks is the code, never the form.
 */
export interface Diagnostic {
  readonly level: DiagnosticLevel;
  /** Stable and meant for machines: `profile.missing.supplier`. */
  readonly code: string;
  /** What it is about: a bom-ref, a path in a document, a file. Absent where the message says it. */
  readonly subject?: string;
  /**
   * One sentence without a full stop, in words of ours; a stranger's text in it is escaped by the printer.
   */
  readonly message: string;
  /** The next step, without a full stop. */
  readonly hint?: string;
}

/** Whether any of them makes the answer no. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ level }) => level === 'error');
}

/* Diagnostics of whoever looks at one thing after the other; `subject` is added where several are shown. */

export const ok = (code: string, message: string): Diagnostic => ({ level: 'ok', code, message });
export const note = (code: string, message: string, hint?: string): Diagnostic =>
  compact({ level: 'note', code, message, hint });
export const broken = (code: string, message: string, hint: string): Diagnostic => ({
  level: 'error',
  code,
  message,
  hint,
});
/** Nothing could be found out, which is not a yes. */
export const unknown = (code: string, message: string, hint: string): Diagnostic => ({
  level: 'unknown',
  code,
  message,
  hint,
});
