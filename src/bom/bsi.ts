import { compact } from '../base/compact.ts';
import { byCodeUnit } from '../base/text.ts';
import { isEmail, toUriReference } from './clean.ts';
import type { Component, Contact, ExternalReference, License, Organization, Property } from './model.ts';
import { unknownField } from './unknowns.ts';

/**
 * The component with what BSI TR-03183-2 v2.1 asks for beyond CycloneDX's own fields, as far as it is known
 * (section 5.2, mapping in 8.2.5). Nested components too.
 *
 * An installed package consists of many files, and no single file is the package: it is a logical component
 * (section 3.2.2), which has no file name and no hash. A component that is one file in the image has both.
 * `tcf:bsi:kind` says which it is.
 */
export function toBsi(component: Component): Component {
  const manufacturer = creatorOf(component);
  const modified = modifiedOf(component);
  const file = fileOf(component);
  const distributed = withDistributionLicense(component, component.licenses ?? []);
  const { components, externalReferences = [], properties = [] } = component;
  const isAnswered = ({ name, value }: Property): boolean =>
    name === unknownField && value === 'license' && distributed.length > 0;
  return {
    ...component,
    ...compact({ manufacturer, version: modified }),
    licenses: distributed,
    externalReferences: [...externalReferences, ...sourceOf(externalReferences), ...(file?.references ?? [])],
    properties: [
      ...properties.filter((property) => !isAnswered(property)),
      ...(file?.properties ?? []),
      ...(modified === undefined
        ? []
        : [{ name: 'tcf:bsi:version', value: 'modification date of the file' }]),
      { name: 'tcf:bsi:kind', value: file === undefined ? 'logical' : 'file' },
    ],
    ...(components === undefined ? {} : { components: components.map(toBsi) }),
  };
}

/**
 * Where its creator gave a file no version, the date of its last change, as an RFC 3339 date-time, is the
 * version (5.2.2).
 */
function modifiedOf({ properties = [], version }: Component): string | undefined {
  if (version !== undefined) {
    return undefined;
  }
  return properties.find(({ name }) => name === 'tcf:file:modified')?.value;
}

/**
 * Who made the component, with an e-mail address or else a URL, never both (5.2.2): the maker's own, else the
 * project's page.
 */
function creatorOf({
  authors = [],
  externalReferences = [],
  name,
  supplier,
}: Component): Organization | undefined {
  const isReachable = ({ email }: Contact): boolean => email !== undefined && isEmail(email);
  const contact = supplier?.contacts?.find(isReachable);
  if (supplier !== undefined && contact !== undefined) {
    return { name: supplier.name, contacts: [contact] };
  }
  const author = authors.find(isReachable);
  if (author !== undefined) {
    return { name: author.name ?? supplier?.name ?? name, contacts: [author] };
  }
  const pages = ['website', 'vcs', 'documentation'].flatMap((type) =>
    externalReferences.filter((reference) => reference.type === type).map((reference) => reference.url),
  );
  const url = [supplier?.url, ...pages].find(
    (text) => text !== undefined && /^https?:/.test(toUriReference(text) ?? ''),
  );
  const called = supplier?.name ?? authors.find((each) => each.name !== undefined)?.name ?? name;
  return url === undefined ? undefined : { name: called, url };
}

/**
 * Every licence has an SPDX expression (6.1). A name that is on no list becomes one of `LicenseRef-tcf-NAME`,
 * all of them with AND; a collection is under the licences of its parts.
 */
function withDistributionLicense({ type }: Component, licenses: readonly License[]): readonly License[] {
  const concluded = licenses.filter(({ acknowledgement }) => acknowledgement === 'concluded');
  const plain = licenses.filter(({ acknowledgement }) => acknowledgement === 'declared');
  if (concluded.length > 0 && concluded.every((license) => 'expression' in license)) {
    return licenses;
  }
  const texts = (concluded.length > 0 ? concluded : plain).map((license) =>
    'expression' in license ? bracketed(license.expression) : toLicenseRef(license.name),
  );
  const isCollection = type === 'container' || type === 'operating-system';
  const ofParts = isCollection ? 'LicenseRef-tcf-licenses-of-its-parts' : undefined;
  const expression = texts.length > 0 ? [...new Set(texts)].sort(byCodeUnit).join(' AND ') : ofParts;
  return expression === undefined ? licenses : [...plain, { acknowledgement: 'concluded', expression }];
}

function bracketed(expression: string): string {
  return / (?:OR|AND) /.test(expression) ? `(${expression})` : expression;
}

function toLicenseRef(name: string): string {
  if (/^LicenseRef-[A-Za-z0-9.-]+$/.test(name)) {
    return name;
  }
  const slug = name
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  return `LicenseRef-tcf-${slug === '' ? 'unnamed' : slug}`;
}

/** The repository is the URI of the source where no archive of it is known (5.2.4). */
function sourceOf(references: readonly ExternalReference[]): readonly ExternalReference[] {
  if (references.some(({ type }) => type === 'source-distribution')) {
    return [];
  }
  return references
    .filter(({ type }) => type === 'vcs')
    .map(({ url }) => ({ type: 'source-distribution', url }));
}

function fileOf({
  evidence,
  hashes = [],
  type,
}: Component):
  | { readonly references: readonly ExternalReference[]; readonly properties: readonly Property[] }
  | undefined {
  const own = hashes.filter(({ subject }) => subject === 'file');
  const path = (evidence?.occurrences ?? []).map(({ location }) => location).sort(byCodeUnit)[0];
  if (own.length === 0 || path === undefined) {
    return undefined;
  }
  // Bitcode is read by a compiler; programs and shared libraries are executable in the words of 8.1.4.
  const isExecutable = type === 'application' || !path.endsWith('.bc');
  return {
    references: [
      {
        type: 'distribution',
        url: `file:///${path.split('/').map(encodeURIComponent).join('/')}`,
        comment: 'the file as it lies in the image',
        hashes: own.filter(({ algorithm }) => algorithm === 'SHA-512'),
      },
    ],
    properties: [
      { name: 'bsi:component:filename', value: path.slice(path.lastIndexOf('/') + 1) },
      { name: 'bsi:component:executable', value: isExecutable ? 'executable' : 'non-executable' },
      { name: 'bsi:component:archive', value: 'no archive' },
      { name: 'bsi:component:structured', value: 'unstructured' },
    ],
  };
}
