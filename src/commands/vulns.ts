import type { Command } from 'commander';
import { findImageVulnerabilities } from '../app/vulns/find-vulnerabilities.ts';
import { scanFleet } from '../app/vulns/scan-fleet.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { exitOfFleet, toFleetJson, toFleetText } from '../report/vulns/fleet.ts';
import { exitOf, type FoundVulnerabilities } from '../report/vulns/found.ts';
import { toGitLabReport } from '../report/vulns/gitlab.ts';
import { toVulnsJson } from '../report/vulns/json.ts';
import { toVulnsPredicateJson } from '../report/vulns/predicate.ts';
import { toVulnsSarif } from '../report/vulns/sarif.ts';
import { toVulnsText } from '../report/vulns/text.ts';
import { toCycloneDxVex, toOpenVex } from '../report/vulns/vex-documents.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { version } from '../version.ts';
import { declareAttestedOptions, readAttested, wantsAttested } from './options/attested.ts';
import { collectOption, listOption, type Options, textOption } from './options/bag.ts';
import { declareDatabase, readDatabase } from './options/database.ts';
import { declareFrom, readFleetRequest } from './options/fleet.ts';
import { declareLookOptions, readLookRequest } from './options/look.ts';
import type { Verb } from './verb.ts';

type Form = (found: FoundVulnerabilities, now: Date, version: string) => string;

const forms: Readonly<Record<string, Form>> = {
  table: toVulnsText,
  json: toVulnsJson,
  sarif: (found, _, own) => toVulnsSarif(found, own),
  'cyclonedx-vex': toCycloneDxVex,
  openvex: toOpenVex,
  'in-toto': toVulnsPredicateJson,
  gitlab: toGitLabReport,
};

export const verb: Verb = {
  declare(command: Command): void {
    declareLookOptions(command, '[image|sbom]');
    declareFrom(command);
    declareDatabase(command);
    command
      .option('--base <image>', 'the image that this one was built on, or "auto"')
      .option(
        '--vex <file|folder>',
        'VEX that counts, OpenVEX or CycloneDX; may be given again',
        collectOption,
        [],
      )
      .option(`--format <${Object.keys(forms).join('|')}>`, 'how it is told', 'table')
      .option('-o, --output <file>', 'write it there');
    declareAttestedOptions(command);
  },
  /** 1 where something is affected, 2 where nothing is and something cannot be told. */
  async run(host, [source = ''], options): Promise<ExitCode> {
    await expectWritable(host, textOption(options, 'output'));
    if (listOption(options, 'from').length > 0) {
      return await tellFleet(host, source, options);
    }
    if (source === '') {
      throw askedWrongly('vulns.what', 'tcf vulns is not told what to look at', {
        hint: 'name an image or an SBOM, or repositories with --from',
      });
    }
    const form = readForm(options);
    const request = compact({
      ...readLookRequest(options, source),
      database: readDatabase(options),
      vex: listOption(options, 'vex'),
    });
    const attested = wantsAttested(options) ? await readAttested(host, source, options) : undefined;
    if (attested !== undefined && 'exit' in attested) {
      return attested.exit;
    }
    const found = await findImageVulnerabilities(
      host,
      attested === undefined ? request : { ...request, attested: attested.document },
    );
    const text = form(found, saidAt(host.env['SOURCE_DATE_EPOCH'], host.now()), version);
    await writeOutput(host, text, textOption(options, 'output'));
    return exitOf(found);
  },
};

/** Many images, by their attested SBOMs alone. */
async function tellFleet(host: Host, source: string, options: Options): Promise<ExitCode> {
  const format = textOption(options, 'format');
  if (source !== '' || (format !== 'table' && format !== 'json') || listOption(options, 'vex').length > 0) {
    throw askedWrongly(
      'vulns.from',
      '--from is about the attested SBOMs of repositories, as table or JSON, without another image or VEX',
      {
        hint: 'leave the others out',
      },
    );
  }
  const { digest, images } = await scanFleet(host, readFleetRequest(options, 'vulns'));
  const text = (format === 'json' ? toFleetJson : toFleetText)(images, digest);
  await writeOutput(host, text, textOption(options, 'output'));
  return exitOfFleet(images);
}

function readForm(options: Options): Form {
  const asked = textOption(options, 'format') ?? 'table';
  const form = Object.hasOwn(forms, asked) ? forms[asked] : undefined;
  if (form === undefined) {
    throw askedWrongly('vulns.format', `tcf vulns has no format ${quoted(asked)}`, {
      hint: `write ${Object.keys(forms).join(', ')}`,
    });
  }
  return form;
}

function saidAt(epoch: string | undefined, now: Date): Date {
  return epoch === undefined ? now : new Date(toTimestamp(undefined, epoch) ?? now);
}
