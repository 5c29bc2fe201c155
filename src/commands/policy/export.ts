import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { loadPolicy } from '../../app/trust/policies.ts';
import { askedWrongly } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { exportTargets } from '../../policy/exports/index.ts';
import type { Exported } from '../../policy/exports/target.ts';
import { makeFolder, writeUserFile } from '../../system/files.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import type { Verb } from '../verb.ts';

const targets = exportTargets.map(({ name }) => name).join('|');

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file>', 'the policy')
      .option(`--to <${targets}>`, 'for which engine')
      .option('-o, --output <folder>', 'write the files there (default: print them)');
  },
  async run(host, [file = ''], options): Promise<ExitCode> {
    const name = textOption(options, 'to');
    const target = exportTargets.find((one) => one.name === name);
    if (target === undefined) {
      throw askedWrongly(
        'policy.target',
        name === undefined ? 'nothing says for which engine' : `tcf does not export to ${quoted(name)}`,
        { hint: `give --to ${targets}` },
      );
    }
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
    await writeFiles(host, files, textOption(options, 'output'));
    return 0;
  },
};

async function writeFiles(host: Host, files: Exported['files'], folder: string | undefined): Promise<void> {
  const [only] = files;
  if (folder === undefined && only !== undefined && files.length === 1) {
    await host.stdout.write(only.content);
    return;
  }
  if (folder === undefined) {
    throw askedWrongly(
      'policy.output',
      `there are ${files.length} files: ${files.map(({ path }) => path).join(', ')}`,
      {
        hint: 'give --output FOLDER',
      },
    );
  }
  for (const { content, path } of files) {
    await makeFolder(host, dirname(join(folder, path)));
    await writeUserFile(host, join(folder, path), content);
    await host.stderr.write(`wrote ${join(folder, path)}\n`);
  }
}
