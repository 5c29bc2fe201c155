import type { Command } from 'commander';
import type { VulnsRequest } from '../../app/vulns/find-vulnerabilities.ts';
import type { FleetRequest } from '../../app/vulns/fleet.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { toFleetJson, toFleetText } from '../../report/vulns/fleet.ts';
import { type VulnsForm, vulnsForms } from '../../report/vulns/forms.ts';
import { toVulnsText } from '../../report/vulns/text.ts';
import { declareAttestedOptions } from './attested.ts';
import { choiceOption, collectOption, listOption, type Options, textOption } from './bag.ts';
import { declareContainerfile } from './containerfile.ts';
import { declareDatabase, readDatabase } from './database.ts';
import { declareFrom, readFleetRequest } from './fleet.ts';
import { declareLookOptions, readLookRequest } from './look.ts';

const formNames = [...vulnsForms.keys()];

export function declareVulnsOptions(command: Command): void {
  declareLookOptions(command, '[image|sbom]');
  declareFrom(command);
  declareDatabase(command);
  declareContainerfile(command);
  command
    .option('--base <image>', 'the image that this one was built on, or "auto"')
    .option(
      '--vex <file|folder>',
      'VEX that counts, OpenVEX or CycloneDX; may be given again',
      collectOption,
      [],
    )
    .option(`--format <${formNames.join('|')}>`, 'how it is told', 'table')
    .option('-o, --output <file>', 'write it there');
  declareAttestedOptions(command);
}

/** What is asked, and in which form the answer is told. */
export type VulnsQuestion =
  | { readonly about: 'image'; readonly request: VulnsRequest; readonly form: VulnsForm }
  /** All images of some repositories. */
  | { readonly about: 'fleet'; readonly request: FleetRequest; readonly form: typeof toFleetText };

/**
 * @throws TcfError `vulns.what`, `vulns.from`, `option.value`, `vulns.containerfile`, and those of the other
 * options
 *   (exit 3).
 */
export function readVulnsQuestion(options: Options, source: string): VulnsQuestion {
  if (listOption(options, 'from').length > 0) {
    return { about: 'fleet', request: readFleetRequest(options, 'vulns'), form: fleetForm(options, source) };
  }
  if (source === '') {
    throw askedWrongly('vulns.what', 'tcf vulns needs an image or an SBOM', {
      hint: 'name an image or an SBOM, or repositories with --from',
    });
  }
  const form = vulnsForms.get(choiceOption(options, 'format', formNames) ?? '') ?? toVulnsText;
  const request = compact({
    ...readLookRequest(options, source),
    database: readDatabase(options),
    vex: listOption(options, 'vex'),
    containerfile: textOption(options, 'containerfile'),
  });
  if (request.containerfile !== undefined && form !== vulnsForms.get('sarif')) {
    throw askedWrongly('vulns.containerfile', '--containerfile is for --format sarif', {
      hint: 'write --format sarif, or leave it out',
    });
  }
  return { about: 'image', request, form };
}

function fleetForm(options: Options, source: string): typeof toFleetText {
  const format = textOption(options, 'format');
  const isOfImage =
    source !== '' ||
    listOption(options, 'vex').length > 0 ||
    textOption(options, 'containerfile') !== undefined;
  if (isOfImage || (format !== 'table' && format !== 'json')) {
    throw askedWrongly(
      'vulns.from',
      '--from is about the attested SBOMs of repositories, as table or JSON, without another image, VEX or Containerfile',
      { hint: 'leave the others out' },
    );
  }
  return format === 'json' ? toFleetJson : toFleetText;
}
