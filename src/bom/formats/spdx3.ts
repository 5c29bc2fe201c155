import { byCodeUnit } from '../../base/text.ts';
import { cleanText, toUriReference } from '../clean.ts';
import { members } from '../cyclonedx-component.ts';
import { flatten } from '../layout.ts';
import type { Bom, Component, Contact, Organization } from '../model.ts';
import { sha256Hex } from '../serial.ts';
import { rootComponent } from '../subject.ts';
import type { MadeSbom } from './format.ts';
import {
  fileHashesOf,
  type SpdxLicense,
  spdxCommentOf,
  spdxEdgesOf,
  spdxIdOf,
  spdxLicenseOf,
  spdxTextOf,
} from './spdx-parts.ts';

type Element = Readonly<Record<string, unknown>>;

const creation = '_:creation';
const terms = 'https://spdx.org/rdf/3.0.1/terms/Core';

/**
 * SPDX 3.0.1 as JSON-LD: one flat list of elements, each with an IRI below the serial number of the document
 * (https://spdx.github.io/spdx-spec/v3.0.1/).
 */
export function toSpdx3(sbom: MadeSbom): Element {
  const { bom, document, options } = sbom;
  const iri = (id: string): string => `${document['serialNumber']}#${id}`;
  const root = rootComponent(bom.subject);
  const supplier = options.supplier ?? root.supplier;
  const components = [supplier === undefined ? root : { ...root, supplier }, ...flatten(bom.components)];
  const idOf = new Map(components.map(({ bomRef, name }) => [bomRef, iri(spdxIdOf(bomRef, name))]));
  const rootId = idOf.get(root.bomRef) ?? '';
  const agents = new Agents(iri);
  const licenses = new Licenses(iri);
  const packages = components.flatMap((component) => {
    const id = idOf.get(component.bomRef) ?? '';
    const stated = licenses.of(component, id);
    return [packageOf(component, id, agents), ...stated];
  });
  const authors = (options.authors ?? root.authors ?? []).map((contact) => agents.person(contact));
  const maker = options.manufacturer === undefined ? [] : [agents.organization(options.manufacturer)];
  const tool = iri('tool');
  // Somebody has to have made it; where nobody says who, the program did.
  const makers = [...maker, ...authors].length === 0 ? [agents.program()] : [...maker, ...authors];
  const elements = [
    element('Tool', tool, { name: `tcf-${options.toolVersion}` }),
    ...packages,
    ...relationshipsOf(bom, idOf, iri),
    ...agents.elements(),
    ...licenses.elements(),
  ].sort((a, b) => byCodeUnit(String(a['spdxId']), String(b['spdxId'])));
  const content = iri('sbom');
  return {
    '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
    '@graph': [
      {
        '@id': creation,
        type: 'CreationInfo',
        specVersion: '3.0.1',
        created: options.timestamp,
        createdBy: makers,
        createdUsing: [tool],
      },
      element('SpdxDocument', iri('document'), {
        name: cleanText(bom.subject.name),
        comment: spdxCommentOf(bom),
        profileConformance: ['core', 'simpleLicensing', 'software'],
        rootElement: [content],
      }),
      element('software_Sbom', content, {
        software_sbomType: ['analyzed'],
        rootElement: [rootId],
        element: elements.map(({ spdxId }) => spdxId),
      }),
      ...elements,
    ],
  };
}

function element(type: string, spdxId: string, more: Element): Element {
  return members({ type, spdxId, creationInfo: creation, ...more });
}

const purposes = {
  application: 'application',
  container: 'container',
  file: 'file',
  library: 'library',
  'operating-system': 'operatingSystem',
} as const;

function packageOf(component: Component, id: string, agents: Agents): Element {
  const { copyright, cpe, externalReferences = [], name, purl, supplier, version } = component;
  const urlOf = (type: string): string | undefined =>
    externalReferences
      .filter((reference) => reference.type === type)
      .map(({ url }) => toUriReference(url))
      // Of an IRI SPDX wants the scheme too.
      .find((url) => /^[a-z][a-z0-9+.-]*:/i.test(url ?? ''));
  const hashes = fileHashesOf(component)
    .map(({ algorithm, value }) => `${algorithm.replace('-', '').toLowerCase()} ${value}`)
    .sort(byCodeUnit);
  return element('software_Package', id, {
    name: cleanText(name),
    software_packageVersion: version === undefined ? undefined : cleanText(version),
    software_packageUrl: purl,
    software_downloadLocation: urlOf('distribution'),
    software_homePage: urlOf('website'),
    software_sourceInfo: urlOf('source-distribution') ?? urlOf('vcs'),
    software_copyrightText: copyright === undefined ? undefined : cleanText(copyright),
    software_primaryPurpose: purposes[component.type],
    suppliedBy: supplier === undefined ? undefined : agents.organization(supplier),
    comment: spdxTextOf(component),
    verifiedUsing:
      hashes.length === 0
        ? undefined
        : hashes.map((hash) => {
            const [algorithm, hashValue] = hash.split(' ');
            return { type: 'Hash', algorithm, hashValue };
          }),
    externalIdentifier:
      cpe === undefined
        ? undefined
        : [{ type: 'ExternalIdentifier', externalIdentifierType: 'cpe23', identifier: cpe }],
  });
}

