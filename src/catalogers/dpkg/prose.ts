import { combineLicenses } from '../../bom/licenses.ts';
import type { License } from '../../bom/model.ts';

/**
 * What a copyright file without a form says: which of the texts in `common-licenses` it refers to. A
 * reference alone says that some part is under that licence. A licence is concluded where the file holds the
 * standard notice of one text and no other word about rights: CPython's and Kerberos' files name the GPL
 * once, for one file in a hundred, among ten other licences.
 */
export function proseLicenses(text: string): readonly License[] {
  const names = new Set(
    [...text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]{0,40})/g)].map(
      ([, name = '']) => name.replace(/[.+-]+$/, ''),
    ),
  );
  const [only = ''] = names;
  const stated = names.size === 1 && text.length <= maxNotice ? statedAlone(text, only) : undefined;
  return stated === undefined
    ? [...names].map((name) => ({ acknowledgement: 'declared', name }))
    : combineLicenses([stated], 'debian');
}

/** A file with one notice has a page or two. */
const maxNotice = 16 * 1024;

/**
 * The licence that the one notice of a file grants, in the words of DEP-5; `undefined` where anything else is
 * said about rights.
 */
function statedAlone(text: string, name: string): string | undefined {
  // Marks of comments and quotations stand before lines.
  const plain = text.replace(/^[ \t#*>|/]+/gm, '');
  const form = forms.find(({ names }) => names.test(name));
  const grants = form === undefined ? [] : [...plain.matchAll(form.grant)];
  if (form === undefined || grants.length === 0) {
    return undefined;
  }
  if (!grants.every(({ groups = {} }) => isOf(name, groups['kind'], groups['version']))) {
    return undefined;
  }
  const rest = [form.grant, ...form.beside].reduce((left, part) => left.replaceAll(part, '\n'), plain);
  return rest.split('\n').every((line) => isFraming(line.trim())) ? form.toName(name) : undefined;
}

/**
 * Whether a grant of the GNU licence of this kind and version is what the reference names. Apache's has
 * neither.
 */
function isOf(name: string, kind: string | undefined, version: string | undefined): boolean {
  if (version === undefined) {
    return true;
  }
  const family = { affero: 'AGPL', lesser: 'LGPL', library: 'LGPL' }[kind?.toLowerCase() ?? ''] ?? 'GPL';
  return name === `${family}-${version}`;
}

interface Form {
  /** Which references this is the notice of. */
  readonly names: RegExp;
  readonly grant: RegExp;
  /** What stands with the grant in the notice that the licence's authors recommend. */
  readonly beside: readonly RegExp[];
  readonly toName: (name: string) => string;
}

/** The lines of a notice break anywhere. */
function notice(...parts: readonly string[]): RegExp {
  return new RegExp(parts.join(' ').replaceAll(' ', String.raw`\s+`), 'gi');
}

const gnuLicense = '(?:the )?GNU (?:(?:Lesser|Library|Affero) )?General Public License(?: \\([AL]?GPL\\))?';
const subject = '(?:This|These|It)(?: [\\w+-]+){0,3}';
const found = (license: string, file: string): RegExp =>
  notice(
    `(?:On|In) Debian(?: GNU/Linux)? systems,? (?:the|a) (?:complete |full )?(?:text|copy) of (?:the latest version of )?${license}`,
    `(?:can|may) be found (?:in|at) (?:the file )?[\`'"]?/usr/share/common-licenses/${file}['"\`]*\\.?`,
  );

const forms: readonly Form[] = [
  {
    names: /^[AL]?GPL-\d(?:\.\d)?$/,
    grant: notice(
      `${subject} (?:is|are) free software[;:,.]? you (?:can|may) redistribute (?:it|them) and/or modify (?:it|them) under the`,
      'terms of the GNU (?:(?<kind>Lesser|Library|Affero) )?General Public License,? as published by the Free Software',
      'Foundation[;,]? (?:either )?version (?<version>\\d(?:\\.\\d)?)(?:\\.0)?(?: of the License)?,? or',
      '\\(?at your option\\)?,? any later version\\.?',
    ),
    beside: [
      notice(
        `${subject} (?:is|are) distributed in the hope that (?:it|they) will be useful, but WITHOUT ANY WARRANTY[;,]?`,
        'without even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE\\. See',
        `${gnuLicense} for more details\\.?`,
      ),
      notice(
        `You should have received a copy of ${gnuLicense} (?:along )?with (?:[\\w+-]+ ){0,5}[\\w+-]+[;,.]?`,
        'if not,? (?:write to the Free Software Foundation,? Inc\\.?,? [^.;]{0,100}(?:USA|United States)\\.?' +
          '|see <?https?://www\\.gnu\\.org/licenses/?[\\w.-]{0,20}>?\\.?)',
      ),
      notice(
        `You should have received a copy of ${gnuLicense} (?:along )?with (?:[\\w+-]+ ){0,5}[\\w+-]+\\.`,
      ),
      found(`${gnuLicense}(?:,? v(?:ersion )?[\\d.]+)?`, '[AL]?GPL(?:-\\d(?:\\.\\d)?)?'),
    ],
    toName: (name) => `${name}+`,
  },
  {
    names: /^Apache-2\.0$/,
    grant: notice(
      'Licensed under the Apache License, Version 2\\.0 \\(the "License"\\); you may not use this file except in compliance',
      'with the License\\. You may obtain a copy of the License at:? <?https?://www\\.apache\\.org/licenses/LICENSE-2\\.0',
      'Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an',
      '"AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied\\. See the License for the',
      'specific language governing permissions and limitations under the License\\.?',
    ),
    beside: [found('the Apache (?:version 2\\.0 license|License,? Version 2\\.0|License)', 'Apache-2\\.0')],
    toName: (name) => name,
  },
];

const person = String.raw`(?:\p{Lu}[\p{L}.'’-]*|<[^<>\s]+@[^<>\s]+>|and|&|,)`;
const people = `${person}(?:,? ${person}){0,9}`;
/**
 * What stands around a notice and says nothing about rights: how the package came to be, and whose the work
 * is.
 */
const framing: readonly RegExp[] = [
  /^(?:Copyrights?|Licen[cs]e|Upstream (?:Author|Maintainer)s?|Authors?)(?:\(s\))?:?$/i,
  /^This package was .{0,20}debiani[sz]ed by [^.;]{1,80}(?:\.[^.;]{1,20}>)? ?(?:on)?$/i,
  /^(?:on )?(?:\w{3},? )?\d{1,2} \w{3,9} \d{4}(?: [\d:]{5,8}(?: [+-]\d{4})?)?\.?$/i,
  /^It was downloaded from:?$/i,
  /^(?:It was downloaded from:? )?<?(?:https?|ftp|git):\/\/[^\s<>]+>?\.?$/i,
  new RegExp(String.raw`^(?:Upstream )?(?:Author|Maintainer)s?(?:\(s\))?: ${people}\.?$`, 'iu'),
  new RegExp(String.raw`^${person},? ${people}\.?$`, 'u'),
  new RegExp(
    String.raw`^<?(?:[\w.+-]+ is )?(?:Copyright:? ?)+(?:\([Cc]\)|©)? ?\d[\d, –-]{3,60},? (?:by )?${people}\.?>?$`,
    'u',
  ),
];

/** Names of licences are spelled as names of people are, and none can do without one of these. */
const aboutRights =
  /licen[cs]|permi(?:t|ssion)|warrant|redistribut|public domain|\bterms\b|\b[AL]?GPL|exception/i;

function isFraming(line: string): boolean {
  if (/^[\s.,:;*-]*$/.test(line)) {
    return true;
  }
  return framing.some((form) => form.test(line)) && (/^Licen[cs]e:?$/i.test(line) || !aboutRights.test(line));
}
