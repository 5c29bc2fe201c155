import { byCodeUnit } from '../../base/text.ts';
import { cleanText, toUriReference } from '../clean.ts';
import { members, sortedForms } from '../cyclonedx-component.ts';
import { flatten, ownedBy } from '../layout.ts';
import type { Bom, Component, License, Organization } from '../model.ts';
import { sha256Hex } from '../serial.ts';
import { rootComponent, rootRef } from '../subject.ts';
import type { MadeSbom, SbomFormat } from './format.ts';

/** https://spdx.github.io/spdx-spec/v2.3/ */
export const spdxJson: SbomFormat = {
  name: 'spdx-json',
  summary: 'SPDX 2.3 as JSON',
  write: (sbom) => `${JSON.stringify(toSpdx(sbom), undefined, 2)}\n`,
};

type JsonObject = Readonly<Record<string, unknown>>;

function toSpdx({ bom, document, options }: MadeSbom): JsonObject {
  const root = rootComponent(bom.subject);
  const components = flatten(bom.components);
  const supplier = options.supplier ?? root.supplier;
  const packages = [supplier === undefined ? root : { ...root, supplier }, ...components].map(packageOf);
  const creators = [
    `Tool: tcf-${options.toolVersion}`,
    ...(options.manufacturer === undefined ? [] : [`Organization: ${named(options.manufacturer.name)}`]),
    ...(options.authors ?? root.authors ?? []).map(
      ({ email, name }) => `Person: ${named(name ?? email ?? '')}${email === undefined ? '' : ` (${email})`}`,
    ),
  ];
  return members({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: cleanText(bom.subject.name),
    documentNamespace: document['serialNumber'],
    comment: commentOf(bom),
    creationInfo: { created: options.timestamp, creators },
    packages: packages.map(({ form }) => form).sort((a, b) => byCodeUnit(`${a['SPDXID']}`, `${b['SPDXID']}`)),
    relationships: relationshipsOf(bom, components),
    hasExtractedLicensingInfos: sortedForms(
      packages.flatMap(({ extracted }) => extracted),
      ({ licenseId }) => `${licenseId}`,
    ),
  });
}

/**
 * What was skipped, left out or is unknown has no field of its own in SPDX, and nobody should take the list
 * for whole.
 */
function commentOf({ properties }: Bom): string | undefined {
  const lines = properties.map(({ name, value }) => `${name}: ${value}`).sort(byCodeUnit);
  return lines.length === 0 ? undefined : cleanText(lines.join('\n'));
}

/** An idstring of SPDX has letters, digits, dots and hyphens only; the digest keeps two names apart. */
function idOf(bomRef: string, name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60);
  return `SPDXRef-${plain}-${sha256Hex(bomRef).slice(0, 16)}`;
}

const purposes = {
  application: 'APPLICATION',
  container: 'CONTAINER',
  file: 'FILE',
  library: 'LIBRARY',
  'operating-system': 'OPERATING-SYSTEM',
} as const;

interface PackageForm {
  readonly form: JsonObject;
  readonly extracted: readonly JsonObject[];
}

function packageOf(component: Component): PackageForm {
  const { copyright, externalReferences = [], name, properties = [], version } = component;
  const urlOf = (type: string): string | undefined =>
    externalReferences
      .filter((reference) => reference.type === type)
      .map(({ url }) => toUriReference(url))[0];
  const concluded = licenseOf(component, 'concluded');
  const declared = licenseOf(component, 'declared');
  const form = members({
    SPDXID: idOf(component.bomRef, name),
    name: cleanText(name),
    versionInfo: version === undefined ? undefined : cleanText(version),
    supplier: supplierOf(component.supplier),
    downloadLocation: urlOf('distribution') ?? 'NOASSERTION',
    filesAnalyzed: false,
    checksums: checksumsOf(component),
    homepage: urlOf('website'),
    sourceInfo: urlOf('source-distribution') ?? urlOf('vcs'),
    licenseConcluded: concluded.expression,
    licenseDeclared: declared.expression,
    copyrightText: copyright === undefined ? 'NOASSERTION' : cleanText(copyright),
    comment: propertyText(component, properties),
    externalRefs: externalRefsOf(component),
    primaryPackagePurpose: purposes[component.type],
  });
  return { form, extracted: [...concluded.extracted, ...declared.extracted] };
}

function supplierOf(supplier: Organization | undefined): string {
  if (supplier === undefined) {
    return 'NOASSERTION';
  }
  const email = supplier.contacts?.find((contact) => contact.email !== undefined)?.email;
  return `Organization: ${named(supplier.name)}${email === undefined ? '' : ` (${email})`}`;
}

