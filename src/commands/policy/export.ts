import type { Command } from 'commander';
import { loadPolicy } from '../../app/trust/policies.ts';
import { writeExport } from '../../app/write-export.ts';
import { printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { exportNames, readExportTarget } from '../options/export-target.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file>', 'the policy')
      .option(`--to <${exportNames}>`, 'for which engine')
      .option('-o, --output <folder>', 'write the files there (default: print them)');
  },
  async run(host, [file = ''], options): Promise<ExitCode> {
    const target = readExportTarget(options);
    const outcome = target.toFiles(await loadPolicy(host, file));
    if (!outcome.ok) {
      for (const { message, subject = '' } of outcome.reason) {
        await host.stderr.write(`${file}: ${printable(subject)}: ${printable(message, 2000)}\n`);
      }
      await host.stderr.write(`tcf: ${target.name} cannot say what the policy says; nothing was exported\n`);
      return 1;
    }
    const { files, notes } = outcome.value;
    for (const note of notes) {
      await host.stderr.write(`tcf: note: ${printable(note, 2000)}\n`);
    }
    await writeExport(host, files, textOption(options, 'output'));
    return 0;
  },
};
