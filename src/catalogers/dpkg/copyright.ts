import { combineLicenses } from '../../bom/licenses.ts';
import type { License } from '../../bom/model.ts';
import { parseStanzas } from './deb822.ts';

/** texlive's has 5 MB; licences of what stands beyond this are in the same few families. */
const maxLength = 4 * 1024 * 1024;
/** chromium names 150; one statement for each is more than anybody reads. */
const maxStatements = 200;

/**
 * What the copyright file of a package says about licences: by its DEP-5 paragraphs, else by the texts in common-licenses it refers to. Short
 * names of DEP-5 have the meaning that this very file gives them.
 */
export function licensesOf(copyright: string, name: string): readonly License[] {
  const text = copyright.slice(0, maxLength);
  if (/^Format(?:-Specification)?:\s*\S/im.test(text.slice(0, 2000))) {
    const names = dep5Licenses(text);
    if (names.length > 0) return combineLicenses(names, 'debian', `debian-${name}`);
  }
  return referredLicenses(text);
}

/** The first line of License in the header and in each Files paragraph. Paragraphs without Files only hold the texts. */
function dep5Licenses(text: string): readonly string[] {
  const names = new Set<string>();
  for (const { fields } of parseStanzas(text)) {
    if (!fields.has('files') && !fields.has('format')) continue;
    const name = fields.get('license')?.split('\n', 1)[0]?.trim() ?? '';
    if (name !== '' && names.size < maxStatements) names.add(name);
  }
  return [...names];
}

const gnu = /^(?:A?GPL|LGPL|GFDL)(?:-[\d.]+)?$/;

/**
 * `/usr/share/common-licenses/GPL-2` says which text applies, not whether a later one may be chosen: that stands in the prose, and
 * belongs to the reference for sure only where there is no other.
 */
function referredLicenses(text: string): readonly License[] {
  const names = new Set(
    [...text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]{0,40})/g)].map(
      ([, name = '']) => name.replace(/[.+-]+$/, ''),
    ),
  );
  const [only = ''] = names;
  if (names.size === 1 && gnu.test(only) && /\d$/.test(only) && /any\s+later\s+version/.test(text))
    return combineLicenses([`${only}+`], 'debian');
  if ([...names].every((name) => !gnu.test(name))) return combineLicenses([...names], 'debian');
  return [...names].map((name) => ({ acknowledgement: 'declared', name }));
}