/** Brackets enclose the address in SPDX. */
function named(text: string): string {
  return (
    cleanText(text)
      .replaceAll(/[()\n]/g, ' ')
      .trim() || 'unknown'
  );
}

/**
 * A checksum of a package is that of its file; hashes of records and lists stand in the comment with what
 * they are of.
 */
const ofPackage: ReadonlySet<string> = new Set([
  'deb archive',
  'distribution archive',
  'conda archive',
  'file',
]);

function checksumsOf({ hashes = [] }: Component): readonly JsonObject[] {
  return sortedForms(
    hashes
      .filter(({ subject }) => ofPackage.has(subject))
      .map(({ algorithm, value }) => ({ algorithm: algorithm.replace('-', ''), checksumValue: value })),
    ({ algorithm, checksumValue }) => `${algorithm} ${checksumValue}`,
  );
}

function propertyText(
  { evidence, hashes = [] }: Component,
  properties: Component['properties'] = [],
): string | undefined {
  const lines = [
    ...properties.map(({ name, value }) => `${name}: ${value}`),
    ...hashes.map(({ algorithm, subject, value }) => `${algorithm} of ${subject}: ${value}`),
    ...(evidence?.occurrences ?? []).map(({ location }) => `location: ${location}`),
  ].sort(byCodeUnit);
  return lines.length === 0 ? undefined : cleanText(lines.join('\n'));
}

function externalRefsOf({ cpe, purl }: Component): readonly JsonObject[] {
  return [
    ...(cpe === undefined
      ? []
      : [{ referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: cpe }]),
    ...(purl === undefined
      ? []
      : [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }]),
  ];
}

interface LicenseForm {
  readonly expression: string;
  readonly extracted: readonly JsonObject[];
}

/**
 * One statement as it is. Of several that nobody joined with an operator SPDX can say nothing in this field.
 */
function licenseOf({ licenses = [] }: Component, acknowledgement: License['acknowledgement']): LicenseForm {
  const [license, ...others] = licenses.filter((each) => each.acknowledgement === acknowledgement);
  if (license === undefined || others.length > 0) {
    return { expression: 'NOASSERTION', extracted: [] };
  }
  if ('expression' in license) {
    const refs = license.expression.match(/(?<![\w.:-])LicenseRef-[A-Za-z0-9.-]+/g) ?? [];
    return { expression: license.expression, extracted: refs.map((id) => extractedOf(id, id)) };
  }
  const id = `LicenseRef-tcf-name-${sha256Hex(license.name).slice(0, 16)}`;
  return { expression: id, extracted: [extractedOf(id, license.name)] };
}

/** The text itself lies in the image; its name is all that the package says. */
function extractedOf(licenseId: string, name: string): JsonObject {
  return { licenseId, extractedText: cleanText(name), name: cleanText(name) };
}

function relationshipsOf(bom: Bom, components: readonly Component[]): readonly JsonObject[] {
  const root = rootComponent(bom.subject);
  const all = new Map([root, ...components].map((component) => [component.bomRef, component]));
  const ids = new Map([...all].map(([ref, { name }]) => [ref, idOf(ref, name)]));
  const ownerOf = (ref: string): string | undefined =>
    all.get(ref)?.properties?.find(({ name }) => name === ownedBy)?.value;
  const isContainer = (ref: string): boolean =>
    ref === rootRef(bom.subject) || all.get(ref)?.type === 'operating-system';
  const form = (from: string, type: string, to: string): JsonObject => ({
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  });
  const told = new Map(bom.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]));
  const edges = [...ids].flatMap(([ref, id]) => {
    const targets = told.get(ref);
    // "Needs nothing" and "not known" are two answers, in SPDX as well.
    if (targets === undefined) {
      return [form(id, 'DEPENDS_ON', 'NOASSERTION')];
    }
    if (targets.length === 0) {
      return [form(id, 'DEPENDS_ON', 'NONE')];
    }
    return targets.flatMap((target) => {
      const to = ids.get(target);
      const contains = isContainer(ref) || ownerOf(target) === ref;
      return to === undefined ? [] : [form(id, contains ? 'CONTAINS' : 'DEPENDS_ON', to)];
    });
  });
  const described = form('SPDXRef-DOCUMENT', 'DESCRIBES', ids.get(root.bomRef) ?? 'NONE');
  return [described, ...sortedForms(edges, (edge) => Object.values(edge).join(' '))];
}
