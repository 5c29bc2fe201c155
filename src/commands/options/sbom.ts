import type { Command } from 'commander';
import type { SbomRequest } from '../../app/make-sbom.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { profileNames, profiles } from '../../bom/profiles.ts';
import { choiceOption, collectOption, flag, listOption, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';
import { readPlatform } from './platform.ts';
import { readPeople, readSecurityContact } from './sbom-people.ts';

/**
 * What a user may say about an SBOM that is made, in whatever verb makes it.
 *
 * @param missing what follows where a profile asks for more.
 */
export function declareSbomOptions(command: Command, missing: string): void {
  command
    .option(
      `--profile <${profiles.join('|')}>`,
      `what has to be in the SBOM: ${profiles.map((name) => `${name} (${profileNames[name]})`).join(', ')}; ${missing}`,
    )
    .option(
      '--author <who>',
      "who makes the SBOM: 'Name <mail address or https://...>', may be given again",
      collectOption,
      [],
    )
    .option('--supplier <who>', "who supplies the image: 'Name <https://address>'")
    .option('--security-contact <where>', 'where vulnerabilities are reported: a mail address or https://...')
    .option('--support-end <date>', 'the day on which security support ends: 2031-12-31')
    .option(
      '--base <image>',
      "the image this one is built on: says of each component whether it came with it; 'auto' asks for the one its annotations name",
    )
    .option('--cache', 'keep what each layer says, and read only layers that are new')
    .option(
      '--jobs <count>',
      'layers that are read at a time (default: as many as there are cores, at most 8)',
    );
}

const givenNames = {
  profile: '--profile',
  author: '--author',
  supplier: '--supplier',
  securityContact: '--security-contact',
  supportEnd: '--support-end',
  base: '--base',
  jobs: '--jobs',
  cacheFrom: '--cache-from',
  cacheTo: '--cache-to',
} as const;

/** Those that were given, as they are typed. */
export function givenSbomOptions(options: Options): readonly string[] {
  return Object.entries(givenNames).flatMap(([name, flag]) =>
    textOption(options, name) !== undefined || listOption(options, name).length > 0 ? [flag] : [],
  );
}

/**
 * What the options say about an SBOM, read before anything is fetched.
 *
 * @throws TcfError `sbom.profile`, `sbom.who`, `sbom.jobs`, `cli.platform`, `cli.timeout` (exit 3).
 */
export function readSbomRequest(options: Options): SbomRequest {
  return compact({
    ...readPeople(options),
    securityContact: readSecurityContact(options),
    supportEnd: readSupportEnd(options),
    profile: choiceOption(options, 'profile', profiles),
    base: textOption(options, 'base'),
    jobs: readJobs(options),
    cache: flag(options, 'cache') || undefined,
    platform: readPlatform(options),
    network: readNetwork(options),
  });
}

function readSupportEnd(options: Options): string | undefined {
  const asked = textOption(options, 'supportEnd');
  if (asked === undefined) {
    return undefined;
  }
  const day = /^\d{4}-\d\d-\d\d$/.test(asked) ? new Date(`${asked}T00:00:00Z`) : undefined;
  // Date takes the 31st of February for the 3rd of March.
  if (day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(asked)) {
    return asked;
  }
  throw askedWrongly('sbom.support-end', `cannot read ${quoted(asked)} as a day`, {
    hint: 'write it as 2031-12-31',
  });
}

/** Each is a thread. */
const maxJobs = 128;

function readJobs(options: Options): number | undefined {
  const asked = textOption(options, 'jobs');
  if (asked === undefined) {
    return undefined;
  }
  if (/^[1-9]\d{0,2}$/.test(asked) && Number(asked) <= maxJobs) {
    return Number(asked);
  }
  throw askedWrongly('sbom.jobs', `tcf cannot read ${quoted(asked)} layers at a time`, {
    hint: `write a number from 1 to ${maxJobs}`,
  });
}
