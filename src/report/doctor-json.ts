import type { Diagnostic } from '../base/diagnostic.ts';
import { formatJson } from '../base/text.ts';

/** Rises when a member changes its meaning or goes away; new members may appear at any time. */
export const doctorFormat = 'tcf.doctor/1';

export interface JsonDoctor {
  readonly format: typeof doctorFormat;
  readonly findings: readonly {
    readonly part: string;
    readonly level: 'broken' | 'note' | 'ok';
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  }[];
}

/** With two blanks of indent and a line feed at the end. */
export function toDoctorJson(diagnostics: readonly Diagnostic[]): string {
  const document: JsonDoctor = {
    format: doctorFormat,
    findings: diagnostics.map(({ code, hint, level, message, subject = '' }) => ({
      part: subject,
      level: wordOfLevel(level),
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
    })),
  };
  return formatJson(document, 2);
}

function wordOfLevel(level: Diagnostic['level']): 'broken' | 'note' | 'ok' {
  if (level === 'error') {
    return 'broken';
  }
  return level === 'ok' ? 'ok' : 'note';
}
