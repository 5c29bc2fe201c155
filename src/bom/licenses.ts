import { fixupSpdxId, isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';
import parseSpdx from 'spdx-expression-parse';
import { currentIds, licenseNames } from './license-names.ts';
import type { License } from './model.ts';

/**
 * Who wrote the text. `spdx`: a field that holds SPDX by its own rules (License-Expression). `debian`: a
 * DEP-5 short name or synopsis. `rpm`: SPDX or Callaway names. `classifier`: a trove classifier, whole or its
 * last part.
 */
export type LicenseKind = 'apk' | 'classifier' | 'debian' | 'python' | 'rpm' | 'spdx';

/**
 * The parser descends once for each bracket and scans with slices; real expressions are under 1,500
 * characters (texlive).
 */
const maxExpressionLength = 4096;
/** A License field may hold a whole licence text; the first line names it. */
const maxNameLength = 200;

/**
 * What a package says about its licence (`declared`: an SPDX expression where it is one, else the name as
 * written), and beside it the expression tcf stands for (`concluded`), only where every part maps without
 * doubt. Empty text gives an empty list.
 */
export function toLicenses(text: string, kind: LicenseKind, scope?: string): readonly License[] {
  return combineLicenses([text], kind, scope);
}

/**
 * The same for several statements that all apply, such as the paragraphs of a DEP-5 file or several
 * classifiers: joined with AND where each of them maps, else every statement is declared for itself.
 *
 * With a `scope`, in which the names have a meaning (`debian-bash`: the copyright file of that package), a
 * part that does not map is concluded as `LicenseRef-SCOPE-NAME`, which is how SPDX names what is not on its
 * list. The rest of the expression is not lost then.
 */
export function combineLicenses(
  texts: readonly string[],
  kind: LicenseKind,
  scope?: string,
): readonly License[] {
  const statements = [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))];
  if (statements.length === 0) {
    return [];
  }
  const concluded = joinWithAnd(
    statements.map((text) => toSpdx(text, kind) ?? (scope === undefined ? undefined : toScoped(text, scope))),
  );
  const declared = joinWithAnd(statements.map(asWritten));
  const declarations: readonly License[] =
    declared !== undefined
      ? [{ acknowledgement: 'declared', expression: declared }]
      : statements.map((text) => {
          const expression = asWritten(text);
          return expression === undefined
            ? { acknowledgement: 'declared', name: nameOf(text) }
            : { acknowledgement: 'declared', expression };
        });
  return concluded === undefined
    ? declarations
    : [...declarations, { acknowledgement: 'concluded', expression: concluded }];
}

/**
 * What several fields of one package say of its licence: the first where all mean the same; else each of them is
 * declared and nothing is concluded.
 */
export function agreedLicenses(statements: readonly (readonly License[])[]): readonly License[] {
  const said = statements.filter((licenses) => licenses.length > 0);
  const meaning = (licenses: readonly License[]): string =>
    JSON.stringify(licenses.find(({ acknowledgement }) => acknowledgement === 'concluded') ?? licenses);
  if (new Set(said.map(meaning)).size <= 1) {
    return said[0] ?? [];
  }
  return said.flatMap((licenses) => licenses.filter(({ acknowledgement }) => acknowledgement === 'declared'));
}

/**
 * The SPDX expression a text stands for, in canonical spelling and without withdrawn ids; `undefined` where
 * any part of it is not known or could mean two licences.
 */
export function toSpdx(text: string, kind: LicenseKind): string | undefined {
  const trimmed = collapse(text);
  if (trimmed === '' || trimmed.length > maxExpressionLength) {
    return undefined;
  }
  if (kind === 'classifier') {
    return nameToSpdx(trimmed.split(' :: ').at(-1) ?? '');
  }
  // DEP-5: "GPL-2+ or Artistic, and BSD": the comma changes the precedence, so such a synopsis is not mapped.
  const mapped = kind === 'spdx' ? undefined : nameToSpdx(trimmed);
  const expression = mapped ?? mapParts(trimmed, kind === 'spdx' ? idToSpdx : nameToSpdx);
  return expression !== undefined && isSpdxExpression(expression) ? expression : undefined;
}

/**
 * `GPL-1+ or Artistic, and Expat` becomes `(GPL-1.0-or-later OR LicenseRef-SCOPE-Artistic) AND MIT`: DEP-5
 * says that a comma binds less than the words. A statement whose form is not clear is one name.
 */
function toScoped(text: string, scope: string): string | undefined {
  if (text.length > maxNameLength) {
    return undefined;
  }
  const parts = collapse(text).split(/, and /i);
  const named = (name: string): string => nameToSpdx(name) ?? referTo(name, scope);
  const mapped = parts.map((part) => (part.includes(',') ? undefined : mapParts(part, named)));
  const expression = joinWithAnd(mapped) ?? referTo(text, scope);
  return isSpdxExpression(expression) ? expression : referTo(text, scope);
}

