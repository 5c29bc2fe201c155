/**
 * How much a diagnostic weighs: an error makes the answer no, a warning may be meant, a note is worth
 * knowing.
 */
export type DiagnosticLevel = 'error' | 'note' | 'warning';

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
