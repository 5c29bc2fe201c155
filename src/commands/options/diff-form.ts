import type { Command } from 'commander';
import { askedWrongly } from '../../base/error.ts';
import type { BomDiff } from '../../bom/diff.ts';
import { toDiffJson } from '../../report/diff-json.ts';
import { toDiffMarkdown } from '../../report/diff-markdown.ts';
import { toDiffText } from '../../report/diff-text.ts';
import { flag, type Options } from './bag.ts';

export function declareDiffForms(command: Command): void {
  command
    .option('--json', 'the whole difference for machines')
    .option('--markdown', 'for a pull request or a job summary');
}

/** How a difference is written. @throws TcfError `diff.format` (exit 3). */
export function readDiffForm(options: Options): (diff: BomDiff) => string {
  const json = flag(options, 'json');
  const markdown = flag(options, 'markdown');
  if (json && markdown) {
    throw askedWrongly('diff.format', '--json and --markdown ask for two documents at once', {
      hint: 'choose one of them',
    });
  }
  if (json) {
    return toDiffJson;
  }
  return markdown ? toDiffMarkdown : toDiffText;
}
