import type { Diagnostic } from '../base/diagnostic.ts';
import type { JsonObject } from './cyclonedx-component.ts';
import type { Property } from './model.ts';
import { unknownField } from './unknowns.ts';

/** Each with its edition in `profileNames`: a document says which it was held to. */
export const profiles = ['bsi', 'cisa', 'ntia'] as const;
export type SbomProfile = (typeof profiles)[number];

export const profileNames: Readonly<Record<SbomProfile, string>> = {
  bsi: 'BSI TR-03183-2 v2.1',
  cisa: 'CISA 2026 minimum elements',
  ntia: 'NTIA 2021 minimum elements',
};

/** What a document cannot say of itself, and who says it. */
export const profileNotes: Readonly<Partial<Record<SbomProfile, string>>> = {
  cisa: 'the SBOM author signature is the attestation that tcf sign makes of this document',
};

/**
 * What a profile makes of one field: `profile.missing` (an error) or `profile.unknown` (a note) of `subject`,
 * a bom-ref or `document`.
 */
export interface ProfileDiagnostic extends Diagnostic {
  readonly subject: string;
  /** `supplier`, `SHA-512 of the file`. */
  readonly field: string;
}

/** What a profile makes of an SBOM. */
export interface JudgedDocument {
  readonly profile: SbomProfile;
  /** The fields that it requires and the SBOM does not have. */
  readonly missing: readonly ProfileDiagnostic[];
  /** The fields that the SBOM states as unknown, which the profile accepts. */
  readonly unknown: readonly ProfileDiagnostic[];
}

interface Form {
  readonly [key: string]: unknown;
}

type Check = readonly [field: string, holds: (form: Form) => boolean];

const text = (value: unknown): boolean => typeof value === 'string' && value !== '';
const list = (value: unknown): readonly Form[] => (Array.isArray(value) ? (value as readonly Form[]) : []);
const form = (value: unknown): Form => (typeof value === 'object' && value !== null ? (value as Form) : {});
const named = (organization: unknown): boolean => text(form(organization)['name']);
const property = (component: Form, name: string): string | undefined =>
  list(component['properties']).find((entry) => entry['name'] === name)?.['value'] as string | undefined;

/** The fields of which a component says that they are unknown. */
const stated = (component: Form): readonly unknown[] =>
  list(component['properties'])
    .filter(({ name }) => name === unknownField)
    .map(({ value }) => value);

/** Reachable: an e-mail address, or a URL (BSI 5.2.1 and 5.2.2). */
function isReachable(organization: unknown): boolean {
  const { url, contact } = form(organization);
  return list(url).some(text) || list(contact).some(({ email }) => text(email));
}

const author: Check = [
  'author',
  ({ metadata }) => list(form(metadata)['authors']).length > 0 || named(form(metadata)['manufacturer']),
];
const timestamp: Check = ['timestamp', ({ metadata }) => text(form(metadata)['timestamp'])];
const supplier: Check = [
  'supplier',
  ({ authors, manufacturer, supplier }) =>
    named(supplier) || named(manufacturer) || list(authors).some(named),
];
const identity: readonly Check[] = [
  ['name', ({ name }) => text(name)],
  ['version', ({ version }) => text(version)],
  ['identifier', ({ cpe, purl }) => text(cpe) || text(purl)],
];
const isFile = (component: Form): boolean => property(component, 'tcf:bsi:kind') === 'file';

const toolsOf = (metadata: unknown): readonly Form[] => list(form(form(metadata)['tools'])['components']);
const hasAll = (hashes: unknown, member: string): boolean =>
  list(hashes).length > 0 && list(hashes).every((hash) => text(hash[member]));

/** There, or stated as unknown. */
const orStated =
  (field: string, holds: (component: Form) => boolean) =>
  (component: Form): boolean =>
    holds(component) || stated(component).includes(field);

/** Of a file only; a logical component has neither (BSI 3.2.2). */
const ofFile = (field: string, holds: (component: Form) => boolean): Check => [
  field,
  (component) => !isFile(component) || holds(component),
];

const checks: Readonly<
  Record<SbomProfile, { readonly document: readonly Check[]; readonly component: readonly Check[] }>
