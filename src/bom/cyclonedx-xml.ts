import type { JsonObject } from './cyclonedx-component.ts';
import type { SpecVersion } from './cyclonedx-licenses.ts';

/** How a member of the JSON form stands in the XML form (bom-1.6.xsd, bom-1.7.xsd). */
type Member =
  /** `<name>text</name>` */
  | { readonly kind: 'text' }
  /** `<name>...</name>` */
  | { readonly kind: 'object'; readonly form: Form }
  /** `<name><item/><item/></name>` */
  | { readonly kind: 'list'; readonly item: string; readonly form: () => Form }
  /** `<item/><item/>`, without a list around them. */
  | { readonly kind: 'repeated'; readonly item: string; readonly form: Form }
  /** A list whose elements are called after what they are: `<license>` or `<expression>`. */
  | { readonly kind: 'licenses' };

/**
 * Elements come in the order of this table, which is that of the schema; a member that it does not name is an
 * error of ours.
 */
interface Form {
  readonly attributes?: readonly string[];
  /** The member that is the content of the element. */
  readonly content?: string;
  readonly members?: Readonly<Record<string, Member>>;
  /** A string of the JSON form: the name of the attribute that holds it, or `''` for the content. */
  readonly string?: string;
}

const text: Member = { kind: 'text' };
const plain: Form = { string: '' };
const reference: Form = { string: 'ref' };
const list = (item: string, form: () => Form): Member => ({ kind: 'list', item, form });
const object = (form: Form): Member => ({ kind: 'object', form });
const repeated = (item: string, form: Form): Member => ({ kind: 'repeated', item, form });

const properties = list('property', () => ({ attributes: ['name'], content: 'value' }));
const hashes = list('hash', () => ({ attributes: ['alg'], content: 'content' }));
const contact: Form = { members: { name: text, email: text } };
const organization: Form = {
  members: { name: text, url: repeated('url', plain), contact: repeated('contact', contact) },
};
const license: Form = { attributes: ['acknowledgement'], members: { id: text, name: text } };
const expression: Form = { attributes: ['acknowledgement'], content: 'expression' };
const licenses: Member = { kind: 'licenses' };
const method: Form = { members: { technique: text, confidence: text, value: text } };
const identity: Form = {
  members: { field: text, confidence: text, concludedValue: text, methods: list('method', () => method) },
};
const occurrence: Form = { members: { location: text, offset: text, additionalContext: text } };
const evidence: Form = {
  members: {
    identity: repeated('identity', identity),
    occurrences: list('occurrence', () => occurrence),
    licenses,
    copyright: list('text', () => ({ content: 'text' })),
  },
};
const component: Form = {
  attributes: ['type', 'bom-ref'],
  members: {
    supplier: object(organization),
    manufacturer: object(organization),
    authors: list('author', () => contact),
    name: text,
    version: text,
    description: text,
    hashes,
    licenses,
    copyright: text,
    cpe: text,
    purl: text,
    pedigree: object({ members: { ancestors: list('component', () => component) } }),
    externalReferences: list('reference', () => ({
      attributes: ['type'],
      members: { url: text, comment: text, hashes },
    })),
    properties,
    components: list('component', () => component),
    evidence: object(evidence),
  },
};
const bom: Form = {
  attributes: ['xmlns', 'serialNumber', 'version'],
  members: {
    metadata: object({
      members: {
        timestamp: text,
        lifecycles: list('lifecycle', () => ({ members: { phase: text } })),
        tools: object({ members: { components: list('component', () => component) } }),
        authors: list('author', () => contact),
        component: object(component),
        manufacturer: object(organization),
        supplier: object(organization),
        licenses,
        properties,
      },
    }),
    components: list('component', () => component),
    dependencies: list('dependency', () => ({
      attributes: ['ref'],
      members: { dependsOn: repeated('dependency', reference) },
    })),
    compositions: list('composition', () => ({
      members: {
        aggregate: text,
        assemblies: list('assembly', () => reference),
        dependencies: list('dependency', () => reference),
      },
    })),
    properties,
  },
};

/**
 * A document of `toCycloneDx` in the XML form, with two blanks of indent and a line feed at the end. It says
 * the same as the JSON form; only "depends on nothing" and "not known" look alike, because XML has no empty
 * list, and the compositions tell them apart.
 */
export function formatCycloneDxXml(document: JsonObject, specVersion: SpecVersion): string {
  const { $schema: _, bomFormat: __, specVersion: ___, ...rest } = document;
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  write(lines, '', 'bom', { xmlns: `http://cyclonedx.org/schema/bom/${specVersion}`, ...rest }, bom);
  return `${lines.join('\n')}\n`;
}

function write(lines: string[], indent: string, name: string, value: unknown, form: Form): void {
  if (typeof value === 'string') {
    if (form.string === undefined) {
      throw new Error(`${name} is a text and should be an object`);
    }
    const isContent = form.string === '';
    lines.push(
      isContent
        ? `${indent}<${name}>${escaped(value)}</${name}>`
        : `${indent}<${name} ${form.string}="${escaped(value)}"/>`,
    );
    return;
  }
  const members = Object.entries(value as JsonObject);
  const attributes = (form.attributes ?? []).flatMap((key) => {
    const found = (value as JsonObject)[key];
    return found === undefined ? [] : [` ${key}="${escaped(String(found))}"`];
  });
  const known = [...(form.attributes ?? []), form.content ?? '', ...Object.keys(form.members ?? {})];
  const unknown = members.find(([key]) => !known.includes(key));
  if (unknown !== undefined) {
    throw new Error(`the XML form of ${name} has no place for ${unknown[0]}`);
  }

  const content = form.content === undefined ? undefined : (value as JsonObject)[form.content];
  const open = `${indent}<${name}${attributes.join('')}`;
  if (content !== undefined) {
    lines.push(`${open}>${escaped(String(content))}</${name}>`);
    return;
  }
  const start = lines.length;
  lines.push(`${open}>`);
  for (const [key, member] of Object.entries(form.members ?? {})) {
    const found = (value as JsonObject)[key];
    if (found !== undefined) {
      writeMember(lines, `${indent}  `, key, found, member);
    }
  }
  if (lines.length === start + 1) {
    lines[start] = `${open}/>`;
  } else {
    lines.push(`${indent}</${name}>`);
  }
}

function writeMember(lines: string[], indent: string, key: string, value: unknown, member: Member): void {
  switch (member.kind) {
    case 'text':
      lines.push(`${indent}<${key}>${escaped(String(value))}</${key}>`);
      return;
    case 'object':
      write(lines, indent, key, value, member.form);
      return;
    case 'repeated':
      for (const item of value as readonly unknown[]) {
        write(lines, indent, member.item, item, member.form);
      }
      return;
    case 'list':
      lines.push(`${indent}<${key}>`);
      for (const item of value as readonly unknown[]) {
        write(lines, `${indent}  `, member.item, item, member.form());
      }
      lines.push(`${indent}</${key}>`);
      return;
    case 'licenses':
      lines.push(`${indent}<${key}>`);
      for (const item of value as readonly JsonObject[]) {
        if (item['license'] === undefined) {
          write(lines, `${indent}  `, 'expression', item, expression);
        } else {
          write(lines, `${indent}  `, 'license', item['license'], license);
        }
      }
      lines.push(`${indent}</${key}>`);
  }
}

/**
 * XML 1.0, 2.4 and 2.11: a line feed in an attribute would become a blank. Characters that XML cannot hold
 * were replaced before (`cleanText`).
 */
function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;');
}
