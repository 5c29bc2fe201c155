import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Diagnostic } from '../base/diagnostic.ts';
import { isObject } from '../base/json.ts';
import { byCodeUnit, quoted } from '../base/text.ts';
import { toUriReference } from './clean.ts';
import schemas from './data/cyclonedx-schemas.json' with { type: 'json' };
import { readPurl } from './purl.ts';

/** Versions of CycloneDX that have a JSON schema. */
const versions = ['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'] as const;
type Version = (typeof versions)[number];

/** More of one kind say nothing new. */
const maxDiagnostics = 20;
/** Deeper documents were refused when they were parsed. */
const maxNodes = 20_000_000;

/**
 * Whether a CycloneDX document of any author is what its version promises: the schema of the specification,
 * each bom-ref once, and no reference to what is not there. Errors first; then, as warnings and notes, what
 * rules of tcf cannot read or do not look at.
 */
export function checkDocument(document: unknown): readonly Diagnostic[] {
  const version = versionOf(document);
  if (version === undefined) {
    const message = `it is not a CycloneDX document of a version from ${versions[0]} to ${versions.at(-1)}`;
    return [error('sbom.version', 'specVersion', message)];
  }
  return [...schemaErrors(document, version), ...referenceErrors(document), ...unreadable(document)];
}

function versionOf(document: unknown): Version | undefined {
  const { bomFormat, specVersion } = (document ?? {}) as Readonly<Record<string, unknown>>;
  return bomFormat === 'CycloneDX' ? versions.find((version) => version === specVersion) : undefined;
}

function error(code: string, subject: string, message: string): Diagnostic {
  return { level: 'error', code, subject, message };
}

const compiled = new Map<Version, ValidateFunction>();

function schemaErrors(document: unknown, version: Version): readonly Diagnostic[] {
  const validate = compiled.get(version) ?? compile(version);
  compiled.set(version, validate);
  if (validate(document)) {
    return [];
  }
  return (validate.errors ?? []).slice(0, maxDiagnostics).map(toDiagnostic);
}

