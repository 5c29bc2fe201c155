import type { Command } from 'commander';
import { findDevContainerFile, readDevContainer } from '../../app/launch/devcontainer-file.ts';
import { printable } from '../../base/text.ts';
import { migrateDevContainer } from '../../launch/devcontainer/edit.ts';
import { expectWritable } from '../../system/files.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareVerifyOptions } from '../options/verify.ts';
import type { Verb } from '../verb.ts';
import { calledByOthers, declareFile, readNewImage, replaceText, resolveAllowed } from './shared.ts';

export const verb: Verb = calledByOthers({
  names: 'signed-images',
  declare(command: Command): void {
    declareVerifyOptions(
      declareFile(command.argument('<image>', 'what its Dockerfile built, pushed and signed')),
    );
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const file = findDevContainerFile(host, textOption(options, 'file'));
    const container = await readDevContainer(host, file);
    await expectWritable(host, file);
    const pinned = await resolveAllowed(host, readNewImage(host, name), options);
    if (pinned === undefined) {
      return 1;
    }
    const { removed, text } = migrateDevContainer(container, pinned, file);
    const exit = await replaceText(host, file, text, pinned, options);
    if (exit === 0 && removed.length > 0) {
      await host.stderr.write(
        `tcf: took ${removed.join(', ')} out of ${printable(file)}: what they made has to be in the image\n`,
      );
    }
    return exit;
  },
});
