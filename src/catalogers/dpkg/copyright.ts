import { combineLicenses } from '../../bom/licenses.ts';
import type { ExternalReference, License } from '../../bom/model.ts';
import { repositoryAt } from '../sources.ts';
import { parseStanzas } from './deb822.ts';
import { proseLicenses } from './prose.ts';

/** texlive's has 5 MB; licences of what stands beyond this are in the same few families. */
const maxLength = 4 * 1024 * 1024;
/** chromium names 150; one statement for each is more than anybody reads. */
const maxStatements = 200;

/**
 * What the copyright file of a package says about licences: by its DEP-5 paragraphs, else by its prose. Short
 * names of DEP-5 have the meaning that this very file gives them.
 */
export function copyrightLicenses(copyright: string, name: string): readonly License[] {
  const text = copyright.slice(0, maxLength);
  if (isDep5(text)) {
    const names = dep5Licenses(text);
    if (names.length > 0) {
      return combineLicenses(names, 'debian', `debian-${name}`);
    }
  }
  return proseLicenses(text);
}

function isDep5(text: string): boolean {
  return /^Format(?:-Specification)?:\s*\S/im.test(text.slice(0, 2000));
}

const address = /(?:https?|ftp|git):\/\/[^\s<>"'`]{1,1000}/i;
/** How maintainers have written it since before there was a form (Debian Policy 12.5 asks for the place). */
const prose = new RegExp(`\\b(?:downloaded|obtained|retrieved)\\s+from\\s*:?\\s*<?(${address.source})`, 'i');
/** Where the statements about rights begin; what they name is no source. */
const rights = /^[ \t]*(?:copyright|licen[cs]e|permission)\b/im;
const maxPreamble = 4000;

/**
 * Where the upstream source came from, as the copyright file says: in the field Source of DEP-5, else in its
 * first sentences.
 */
export function upstreamSource(copyright: string): ExternalReference | undefined {
  const text = copyright.slice(0, maxLength);
  const found = isDep5(text)
    ? address.exec(headerOf(text).get('source') ?? '')?.[0]
    : prose.exec(text.slice(0, maxPreamble).split(rights, 1)[0] ?? '')?.[1];
  // Without the mark that ends the sentence.
  const url = found?.replace(/[.,;:!?)\]}]+$/, '');
  const hasPassword = /^\w+:\/\/[^/]*@/.test(url ?? '');
  if (url === undefined || hasPassword) {
    return undefined;
  }
  return (
    repositoryAt(url) ?? {
      type: 'source-distribution',
      url,
      comment: 'of upstream, as the copyright file says',
    }
  );
}

function headerOf(text: string): ReadonlyMap<string, string> {
  for (const { fields } of parseStanzas(text.slice(0, 64 * 1024))) {
    if (fields.has('format')) {
      return fields;
    }
  }
  return new Map();
}

/**
 * The first line of License in the header and in each Files paragraph. Paragraphs without Files only hold the
 * texts.
 */
function dep5Licenses(text: string): readonly string[] {
  const names = new Set<string>();
  for (const { fields } of parseStanzas(text)) {
    if (!fields.has('files') && !fields.has('format')) {
      continue;
    }
    const name = fields.get('license')?.split('\n', 1)[0]?.trim() ?? '';
    if (name !== '' && names.size < maxStatements) {
      names.add(name);
    }
  }
  return [...names];
}