/** Compiling takes half a second, so only the version that is asked for is compiled. */
function compile(version: Version): ValidateFunction {
  // The first error ends the check: a hostile document has millions.
  const ajv = new Ajv({ strict: false, allErrors: false });
  addFormats.default(ajv);
  // Ajv compares each item with each other one and calls methods of them, which a document may bring along.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', validate: hasUniqueItems });
  // JSON Schema allows characters beyond ASCII in both.
  ajv.addFormat('iri-reference', (text) => toUriReference(text) !== undefined);
  ajv.addFormat('idn-email', /^[^\s@]+@[^\s@]+$/);
  for (const name of ['cryptography-defs', 'jsf-0.82', 'spdx'] as const) {
    ajv.addSchema(schemas[name], `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  return ajv.compile(schemas[version]);
}

function hasUniqueItems(isWanted: boolean, items: readonly unknown[]): boolean {
  return !isWanted || new Set(items.map(canonicalText)).size === items.length;
}

/** The same text for the same JSON value, whatever the order of its members. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isObject(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => byCodeUnit(a, b)))
      : member,
  );
}

function toDiagnostic({ instancePath, message = 'is not valid', params }: ErrorObject): Diagnostic {
  const { additionalProperty, allowedValue } = params as Readonly<Record<string, unknown>>;
  const which = additionalProperty ?? allowedValue;
  return error(
    'sbom.schema',
    instancePath === '' ? 'the document' : instancePath,
    `${message}${typeof which === 'string' ? ` (${quoted(which)})` : ''}`,
  );
}

type Node = Readonly<Record<string, unknown>>;

function* nodesOf(document: unknown): Generator<Node> {
  const waiting: unknown[] = [document];
  for (let count = 0; waiting.length > 0 && count < maxNodes; count += 1) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) {
      continue;
    }
    if (!Array.isArray(value)) {
      yield value as Node;
    }
    for (const member of Object.values(value)) {
      waiting.push(member);
    }
  }
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isText = (value: unknown): value is string => typeof value === 'string';
const nodeIn = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});

/**
 * The specification: "Every bom-ref must be unique within the BOM", and what refers to one names one that is
 * there.
 */
function referenceErrors(document: unknown): readonly Diagnostic[] {
  const refs = refsIn(document);
  const { components, metadata, services, vulnerabilities } = nodeIn(document);
  // Samples of the specification itself name one workflow twice in `formulation`, so that is not looked into.
  const inventory = refsIn([nodeIn(metadata)['component'], components, services, vulnerabilities]);
  const twice = new Set([...inventory].filter(([, count]) => count > 1).map(([ref]) => ref));
  const dangling = new Set(
    [...referencesIn(nodeIn(document))].filter((ref) => !refs.has(ref) && !isBomLink(ref)),
  );
  return [
    ...listed(twice, 'sbom.bom-ref', 'several things have this bom-ref'),
    ...listed(
      dangling,
      'sbom.dangling',
      'dependencies or compositions name it, and nothing has this bom-ref',
    ),
    ...listed(entriesTwice(nodeIn(document)), 'sbom.dependencies', 'it has two entries in dependencies'),
  ];
}

/** How often each bom-ref stands there, however deep. */
function refsIn(part: unknown): ReadonlyMap<string, number> {
  const refs = new Map<string, number>();
  for (const { 'bom-ref': ref } of nodesOf(part)) {
    if (isText(ref)) {
      refs.set(ref, (refs.get(ref) ?? 0) + 1);
    }
  }
  return refs;
}

/** A reference into another BOM (BOM-Link). */
function isBomLink(ref: string): boolean {
  return ref.startsWith('urn:cdx:');
}

function* referencesIn({ compositions, dependencies }: Node): Generator<string> {
  for (const entry of listIn(dependencies)) {
    const { dependsOn, provides, ref } = nodeIn(entry);
    for (const name of [ref, ...listIn(dependsOn), ...listIn(provides)]) {
      if (isText(name)) {
        yield name;
      }
    }
  }
  for (const entry of listIn(compositions)) {
    const { assemblies, dependencies: graphs } = nodeIn(entry);
    for (const name of [...listIn(assemblies), ...listIn(graphs)]) {
      if (isText(name)) {
        yield name;
      }
    }
  }
}

function entriesTwice({ dependencies }: Node): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const entry of listIn(dependencies)) {
    const { ref } = nodeIn(entry);
    if (!isText(ref)) {
      continue;
    }
    if (seen.has(ref)) {
      twice.add(ref);
    }
    seen.add(ref);
  }
  return twice;
}

function listed(subjects: ReadonlySet<string>, code: string, message: string): readonly Diagnostic[] {
  const more = subjects.size - maxDiagnostics;
  const shown = [...subjects].slice(0, maxDiagnostics).map((subject) => error(code, subject, message));
  return more > 0 ? [...shown, error(code, `${more} more`, message)] : shown;
}

/** Parts of a document that no rule looks at. */
const passedOver = [
  'annotations',
  'declarations',
  'definitions',
  'formulation',
  'services',
  'vulnerabilities',
];

function unreadable(document: unknown): readonly Diagnostic[] {
  const purls = new Set<string>();
  for (const { purl } of nodesOf(document)) {
    if (isText(purl) && readPurl(purl) === undefined) {
      purls.add(purl);
    }
  }
  const parts = passedOver.filter((key) => nodeIn(document)[key] !== undefined);
  return [
    ...[...purls].slice(0, maxDiagnostics).map(
      (purl): Diagnostic => ({
        level: 'warning',
        code: 'sbom.purl',
        subject: purl,
        message:
          'it cannot be read as a purl: a policy that denies components cannot tell whether it is one of them',
      }),
    ),
    ...parts.map(
      (part): Diagnostic => ({
        level: 'note',
        code: 'sbom.passed-over',
        subject: part,
        message: 'rules of a policy do not look at this part of an SBOM',
      }),
    ),
  ];
}
