import type { Command } from 'commander';
import { openImage } from '../app/open-image.ts';
import { writeSbom } from '../app/write-sbom.ts';
import { quoted } from '../base/text.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { formatJudged } from '../report/judged-sbom.ts';
import { formatSbomSummary } from '../report/sbom-summary.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode, Output } from '../system/host.ts';
import { paintPage } from '../system/terminal.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { textOption } from './options/bag.ts';
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
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument(
      '<image>',
      'docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, dir:PATH, containers-storage:REF, docker-daemon:REF or REF',
    );
    declareDocumentOptions(command);
    declareSbomOptions(command, 'exit code 1 where something is missing');
    declarePlatform(command);
    declareRunOptions(command);
    declareAttestedOptions(command);
    declareNetworkOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const output = textOption(options, 'output');
    await expectWritable(host, output);
    if (wantsAttested(options)) {
      refuseDocumentOptions(options);
      const answer = await readAttested(host, image, options);
      if ('exit' in answer) {
        return answer.exit;
      }
      await writeOutput(host, `${JSON.stringify(answer.document, undefined, 2)}\n`, output);
      return 0;
    }
    const { form, format, verifyLayers } = readDocumentOptions(options);
    const request = readSbomRequest(options);
    await using opened = await openImage(host, image, { ...request, verifyLayers });
    await host.stderr.write(formatWarnings(opened.warnings));
    const { judged, summary, text } = await writeSbom(host, opened, { ...request, ...form }, format);
    if (wantsPage(options, host.stdout)) {
      await writePage(host.stdout, image, text);
    } else {
      await writeOutput(host, text, output);
      await host.stderr.write(formatSbomSummary(summary, Buffer.byteLength(text), output));
    }
    await host.stderr.write(judged === undefined ? '' : formatJudged(judged));
    return judged === undefined || judged.missing.length === 0 ? 0 : 1;
  },
};

/** What is in it, for a person at the terminal. `text` is the SBOM as JSON. */
async function writePage(terminal: Output, image: string, text: string): Promise<void> {
  const [{ parseBomContents }, { toOverviewText }] = await Promise.all([
    import('../bom/contents.ts'),
    import('../report/inside/overview-text.ts'),
  ]);
  const page = toOverviewText(parseBomContents(JSON.parse(text), quoted(image)), image, listWidth(terminal));
  await terminal.write(paintPage(page, terminal));
}
