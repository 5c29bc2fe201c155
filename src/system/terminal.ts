import type { Output } from './host.ts';

/** Columns of text where nothing says how wide the terminal is. */
const usualWidth = 100;
const leastWidth = 40;

/**
 * Columns for text that wraps: those of the terminal, from 40 to 100, since longer lines are hard to read.
 */
export function textWidth({ columns = usualWidth }: Pick<Output, 'columns'>): number {
  return Math.max(leastWidth, Math.min(columns, usualWidth));
}

/**
 * Whether to write colours: FORCE_COLOR and NO_COLOR decide (no-color.org; an empty value is unset), else a
 * terminal that is not dumb.
 */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env['NO_COLOR']) {
    return false;
  }
  if (env['FORCE_COLOR']) {
    return env['FORCE_COLOR'] !== '0';
  }
  return isTerminal && env['TERM'] !== 'dumb';
}

const colors: Readonly<Record<string, number>> = { '✓': 32, '✗': 31, '?': 33, '!': 33 };

/**
 * The signs before findings in colour, where the output takes colours. Everything else of the text stays as
 * it is.
 */
export function paintSigns(text: string, { hasColor }: Pick<Output, 'hasColor'>): string {
  if (!hasColor) {
    return text;
  }
  return text.replace(
    /^( *)([✓✗?!])(?= )/gm,
    (_, indent: string, sign: string) => `${indent}\u001b[${colors[sign]}m${sign}\u001b[0m`,
  );
}

/** As `paintSigns`, and bold for the lines that stand at the beginning: titles of a page. */
export function paintPage(text: string, output: Pick<Output, 'hasColor'>): string {
  return output.hasColor
    ? paintSigns(text, output).replace(/^(?=[^\s\u001b])(.*)$/gm, '\u001b[1m$1\u001b[0m')
    : text;
}
