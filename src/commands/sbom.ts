import type { Command } from 'commander';
import { writeForEachImage } from '../app/each-image.ts';
import { openImage } from '../app/open-image.ts';
import { writeOverview } from '../app/write-overview.ts';
import { writeSbom } from '../app/write-sbom.ts';
import { compact } from '../base/compact.ts';
import { fileEnding } from '../bom/formats/file-ending.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { formatJudged } from '../report/judged-sbom.ts';
import { formatSbomSummary } from '../report/sbom-summary.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { type Options, textOption } from './options/bag.ts';
import { listWidth } from './options/look.ts';
import { declareNetworkOptions } from './options/network.ts';
import { declarePlatform } from './options/platform.ts';
import { declareSbomOptions, readSbomRequest } from './options/sbom.ts';
import {
  declareDocumentOptions,
  declareRunOptions,
  readDocumentOptions,
  refuseDocumentOptions,
  wantsPage,
} from './options/sbom-document.ts';
import { declareSharedCache, readSharedCache, readsSharedCache } from './options/shared-cache.ts';
import { declareSigningOptions } from './options/signing.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare(command: Command): void {
    command.argument(
      '<image...>',
      'docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, dir:PATH, containers-storage:REF, docker-daemon:REF or REF; of several images, a file each in the folder of -o',
    );
    declareDocumentOptions(command);
    declareSbomOptions(command, 'exit code 1 where something is missing');
    declarePlatform(command);
    declareRunOptions(command);
    declareSharedCache(command);
    declareSigningOptions(command, { hasRoot: true });
    declareAttestedOptions(command, '--attested or --cache-from');
    declareNetworkOptions(command);
  },
  async run(host, words, options): Promise<ExitCode> {
    const images = words.flatMap((word) => word ?? []);
    const output = textOption(options, 'output');
    const [image = ''] = images;
    if (images.length === 1) {
      return await writeOne(host, image, output, options);
    }
    const ending = fileEnding(readDocumentOptions(options).format);
    return await writeForEachImage(host, images, { folder: output, ending }, (name, path) =>
      writeOne(host, name, path, options),
    );
  },
};

async function writeOne(
  host: Host,
  image: string,
  output: string | undefined,
  options: Options,
): Promise<ExitCode> {
  await expectWritable(host, output);
  if (wantsAttested(options, readsSharedCache(options))) {
    refuseDocumentOptions(options);
    const answer = await readAttested(host, image, options);
    if ('exit' in answer) {
      return answer.exit;
    }
    await writeOutput(host, `${JSON.stringify(answer.document, undefined, 2)}\n`, output);
    return 0;
  }
  const { form, format, verifyLayers } = readDocumentOptions(options);
  const request = compact({ ...readSbomRequest(options), shared: readSharedCache(options) });
  await using opened = await openImage(host, image, { ...request, verifyLayers });
  await host.stderr.write(formatWarnings(opened.warnings));
  const { judged, summary, text } = await writeSbom(host, opened, { ...request, ...form }, format);
  if (wantsPage(options, host.stdout)) {
    await writeOverview(host.stdout, image, text, listWidth(host.stdout));
  } else {
    await writeOutput(host, text, output);
    await host.stderr.write(formatSbomSummary(summary, Buffer.byteLength(text), output));
  }
  await host.stderr.write(judged === undefined ? '' : formatJudged(judged));
  return judged === undefined || judged.missing.length === 0 ? 0 : 1;
}
