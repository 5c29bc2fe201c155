import { compact } from '../../base/compact.ts';
import { askedWrongly, type TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { isEmail } from '../../bom/clean.ts';
import type { CycloneDxOptions } from '../../bom/cyclonedx.ts';
import type { Contact, Organization } from '../../bom/model.ts';
import { listOption, type Options, textOption } from './bag.ts';

/**
 * `--author` and `--supplier`. Without them the labels of the image answer
 * (`org.opencontainers.image.authors`, `.vendor`).
 *
 * @throws TcfError `sbom.who` (exit 3).
 */
export function readPeople(
  options: Options,
): Pick<CycloneDxOptions, 'authors' | 'manufacturer' | 'supplier'> {
  const authors: Contact[] = [];
  const pages: Organization[] = [];
  for (const text of listOption(options, 'author')) {
    const { address, name } = readPerson('--author', text);
    const isPage = address !== undefined && isWebPage(address);
    if (address !== undefined && !isEmail(address) && (!isPage || name === '')) {
      throw notAPerson('--author', text, 'Name <name@example.org>');
    }
    // A contact has no place for a URL.
    if (isPage) {
      pages.push({ name, url: address });
    } else {
      authors.push(compact({ name: name === '' ? undefined : name, email: address }));
    }
  }
  return compact({
    authors: authors.length === 0 ? undefined : authors,
    manufacturer: pages[0],
    supplier: readSupplier(options),
  });
}

function readSupplier(options: Options): Organization | undefined {
  const given = textOption(options, 'supplier');
  if (given === undefined) {
    return undefined;
  }
  const { address, name } = readPerson('--supplier', given);
  if (name === '' || (address !== undefined && !isWebPage(address))) {
    throw notAPerson('--supplier', given, 'Name <https://example.org>');
  }
  return compact({ name, url: address });
}

/** `--security-contact`, a mail address as `mailto:`. @throws TcfError `sbom.security-contact` (exit 3). */
export function readSecurityContact(options: Options): string | undefined {
  const asked = textOption(options, 'securityContact');
  if (asked === undefined || isWebPage(asked)) {
    return asked;
  }
  if (isEmail(asked)) {
    return `mailto:${asked}`;
  }
  throw askedWrongly('sbom.security-contact', `cannot report anything to ${quoted(asked)}`, {
    hint: 'write a mail address or https://...',
  });
}

function isWebPage(text: string): boolean {
  return /^https?:\/\/[^\s<>]+$/.test(text);
}

function readPerson(option: string, text: string): { readonly name: string; readonly address?: string } {
  const [, name = '', address] = /^([^<>]*?) ?(?:<([^<>]+)>)?$/.exec(text.trim()) ?? [];
  if (address === undefined && isEmail(name)) {
    return { name: '', address: name };
  }
  if (name === '' && address === undefined) {
    throw notAPerson(option, text, 'Name <address>');
  }
  return compact({ name, address });
}

function notAPerson(option: string, text: string, form: string): TcfError {
  return askedWrongly('sbom.who', `${option} ${quoted(text)} has no name`, { hint: `write '${form}'` });
}