/** Each person and organization once. */
class Agents {
  readonly #iri: (id: string) => string;
  readonly #known = new Map<string, Element>();

  constructor(iri: (id: string) => string) {
    this.#iri = iri;
  }

  person({ email, name }: Contact): string {
    return this.#add('Person', name ?? email ?? 'unknown', email);
  }

  organization({ contacts = [], name }: Organization): string {
    return this.#add('Organization', name, contacts.find(({ email }) => email !== undefined)?.email);
  }

  program(): string {
    return this.#add('SoftwareAgent', 'tcf', undefined);
  }

  elements(): readonly Element[] {
    return [...this.#known.values()];
  }

  #add(type: string, name: string, email: string | undefined): string {
    const id = this.#iri(`agent-${sha256Hex([type, name, email ?? ''].join('\0')).slice(0, 16)}`);
    const identifier = [{ type: 'ExternalIdentifier', externalIdentifierType: 'email', identifier: email }];
    this.#known.set(
      id,
      element(type, id, {
        name: cleanText(name),
        externalIdentifier: email === undefined ? undefined : identifier,
      }),
    );
    return id;
  }
}

/** Each expression and each text once, and the relationships that lead to them. */
class Licenses {
  readonly #iri: (id: string) => string;
  readonly #known = new Map<string, Element>();

  constructor(iri: (id: string) => string) {
    this.#iri = iri;
  }

  of(component: Component, from: string): readonly Element[] {
    const types = { declared: 'hasDeclaredLicense', concluded: 'hasConcludedLicense' } as const;
    return (['declared', 'concluded'] as const).flatMap((kind) => {
      const license = spdxLicenseOf(component, kind);
      return license === undefined
        ? []
        : [relationship(this.#iri, { from, type: types[kind], to: [this.#expression(license)] })];
    });
  }

  elements(): readonly Element[] {
    return [...this.#known.values()];
  }

  #expression({ expression, texts }: SpdxLicense): string {
    const custom = [...new Map(texts.map(({ id, text }) => [id, text]))].sort(([a], [b]) => byCodeUnit(a, b));
    const entries = custom.map(([id, text]) => ({
      type: 'DictionaryEntry',
      key: id,
      value: this.#add('simplelicensing_SimpleLicensingText', `${id} ${text}`, {
        name: id,
        simplelicensing_licenseText: text,
      }),
    }));
    return this.#add('simplelicensing_LicenseExpression', expression, {
      simplelicensing_licenseExpression: expression,
      simplelicensing_customIdToUri: entries.length === 0 ? undefined : entries,
    });
  }

  #add(type: string, of: string, more: Element): string {
    const id = this.#iri(`license-${sha256Hex(`${type}\0${of}`).slice(0, 16)}`);
    this.#known.set(id, element(type, id, more));
    return id;
  }
}

interface RelationshipForm {
  readonly from: string;
  readonly type: string;
  readonly to: readonly string[];
  readonly completeness?: string | undefined;
}

function relationship(
  iri: (id: string) => string,
  { completeness, from, to, type }: RelationshipForm,
): Element {
  const id = iri(`relationship-${sha256Hex(`${type}\0${from}`).slice(0, 16)}`);
  return element('Relationship', id, {
    from,
    relationshipType: type,
    to: [...to].sort(byCodeUnit),
    completeness,
  });
}

/** One for each component and kind, with all that it leads to. */
function relationshipsOf(
  bom: Bom,
  idOf: ReadonlyMap<string, string>,
  iri: (id: string) => string,
): readonly Element[] {
  const whole = new Set(
    bom.compositions.flatMap(({ aggregate, dependencies = [] }) =>
      aggregate === 'complete' ? dependencies : [],
    ),
  );
  const types = { contains: 'contains', depends: 'dependsOn' } as const;
  const individuals = { none: `${terms}/NoneElement`, unknown: `${terms}/NoAssertionElement` } as const;
  const groups = Map.groupBy(spdxEdgesOf(bom), ({ from, kind }) => `${kind} ${from}`);
  return [...groups.values()].flatMap((edges) => {
    const [first] = edges;
    if (first === undefined) {
      return [];
    }
    const to = edges.map((edge) =>
      typeof edge.to === 'string' ? idOf.get(edge.to) : individuals[edge.to.is],
    );
    const isWhole = first.kind === 'depends' && whole.has(first.from);
    return [
      relationship(iri, {
        from: idOf.get(first.from) ?? '',
        type: types[first.kind],
        to: to.filter((id) => id !== undefined),
        completeness: isWhole ? 'complete' : 'noAssertion',
      }),
    ];
  });
}
