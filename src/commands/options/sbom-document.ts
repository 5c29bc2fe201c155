import type { Command } from 'commander';
import type { SbomRequest } from '../../app/make-sbom.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { defaultSpecVersion } from '../../bom/cyclonedx.ts';
import { cyclonedxVersions } from '../../bom/cyclonedx-licenses.ts';
import type { SbomFormat } from '../../bom/formats/format.ts';
import { sbomFormats } from '../../bom/formats/index.ts';
import type { Output } from '../../system/host.ts';
import { choiceOption, flag, type Options, textOption } from './bag.ts';
import { givenSbomOptions } from './sbom.ts';

const flags = {
  nested: '--nested',
  uniqueSerial: '--unique-serial',
  verifyLayers: '--verify-layers',
  partial: '--partial',
};
const versionedFormats = sbomFormats.flatMap(({ name, specVersions = [] }) =>
  specVersions.length > 1 ? [`${name}: ${specVersions.join(', ')}`] : [],
);
const formats = sbomFormats.map(({ name, summary }) => `${name}: ${summary}`).join('; ');

/** In which form a new SBOM is written, and where. */
export function declareDocumentOptions(command: Command): void {
  command
    .option('-o, --output <file>', 'write to a file instead of standard output')
    .option(`--format <${sbomFormats.map(({ name }) => name).join('|')}>`, formats)
    .option(
      `--spec-version <${[...new Set(sbomFormats.flatMap(({ specVersions = [] }) => specVersions))].join('|')}>`,
      `version of the format (${versionedFormats.join('; ')}; without it the first)`,
    )
    .option('--nested', 'what lies in a package stands inside it; trivy passes over that');
}

/** What the SBOM is read from, and what tells one run from the next. */
export function declareRunOptions(command: Command): void {
  command
    .option(
      '--unique-serial',
      'a new serial number for each run; otherwise the same image gives the same bytes',
    )
    .option(
      '--verify-layers',
      'read the layers of a local store whole and check their digests, which takes as long as to unpack them',
    )
    .option(
      '--partial',
      'of layers in a registry that are zstd:chunked or eStargz fetch only the files that say what is installed; programs are not looked into',
    );
}

export interface DocumentOptions {
  readonly format: SbomFormat;
  readonly form: Pick<SbomRequest, 'layout' | 'specVersion' | 'uniqueSerial'>;
  readonly verifyLayers: boolean;
  readonly partial: boolean;
}

/** @throws TcfError `sbom.spec-version`, `sbom.format` (exit 3). */
export function readDocumentOptions(options: Options): DocumentOptions {
  const format = readFormat(options);
  const version = readFormatVersion(options, format);
  const specVersion = cyclonedxVersions.find((known) => known === version) ?? defaultSpecVersion;
  const uniqueSerial = flag(options, 'uniqueSerial') ? crypto.randomUUID() : undefined;
  const layout = flag(options, 'nested') ? 'nested' : 'flat';
  return {
    format: compact({ ...format, version }),
    form: compact({ layout, specVersion, uniqueSerial }),
    verifyLayers: flag(options, 'verifyLayers'),
    partial: flag(options, 'partial'),
  };
}

/** Whether a person is to see what is in the image, and not the document itself. */
export function wantsPage(options: Options, stdout: Pick<Output, 'isTerminal'>): boolean {
  const asksForDocument =
    ['output', 'format', 'specVersion'].some((name) => textOption(options, name) !== undefined) ||
    ['nested', 'uniqueSerial'].some((name) => flag(options, name));
  return stdout.isTerminal && !asksForDocument;
}

/**
 * The document as it was signed: no option about a new one means anything.
 *
 * @throws TcfError `sbom.attested` (exit 3), and as `readDocumentOptions` does.
 */
export function refuseDocumentOptions(options: Options): void {
  const [given] = [
    ...givenSbomOptions(options),
    ...(readFormat(options) === sbomFormats[0] ? [] : ['--format']),
    ...(textOption(options, 'specVersion') === undefined ? [] : ['--spec-version']),
    ...Object.entries(flags).flatMap(([name, typed]) => (flag(options, name) ? [typed] : [])),
  ];
  if (given !== undefined) {
    throw askedWrongly('sbom.attested', `${given} is about a new SBOM, and --attested gives the signed one`, {
      hint: 'leave one of them away',
    });
  }
}

function readFormatVersion(options: Options, { name, specVersions = [] }: SbomFormat): string | undefined {
  const asked = textOption(options, 'specVersion') ?? specVersions[0];
  if (asked === undefined || specVersions.includes(asked)) {
    return asked;
  }
  throw askedWrongly('sbom.spec-version', `tcf does not write ${name} in version ${quoted(asked)}`, {
    hint: specVersions.length === 0 ? 'leave out --spec-version' : `write ${specVersions.join(' or ')}`,
  });
}

function readFormat(options: Options): SbomFormat {
  const names = sbomFormats.map(({ name }) => name);
  const asked = choiceOption(options, 'format', names);
  return sbomFormats.find(({ name }) => name === asked) ?? sbomFormats[0];
}
