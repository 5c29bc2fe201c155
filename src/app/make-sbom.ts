import type { Command } from 'commander';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { plural, quoted } from '../base/text.ts';
import { isEmail } from '../bom/clean.ts';
import { type CycloneDxOptions, toCycloneDx } from '../bom/cyclonedx.ts';
import type { MadeSbom } from '../bom/formats/format.ts';
import type { Bom, Contact, Organization } from '../bom/model.ts';
import {
  missingFields,
  type Profile,
  type ProfileDiagnostic,
  profileNames,
  profileProperties,
  profiles,
  unknownFields,
} from '../bom/profiles.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import type { OpenImage } from '../image/contract.ts';
import { formatGrouped } from '../report/diagnostics.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { openBase } from './base-image.ts';
import { collect, listOption, type Options, textOption } from './options.ts';
import { makeBom } from './scan.ts';

/** What a user may say about an SBOM that is made, in whatever verb makes it. @param missing what follows where a profile asks for more. */
export function declareSbomOptions(command: Command, missing: string): void {
  command
    .option(
      '--profile <profile>',
      `what has to be in the SBOM: bsi (TR-03183-2 v2.1), cisa (2025) or ntia (2021); ${missing}`,
    )
    .option(
      '--author <who>',
      "who makes the SBOM: 'Name <mail address or https://...>', may be given again",
      collect,
      [],
    )
    .option('--supplier <who>', "who supplies the image: 'Name <https://address>'")
    .option(
      '--base <image>',
      "the image this one is built on: says of each component whether it came with it; 'auto' asks for the one its annotations name",
    );
}

/** Those that were given, as they are typed. */
export function givenSbomOptions(options: Options): readonly string[] {
  return (['profile', 'author', 'supplier', 'base'] as const).flatMap((name) =>
    textOption(options, name) !== undefined || listOption(options, name).length > 0 ? [`--${name}`] : [],
  );
}

/** What was asked for, read before anything is fetched. */
export interface SbomWishes extends Pick<CycloneDxOptions, 'authors' | 'manufacturer' | 'supplier'> {
  readonly profile?: Profile;
}

/** @throws TcfError `sbom.profile`, `sbom.who` (exit 3). */
export function readSbomWishes(options: Options): SbomWishes {
  const profile = readProfile(options);
  return { ...readPeople(options), ...(profile === undefined ? {} : { profile }) };
}

/** An SBOM and what the profile made of it. */
export interface JudgedSbom extends MadeSbom {
  /** Absent where no profile was asked for. */
  readonly judged?: Judged;
}

/** What a profile makes of an SBOM. */
export interface Judged {
  readonly profile: Profile;
  /** The fields that it requires and the SBOM does not have. */
  readonly missing: readonly ProfileDiagnostic[];
  /** The fields that the SBOM states as unknown, which the profile accepts. */
  readonly unknown: readonly ProfileDiagnostic[];
}

/**
 * The SBOM of an opened image, with what the user said about it. What a profile misses stands in the SBOM itself.
 *
 * @throws TcfError `sbom.author`, `sbom.base` (exit 3), and as the scan does.
 */
export async function makeSbom(
  host: Host,
  options: Options,
  image: OpenImage,
  { profile, ...people }: SbomWishes,
  form: Pick<CycloneDxOptions, 'specVersion' | 'uniqueSerial'>,
): Promise<JudgedSbom> {
  const bom = await makeBom(image, await openBase(host, options, image));
  const how: CycloneDxOptions = {
    toolVersion: version,
    timestamp: toTimestamp(image.config.created, host.env['SOURCE_DATE_EPOCH']),
    ...form,
    ...people,
    ...(profile === undefined ? {} : { profile, scanOptions: { profile } }),
  };
  const document = toCycloneDx(bom, how);
  return profile === undefined
    ? { bom, document, options: how }
    : judge({ bom, document, options: how }, profile);
}

