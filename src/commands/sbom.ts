import { writeForEachImage } from '../app/each-image.ts';
import { openImage } from '../app/open-image.ts';
import { writeOverview } from '../app/write-overview.ts';
import { writeSbom } from '../app/write-sbom.ts';
import { fileEnding } from '../bom/formats/file-ending.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { formatJudged } from '../report/judged-sbom.ts';
import { formatSbomSummary } from '../report/sbom-summary.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { readAttested } from './options/attested.ts';
import { type Options, textOption } from './options/bag.ts';
import { listWidth } from './options/look.ts';
import { readDocumentOptions, wantsPage } from './options/sbom-document.ts';
import { declareSbomVerb, readSbomQuestion } from './options/sbom-question.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare: declareSbomVerb,
  async run(host, words, options): Promise<ExitCode> {
    const images = words.flatMap((word) => word ?? []);
    const output = textOption(options, 'output');
    const [image = ''] = images;
    if (images.length === 1) {
      return await writeOne(host, image, options, output);
    }
    const ending = fileEnding(readDocumentOptions(options).format);
    return await writeForEachImage(host, images, { folder: output, ending }, (name, path) =>
      writeOne(host, name, options, path),
    );
  },
};

async function writeOne(host: Host, image: string, options: Options, output?: string): Promise<ExitCode> {
  await expectWritable(host, output);
  const asked = readSbomQuestion(options);
  if (asked.about === 'attested') {
    const answer = await readAttested(host, image, options);
    if ('document' in answer) {
      await writeOutput(host, `${JSON.stringify(answer.document, undefined, 2)}\n`, output);
    }
    return 'exit' in answer ? answer.exit : 0;
  }
  await using opened = await openImage(host, image, { ...asked.request, ...asked.look });
  await host.stderr.write(formatWarnings(opened.warnings));
  const { judged, summary, text } = await writeSbom(host, opened, asked.request, asked.format);
  if (wantsPage(options, host.stdout)) {
    await writeOverview(host.stdout, image, text, listWidth(host.stdout));
  } else {
    await writeOutput(host, text, output);
    await host.stderr.write(formatSbomSummary(summary, Buffer.byteLength(text), output));
  }
  await host.stderr.write(judged === undefined ? '' : formatJudged(judged));
  return judged === undefined || judged.missing.length === 0 ? 0 : 1;
}
