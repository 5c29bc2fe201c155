import { runFlagTable } from '../../src/launch/flags/table.ts';

const meaning = {
  harmless: 'harmless',
  host: "the user's word",
  content: 'refused: brings in content',
  joins: 'refused: starts or joins something else',
  decides: 'refused: changes what is verified',
} as const;

/** The table of flags as Markdown, as docs/runtime-flags.md has it. */
export function flagTable(): string {
  const rows = [...runFlagTable]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ class: kind, judge, letter, name, takesValue, why = '' }) => {
      const short = letter === undefined ? '' : `, \`-${letter}\``;
      const by = judge === undefined ? '' : ' (some values)';
      return `| \`--${name}\`${short} | ${takesValue ? 'value' : 'switch'} | ${meaning[kind]}${by} | ${why} |`;
    });
  return ['| flag | | what tcf does | why |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}
