import type { Command } from 'commander';
import { reportImage } from '../app/report-image.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { formatBytes } from '../base/size.ts';
import { plural } from '../base/text.ts';
import { toPage } from '../report/page/page.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode } from '../system/host.ts';
import { textOption } from './options/bag.ts';
import { declareLookOptions, readLookRequest } from './options/look.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare(command: Command): void {
    declareLookOptions(command);
    command
      .option('-o, --output <file>', 'write the page to a file instead of standard output')
      .option(
        '--base <image|auto>',
        'split off what the base image brought; auto: the one that annotations name',
      )
      .option('--baseline <image|sbom>', 'say what changed since that one')
      .option('--policy <file>', 'a policy to ask beside those of machine, user and project')
      .option('--trusted-root <file>', 'trusted_root.json in place of those that policies name');
  },
  /** A page is a view, and no gate: it is made whatever the policies say, and says it. */
  async run(host, [source = ''], options): Promise<ExitCode> {
    await expectWritable(host, textOption(options, 'output'));
    const output = textOption(options, 'output');
    if (output === undefined && host.stdout.isTerminal) {
      throw askedWrongly('report.output', 'a page for a browser would be written to the terminal', {
        hint: `tcf report ${source} -o report.html`,
      });
    }
    await expectWritable(host, output);
    const facts = await reportImage(host, {
      ...readLookRequest(options, source),
      ...compact({
        baseline: textOption(options, 'baseline'),
        policy: textOption(options, 'policy'),
        trustedRoot: textOption(options, 'trustedRoot'),
      }),
    });
    const page = toPage(facts);
    await writeOutput(host, page, output);
    const where = output === undefined ? '' : ` to ${output}`;
    const what = plural(facts.contents.items.length, 'component');
    await host.stderr.write(`wrote a page of ${what}, ${formatBytes(Buffer.byteLength(page))}${where}\n`);
    return 0;
  },
};
