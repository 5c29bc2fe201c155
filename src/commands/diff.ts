import type { Command } from 'commander';
import { type ImageRequest, openImage } from '../app/open-image.ts';
import { loadPins } from '../app/pins/store.ts';
import { readSbomFile } from '../app/read-sbom.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { type BomDiff, diffBoms, isEmptyDiff } from '../bom/diff.ts';
import { parseSbom, type SbomFacts } from '../bom/read.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { isBareName, parseImageName } from '../image/source.ts';
import { toDiffJson } from '../report/diff-json.ts';
import { toDiffMarkdown } from '../report/diff-markdown.ts';
import { toDiffText } from '../report/diff-text.ts';
import { fileExists } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { version } from '../version.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { flag, type Options } from './options/bag.ts';
import { declareNetworkOptions, readNetwork } from './options/network.ts';
import { declarePlatform, readPlatform } from './options/platform.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<old>', 'an SBOM (CycloneDX JSON) or an image; where a file has that name, it is the SBOM')
      .argument('<new>', 'the same')
      .option('--json', 'the whole difference for machines')
      .option('--markdown', 'for a pull request or a job summary')
      .option('--exit-code', 'exit with 1 where they differ');
    declarePlatform(command);
    declareAttestedOptions(command);
    declareNetworkOptions(command);
  },
  async run(host, [old = '', now = ''], options): Promise<ExitCode> {
    const render = rendererOf(options);
    const request = compact({ platform: readPlatform(options), network: readNetwork(options) });
    const sides: SbomFacts[] = [];
    for (const side of [old, now]) {
      const read = wantsAttested(options)
        ? await readSigned(host, side, options)
        : await readSide(host, side, request);
      if ('exit' in read) {
        return read.exit;
      }
      sides.push(read);
    }
    const diff = diffBoms(...(sides as [SbomFacts, SbomFacts]));
    await host.stdout.write(render(diff));
    return flag(options, 'exitCode') && !isEmptyDiff(diff) ? 1 : 0;
  },
};

function rendererOf(options: Options): (diff: BomDiff) => string {
  const json = flag(options, 'json');
  const markdown = flag(options, 'markdown');
  if (json && markdown) {
    throw askedWrongly('diff.format', '--json and --markdown ask for two documents at once', {
      hint: 'choose one of them',
    });
  }
  if (json) {
    return toDiffJson;
  }
  return markdown ? toDiffMarkdown : toDiffText;
}

/** A file is what it is; of an image what a trusted signer attested. */
async function readSigned(
  host: Host,
  text: string,
  options: Options,
): Promise<SbomFacts | { readonly exit: ExitCode }> {
  if (isFile(host, text)) {
    return await readSbomFile(host, text);
  }
  const answer = await readAttested(host, text, options);
  return 'exit' in answer ? answer : parseSbom(answer.document, `the attested SBOM of ${quoted(text)}`);
}

function isFile(host: Host, text: string): boolean {
  return isBareName(parseImageName(text)) && fileExists(host, text);
}

async function readSide(host: Host, text: string, request: ImageRequest): Promise<SbomFacts> {
  if (isFile(host, text)) {
    return await readSbomFile(host, text);
  }
  // Catalogers and the licence list load only where an image is scanned.
  const { makeBom } = await import('../app/scan.ts');
  const { defaultSpecVersion, toCycloneDx } = await import('../bom/cyclonedx.ts');
  await using opened = await openImage(host, text, request);
  for (const warning of opened.warnings ?? []) {
    await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
  }
  const bom = await makeBom(opened, undefined, { pins: await loadPins(host) });
  const timestamp = toTimestamp(opened.config.created, host.env['SOURCE_DATE_EPOCH']);
  return parseSbom(
    toCycloneDx(bom, { specVersion: defaultSpecVersion, toolVersion: version, timestamp }),
    quoted(text),
  );
}