/** The SBOM with what the profile misses in its properties. */
function judge({ bom, document, options }: MadeSbom, profile: Profile): JudgedSbom {
  const missing = missingFields(document, profile);
  requireAuthor(missing, profile);
  const unknown = unknownFields(document, profile);
  const properties = [...bom.properties, ...profileProperties(profile, missing, unknown)];
  const told: Bom = { ...bom, properties };
  return { bom: told, document: toCycloneDx(told, options), options, judged: { profile, missing, unknown } };
}

function readProfile(options: Options): Profile | undefined {
  const asked = textOption(options, 'profile');
  const known = profiles.find((name) => name === asked);
  if (asked === undefined || known !== undefined) return known;
  throw askedWrongly('sbom.profile', `tcf knows no profile ${quoted(asked)}`, {
    hint: `write ${profiles.join(', ')}`,
  });
}

/** The one field that only the user can fill: without it nothing is written. */
function requireAuthor(missing: readonly ProfileDiagnostic[], profile: Profile): void {
  const needed = missing.find(
    ({ field, subject }) => subject === 'document' && /^(?:author|creator)/.test(field),
  );
  if (needed === undefined) return;
  const how = profile === 'bsi' ? ', with an e-mail address or URL' : '';
  throw askedWrongly('sbom.author', `${profileNames[profile]} wants to know who makes the SBOM${how}`, {
    hint: "write --author 'Name <name@example.org>'",
  });
}

/** Each field once, with the first component that misses it or states it as unknown. */
export async function tellProfile(host: Host, { missing, profile, unknown }: Judged): Promise<void> {
  const result = missing.length === 0 ? 'complete' : `${plural(missing.length, 'field')} missing`;
  const stated = unknown.length === 0 ? '' : `, ${plural(unknown.length, 'field')} stated as unknown`;
  await host.stderr.write(
    `${profileNames[profile]}: ${result}${stated}\n${formatGrouped([...missing, ...unknown])}`,
  );
}

/** Without these options the labels of the image answer (`org.opencontainers.image.authors`, `.vendor`). */
function readPeople(options: Options): Pick<CycloneDxOptions, 'authors' | 'manufacturer' | 'supplier'> {
  const authors: Contact[] = [];
  const pages: Organization[] = [];
  for (const text of listOption(options, 'author')) {
    const { address, name } = readPerson('--author', text);
    const isPage = address !== undefined && isWebPage(address);
    if (address !== undefined && !isEmail(address) && (!isPage || name === ''))
      throw notAPerson('--author', text, 'Name <name@example.org>');
    // A contact has no place for a URL.
    if (isPage) pages.push({ name, url: address });
    else
      authors.push({
        ...(name === '' ? {} : { name }),
        ...(address === undefined ? {} : { email: address }),
      });
  }
  const made = {
    ...(authors.length === 0 ? {} : { authors }),
    ...(pages[0] === undefined ? {} : { manufacturer: pages[0] }),
  };
  const given = textOption(options, 'supplier');
  if (given === undefined) return made;
  const { address, name } = readPerson('--supplier', given);
  if (name === '' || (address !== undefined && !isWebPage(address)))
    throw notAPerson('--supplier', given, 'Name <https://example.org>');
  const supplier = { name, ...(address === undefined ? {} : { url: address }) };
  return { ...made, supplier };
}

function isWebPage(text: string): boolean {
  return /^https?:\/\/[^\s<>]+$/.test(text);
}

function readPerson(option: string, text: string): { readonly name: string; readonly address?: string } {
  const [, name = '', address] = /^([^<>]*?) ?(?:<([^<>]+)>)?$/.exec(text.trim()) ?? [];
  if (address === undefined && isEmail(name)) return { name: '', address: name };
  if (name === '' && address === undefined) throw notAPerson(option, text, 'Name <address>');
  return { name, ...(address === undefined ? {} : { address }) };
}

function notAPerson(option: string, text: string, form: string): TcfError {
  return askedWrongly('sbom.who', `${option} ${quoted(text)} names nobody`, { hint: `write '${form}'` });
}
