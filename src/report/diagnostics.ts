import type { Diagnostic, DiagnosticLevel } from '../base/diagnostic.ts';
import { printable } from '../base/text.ts';

const line = (text: string): string => printable(text, 2000);

/**
 * `tcf: warning: SUBJECT: MESSAGE` and, on a line of its own, `tcf: hint: HINT`; each with a line feed at its
 * end.
 */
export function formatDiagnostic({ hint, level, message, subject }: Diagnostic): string {
  const about = subject === undefined ? '' : `${line(subject)}: `;
  const next = hint === undefined ? '' : `tcf: hint: ${line(hint)}\n`;
  return `tcf: ${level}: ${about}${line(message)}\n${next}`;
}

/** Several in their order. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('');
}

const signs: Readonly<Record<DiagnosticLevel, string>> = {
  ok: '✓',
  note: '•',
  warning: '!',
  unknown: '?',
  error: '✗',
};

/**
 * A list of what was looked at: `✓ SUBJECT: MESSAGE`, and the hint on a line of its own.
 *
 * @param indent blanks before each line.
 */
export function formatChecked(diagnostics: readonly Diagnostic[], indent = ''): string {
  return diagnostics
    .map(({ hint, level, message, subject }) => {
      const about = subject === undefined ? '' : `${line(subject)}: `;
      const next = hint === undefined ? '' : `${indent}    hint: ${line(hint)}\n`;
      return `${indent}${signs[level]} ${about}${line(message)}\n${next}`;
    })
    .join('');
}

/** A line for each: what an image or a registry gives cause to say. */
export function formatWarnings(warnings: readonly string[] = []): string {
  return warnings.map((warning) => `tcf: warning: ${line(warning)}\n`).join('');
}

/**
 * Many diagnostics of few codes, one line each code: `  MESSAGE: SUBJECT and 3 more`, in the order in which
 * the codes come first. Made for checks that ask every component the same.
 */
export function formatGrouped(diagnostics: readonly Diagnostic[]): string {
  return [...Map.groupBy(diagnostics, ({ code }) => code).values()]
    .map((group) => {
      const [first] = group;
      const about = first?.subject === undefined ? '' : `: ${line(first.subject)}`;
      const more = group.length === 1 ? '' : ` and ${group.length - 1} more`;
      return `  ${line(first?.message ?? '')}${about}${more}\n`;
    })
    .join('');
}
