import type { Command } from 'commander';
import { copyImage } from '../app/copy-image.ts';
import { formatBytes } from '../base/size.ts';
import { plural, printable } from '../base/text.ts';
import type { Copied } from '../registry/copy.ts';
import type { ExitCode } from '../system/host.ts';
import { declareNetworkOptions, readNetwork } from './options/network.ts';
import type { Verb } from './verb.ts';
export const verb: Verb = {
  names: 'registry-images',
  declare(command: Command): void {
    command
      .argument('<from>', 'registry/repository[:tag][@digest] or oci:DIR[:TAG]')
      .argument('<to>', 'the same')
      .addHelpText(
        'after',
        '\nCopies an image, or an index with all its platforms, byte for byte, and everything that refers to it. Signatures are copied, not verified.',
      );
    declareNetworkOptions(command);
  },
  async run(host, [from = '', to = ''], options): Promise<ExitCode> {
    const copied = await copyImage(host, { from, to, network: readNetwork(options) });
    await host.stderr.write(summaryOf(copied));
    await host.stdout.write(`${copied.name}\n`);
    return 0;
  },
};

function summaryOf({ blobs, bytes, companions, manifests, warnings }: Copied): string {
  const lines = [
    ...warnings.map((warning) => `tcf: warning: ${printable(warning, 1000)}`),
    `copied the image and ${plural(companions, 'referrer')}: ${plural(manifests, 'manifest')}; ${plural(blobs.copied, 'blob')} sent (${formatBytes(bytes)}), ${blobs.mounted} mounted, ${blobs.there} there already`,
  ];
  return `${lines.join('\n')}\n`;
}
