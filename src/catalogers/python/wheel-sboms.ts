import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { Component } from '../../bom/model.ts';
import { type Purl, parsePurl, toPurl } from '../../bom/purl.ts';
import type { Skipped, Tree } from '../contract.ts';
import type { Distribution } from './distributions.ts';
import { normalName } from './metadata.ts';

/** What documents in wheels claim to be inside of these wheels. */
export interface Claims {
  readonly components: readonly Component[];
  readonly skipped: readonly Skipped[];
}

/** Real wheels hold one document or two. */
const maxDocuments = 20;
/** A document of a Rust extension lists some hundred crates. */
const maxComponents = 5000;
const maxDepth = 16;
/** Longer texts are no names and no versions. */
const maxText = 1000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the SBOMs in `*.dist-info/sboms` (PEP 770): CycloneDX, and SPDX 2 in JSON. Who built the wheel says it and nobody checked it: so
 * everything is nested in the wheel and marked, and what is not a purl of a component inside is no component.
 */
export function claimsOf(tree: Tree, distribution: Distribution): Claims {
  const folder = `${distribution.info}/sboms`;
  const skipped: Skipped[] = [];
  const components = new Map<string, Component>();
  const skip = (path: string, reason: string): void => {
    skipped.push({ path: printable(path), reason });
  };
  const names = distribution.info.endsWith('.dist-info') ? tree.list(folder) : [];
  for (const name of names.slice(0, maxDocuments)) {
    const file = tree.file(`${folder}/${name}`);
    if (file === undefined) continue;
    const purls = purlsIn(file.content() ?? new Uint8Array());
    if (typeof purls === 'string') skip(file.path, purls);
    else
      for (const purl of purls) {
        const { type, name: claimed } = parsePurl(purl);
        if (type === 'pypi' && normalName(claimed) === normalName(distribution.name)) continue;
        if (components.size < maxComponents)
          components.set(purl, components.get(purl) ?? claimedComponent(purl, file.path));
        else {
          skip(file.path, `lists more than ${maxComponents} components`);
          break;
        }
      }
  }
  if (names.length > maxDocuments) skip(folder, `holds more than ${maxDocuments} documents`);
  return { components: [...components.values()], skipped };
}

function claimedComponent(purl: Purl, path: string): Component {
  const { name, version } = parsePurl(purl);
  return {
    bomRef: `${purl}#${path}`,
    type: 'library',
    name,
    ...(version === undefined ? {} : { version }),
    purl,
    properties: [{ name: 'tcf:python:claimed-by', value: path }],
    evidence: {
      identity: [
        {
          field: 'purl',
          confidence: 0.5,
          methods: [{ technique: 'manifest-analysis', confidence: 0.5, value: path }],
        },
      ],
      occurrences: [{ location: path }],
    },
  };
}

/** The purls of a document, or why there are none. */
function purlsIn(content: Uint8Array): readonly Purl[] | string {
  let document: unknown;
  try {
    document = parseJson(content, 'sbom');
  } catch (error) {
    if (error instanceof TcfError) return 'is no JSON that can be read';
    throw error;
  }
  const fields = fieldsOf(document);
  if (fields?.['bomFormat'] === 'CycloneDX')
    return componentsIn(fields['components'], 0).flatMap((entry) => purlOf(entry['purl']));
  if (typeof fields?.['spdxVersion'] === 'string')
    return listOf(fields['packages']).flatMap((entry) =>
      listOf(entry['externalRefs'])
        .filter((reference) => reference['referenceType'] === 'purl')
        .slice(0, 1)
        .flatMap((reference) => purlOf(reference['referenceLocator'])),
    );
  return 'is neither CycloneDX nor SPDX 2 in JSON';
}

function componentsIn(list: unknown, depth: number): readonly Fields[] {
  if (depth > maxDepth) return [];
  return listOf(list).flatMap((entry) => [entry, ...componentsIn(entry['components'], depth + 1)]);
}

function purlOf(value: unknown): readonly Purl[] {
  if (typeof value !== 'string' || value.length > maxText) return [];
  try {
    return [toPurl(parsePurl(value))];
  } catch (error) {
    if (error instanceof TcfError) return [];
    throw error;
  }
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf).filter((fields) => fields !== undefined) : [];
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
