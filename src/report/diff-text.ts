import { printable } from '../base/text.ts';
import type { BomDiff } from '../bom/diff.ts';
import { toWords } from './diff-words.ts';

/** The diff for people, with a line feed at its end. */
export function toDiffText(diff: BomDiff): string {
  const words = toWords(diff);
  const section = (title: string, sign: string, items: readonly string[]): readonly string[] =>
    items.length === 0 ? [] : ['', title, ...items.map((item) => `  ${sign} ${printable(item, 4000)}`)];
  const lines = [
    printable(words.title, 4000),
    ...words.cautions.map((caution) => `! ${printable(caution, 4000)}`),
    ...section('LLVM', '~', words.llvm),
    ...section(`added: ${words.added.length}`, '+', words.added),
    ...section(`removed: ${words.removed.length}`, '-', words.removed),
    ...section(`changed: ${words.changed.length}`, '~', words.changed),
    '',
    `unchanged: ${words.unchanged}`,
  ];
  return `${lines.join('\n')}\n`;
}
