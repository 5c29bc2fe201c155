import type { Command } from 'commander';
import { makeSbom } from '../app/make-sbom.ts';
import { openImage } from '../app/open-image.ts';
import { quoted } from '../base/text.ts';
import { parseBomContents } from '../bom/contents.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { toOverviewText } from '../report/inside/overview-text.ts';
import { formatJudged } from '../report/judged-sbom.ts';
import { formatSbomSummary } from '../report/sbom-summary.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode } from '../system/host.ts';
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
    const made = await makeSbom(host, opened, { ...request, ...form });
    if (wantsPage(options, host.stdout)) {
      const contents = parseBomContents(made.document, quoted(image));
      const page = toOverviewText(contents, image, listWidth(host.stdout));
      await host.stdout.write(paintPage(page, host.stdout));
    } else {
      const text = format.write(made, host.env);
      await writeOutput(host, text, output);
      await host.stderr.write(formatSbomSummary(made.bom, Buffer.byteLength(text), output));
    }
    const { judged } = made;
    await host.stderr.write(judged === undefined ? '' : formatJudged(judged));
    return judged === undefined || judged.missing.length === 0 ? 0 : 1;
  },
};
