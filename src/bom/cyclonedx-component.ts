import { byCodeUnit } from '../base/text.ts';
import { cleanText, isEmail, toUriReference } from './clean.ts';
import { type LoneReference, type SpecVersion, toLicenseForms } from './cyclonedx-licenses.ts';
import type {
  Component,
  ComponentEvidence,
  ComponentHash,
  Contact,
  ExternalReference,
  Occurrence,
  Organization,
  Property,
} from './model.ts';

/** A JSON object of the document; members stand in the order of the CycloneDX schema. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A component with everything nested in it. */
export function componentForm(
  component: Component,
  specVersion: SpecVersion,
  loneReference?: LoneReference,
): JsonObject {
  const { licenses, evidence } = toLicenseForms(component.licenses ?? [], specVersion, loneReference);
  const references = referenceForms(component.externalReferences ?? []);
  const nested = (list: readonly Component[]): readonly JsonObject[] =>
    [...list]
      .sort((a, b) => byCodeUnit(a.bomRef, b.bomRef))
      .map((child) => componentForm(child, specVersion, loneReference));
  return members({
    type: component.type,
    'bom-ref': component.bomRef,
    supplier: component.supplier && organizationForm(component.supplier),
    manufacturer: component.manufacturer && organizationForm(component.manufacturer),
    authors: component.authors?.map(contactForm),
    name: cleanText(component.name),
    version: component.version === undefined ? undefined : cleanText(component.version),
    description: component.description === undefined ? undefined : cleanText(component.description),
    hashes: hashForms(component.hashes ?? []),
    licenses,
    copyright: component.copyright === undefined ? undefined : cleanText(component.copyright),
    cpe: component.cpe === undefined ? undefined : cleanText(component.cpe),
    purl: component.purl,
    pedigree: component.pedigree && members({ ancestors: nested(component.pedigree.ancestors) }),
    externalReferences: references.written,
    components: nested(component.components ?? []),
    evidence: evidenceForm(component.evidence ?? {}, evidence),
    properties: propertyForms([
      ...(component.properties ?? []),
      ...hashSubjects(component.hashes ?? []),
      ...references.asProperties,
    ]),
  });
}

/** Name and value, without repetition, in the order of both. */
export function propertyForms(properties: readonly Property[]): readonly JsonObject[] {
  return sortedForms(
    properties.map(({ name, value }) => ({ name: cleanText(name), value: cleanText(value) })),
    ({ name, value }) => `${name}\0${value}`,
  );
}

export function organizationForm(organization: Organization): JsonObject | undefined {
  const url = organization.url === undefined ? undefined : toUriReference(organization.url);
  return members({
    name: cleanText(organization.name),
    url: url === undefined ? undefined : [url],
    contact: organization.contacts?.map(contactForm),
  });
}

/** A text that is not an e-mail address by the schema (`root at localhost`) is kept as part of the name. */
export function contactForm(contact: Contact): JsonObject {
  const { name, email } = contact;
  if (email === undefined || isEmail(email)) {
    return members({ name: name === undefined ? undefined : cleanText(name), email });
  }
  return { name: cleanText(name === undefined ? email : `${name} <${email}>`) };
}

/**
 * Without members that are absent, and without empty lists and objects: CycloneDX has no meaning for them.
 */
export function members(all: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => {
      if (Array.isArray(value)) {
        return value.length > 0;
      }
      return typeof value === 'object' && value !== null
        ? Object.keys(value).length > 0
        : value !== undefined;
    }),
  );
}

/** Forms in the order of their keys, each key once. */
export function sortedForms<T extends JsonObject>(
  forms: readonly T[],
  keyOf: (form: T) => string,
): readonly T[] {
  const byKey = new Map(forms.map((form) => [keyOf(form), form]));
  return [...byKey].sort(([a], [b]) => byCodeUnit(a, b)).map(([, form]) => form);
}

function hashForms(hashes: readonly ComponentHash[]): readonly JsonObject[] {
  return sortedForms(
    hashes.map(({ algorithm, value }) => ({ alg: algorithm, content: value })),
    ({ alg, content }) => `${alg}\0${content}`,
  );
}

/** A hash without its subject invites comparing the hash of a RECORD file with that of a wheel. */
function hashSubjects(hashes: readonly ComponentHash[]): readonly Property[] {
  return hashes.map(({ algorithm, subject }) => ({
    name: 'tcf:hash:subject',
    value: `${algorithm}: ${subject}`,
  }));
}

function referenceForms(references: readonly ExternalReference[]): {
  readonly written: readonly JsonObject[];
  readonly asProperties: readonly Property[];
} {
  const written: JsonObject[] = [];
  const asProperties: Property[] = [];
  for (const { type, url, comment, hashes } of references) {
    const reference = toUriReference(url);
    if (reference === undefined) {
      asProperties.push({ name: `tcf:reference:${type}`, value: url });
      continue;
    }
    written.push(
      members({
        url: reference,
        comment: comment === undefined ? undefined : cleanText(comment),
        type,
        hashes: hashForms(hashes ?? []),
      }),
    );
  }
  return {
    written: sortedForms(written, (form) => `${form['type']}\0${JSON.stringify(form)}`),
    asProperties,
  };
}

/** `identity` is always a list: the single object is deprecated since 1.6. */
function evidenceForm(evidence: ComponentEvidence, licenses: readonly object[]): JsonObject {
  const identity = (evidence.identity ?? []).map(({ field, confidence, concludedValue, methods }) =>
    members({
      field,
      confidence,
      concludedValue: concludedValue === undefined ? undefined : cleanText(concludedValue),
      methods: sortedForms(
        methods.map((method) => ({
          technique: method.technique,
          confidence: method.confidence,
          value: cleanText(method.value),
        })),
        (form) => JSON.stringify(form),
      ),
    }),
  );
  return members({
    identity: sortedForms(identity, (form) => JSON.stringify(form)),
    occurrences: sortedForms(
      (evidence.occurrences ?? []).map(occurrenceForm),
      (form) => `${form['location']}\0${JSON.stringify(form)}`,
    ),
    licenses,
    copyright: sortedForms(
      (evidence.copyright ?? []).map((text) => ({ text: cleanText(text) })),
      (form) => form.text,
    ),
  });
}

/**
 * A build step may be a whole script; its beginning identifies it, and it is repeated for every package that
 * it installed.
 */
const maxBuildStep = 200;

function occurrenceForm({ location, layer, offset }: Occurrence): JsonObject {
  const step = layer?.createdBy?.replace(/\s+/g, ' ').trim() ?? '';
  const shown = step.length > maxBuildStep ? `${step.slice(0, maxBuildStep).toWellFormed()}…` : step;
  return members({
    location: cleanText(location),
    offset,
    additionalContext:
      layer === undefined
        ? undefined
        : cleanText(`layer ${layer.index} ${layer.diffId}${shown === '' ? '' : `: ${shown}`}`),
  });
}
