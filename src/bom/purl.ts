import type { Branded } from '../base/brand.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { byCodeUnit, quoted } from '../base/text.ts';
import { type PurlRules, purlRules } from './purl-types.ts';

/** A canonical package URL (ECMA-427). Minted by `toPurl` only, so one package has one spelling. */
export type Purl = Branded<string, 'Purl'>;

/**
 * The decoded components of a purl. `namespace` and `subpath` are joined with `/`; empty strings count as
 * absent.
 */
export interface PurlParts {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
  readonly subpath?: string;
}

/**
 * The longest real purl (oci with a repository_url, apk with upstream) is under 500; a policy never waits for
 * a longer one.
 */
const maxLength = 8192;

/**
 * Builds the canonical spelling: type-specific case and separators, sorted qualifiers, everything
 * percent-encoded except `A-Za-z0-9.-_~:`. So `+` is always `%2B`: a raw one is read as a blank by many a
 * parser.
 *
 * @throws TcfError `purl.malformed` (exit 2) for parts that have no canonical spelling.
 */
export function toPurl(parts: PurlParts): Purl {
  return write(canonicalParts(parts, false)) as Purl;
}

function write(canonical: PurlParts): string {
  const { namespace, version, qualifiers, subpath } = canonical;
  let text = `pkg:${canonical.type}/`;
  if (namespace !== undefined) {
    text += `${encodeSegments(namespace)}/`;
  }
  text += rulesOf(canonical.type).pathName === true ? encodeSegments(canonical.name) : encode(canonical.name);
  if (version !== undefined) {
    text += `@${encode(version)}`;
  }
  if (qualifiers !== undefined) {
    text += `?${Object.entries(qualifiers)
      .map(([key, value]) => `${key}=${encode(value)}`)
      .join('&')}`;
  }
  if (subpath !== undefined) {
    text += `#${encodeSegments(subpath)}`;
  }
  if (text.length > maxLength) {
    throw malformed(text, `it is longer than ${maxLength} characters`);
  }
  return text;
}

/**
 * Reads a purl, right to left as the specification says, and brings its parts into canonical form, so that
 * `toPurl(parsePurl(text))` is the canonical spelling of `text`.
 *
 * @throws TcfError `purl.malformed` (exit 2).
 */
export function parsePurl(text: string): PurlParts {
  return parse(text, false);
}

/**
 * As `parsePurl`, for what other tools wrote: keys of qualifiers in capitals, a qualifier that is repeated
 * with one value, and a package of a distribution without the name of that (`pkg:rpm/glibc`) say what is
 * meant. `undefined` where the text is not a purl; a policy that looks for a package in such a document
 * cannot tell.
 */
export function readPurl(text: string): PurlParts | undefined {
  try {
    return parse(text, true);
  } catch (error) {
    if (error instanceof TcfError && error.code === 'purl.malformed') {
      return undefined;
    }
    throw error;
  }
}

/** The one spelling of what `readPurl` reads; `undefined` where that is nothing. */
export function normalizePurl(text: string): string | undefined {
  const parts = readPurl(text);
  return parts === undefined ? undefined : write(parts);
}

function parse(text: string, lenient: boolean): PurlParts {
  if (text.length > maxLength) {
    throw malformed(text, `it is longer than ${maxLength} characters`);
  }
  const [beforeSubpath, subpathText] = splitLast(text, '#');
  const [beforeQuery, query] = splitLast(beforeSubpath, '?');
  const scheme = /^pkg:\/*/i.exec(beforeQuery);
  if (scheme === null) {
    throw malformed(text, 'it does not start with "pkg:"');
  }
  const path = beforeQuery.slice(scheme[0].length);
  const slash = path.indexOf('/');
  if (slash < 0) {
    throw malformed(text, 'it has no name');
  }
  const [beforeVersion, version] = splitVersion(path.slice(slash + 1));
  if (version !== undefined && /^$|\/$/.test(beforeVersion)) {
    throw malformed(text, 'it has no name');
  }
  const type = path.slice(0, slash);
  const segments = segmentsOf(beforeVersion);
  const border = rulesOf(type).pathName === true ? 1 : segments.length - 1;
  const decoded = (piece: string): string => decode(piece, text);
  return canonicalParts(
    {
      type,
      name: segments.slice(border).map(decoded).join('/'),
      namespace: segments
        .slice(0, border)
        .map((segment) => decodeSegment(segment, text))
        .join('/'),
      ...(version === undefined ? {} : { version: decoded(version) }),
      ...(query === undefined
        ? {}
        : { qualifiers: parseQualifiers(query, text, lenient || rulesOf(type).anyCaseKeys === true) }),
      ...(subpathText === undefined
        ? {}
        : {
            subpath: subpathText
              .split('/')
              .map((segment) => decodeSegment(segment, text))
              .join('/'),
          }),
    },
    lenient,
  );
}

/** Whether `parsePurl` can read the text. */
export function isPurlText(text: string): boolean {
  try {
    parsePurl(text);
    return true;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'purl.malformed') {
      return false;
    }
    throw error;
  }
}

