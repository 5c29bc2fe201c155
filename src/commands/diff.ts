import type { Command } from 'commander';
import { lookInside } from '../app/look-inside.ts';
import { namesFile, readSbomFile } from '../app/read-sbom.ts';
import { compact } from '../base/compact.ts';
import { quoted } from '../base/text.ts';
import { diffBoms, isEmptyDiff } from '../bom/diff.ts';
import { parseSbom, type SbomFacts } from '../bom/read.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { flag, type Options } from './options/bag.ts';
import { declareDiffForms, readDiffForm } from './options/diff-form.ts';
import { declareNetworkOptions, readNetwork } from './options/network.ts';
import { declarePlatform, readPlatform } from './options/platform.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare(command: Command): void {
    command
      .argument('<old>', 'an SBOM (CycloneDX JSON) or an image; where a file has that name, it is the SBOM')
      .argument('<new>', 'the same');
    declareDiffForms(command);
    command.option('--exit-code', 'exit with 1 where they differ');
    declarePlatform(command);
    declareAttestedOptions(command);
    declareNetworkOptions(command);
  },
  async run(host, [old = '', now = ''], options): Promise<ExitCode> {
    const format = readDiffForm(options);
    const before = await readSide(host, old, options);
    if ('exit' in before) {
      return before.exit;
    }
    const after = await readSide(host, now, options);
    if ('exit' in after) {
      return after.exit;
    }
    const diff = diffBoms(before, after);
    await host.stdout.write(format(diff));
    return flag(options, 'exitCode') && !isEmptyDiff(diff) ? 1 : 0;
  },
};

/** A file is what it is; of an image what a trusted signer attested, or what it says now. */
async function readSide(
  host: Host,
  text: string,
  options: Options,
): Promise<SbomFacts | { readonly exit: ExitCode }> {
  const isAttested = wantsAttested(options);
  const request = compact({ platform: readPlatform(options), network: readNetwork(options) });
  if (namesFile(host, text)) {
    return await readSbomFile(host, text);
  }
  if (!isAttested) {
    return (await lookInside(host, { source: text, ...request })).contents;
  }
  const answer = await readAttested(host, text, options);
  return 'exit' in answer ? answer : parseSbom(answer.document, `the attested SBOM of ${quoted(text)}`);
}
