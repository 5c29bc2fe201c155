import type { Command } from 'commander';
import {
  examineDevContainer,
  findDevContainerFile,
  readDevContainer,
} from '../../app/launch/devcontainer-file.ts';
import { powersOfImage } from '../../app/launch/image-powers.ts';
import { tellCaches } from '../../app/launch/mounted-caches.ts';
import { verifyImage } from '../../app/verify-image.ts';
import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import { pinnedImage } from '../../launch/devcontainer/document.ts';
import { wordsForEngine } from '../../launch/devcontainer/faults.ts';
import { formatImageRef, type ImageRef } from '../../oci/reference.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { readNetwork } from '../options/network.ts';
import { readPlatform } from '../options/platform.ts';
import { readStartRequest } from '../options/start.ts';
import { declareVerifyOptions } from '../options/verify.ts';
import type { Verb } from '../verb.ts';
import { calledByOthers, declareFile, tellFaults } from './shared.ts';

export const verb: Verb = calledByOthers({
  declare(command: Command): void {
    declareVerifyOptions(declareFile(command));
  },
  async run(host, _, options): Promise<ExitCode> {
    const file = findDevContainerFile(host, textOption(options, 'file'));
    const container = await readDevContainer(host, file);
    const faults = await examineDevContainer(host, container, file);
    await tellFaults(host, file, faults);
    const image = pinnedImage(container);
    if (image === undefined || faults.length > 0) {
      return await nothing(host);
    }
    const { verdict } = await verifyImage(
      host,
      readStartRequest(options, formatImageRef(withoutTag(image)), 'devcontainer'),
    );
    if (verdict.verdict !== 'allow') {
      await host.stderr.write(formatVerdict(verdict));
      return await nothing(host);
    }
    const powers = await powersOfImage(host, {
      image: withoutTag(image),
      container,
      platform: readPlatform(options),
      network: readNetwork(options),
    });
    if (powers.length === 0) {
      await tellCaches(host, wordsForEngine(container));
      return 0;
    }
    await host.stderr.write(
      `tcf: the image asks for ${powers.join(', ')} in its label devcontainer.metadata, and the project does not\n`,
    );
    await host.stderr.write(
      `    hint: write what you want of it into ${printable(file)}, in the same words\n`,
    );
    return await nothing(host);
  },
});

async function nothing(host: Host): Promise<ExitCode> {
  await host.stderr.write('tcf: nothing was started\n');
  return 1;
}

/** The tag beside a digest is for people; nobody has to ask where it leads now. */
function withoutTag({ digest, registry, repository }: ImageRef): ImageRef {
  return compact({ registry, repository, digest });
}
