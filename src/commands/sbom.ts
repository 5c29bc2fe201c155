import type { Command } from 'commander';
import { formatBytes } from '../base/bytes.ts';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { attestationSize, refusedBy } from '../bom/attestation-size.ts';
import { isEmail } from '../bom/clean.ts';
import { type CycloneDxOptions, formatDocument, toCycloneDx } from '../bom/cyclonedx.ts';
import { formatCycloneDxXml } from '../bom/cyclonedx-xml.ts';
import type { Bom, Component, Contact, Organization } from '../bom/model.ts';
import {
  type Lack,
  lackProperties,
  lacksOf,
  type Profile,
  profileNames,
  profiles,
  unknownsOf,
} from '../bom/profiles.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { version } from '../version.ts';
import type { ExitCode, Host } from './host.ts';
import { openBase } from './shared/base.ts';
import { writeUserFile } from './shared/files.ts';
import { openUserImage } from './shared/images.ts';
import { makeBom } from './shared/scan.ts';
import { flag, listOption, type Options, textOption, type Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<image>',
        'docker://REF, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, containers-storage:REF or REF',
      )
      .option('-o, --output <file>', 'write to a file instead of standard output')
      .option('--format <format>', 'cyclonedx-json or cyclonedx-xml', 'cyclonedx-json')
      .option('--spec-version <version>', 'CycloneDX version: 1.7 or 1.6', '1.7')
      .option(
        '--profile <profile>',
        'what has to be in it: bsi (TR-03183-2 v2.1), cisa (2025) or ntia (2021); exit code 1 where something is missing',
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
      )
      .option('--platform <os/arch>', 'which image of an index (default: the one of this host)')
      .option(
        '--unique-serial',
        'a new serial number for each run; otherwise the same image gives the same bytes',
      )
      .option('--allow-http', 'speak plain HTTP to a registry on loopback');
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const specVersion = readSpecVersion(options);
    const format = readFormat(options);
    const profile = readProfile(options);
    const people = readPeople(options);
    await using opened = await openUserImage(host, image, options);
    for (const warning of opened.warnings ?? [])
      await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
    const bom = await makeBom(opened, await openBase(host, options, opened));
    const how = {
      specVersion,
      toolVersion: version,
      timestamp: toTimestamp(opened.config.created, host.env['SOURCE_DATE_EPOCH']),
      ...people,
      ...(profile === undefined ? {} : { profile, scanOptions: { profile } }),
      ...(flag(options, 'uniqueSerial') ? { uniqueSerial: crypto.randomUUID() } : {}),
    };
    const plain = toCycloneDx(bom, how);
    const lacks = profile === undefined ? [] : lacksOf(plain, profile);
    if (profile !== undefined) requireAuthor(lacks, profile);
    const unknowns = profile === undefined ? [] : unknownsOf(plain, profile);
    const properties = profile === undefined ? [] : lackProperties(profile, lacks, unknowns);
    const document =
      properties.length === 0
        ? plain
        : toCycloneDx({ ...bom, properties: [...bom.properties, ...properties] }, how);
    const text =
      format === 'cyclonedx-xml' ? formatCycloneDxXml(document, specVersion) : formatDocument(document);
    const output = textOption(options, 'output');
    if (output === undefined) await host.stdout.write(text);
    else await writeUserFile(host, output, text);
    await summarize(host, bom, text, output);
    if (profile !== undefined) await tellLacks(host, profile, lacks, unknowns);
    return lacks.length === 0 ? 0 : 1;
  },
};

function readSpecVersion(options: Options): '1.6' | '1.7' {
  const asked = textOption(options, 'specVersion') ?? '1.7';
  if (asked === '1.6' || asked === '1.7') return asked;
  throw askedWrongly('sbom.spec-version', `tcf does not write CycloneDX ${quoted(asked)}`, {
    hint: 'write 1.7 or 1.6',
  });
}

function readFormat(options: Options): 'cyclonedx-json' | 'cyclonedx-xml' {
  const asked = textOption(options, 'format') ?? 'cyclonedx-json';
  if (asked === 'cyclonedx-json' || asked === 'cyclonedx-xml') return asked;
  throw askedWrongly('sbom.format', `tcf does not write ${quoted(asked)}`, {
    hint: 'write cyclonedx-json or cyclonedx-xml',
  });
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
function requireAuthor(lacks: readonly Lack[], profile: Profile): void {
  const needed = lacks.find(({ ref, field }) => ref === 'document' && /^(?:author|creator)/.test(field));
  if (needed === undefined) return;
  const how = profile === 'bsi' ? ', with an e-mail address or URL' : '';
  throw askedWrongly('sbom.author', `${profileNames[profile]} wants to know who makes the SBOM${how}`, {
    hint: "write --author 'Name <name@example.org>'",
  });
}

/** Of each field, named once with the first component that lacks it or calls it unknown. */
async function tellLacks(
  host: Host,
  profile: Profile,
  lacks: readonly Lack[],
  unknowns: readonly Lack[],
): Promise<void> {
  const missing = lacks.length === 0 ? 'complete' : `${plural(lacks.length, 'field')} missing`;
  const unknown = unknowns.length === 0 ? '' : `, ${plural(unknowns.length, 'field')} stated as unknown`;
  await host.stderr.write(`${profileNames[profile]}: ${missing}${unknown}\n`);
  await tellEach(host, 'no', lacks);
  await tellEach(host, 'unknown', unknowns);
}

async function tellEach(host: Host, word: string, lacks: readonly Lack[]): Promise<void> {
  for (const [field, of] of Map.groupBy(lacks, (lack) => lack.field)) {
    const more = of.length === 1 ? '' : ` and ${of.length - 1} more`;
    await host.stderr.write(`  ${word} ${field}: ${printable(of[0]?.ref ?? '')}${more}\n`);
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
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

async function summarize(host: Host, bom: Bom, text: string, output: string | undefined): Promise<void> {
  const size = Buffer.byteLength(text);
  const skipped = bom.properties.filter((property) => property.name === 'tcf:skipped').length;
  const where = output === undefined ? '' : ` to ${output}`;
  const origins = originsOf(bom.components);
  await host.stderr.write(
    `wrote ${plural(count(bom.components), 'component')}, ${formatBytes(size)}${where}\n`,
  );
  if (bom.subject.base !== undefined) {
    const added = origins.filter((origin) => origin === 'added').length;
    await host.stderr.write(`${origins.length - added} came with the base, ${added} were added\n`);
  }
  if (skipped > 0) {
    await host.stderr.write(
      `tcf: warning: ${plural(skipped, 'thing')} could not be read; the SBOM lists them as tcf:skipped\n`,
    );
  }
  const refused = refusedBy(size);
  if (refused.length > 0) {
    const readers = refused.map(({ limit, name }) => `${name} (${formatBytes(limit)})`).join(' and ');
    await host.stderr.write(
      `tcf: warning: as an attestation it has ${formatBytes(attestationSize(size))}, more than ${readers} will take\n`,
    );
  }
}

function originsOf(components: readonly Component[] = []): readonly string[] {
  return components.flatMap(({ components: nested, properties = [] }) => [
    ...properties.flatMap(({ name, value }) => (name === 'tcf:origin' ? value : [])),
    ...originsOf(nested),
  ]);
}

function count(components: readonly Component[] = []): number {
  return components.reduce((sum, component) => sum + 1 + count(component.components), 0);
}