> = {
  ntia: { document: [author, timestamp], component: [supplier, ...identity] },
  // The seventeen data fields of appendix A, but for the signature (`profileNotes`) and the graph, which
  // every profile asks for.
  cisa: {
    document: [
      author,
      timestamp,
      ['data format name', ({ bomFormat }) => text(bomFormat)],
      ['data format version', ({ specVersion }) => text(specVersion)],
      ['SBOM version', ({ version }) => Number.isInteger(version) || text(version)],
      ['tool name', ({ metadata }) => toolsOf(metadata).some(named)],
      ['tool version', ({ metadata }) => toolsOf(metadata).some(({ version }) => text(version))],
      ['generation context', ({ metadata }) => list(form(metadata)['lifecycles']).length > 0],
    ],
    component: [
      ['producer', orStated('producer', supplier[1])],
      ['name', ({ name }) => text(name)],
      ['version', ({ version }) => text(version)],
      ['identifier', orStated('identifier', ({ cpe, purl }) => text(cpe) || text(purl))],
      ['hash value', orStated('hash', ({ hashes }) => hasAll(hashes, 'content'))],
      ['hash algorithm', orStated('hash', ({ hashes }) => hasAll(hashes, 'alg'))],
      ['license', orStated('license', ({ licenses }) => list(licenses).length > 0)],
    ],
  },
  bsi: {
    document: [
      [
        'creator with an e-mail address or URL',
        ({ metadata }) => isReachable(form(metadata)['manufacturer']),
      ],
      timestamp,
      ['SBOM-URI', ({ serialNumber }) => text(serialNumber)],
    ],
    component: [
      ['creator with an e-mail address or URL', ({ manufacturer }) => isReachable(manufacturer)],
      ['name', ({ name }) => text(name)],
      ['version', ({ version }) => text(version)],
      [
        'distribution license',
        ({ licenses }) =>
          list(licenses).some(
            (entry) =>
              (entry['acknowledgement'] === 'concluded' && text(entry['expression'])) ||
              (form(entry['license'])['acknowledgement'] === 'concluded' &&
                text(form(entry['license'])['id'])),
          ),
      ],
      ofFile('filename', (component) => text(property(component, 'bsi:component:filename'))),
      ofFile('executable property', (component) => text(property(component, 'bsi:component:executable'))),
      ofFile('archive property', (component) => text(property(component, 'bsi:component:archive'))),
      ofFile('structured property', (component) => text(property(component, 'bsi:component:structured'))),
      ofFile('SHA-512 of the file', ({ externalReferences }) =>
        list(externalReferences).some(
          (reference) =>
            reference['type'] === 'distribution' &&
            list(reference['hashes']).some(({ alg }) => alg === 'SHA-512'),
        ),
      ),
    ],
  },
};

/**
 * The fields that a profile requires and a document of `toCycloneDx` does not have: of the document first,
 * then of the components in its order. The graph counts too: every component has an entry, or is listed among
 * those whose dependencies are unknown.
 */
export function missingFields(document: JsonObject, profile: SbomProfile): readonly ProfileDiagnostic[] {
  const components = componentsOf(document);
  const { component: ofComponent, document: ofDocument } = checks[profile];
  const said = new Set(list(document['dependencies']).map(({ ref }) => ref));
  for (const { aggregate, dependencies } of list(document['compositions'])) {
    if (aggregate === 'unknown') {
      for (const ref of list(dependencies) as readonly unknown[]) {
        said.add(ref);
      }
    }
  }
  const dependencies: Check = ['dependencies', (component) => said.has(component['bom-ref'])];
  return [
    ...failing('document', document, ofDocument),
    ...components.flatMap((component) =>
      failing(String(component['bom-ref'] ?? ''), component, [...ofComponent, dependencies]),
    ),
  ];
}

/** The fields for which a profile accepts the answer "unknown": known unknowns have to be stated. */
const maybeUnknown: Readonly<Record<SbomProfile, readonly string[]>> = {
  bsi: [],
  cisa: ['hash', 'identifier', 'license', 'producer', 'version'],
  ntia: ['version'],
};

/**
 * The fields that a profile requires and a document states as unknown. The profile accepts that; users should
 * know it all the same.
 */
export function unknownFields(document: JsonObject, profile: SbomProfile): readonly ProfileDiagnostic[] {
  return componentsOf(document).flatMap((component) =>
    stated(component)
      .filter((field) => maybeUnknown[profile].includes(String(field)))
      .map((field) => ({
        level: 'note',
        code: `profile.unknown.${slug(String(field))}`,
        subject: String(component['bom-ref'] ?? ''),
        message: `unknown ${field}`,
        field: String(field),
      })),
  );
}

function componentsOf(document: JsonObject): readonly Form[] {
  return [form(form(document['metadata'])['component']), ...flat(list(document['components']))];
}

/** Listed one by one up to here; the count stands there anyway. */
const maxListed = 1000;

/** The document says itself which profile it was made for, and what it could not say. */
export function profileProperties(
  profile: SbomProfile,
  missing: readonly ProfileDiagnostic[],
  unknown: readonly ProfileDiagnostic[],
): readonly Property[] {
  return [
    { name: 'tcf:profile', value: profileNames[profile] },
    { name: 'tcf:profile:missing:count', value: String(missing.length) },
    { name: 'tcf:profile:unknown:count', value: String(unknown.length) },
    ...missing
      .slice(0, maxListed)
      .map(({ field, subject }) => ({ name: 'tcf:profile:missing', value: `${field} of ${subject}` })),
  ];
}

function failing(subject: string, about: Form, of: readonly Check[]): readonly ProfileDiagnostic[] {
  return of.flatMap(([field, holds]) =>
    holds(about)
      ? []
      : [{ level: 'error', code: `profile.missing.${slug(field)}`, subject, message: `no ${field}`, field }],
  );
}

/** `creator with an e-mail address or URL` becomes `creator-with-an-e-mail-address-or-url`. */
function slug(field: string): string {
  return field.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

function flat(components: readonly Form[]): readonly Form[] {
  return components.flatMap((component) => [component, ...flat(list(component['components']))]);
}
