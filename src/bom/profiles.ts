import type { JsonObject } from './cyclonedx-component.ts';
import type { Property } from './model.ts';
import { unknownField } from './unknowns.ts';

/** `bsi`: TR-03183-2 v2.1. `cisa`: the minimum elements of 2025. `ntia`: those of 2021. */
export const profiles = ['bsi', 'cisa', 'ntia'] as const;
export type Profile = (typeof profiles)[number];

export const profileNames: Readonly<Record<Profile, string>> = {
  bsi: 'BSI TR-03183-2 v2.1',
  cisa: 'CISA 2025 minimum elements',
  ntia: 'NTIA 2021 minimum elements',
};

/** One field that a profile requires and the document lacks. */
export interface Lack {
  /** The bom-ref of the component; `document` for the document itself. */
  readonly ref: string;
  readonly field: string;
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

/** Of a file only; a logical component has neither (BSI 3.2.2). */
const ofFile = (field: string, holds: (component: Form) => boolean): Check => [
  field,
  (component) => !isFile(component) || holds(component),
];

const checks: Readonly<
  Record<Profile, { readonly document: readonly Check[]; readonly component: readonly Check[] }>
> = {
  ntia: { document: [author, timestamp], component: [supplier, ...identity] },
  cisa: {
    document: [
      author,
      timestamp,
      ['tool name', ({ metadata }) => list(form(form(metadata)['tools'])['components']).some(named)],
      ['generation context', ({ metadata }) => list(form(metadata)['lifecycles']).length > 0],
    ],
    component: [
      supplier,
      ...identity,
      ['hash', ({ hashes }) => list(hashes).length > 0],
      [
        'license',
        (component) => list(component['licenses']).length > 0 || stated(component).includes('license'),
      ],
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
 * What a profile requires and a document of `toCycloneDx` does not say: of the document first, then of the components in its order. The graph counts
 * too: every component has an entry, or stands among those whose dependencies are said to be unknown.
 */
export function lacksOf(document: JsonObject, profile: Profile): readonly Lack[] {
  const components = componentsOf(document);
  const { component: ofComponent, document: ofDocument } = checks[profile];
  const said = new Set(list(document['dependencies']).map(({ ref }) => ref));
  for (const { aggregate, dependencies } of list(document['compositions']))
    if (aggregate === 'unknown') for (const ref of list(dependencies) as readonly unknown[]) said.add(ref);
  const dependencies: Check = ['dependencies', (component) => said.has(component['bom-ref'])];
  return [
    ...lacking('document', document, ofDocument),
    ...components.flatMap((component) =>
      lacking(String(component['bom-ref'] ?? ''), component, [...ofComponent, dependencies]),
    ),
  ];
}

/** Fields of which a profile takes the word "unknown" for an answer, where nobody knows more: known unknowns are to be told. */
const maybeUnknown: Readonly<Record<Profile, readonly string[]>> = {
  bsi: [],
  cisa: ['license', 'version'],
  ntia: ['version'],
};

/** What a profile asks for and a document calls unknown. It is no lack, and users should hear of it all the same. */
export function unknownsOf(document: JsonObject, profile: Profile): readonly Lack[] {
  return componentsOf(document).flatMap((component) =>
    stated(component)
      .filter((field) => maybeUnknown[profile].includes(String(field)))
      .map((field) => ({ ref: String(component['bom-ref'] ?? ''), field: String(field) })),
  );
}

function componentsOf(document: JsonObject): readonly Form[] {
  return [form(form(document['metadata'])['component']), ...flat(list(document['components']))];
}

/** Listed one by one up to here; the count stands there anyway. */
const maxListed = 1000;

/** The document says itself which profile it was made for, and what it could not say. */
export function lackProperties(
  profile: Profile,
  lacks: readonly Lack[],
  unknowns: readonly Lack[],
): readonly Property[] {
  return [
    { name: 'tcf:profile', value: profileNames[profile] },
    { name: 'tcf:profile:missing:count', value: String(lacks.length) },
    { name: 'tcf:profile:unknown:count', value: String(unknowns.length) },
    ...lacks
      .slice(0, maxListed)
      .map(({ ref, field }) => ({ name: 'tcf:profile:missing', value: `${field} of ${ref}` })),
  ];
}

function lacking(ref: string, about: Form, of: readonly Check[]): readonly Lack[] {
  return of.flatMap(([field, holds]) => (holds(about) ? [] : [{ ref, field }]));
}

function flat(components: readonly Form[]): readonly Form[] {
  return components.flatMap((component) => [component, ...flat(list(component['components']))]);
}
