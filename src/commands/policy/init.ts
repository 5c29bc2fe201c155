import type { Command } from 'commander';
import { type InitPolicyRequest, initPolicy } from '../../app/init-policy.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { formatVerdict } from '../../report/text.ts';
import { expectWritable, writeUserFile } from '../../system/files.ts';
import type { ExitCode } from '../../system/host.ts';
import { paintSigns } from '../../system/terminal.ts';
import { type Options, textOption } from '../options/bag.ts';
import { declareNetworkOptions, readNetwork } from '../options/network.ts';
import { declarePlatform, readPlatform } from '../options/platform.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare(command: Command): void {
    command
      .argument('<image>', 'registry/repository[:tag][@digest], signed by those whom the policy shall trust')
      .option('--key <file>', 'public key of those who sign')
      .option('--github <owner/repo/workflow>', 'workflow of GitHub Actions that signs: acme/app/build.yml')
      .option('--match <registry/repository>', 'images that the policy is for (default: those of this name)')
      .option('-o, --output <file>', 'where to write it (default: policy.yaml); never over a file')
      .option('--trusted-root <file>', 'trusted_root.json that proves the signatures, for the policy too')
      .option('--as <name>', 'registry/repository by which policies judge an image of an oci: layout');
    declarePlatform(command);
    declareNetworkOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const request = readRequest(options, image);
    await expectWritable(host, request.output, 'exclusive');
    const made = await initPolicy(host, request);
    if (made.kind === 'denied') {
      await host.stderr.write(paintSigns(formatVerdict(made.verdict), host.stderr));
      await host.stderr.write('tcf: no policy was written: whom you name has not signed this image\n');
      return 1;
    }
    await writeUserFile(host, request.output, made.text, { exclusive: true });
    await host.stderr.write(
      `wrote ${request.output}: ${made.rules.join(', ')}\nnext: tcf verify ${image} --policy ${request.output}\n`,
    );
    return 0;
  },
};

const usualName = 'policy.yaml';

function readRequest(options: Options, image: string): InitPolicyRequest {
  return compact({
    image,
    output: textOption(options, 'output') ?? usualName,
    signer: readSignerOption(options),
    match: textOption(options, 'match'),
    trustedRoot: textOption(options, 'trustedRoot'),
    as: textOption(options, 'as'),
    platform: readPlatform(options),
    network: readNetwork(options),
  });
}

function readSignerOption(options: Options): InitPolicyRequest['signer'] {
  const [file, workflow] = [textOption(options, 'key'), textOption(options, 'github')];
  if (file !== undefined && workflow === undefined) {
    return { kind: 'key', file };
  }
  if (file === undefined && workflow !== undefined) {
    return { kind: 'github', workflow };
  }
  throw askedWrongly(
    'policy.signer',
    file === undefined ? 'nothing says whom the policy shall trust' : 'a key and a workflow are named',
    { hint: 'give --key FILE, or --github OWNER/REPO/WORKFLOW' },
  );
}
