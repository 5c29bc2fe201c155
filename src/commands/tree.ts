import type { Command } from 'commander';
import { lookInside } from '../app/look-inside.ts';
import { closest } from '../base/closest.ts';
import { askedWrongly } from '../base/error.ts';
import { formatJson, quoted } from '../base/text.ts';
import { formatTree, toTree, toTreeJson, toWhyTree, treeOrders } from '../report/inside/tree-text.ts';
import type { ExitCode } from '../system/host.ts';
import { choiceOption, flag, type Options, textOption } from './options/bag.ts';
import { declareLookOptions, listWidth, readLookRequest } from './options/look.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare(command: Command): void {
    declareLookOptions(command);
    command
      .option(`--by <${treeOrders.join('|')}>`, 'what hangs below what', treeOrders[0])
      .option('--why <name>', 'who needs the component of that name, up to what nothing needs')
      .option('--depth <levels>', 'how many levels are shown')
      .option('--json', 'the tree for machines');
  },
  /** No is the answer where nothing has the name that `--why` asks about. */
  async run(host, [source = ''], options): Promise<ExitCode> {
    const order = choiceOption(options, 'by', treeOrders) ?? treeOrders[0];
    const depth = readDepth(options);
    const { contents } = await lookInside(host, readLookRequest(options, source));
    const why = textOption(options, 'why');
    const nodes = why === undefined ? toTree(contents, order) : toWhyTree(contents, why);
    if (nodes === undefined) {
      const near = closest(
        why ?? '',
        contents.items.map(({ component }) => component.name),
      );
      const hint = near === undefined ? '' : `; did you mean ${quoted(near)}?`;
      await host.stderr.write(`tcf: nothing in ${quoted(source)} is called ${quoted(why ?? '')}${hint}\n`);
      return 1;
    }
    await host.stdout.write(
      flag(options, 'json')
        ? formatJson(toTreeJson(nodes), 2)
        : formatTree(nodes, listWidth(host.stdout), depth),
    );
    return 0;
  },
};

function readDepth(options: Options): number {
  const asked = textOption(options, 'depth');
  if (asked === undefined) {
    return Number.POSITIVE_INFINITY;
  }
  if (/^\d{1,4}$/.test(asked)) {
    return Number(asked);
  }
  throw askedWrongly('tree.depth', `${quoted(asked)} is not a number of levels`, { hint: 'write --depth 2' });
}
