import type { BomDiff } from '../bom/diff.ts';
import { toWords } from './diff-words.ts';
import { escapedMarkdown as escaped } from './markdown.ts';

/**
 * GitHub refuses comments above 65,536 characters and shows no summary above 1 MiB; a list this long is not
 * read by anybody.
 */
const maxItems = 200;

/** The diff as GitHub Markdown, for a pull request or a job summary, with a line feed at its end. */
export function toDiffMarkdown(diff: BomDiff): string {
  const words = toWords(diff);
  const sections = [
    `## ${escaped(words.title)}`,
    ...words.cautions.map((caution) => `> ${escaped(caution)}`),
    ...(words.llvm.length === 0 ? [] : ['### LLVM', list(words.llvm)]),
    ...folded('Added', words.added),
    ...folded('Removed', words.removed),
    ...folded('Changed', words.changed),
    `${words.unchanged} unchanged`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function folded(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) {
    return [];
  }
  return [`<details open><summary>${title}: ${items.length}</summary>`, list(items), '</details>'];
}

function list(items: readonly string[]): string {
  const shown = items.slice(0, maxItems).map((item) => `- ${escaped(item)}`);
  const rest = items.length - shown.length;
  return [...shown, ...(rest === 0 ? [] : [`- and ${rest} more`])].join('\n');
}
