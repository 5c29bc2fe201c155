import { compact } from '../../base/compact.ts';
import { byCodeUnit, printable } from '../../base/text.ts';
import type { Component, Dependency } from '../../bom/model.ts';
import { parsePurl } from '../../bom/purl.ts';
import type { Skipped, Tree } from '../contract.ts';
import { identifiedBy } from '../identity.ts';
import type { Distribution } from './distributions.ts';
import { normalName } from './metadata.ts';
import { parseWheelDocument, type Stated, type WheelDocument } from './wheel-documents.ts';

/** What documents in wheels claim to be inside of these wheels. */
export interface Claims {
  readonly components: readonly Component[];
  /** Of those whose needs a document states. */
  readonly dependencies: readonly Dependency[];
  /** What the wheel itself needs of them, by their refs. */
  readonly needed: readonly string[];
  readonly skipped: readonly Skipped[];
}

/** Real wheels hold one document or two. */
const maxDocuments = 20;
/** A document of a Rust extension lists some hundred crates. */
const maxComponents = 5000;

/**
 * Reads the SBOMs in `*.dist-info/sboms` (PEP 770): CycloneDX, and SPDX 2 in JSON. Who built the wheel says
 * it and nobody checked it: so everything is nested in the wheel and marked, and what is not a purl of a
 * component inside is no component. Licence, hash and needs are kept as they are stated; what only the build
 * ran (`excluded`) is no content.
 */
export function claimsOf(tree: Tree, distribution: Distribution): Claims {
  const folder = `${distribution.info}/sboms`;
  const skipped: Skipped[] = [];
  const found = new Map<string, Component>();
  const dependencies = new Map<string, readonly string[]>();
  const needed = new Set<string>();
  const skip = (path: string, reason: string): void => {
    skipped.push({ path: printable(path), reason });
  };
  const names = /\.dist-info$/i.test(distribution.info) ? tree.list(folder) : [];
  for (const name of names.slice(0, maxDocuments)) {
    const file = tree.file(`${folder}/${name}`);
    if (file === undefined) {
      continue;
    }
    const document = parseWheelDocument(file.content() ?? new Uint8Array());
    if (typeof document === 'string') {
      skip(file.path, document);
      continue;
    }
    const refs = new Map<string, string>();
    for (const stated of document.stated) {
      if (isItself(stated, distribution)) {
        refs.set(stated.ref, '');
      } else if (found.has(stated.purl) || found.size < maxComponents) {
        const component = found.get(stated.purl) ?? claimedComponent(stated, file.path);
        found.set(stated.purl, component);
        refs.set(stated.ref, component.bomRef);
      } else {
        skip(file.path, `lists more than ${maxComponents} components`);
        break;
      }
    }
    if (document.root !== undefined) {
      refs.set(document.root, '');
    }
    for (const [from, to] of edgesIn(document, refs)) {
      if (from !== '') {
        dependencies.set(from, to);
      } else {
        for (const ref of to) {
          needed.add(ref);
        }
      }
    }
  }
  if (names.length > maxDocuments) {
    skip(folder, `holds more than ${maxDocuments} documents`);
  }
  return {
    components: [...found.values()],
    dependencies: [...dependencies].map(([ref, dependsOn]) => ({ ref, dependsOn })),
    needed: [...needed],
    skipped,
  };
}

function isItself({ purl }: Stated, distribution: Distribution): boolean {
  const { name, type } = parsePurl(purl);
  return type === 'pypi' && normalName(name) === normalName(distribution.name);
}

/** Edges between what is listed here, the wheel as an empty text. */
function edgesIn(
  { edges }: WheelDocument,
  refs: ReadonlyMap<string, string>,
): readonly (readonly [string, readonly string[]])[] {
  return [...edges].flatMap(([from, to]) => {
    const ref = refs.get(from);
    if (ref === undefined) {
      return [];
    }
    const targets = to.map((target) => refs.get(target)).filter((target) => target !== undefined);
    return [
      [ref, [...new Set(targets)].filter((target) => target !== '' && target !== ref).sort(byCodeUnit)],
    ];
  });
}

function claimedComponent({ hashes, licenses, purl, references }: Stated, path: string): Component {
  const { name, version } = parsePurl(purl);
  return compact({
    bomRef: `${purl}#${path}`,
    type: 'library',
    name,
    version,
    purl,
    ...(licenses.length === 0 ? {} : { licenses }),
    ...(hashes.length === 0 ? {} : { hashes }),
    ...(references.length === 0 ? {} : { externalReferences: references }),
    properties: [{ name: 'tcf:python:claimed-by', value: path }],
    evidence: {
      identity: identifiedBy('purl', { technique: 'manifest-analysis', confidence: 0.5, value: path }),
      occurrences: [{ location: path }],
    },
  });
}
