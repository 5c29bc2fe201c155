import { createHash } from 'node:crypto';
import { compact } from '../../base/compact.ts';
import { agreedLicenses, toLicenses } from '../../bom/licenses.ts';
import type { Component, Contact, ExternalReference, License } from '../../bom/model.ts';
import { toPurl } from '../../bom/purl.ts';
import type { Tree, TreeFile } from '../contract.ts';
import { identifiedBy } from '../identity.ts';
import { lineOf, manifestIn, type NpmFields, type NpmManifest, npmFieldsOf } from './manifest.ts';
import { npmPlaceOf } from './places.ts';

/** A package that is installed. */
export interface NpmPackage {
  /** The directory, a real path. */
  readonly place: string;
  readonly file: TreeFile;
  readonly manifest: NpmManifest;
}

/** One version may lie in many places: the directory makes the ref its own. */
export function npmRef({ place, manifest }: NpmPackage): string {
  return `${purlOf(manifest)}#${place}`;
}

function purlOf({ name, version }: NpmManifest): ReturnType<typeof toPurl> {
  const slash = name.indexOf('/');
  return toPurl(
    compact({
      type: 'npm',
      ...(slash < 0 ? {} : { namespace: name.slice(0, slash) }),
      name: name.slice(slash + 1),
      version,
    }),
  );
}

export function npmComponent(tree: Tree, { file, manifest }: NpmPackage): Component {
  const { name, version, fields } = manifest;
  const description = lineOf(fields['description']);
  const author = contactOf(fields['author']);
  const licenses = licensesOf(fields);
  const references = referencesOf(fields);
  const value = createHash('sha256')
    .update(file.content() ?? '')
    .digest('hex');
  return compact({
    bomRef: npmRef({ place: npmPlaceOf(file), file, manifest }),
    type: 'library',
    name,
    version,
    purl: purlOf(manifest),
    description,
    ...(author === undefined ? {} : { authors: [author] }),
    ...(licenses.length === 0 ? {} : { licenses }),
    hashes: [{ algorithm: 'SHA-256', value, subject: 'package.json' }],
    ...(references.length === 0 ? {} : { externalReferences: references }),
    evidence: {
      identity: identifiedBy('purl', { technique: 'manifest-analysis', confidence: 1, value: file.path }),
      occurrences: [{ location: file.path, layer: firstWith(tree, file, manifest).layer }],
    },
  });
}

/** The file in the layer that first had this version. */
function firstWith(tree: Tree, file: TreeFile, { name, version }: NpmManifest): TreeFile {
  const older = tree.history(file.path).find((candidate) => {
    const read = manifestIn(candidate);
    return typeof read !== 'string' && read.name === name && read.version === version;
  });
  return older ?? file;
}

/**
 * `license` is SPDX by npm's rules, once `{ type, url }`; the old list `licenses` meant a choice
 * (docs.npmjs.com, "license").
 */
function licensesOf(fields: NpmFields): readonly License[] {
  return agreedLicenses([fields['license'], fields['licenses']].map(licensesIn));
}

function licensesIn(stated: unknown): readonly License[] {
  const names = (Array.isArray(stated) ? stated.slice(0, 20) : [stated]).flatMap(
    (entry: unknown) => lineOf(entry) ?? lineOf(npmFieldsOf(entry)?.['type']) ?? [],
  );
  return toLicenses(names.length > 1 ? `(${names.join(' OR ')})` : (names[0] ?? ''), 'spdx');
}

/** `Ada <ada@x.org> (https://x.org)`, or the same as an object. */
function contactOf(author: unknown): Contact | undefined {
  const [, words = '', address] = /^([^<(]*)(?:<([^<>\s]*)>)?/.exec(lineOf(author) ?? '') ?? [];
  const name = lineOf(npmFieldsOf(author)?.['name']) ?? lineOf(words);
  const email = lineOf(npmFieldsOf(author)?.['email']) ?? lineOf(address);
  if (name === undefined && email === undefined) {
    return undefined;
  }
  return compact({ name, email });
}

function referencesOf(fields: NpmFields): readonly ExternalReference[] {
  const website = lineOf(fields['homepage']);
  const repository = lineOf(fields['repository']) ?? lineOf(npmFieldsOf(fields['repository'])?.['url']);
  const vcs = repository === undefined ? undefined : repositoryUrl(repository);
  // No user and no query: a token stands there, and an SBOM is published.
  const isPublic = (url: string): boolean => /^(?:git\+)?(?:https?|git):\/\/[^\s@?]+$/.test(url);
  return [
    ...(website !== undefined && isPublic(website) ? [{ type: 'website' as const, url: website }] : []),
    ...(vcs !== undefined && isPublic(vcs) ? [{ type: 'vcs' as const, url: vcs }] : []),
  ];
}

const hosts: ReadonlyMap<string, string> = new Map([
  ['bitbucket', 'https://bitbucket.org'],
  ['github', 'https://github.com'],
  ['gitlab', 'https://gitlab.com'],
]);

/** `ada/tool` and `gitlab:ada/tool` are short for addresses (docs.npmjs.com, "repository"). */
function repositoryUrl(text: string): string {
  const [, host = 'github', path] = /^(?:([a-z]+):)?([\w.-]+\/[\w.-]+)$/.exec(text) ?? [];
  const base = hosts.get(host);
  return path === undefined || base === undefined ? text : `${base}/${path}`;
}
