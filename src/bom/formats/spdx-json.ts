import { byCodeUnit } from '../../base/text.ts';
import { cleanText, toUriReference } from '../clean.ts';
import { members, sortedForms } from '../cyclonedx-component.ts';
import { flatten } from '../layout.ts';
import type { Bom, Component, License, Organization } from '../model.ts';
import { rootComponent } from '../subject.ts';
import type { MadeSbom, SbomFormat } from './format.ts';
import {
  fileHashesOf,
  spdxCommentOf,
  spdxEdgesOf,
  spdxIdOf,
  spdxLicenseOf,
  spdxTextOf,
} from './spdx-parts.ts';
import { toSpdx3 } from './spdx3.ts';

/**
 * https://spdx.github.io/spdx-spec/v2.3/ and, where that is asked for,
 * https://spdx.github.io/spdx-spec/v3.0.1/
 */
export const spdxJson: SbomFormat = {
  name: 'spdx-json',
  summary: 'SPDX as JSON, 2.3 or 3.0.1',
  specVersions: ['2.3', '3.0.1'],
  write: (sbom, _env, version) =>
    `${JSON.stringify(version === '3.0.1' ? toSpdx3(sbom) : toSpdx(sbom), undefined, 2)}\n`,
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
    comment: spdxCommentOf(bom),
    creationInfo: { created: options.timestamp, creators },
    packages: packages.map(({ form }) => form).sort((a, b) => byCodeUnit(`${a['SPDXID']}`, `${b['SPDXID']}`)),
    relationships: relationshipsOf(bom, components),
    hasExtractedLicensingInfos: sortedForms(
      packages.flatMap(({ extracted }) => extracted),
      ({ licenseId }) => `${licenseId}`,
    ),
  });
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
  const { copyright, externalReferences = [], name, version } = component;
  const urlOf = (type: string): string | undefined =>
    externalReferences
      .filter((reference) => reference.type === type)
      .map(({ url }) => toUriReference(url))[0];
  const concluded = licenseOf(component, 'concluded');
  const declared = licenseOf(component, 'declared');
  const form = members({
    SPDXID: spdxIdOf(component.bomRef, name),
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
    comment: spdxTextOf(component),
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

function licenseOf(component: Component, acknowledgement: License['acknowledgement']): LicenseForm {
  const { expression = 'NOASSERTION', texts = [] } = spdxLicenseOf(component, acknowledgement) ?? {};
  return {
    expression,
    extracted: texts.map(({ id, text }) => ({ licenseId: id, extractedText: text, name: text })),
  };
}

function checksumsOf(component: Component): readonly JsonObject[] {
  return sortedForms(
    fileHashesOf(component).map(({ algorithm, value }) => ({
      algorithm: algorithm.replace('-', ''),
      checksumValue: value,
    })),
    ({ algorithm, checksumValue }) => `${algorithm} ${checksumValue}`,
  );
}

/** Brackets enclose the address in SPDX. */
function named(text: string): string {
  return (
    cleanText(text)
      .replaceAll(/[()\n]/g, ' ')
      .trim() || 'unknown'
  );
}

function relationshipsOf(bom: Bom, components: readonly Component[]): readonly JsonObject[] {
  const root = rootComponent(bom.subject);
  const ids = new Map([root, ...components].map(({ bomRef, name }) => [bomRef, spdxIdOf(bomRef, name)]));
  const form = (from = '', type: string, to = ''): JsonObject => ({
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  });
  const types = { contains: 'CONTAINS', depends: 'DEPENDS_ON' } as const;
  const unknowns = { none: 'NONE', unknown: 'NOASSERTION' } as const;
  const edges = spdxEdgesOf(bom).map(({ from, kind, to }) =>
    form(ids.get(from), types[kind], typeof to === 'string' ? ids.get(to) : unknowns[to.is]),
  );
  const described = form('SPDXRef-DOCUMENT', 'DESCRIBES', ids.get(root.bomRef));
  return [described, ...sortedForms(edges, (edge) => Object.values(edge).join(' '))];
}
