import type { Command } from 'commander';
import { findDevContainerFile, readDevContainer } from '../../app/launch/devcontainer-file.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { imageOf } from '../../launch/devcontainer/document.ts';
import { pinDevContainer } from '../../launch/devcontainer/edit.ts';
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
      declareFile(command.argument('[image]', 'another image than the one that is named')),
    );
  },
  async run(host, [name], options): Promise<ExitCode> {
    const file = findDevContainerFile(host, textOption(options, 'file'));
    const container = await readDevContainer(host, file);
    await expectWritable(host, file);
    const ref = name === undefined ? imageOf(container.members) : readNewImage(host, name);
    if (ref === undefined) {
      throw askedWrongly('devcontainer.image', `${quoted(file)} names no image`, {
        hint: 'a Dockerfile, Compose file or Features cannot be verified before they start: build the image in CI, sign it, and tcf devcontainer migrate IMAGE',
      });
    }
    const pinned = await resolveAllowed(host, ref, options);
    if (pinned === undefined) {
      return 1;
    }
    return await replaceText(host, file, pinDevContainer(container, pinned, file), pinned, options);
  },
});