/** Whether the text is a purl in its canonical spelling. */
export function isPurl(text: string): text is Purl {
  return isPurlText(text) && toPurl(parsePurl(text)) === text;
}

function rulesOf(type: string): PurlRules {
  const lower = type.toLowerCase();
  return (Object.hasOwn(purlRules, lower) ? purlRules[lower] : undefined) ?? {};
}

function canonicalParts(parts: PurlParts, lenient: boolean): PurlParts {
  const type = parts.type.toLowerCase();
  if (!/^[a-z][a-z0-9.-]*$/.test(type)) {
    throw malformed(parts.type, 'its type is not a purl type');
  }
  const rules = rulesOf(type);
  const lower = (part: NonNullable<PurlRules['lowercase']>[number], text: string): string =>
    rules.lowercase?.includes(part) ? text.toLowerCase() : text;

  const namespace = lower('namespace', segmentsOf(parts.namespace ?? '').join('/'));
  const plainName = lower('name', parts.name.replace(/^\/+|\/+$/g, ''));
  const qualifiers = canonicalQualifiers(parts.qualifiers ?? {});
  const name = rules.toName?.(plainName, qualifiers, namespace) ?? plainName;
  const version = lower('version', parts.version ?? '');
  const subpath = lower(
    'subpath',
    segmentsOf(parts.subpath ?? '')
      .filter((segment) => segment !== '.' && segment !== '..')
      .join('/'),
  );
  for (const text of [namespace, name, version, subpath, ...Object.values(qualifiers)]) {
    if (!text.isWellFormed()) {
      throw malformed(text, 'it holds half a character (lone surrogate)');
    }
  }
  if (name === '') {
    throw malformed(`pkg:${type}`, 'it has no name');
  }
  const needsNamespace = rules.namespace === 'required' || (rules.namespace === 'expected' && !lenient);
  if (needsNamespace && namespace === '') {
    throw malformed(`pkg:${type}/${name}`, `purls of type ${type} have a namespace`);
  }
  if (rules.namespace === 'prohibited' && namespace !== '') {
    throw malformed(`pkg:${type}/${namespace}/${name}`, `purls of type ${type} have no namespace`);
  }
  const refusal = rules.refuse?.({ namespace, name, version, qualifiers });
  if (refusal !== undefined) {
    throw malformed(`pkg:${type}/${name}`, refusal);
  }
  return {
    type,
    ...(namespace === '' ? {} : { namespace }),
    name,
    ...(version === '' ? {} : { version }),
    ...(Object.keys(qualifiers).length === 0 ? {} : { qualifiers }),
    ...(subpath === '' ? {} : { subpath }),
  };
}

function canonicalQualifiers(qualifiers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(qualifiers)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => [key.toLowerCase(), value] as const);
  if (new Set(entries.map(([key]) => key)).size < entries.length) {
    throw malformed(Object.keys(qualifiers).join('&'), 'two keys of qualifiers differ in case alone');
  }
  for (const [key] of entries) {
    if (!/^[a-z][a-z0-9._-]*$/.test(key)) {
      throw malformed(key, 'it is not the key of a qualifier');
    }
  }
  return Object.fromEntries(entries.sort(([a], [b]) => byCodeUnit(a, b)));
}

function parseQualifiers(query: string, text: string, lenient: boolean): Readonly<Record<string, string>> {
  const qualifiers = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const written = equals < 0 ? pair : pair.slice(0, equals);
    const key = lenient ? written.toLowerCase() : written;
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), text);
    if (value === '') {
      continue;
    }
    if (key !== key.toLowerCase()) {
      throw malformed(text, `the key ${quoted(key)} has capitals`);
    }
    // Two values for one key: two readers would see two different packages.
    if (qualifiers.has(key) && !(lenient && qualifiers.get(key) === value)) {
      throw malformed(text, `the qualifier ${quoted(key)} is repeated`);
    }
    qualifiers.set(key, value);
  }
  return Object.fromEntries(qualifiers);
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function splitLast(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The `@` of a version stands after the last slash; `pkg:npm/@angular/core` has a scope and no version. */
function splitVersion(path: string): readonly [string, string | undefined] {
  const [before, version] = splitLast(path, '@');
  return version === undefined || version.includes('/') ? [path, undefined] : [before, version];
}

/** `encodeURIComponent` leaves `!'()*` and encodes `:`; the specification wants both the other way round. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}

function encodeSegments(path: string): string {
  return path.split('/').map(encode).join('/');
}

function decode(piece: string, text: string): string {
  try {
    return decodeURIComponent(piece);
  } catch (error) {
    if (error instanceof URIError) {
      throw malformed(text, 'its percent-encoding is broken');
    }
    throw error;
  }
}

/** An encoded slash inside a segment would move the border between namespace and name. */
function decodeSegment(segment: string, text: string): string {
  const decoded = decode(segment, text);
  if (decoded.includes('/')) {
    throw malformed(text, 'a segment holds an encoded slash');
  }
  return decoded;
}

function malformed(text: string, why: string): TcfError {
  return cannotTell('purl.malformed', `cannot read ${quoted(text)} as a purl: ${why}`);
}
