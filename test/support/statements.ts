/**
 * The statements of a Markdown page, each as one line: sentences of paragraphs and list items, rows of
 * tables, and blocks of code as a whole. Headings say nothing, and the head of a table neither.
 */
export function statementsOf(page: string): readonly string[] {
  return blocksOf(page).flatMap((block) => {
    const text = block.join('\n');
    if (/^#/.test(text)) {
      return [];
    }
    if (/^(?:```| {4})/.test(text)) {
      return [oneLine(text)];
    }
    if (text.startsWith('|')) {
      return block.slice(2).map(oneLine);
    }
    return text.split(/^(?=- )/m).flatMap((item) => sentencesOf(oneLine(item.replace(/^- /, ''))));
  });
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** At blank lines, but for those within a fence. */
function blocksOf(page: string): readonly (readonly string[])[] {
  const blocks: string[][] = [];
  let current: string[] = [];
  let isFenced = false;
  for (const line of page.split('\n')) {
    const isFence = line.startsWith('```');
    if ((line === '' && !isFenced) || (isFence && !isFenced && current.length > 0)) {
      blocks.push(current);
      current = [];
    }
    if (line !== '' || isFenced) {
      current.push(line);
    }
    isFenced = isFence ? !isFenced : isFenced;
  }
  return [...blocks, current].filter((block) => block.length > 0);
}

/** Where a sentence ends, a blank and a capital, a name in backticks or a parenthesis follow. */
function sentencesOf(text: string): readonly string[] {
  return text.split(/(?<=[.:;?!]\)?(?:\*\*)?) (?=[A-Z`(*])/);
}
