import { compact } from '../../base/compact.ts';
import { type Marker, parseMarker } from './markers.ts';
import { isProjectName } from './metadata.ts';

/** `name[extra] (>=1) ; marker`, read. */
export interface PythonRequirement {
  readonly name: string;
  /**
   * As written, for people: an environment holds one distribution of a name. Empty for a URL, which may hold
   * a password.
   */
  readonly versions: string;
  readonly extras: readonly string[];
  readonly marker?: Marker;
}

/** The longest real one is under 500 characters. */
const maxLength = 8192;

/** Reads a dependency specifier (PEP 508); `undefined` where it is none. */
export function parseRequirement(text: string): PythonRequirement | undefined {
  if (text.length > maxLength) {
    return undefined;
  }
  const [, name = '', extras = '', rest = ''] =
    /^\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*([\s\S]*)$/.exec(text) ?? [];
  if (!isProjectName(name)) {
    return undefined;
  }
  const names = extras.split(',').map((extra) => extra.trim());
  if (extras.trim() !== '' && !names.every(isProjectName)) {
    return undefined;
  }
  // After a URL the marker stands behind a blank and a semicolon; the URL itself may hold one (PEP 508,
  // "Grammar").
  const [, before = '', markerText] =
    (rest.startsWith('@') ? /^(@\s*\S+)(?:\s+;([\s\S]*))?\s*$/ : /^([^;]*)(?:;([\s\S]*))?$/).exec(rest) ?? [];
  if (rest.trim() !== '' && before === '' && markerText === undefined) {
    return undefined;
  }
  if (!rest.startsWith('@') && !versions.test(before.trim().replace(/\s+/g, ' '))) {
    return undefined;
  }
  const marker = markerText === undefined ? undefined : parseMarker(markerText);
  if (markerText !== undefined && marker === undefined) {
    return undefined;
  }
  return compact({
    name,
    versions: rest.startsWith('@') ? '' : before.trim(),
    extras: extras.trim() === '' ? [] : names,
    marker,
  });
}

const clause = '(?:===|==|~=|!=|<=|>=|<|>)\\s*[^\\s,;()]+';
const list = `${clause}(?:\\s*,\\s*${clause})*\\s*,?`;
const versions: RegExp = new RegExp(`^(?:\\(\\s*(?:${list})?\\s*\\)|(?:${list})?)$`);
