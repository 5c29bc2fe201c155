import { plural, printable } from '../base/text.ts';

/** What an SBOM and the locks of its image say, both ways. */
export interface ComparedLock {
  readonly missing: readonly string[];
  readonly unlocked: readonly string[];
  readonly same: number;
}

/** One line where both agree, else one for each difference. */
export function formatComparison({ missing, same, unlocked }: ComparedLock): string {
  if (missing.length === 0 && unlocked.length === 0) {
    return `the SBOM and the lock agree on ${plural(same, 'input')}\n`;
  }
  const lines = [
    ...missing.map((name) => `in the lock and not in the image: ${name}`),
    ...unlocked.map((name) => `in the image and in no lock: ${name}`),
  ];
  return lines.map((line) => `tcf: ${printable(line, 400)}\n`).join('');
}