function referTo(name: string, scope: string): string {
  const plain = (text: string): string =>
    text
      .replaceAll('+', '-plus')
      .replaceAll(/[^A-Za-z0-9.-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '');
  return `LicenseRef-${plain(scope)}-${plain(name) || 'unnamed'}`;
}

/** Whether the text is an SPDX licence expression whose ids are all on the SPDX list and not withdrawn. */
export function isSpdxExpression(text: string): boolean {
  if (text.length > maxExpressionLength) {
    return false;
  }
  try {
    parseSpdx(text);
  } catch (error) {
    // The parser has one kind of refusal, a plain Error; RangeError is its stack on thousands of brackets.
    if (error instanceof Error) {
      return false;
    }
    throw error;
  }
  return wordsOf(text).every((word) => !withdrawn(word));
}

/**
 * The declared text as SPDX where it is exactly that; letter case is not part of an id (SPDX 3.0, annex B).
 */
function asWritten(text: string): string | undefined {
  if (text.length > maxExpressionLength) {
    return undefined;
  }
  const same = mapParts(collapse(text), (word) => {
    if (licenseRef.test(word)) {
      return word;
    }
    const id = canonicalId(word);
    return id === undefined || withdrawn(id) ? undefined : id;
  });
  return same !== undefined && isSpdxExpression(same) ? same : undefined;
}

const licenseRef = /^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/;

function idToSpdx(word: string): string | undefined {
  if (licenseRef.test(word)) {
    return word;
  }
  const current = gnuToSpdx(word);
  if (current !== undefined) {
    return current;
  }
  const id = canonicalId(word);
  if (id === undefined) {
    return undefined;
  }
  return withdrawn(id) ? currentIds.get(id) : id;
}

/** `apache-2.0+` becomes `Apache-2.0+`. */
function canonicalId(word: string): string | undefined {
  const plus = word.endsWith('+') ? '+' : '';
  const id = fixupSpdxId(plus === '' ? word : word.slice(0, -1));
  return id === undefined ? undefined : `${id}${plus}`;
}

function nameToSpdx(name: string): string | undefined {
  return licenseNames.get(name.toLowerCase()) ?? idToSpdx(name);
}

const gnuFamilies: Readonly<Record<string, string>> = {
  gpl: 'GPL',
  'gnu gpl': 'GPL',
  'gnu general public license': 'GPL',
  lgpl: 'LGPL',
  'gnu lgpl': 'LGPL',
  'gnu lesser general public license': 'LGPL',
  agpl: 'AGPL',
  'gnu agpl': 'AGPL',
  'gnu affero general public license': 'AGPL',
  gfdl: 'GFDL',
};

/**
 * GNU licences in all their spellings: `GPL-2+` (Debian), `GPLv2+` (Callaway), `GPL-2.0` and `GPL-2.0+`
 * (withdrawn ids), `GNU General Public License v3 or later (GPLv3+)` (trove). Without a version nothing is
 * certain.
 */
function gnuToSpdx(name: string): string | undefined {
  const parts =
    /^(?:the )?([a-z ]+?)[ ,-]*(?:v|version )?(\d)(\.\d)?(?:\.0)?(-only| only)?(\+| or (?:any )?(?:later|newer)(?: version)?|-or-later)?(?: \([al]*gpl ?v?[\d.]+\+?\))?$/.exec(
      name.toLowerCase(),
    );
  if (parts === null) {
    return undefined;
  }
  const [, words = '', major = '', minor = '.0', only, later] = parts;
  const family = gnuFamilies[words];
  // Callaway's LGPLv2 stands for 2.0 and for 2.1 alike.
  if (family === undefined || (only !== undefined && later !== undefined) || /^lgplv2\+?$/i.test(name)) {
    return undefined;
  }
  const id = `${family}-${major}${minor}-${later === undefined ? 'only' : 'or-later'}`;
  return isSupportedSpdxId(id) ? id : undefined;
}

function withdrawn(id: string): boolean {
  return (
    currentIds.has(id) || id === 'Net-SNMP' || id === 'Nunit' || /^(?:[AL]?GPL|GFDL)-[\d.]+\+?$/.test(id)
  );
}

/** Brackets, operators as words of their own, and what stands between them. `or later` belongs to a name. */
const operators = /(\(|\)|(?<=[\s)])(?:and|or(?!\s+(?:any\s+)?(?:later|newer)\b)|with)(?=[\s(]))/i;

/**
 * Maps what stands between the operators, and gives the expression back in canonical spelling; `undefined` if
 * a part has none.
 */
function mapParts(text: string, map: (part: string) => string | undefined): string | undefined {
  const out: string[] = [];
  let exception = false;
  for (const piece of text.split(operators)) {
    const part = piece.trim();
    if (part === '') {
      continue;
    }
    if (/^(?:\(|\)|and|or|with)$/i.test(part)) {
      exception = /^with$/i.test(part);
      out.push(part.toUpperCase());
      continue;
    }
    const mapped = exception ? fixupSpdxId(part) : map(part);
    if (mapped === undefined) {
      return undefined;
    }
    exception = false;
    out.push(mapped);
  }
  return out.join(' ').replaceAll('( ', '(').replaceAll(' )', ')');
}

function joinWithAnd(expressions: readonly (string | undefined)[]): string | undefined {
  const known = expressions.filter((expression) => expression !== undefined);
  if (known.length < expressions.length) {
    return undefined;
  }
  const unique = [...new Set(known.flatMap(termsOf))];
  if (unique.length === 1) {
    return unique[0];
  }
  const joined = unique.map((part) => (/ OR /.test(part) ? `(${part})` : part)).join(' AND ');
  return joined.length > maxExpressionLength ? undefined : joined;
}

/** What `A AND B` joins, so that no licence is named twice; other forms are one term. */
function termsOf(expression: string): readonly string[] {
  return / OR |[()]/.test(expression) ? [expression] : expression.split(' AND ');
}

function wordsOf(expression: string): readonly string[] {
  return expression.split(/[\s()+]+/).filter((word) => word !== '');
}

function collapse(text: string): string {
  return text.length > maxExpressionLength ? text : text.trim().replace(/\s+/g, ' ');
}

function nameOf(text: string): string {
  const line = text.slice(0, maxExpressionLength).trim().split(/\r?\n/, 1)[0]?.trim() ?? '';
  return line.length > maxNameLength ? `${line.slice(0, maxNameLength).toWellFormed()}…` : line;
}
