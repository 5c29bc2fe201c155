import type { Command } from 'commander';
import { makeSbom } from '../app/make-sbom.ts';
import { openImage } from '../app/open-image.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { defaultSpecVersion } from '../bom/cyclonedx.ts';
import type { SpecVersion } from '../bom/cyclonedx-licenses.ts';
import type { SbomFormat } from '../bom/formats/format.ts';
import { sbomFormats } from '../bom/formats/index.ts';
import { formatSbomSummary } from '../report/sbom-summary.ts';
import { writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { declareNetworkOptions } from './options/network.ts';
import { declarePlatform } from './options/platform.ts';
import { declareSbomOptions, formatJudged, givenSbomOptions, readSbomRequest } from './options/sbom.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<image>',
        'docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, containers-storage:REF or REF',
      )
      .option('-o, --output <file>', 'write to a file instead of standard output')
      .option('--format <format>', describeFormats(), sbomFormats[0].name)
      .option(
        '--spec-version <version>',
        `CycloneDX version: ${specVersions.join(' or ')}`,
        defaultSpecVersion,
      )
      .option('--nested', 'what lies in a package stands inside it; trivy passes over that');
    declareSbomOptions(command, 'exit code 1 where something is missing');
    declarePlatform(command);
    command.option(
      '--unique-serial',
      'a new serial number for each run; otherwise the same image gives the same bytes',
    );
    command.option(
      '--verify-layers',
      'read the layers of a local store whole and check their digests, which takes as long as to unpack them',
    );
    declareAttestedOptions(command);
    declareNetworkOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    if (wantsAttested(options)) {
      return await writeAttested(host, image, options);
    }
    const specVersion = readSpecVersion(options);
    const format = readFormat(options);
    const request = readSbomRequest(options);
    await using opened = await openImage(host, image, {
      ...request,
      verifyLayers: flag(options, 'verifyLayers'),
    });
    for (const warning of opened.warnings ?? []) {
      await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
    }
    const uniqueSerial = flag(options, 'uniqueSerial') ? crypto.randomUUID() : undefined;
    const made = await makeSbom(
      host,
      opened,
      compact({ ...request, layout: flag(options, 'nested') ? 'nested' : 'flat', specVersion, uniqueSerial }),
    );
    const text = format.write(made, host.env);
    const output = textOption(options, 'output');
    if (output === undefined) {
      await host.stdout.write(text);
    } else {
      await writeUserFile(host, output, text);
    }
    await host.stderr.write(formatSbomSummary(made.bom, Buffer.byteLength(text), output));
    const { judged } = made;
    if (judged === undefined) {
      return 0;
    }
    await host.stderr.write(formatJudged(judged));
    return judged.missing.length === 0 ? 0 : 1;
  },
};

/** The document as it was signed: no option about a new one means anything. */
async function writeAttested(host: Host, image: string, options: Options): Promise<ExitCode> {
  const [given] = [
    ...givenSbomOptions(options),
    ...(readFormat(options) === sbomFormats[0] ? [] : ['--format']),
    ...(readSpecVersion(options) === defaultSpecVersion ? [] : ['--spec-version']),
    ...(['nested', 'uniqueSerial', 'verifyLayers'] as const).filter((name) => flag(options, name)),
  ];
  if (given !== undefined) {
    throw askedWrongly('sbom.attested', `${given} is about a new SBOM, and --attested gives the signed one`, {
      hint: 'leave one of them away',
    });
  }
  const answer = await readAttested(host, image, options);
  if ('exit' in answer) {
    return answer.exit;
  }
  const text = `${JSON.stringify(answer.document, undefined, 2)}\n`;
  const output = textOption(options, 'output');
  if (output === undefined) {
    await host.stdout.write(text);
  } else {
    await writeUserFile(host, output, text);
  }
  return 0;
}

const specVersions = ['1.6', '1.7'] as const;

function readSpecVersion(options: Options): SpecVersion {
  const asked = textOption(options, 'specVersion') ?? defaultSpecVersion;
  const known = specVersions.find((version) => version === asked);
  if (known !== undefined) {
    return known;
  }
  throw askedWrongly('sbom.spec-version', `tcf does not write CycloneDX ${quoted(asked)}`, {
    hint: `write ${specVersions.join(' or ')}`,
  });
}

function describeFormats(): string {
  return sbomFormats.map(({ name, summary }) => `${name}: ${summary}`).join('; ');
}

function readFormat(options: Options): SbomFormat {
  const asked = textOption(options, 'format') ?? sbomFormats[0].name;
  const format = sbomFormats.find(({ name }) => name === asked);
  if (format !== undefined) {
    return format;
  }
  throw askedWrongly('sbom.format', `tcf does not write ${quoted(asked)}`, {
    hint: `write one of ${sbomFormats.map(({ name }) => name).join(', ')}`,
  });
}
