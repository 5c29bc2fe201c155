/** Core metadata (`METADATA`, `PKG-INFO`): header fields by lower-case name, each as often as it stands. */
export type CoreMetadata = ReadonlyMap<string, readonly string[]>;

/**
 * The header of torch has 400 lines; what comes after the first blank line is the description and not read.
 */
const maxLines = 20_000;

/**
 * Reads the header as the e-mail format it is. Only an empty line ends it: licence texts in it hold blank
 * ones.
 */
export function parseMetadata(content: Uint8Array): CoreMetadata {
  const fields = new Map<string, string[]>();
  let current: string[] | undefined;
  const text = Buffer.from(content)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  for (const line of text.split(/\r?\n/, maxLines)) {
    if (line === '') {
      break;
    }
    if (/^[ \t]/.test(line)) {
      const last = current?.pop();
      if (last !== undefined) {
        current?.push(`${last}\n${line.trim()}`);
      }
      continue;
    }
    const [, name, value = ''] = /^([!-9;-~]+):(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      current = undefined;
      continue;
    }
    const key = name.toLowerCase();
    current = fields.get(key) ?? [];
    current.push(value.trim());
    fields.set(key, current);
  }
  return fields;
}

/** What a field says each time that it stands, but for nothing and the UNKNOWN that old setuptools wrote. */
export function valuesOf(metadata: CoreMetadata, name: string): readonly string[] {
  return (metadata.get(name) ?? []).filter((value) => value !== '' && value !== 'UNKNOWN');
}

/** The first of a field; `undefined` where it is absent, or says nothing the first time. */
export function firstOf(metadata: CoreMetadata, name: string): string | undefined {
  const value = metadata.get(name)?.[0];
  return value === undefined || value === '' || value === 'UNKNOWN' ? undefined : value;
}

/** The name under which PEP 503 says two spellings are one. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** Whether pip takes the text for a project name (PEP 508). What pip leaves behind, `~ip`, is none. */
export function isProjectName(name: string): boolean {
  return name.length <= 200 && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name);
}

/** `requires.txt` of an egg-info: `[extra:marker]` sections, brought into the form of Requires-Dist. */
export function requirementsOfEgg(content: Uint8Array): readonly string[] {
  const found: string[] = [];
  let condition = '';
  for (const raw of Buffer.from(content).toString('utf8').split(/\r?\n/, maxLines)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) {
      continue;
    }
    const [, extra, marker] = /^\[([^:\]]*)(?::(.*))?\]$/.exec(line) ?? [];
    if (extra !== undefined) {
      condition = [extra === '' ? '' : `extra == "${extra}"`, marker === undefined ? '' : `(${marker})`]
        .filter((part) => part !== '')
        .join(' and ');
      continue;
    }
    found.push(condition === '' ? line : `${line} ; ${condition}`);
  }
  return found;
}
