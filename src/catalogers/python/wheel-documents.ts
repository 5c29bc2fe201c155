import { TcfError } from '../../base/error.ts';
import { isObject, parseJson } from '../../base/json.ts';
import { toLicenses } from '../../bom/licenses.ts';
import type { ComponentHash, ExternalReference, License } from '../../bom/model.ts';
import { type Purl, parsePurl, toPurl } from '../../bom/purl.ts';

/** One component that a document states. */
export interface Stated {
  /** How the document itself calls it. */
  readonly ref: string;
  readonly purl: Purl;
  readonly licenses: readonly License[];
  readonly hashes: readonly ComponentHash[];
  readonly references: readonly ExternalReference[];
}

/** What a document says is in a wheel. */
export interface WheelDocument {
  readonly stated: readonly Stated[];
  /** Who needs whom, by the refs of the document; an empty list says that nothing is needed. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  /** What the document is about. */
  readonly root?: string;
  /** Components that only the build ran: they are in no file of the wheel. */
  readonly excluded: number;
}

const maxDepth = 16;
/** Longer texts are no names and no versions. */
const maxText = 1000;
const maxEdges = 100_000;

type Fields = Readonly<Record<string, unknown>>;

/** Reads CycloneDX, and SPDX 2 in JSON; for anything else why it cannot be read. */
export function parseWheelDocument(content: Uint8Array): WheelDocument | string {
  let document: unknown;
  try {
    document = parseJson(content, 'sbom');
  } catch (error) {
    if (error instanceof TcfError) {
      return 'is not readable JSON';
    }
    throw error;
  }
  const fields = fieldsOf(document);
  if (fields?.['bomFormat'] === 'CycloneDX') {
    return cycloneDxIn(fields);
  }
  if (typeof fields?.['spdxVersion'] === 'string') {
    return spdxIn(fields);
  }
  return 'is neither CycloneDX nor SPDX 2 in JSON';
}

function cycloneDxIn(fields: Fields): WheelDocument {
  const components = componentsIn(fields['components'], 0);
  const content = components.filter(({ scope }) => scope !== 'excluded');
  const root = fieldsOf(fieldsOf(fields['metadata'])?.['component'])?.['bom-ref'];
  const edges = listOf(fields['dependencies'])
    .slice(0, maxEdges)
    .flatMap(({ dependsOn, ref }) =>
      typeof ref === 'string' ? [[ref, dependsOn === undefined ? [] : textsOf(dependsOn)] as const] : [],
    );
  return {
    stated: content.flatMap((entry) =>
      purlOf(entry['purl']).map((purl) => ({
        ref: typeof entry['bom-ref'] === 'string' ? entry['bom-ref'] : purl,
        purl,
        licenses: licensesOf(entry['licenses']),
        hashes: hashesOf(entry['hashes']),
        references: referencesOf(entry['externalReferences']),
      })),
    ),
    edges: new Map(edges),
    ...(typeof root === 'string' ? { root } : {}),
    excluded: components.length - content.length,
  };
}

function spdxIn(fields: Fields): WheelDocument {
  const stated = listOf(fields['packages']).flatMap((entry) =>
    listOf(entry['externalRefs'])
      .filter((reference) => reference['referenceType'] === 'purl')
      .slice(0, 1)
      .flatMap((reference) => purlOf(reference['referenceLocator']))
      .map((purl) => ({
        ref: typeof entry['SPDXID'] === 'string' ? entry['SPDXID'] : purl,
        purl,
        licenses: declared(entry['licenseDeclared']),
        hashes: listOf(entry['checksums']).flatMap(({ algorithm, checksumValue }) =>
          hashOf(String(algorithm).replace(/^SHA(\d)/, 'SHA-$1'), checksumValue),
        ),
        references: [],
      })),
  );
  return { stated, edges: new Map(), excluded: 0 };
}

function componentsIn(list: unknown, depth: number): readonly Fields[] {
  if (depth > maxDepth) {
    return [];
  }
  return listOf(list).flatMap((entry) => [entry, ...componentsIn(entry['components'], depth + 1)]);
}

/** Somebody's word about somebody else's code: declared, whatever the document calls it. */
function licensesOf(value: unknown): readonly License[] {
  return listOf(value).flatMap((entry) => {
    const license = fieldsOf(entry['license']);
    return declared(entry['expression'] ?? license?.['id'] ?? license?.['name']);
  });
}

function declared(text: unknown): readonly License[] {
  if (typeof text !== 'string' || text === '' || text === 'NOASSERTION' || text === 'NONE') {
    return [];
  }
  return toLicenses(text, 'spdx').filter(({ acknowledgement }) => acknowledgement === 'declared');
}

const algorithms: ReadonlyMap<string, readonly [ComponentHash['algorithm'], number]> = new Map([
  ['SHA-1', ['SHA-1', 40]],
  ['SHA-256', ['SHA-256', 64]],
  ['SHA-384', ['SHA-384', 96]],
  ['SHA-512', ['SHA-512', 128]],
]);

function hashesOf(value: unknown): readonly ComponentHash[] {
  return listOf(value).flatMap(({ alg, content }) => hashOf(alg, content));
}

function hashOf(name: unknown, value: unknown): readonly ComponentHash[] {
  const [algorithm, length] = algorithms.get(String(name)) ?? [];
  if (algorithm === undefined || typeof value !== 'string' || value.length !== length) {
    return [];
  }
  return /^[0-9a-f]+$/i.test(value)
    ? [{ algorithm, value: value.toLowerCase(), subject: 'as its document states' }]
    : [];
}

const referenceTypes: ReadonlySet<string> = new Set([
  ...['distribution', 'documentation', 'issue-tracker', 'source-distribution', 'vcs', 'website'],
]);

/** Addresses without user and password. */
function referencesOf(value: unknown): readonly ExternalReference[] {
  const found = listOf(value).flatMap(({ type, url }): ExternalReference[] =>
    typeof type === 'string' &&
    referenceTypes.has(type) &&
    typeof url === 'string' &&
    url.length <= maxText &&
    /^https?:\/\/[^\s@]+$/.test(url)
      ? [{ type: type as ExternalReference['type'], url }]
      : [],
  );
  return [...new Map(found.map((each) => [`${each.type} ${each.url}`, each])).values()].slice(0, 20);
}

/** A package of Python without a version is what somebody asks for, and nothing that lies in the wheel. */
function purlOf(value: unknown): readonly Purl[] {
  if (typeof value !== 'string' || value.length > maxText) {
    return [];
  }
  try {
    const purl = parsePurl(value);
    return purl.type === 'pypi' && purl.version === undefined ? [] : [toPurl(purl)];
  } catch (error) {
    if (error instanceof TcfError) {
      return [];
    }
    throw error;
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.slice(0, maxEdges).filter((text): text is string => typeof text === 'string')
    : [];
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf).filter((fields) => fields !== undefined) : [];
}

function fieldsOf(value: unknown): Fields | undefined {
  return isObject(value) ? value : undefined;
}
