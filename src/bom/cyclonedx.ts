import { byCodeUnit } from '../base/text.ts';
import { toBsi } from './bsi.ts';
import { isEmail } from './clean.ts';
import {
  componentForm,
  contactForm,
  type JsonObject,
  members,
  organizationForm,
  propertyForms,
  sortedForms,
} from './cyclonedx-component.ts';
import type { SpecVersion } from './cyclonedx-licenses.ts';
import { flatten, type Layout, withSourceForTrivy } from './layout.ts';
import type { Bom, Component, Composition, Contact, Dependency, Organization } from './model.ts';
import type { SbomProfile } from './profiles.ts';
import { sha256Hex, uuidV5 } from './serial.ts';
import { rootComponent } from './subject.ts';
import { withStatedElements, withStatedVersion, withUnknowns } from './unknowns.ts';

/**
 * The newest version that every consumer of bench/consumers.md takes: the library of Dependency-Track refuses
 * 1.7.
 */
export const defaultSpecVersion: SpecVersion = '1.6';

export interface CycloneDxOptions {
  readonly specVersion: SpecVersion;
  /** The version of tcf. */
  readonly toolVersion: string;
  /** RFC 3339 in UTC, see `toTimestamp`. */
  readonly timestamp: string;
  /** Who made the BOM, where the user said so; else the authors the image names. */
  readonly authors?: readonly Contact[];
  /** Who supplies the image, where the user said so; else the vendor the image names. */
  readonly supplier?: Organization;
  /**
   * Where vulnerabilities of the image are reported: `https://...` or `mailto:...` (Cyber Resilience Act,
   * annex II 2).
   */
  readonly securityContact?: string;
  /** The day on which its security support ends, `2031-12-31` (Cyber Resilience Act, annex II 7). */
  readonly supportEnd?: string;
  /** Who made the BOM, as an organization that can be reached; beside the authors. */
  readonly manufacturer?: Organization;
  /** `bsi`: with the fields of TR-03183-2. `cisa` and `ntia`: a version that is unknown is called so. */
  readonly profile?: SbomProfile;
  /** `flat` where nothing is said. */
  readonly layout?: Layout;
  /**
   * A fresh UUID for those who want one serial for each run. Without it the serial follows from image,
   * options and content.
   */
  readonly uniqueSerial?: string;
  /** Options of the scan that shape the result, such as `{"profile": "bsi"}`. */
  readonly scanOptions?: Readonly<Record<string, string>>;
}

/**
 * The BOM as a CycloneDX JSON document: valid against the schema of `specVersion`, members in schema order,
 * arrays sorted by code unit. Written as a plain object: the CycloneDX library has no evidence, pedigree or
 * compositions, and half a document of two origins has no order of its own.
 */
export function toCycloneDx(bom: Bom, options: CycloneDxOptions): JsonObject {
  const body = bodyOf(bom, options);
  const { subject } = bom;
  const serial =
    options.uniqueSerial ??
    uuidV5(
      subject.configDigest,
      [subject.os, subject.architecture, subject.variant ?? ''].join('/'),
      options.toolVersion,
      JSON.stringify(Object.entries(options.scanOptions ?? {}).sort(([a], [b]) => byCodeUnit(a, b))),
      sha256Hex(JSON.stringify(body)),
    );
  return {
    $schema: `http://cyclonedx.org/schema/bom-${options.specVersion}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion: options.specVersion,
    serialNumber: `urn:uuid:${serial}`,
    version: 1,
    ...body,
  };
}

/**
 * The document as text: two blanks of indent, one line feed at the end; the same BOM and options give the
 * same bytes.
 */
export function formatCycloneDx(bom: Bom, options: CycloneDxOptions): string {
  return formatDocument(toCycloneDx(bom, options));
}

/** A document of `toCycloneDx` as text. */
export function formatDocument(document: JsonObject): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function bodyOf(bom: Bom, options: CycloneDxOptions): JsonObject {
  const { specVersion } = options;
  const described = rootComponent(bom.subject);
  const supplier = options.supplier ?? described.supplier;
  const loneReference = options.profile === 'bsi' ? 'expression' : 'name';
  const shaped = (component: Component): Component => shape(withUnknowns(component), options.profile);
  const root = shaped(withSupport(supplier === undefined ? described : { ...described, supplier }, options));
  const authors = options.authors ?? (options.manufacturer === undefined ? described.authors : undefined);
  const manufacturer = options.manufacturer ?? (options.profile === 'bsi' ? reachable(authors) : undefined);
  return members({
    metadata: members({
      timestamp: options.timestamp,
      lifecycles: [{ phase: 'post-build' }],
      tools: { components: [{ type: 'application', name: 'tcf', version: options.toolVersion }] },
      manufacturer: manufacturer && organizationForm(manufacturer),
      authors: authors?.map(contactForm),
      component: componentForm(root, specVersion, loneReference),
      supplier: supplier && organizationForm(supplier),
      licenses: [{ license: { id: 'CC0-1.0' } }],
    }),
    components: laidOut(bom.components.map(shaped), options.layout)
      .toSorted((a, b) => byCodeUnit(a.bomRef, b.bomRef))
      .map((component) => componentForm(component, specVersion, loneReference)),
    dependencies: dependencyForms(bom.dependencies),
    compositions: compositionForms(bom.compositions),
    properties: propertyForms(bom.properties),
  });
}

function withSupport(root: Component, { securityContact, supportEnd }: CycloneDxOptions): Component {
  const { externalReferences = [], properties = [] } = root;
  return {
    ...root,
    externalReferences:
      securityContact === undefined
        ? externalReferences
        : [...externalReferences, { type: 'security-contact', url: securityContact }],
    properties:
      supportEnd === undefined
        ? properties
        : [...properties, { name: 'tcf:cra:support-end', value: supportEnd }],
  };
}

function laidOut(components: readonly Component[], layout: Layout = 'flat'): readonly Component[] {
  const readable = components.map(withSourceForTrivy);
  return layout === 'flat' ? flatten(readable) : readable;
}

function shape(component: Component, profile: SbomProfile | undefined): Component {
  if (profile === undefined) {
    return component;
  }
  if (profile === 'bsi') {
    return toBsi(component);
  }
  const stated = withStatedVersion(component);
  return profile === 'cisa' ? withStatedElements(stated) : stated;
}

/** BSI knows one creator of the SBOM: the first author with an address. */
function reachable(authors: readonly Contact[] = []): Organization | undefined {
  const author = authors.find(({ email }) => email !== undefined && isEmail(email));
  return author === undefined ? undefined : { name: author.name ?? author.email ?? '', contacts: [author] };
}

/**
 * `dependsOn: []` says "none" and stays; CycloneDX reads an absent member the same way, but people do not.
 */
function dependencyForms(dependencies: readonly Dependency[]): readonly JsonObject[] {
  return sortedForms(
    dependencies.map(({ ref, dependsOn }) => ({ ref, dependsOn: sortedRefs(dependsOn) })),
    ({ ref }) => ref,
  );
}

function compositionForms(compositions: readonly Composition[]): readonly JsonObject[] {
  return sortedForms(
    compositions.map(({ aggregate, assemblies, dependencies }) =>
      members({
        aggregate,
        assemblies: assemblies && sortedRefs(assemblies),
        dependencies: dependencies && sortedRefs(dependencies),
      }),
    ),
    (form) => JSON.stringify(form),
  );
}

function sortedRefs(refs: readonly string[]): readonly string[] {
  return [...new Set(refs)].sort(byCodeUnit);
}
