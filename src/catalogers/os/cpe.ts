/** The attributes of a CPE name (NISTIR 7695) after `o:`, as CPE 2.3 writes them: `*` for any. */
const attributes = 10;

/**
 * The CPE 2.3 name of an operating system from what os-release or `system-release-cpe` says: a name of 2.3,
 * perhaps without its last parts, or a URI of 2.2 (`cpe:/o:suse:sles:15:sp2`). `undefined` for anything else.
 */
export function toOsCpe(text: string): string | undefined {
  if (text.startsWith('cpe:2.3:o:')) {
    return fromName(text.slice('cpe:2.3:o:'.length));
  }
  if (/^cpe:\/o:/i.test(text)) {
    return fromUri(text.slice('cpe:/o:'.length));
  }
  return undefined;
}

/**
 * Vendor, product, version and update of a CPE 2.3 name, as text without escapes. `*` and `-` are no text.
 */
export function partsOfCpe(cpe: string): readonly (string | undefined)[] {
  return splitName(cpe)
    .slice(3, 7)
    .map((part) => (part === '*' || part === '-' ? undefined : part.replaceAll('\\', '')));
}

/** A CPE 2.3 name of an operating system by these texts, escaped. */
export function formatOsCpe(vendor: string, product: string, version: string): string {
  return join([vendor, product, version].map(escaped));
}

function fromName(text: string): string | undefined {
  const parts = splitName(text);
  const isWhole = parts.length <= attributes && parts.every((part) => /^(?:[\w.*?~-]|\\[!-~])+$/.test(part));
  return isWhole && parts.length >= 2 ? join(parts.map(requoted)) : undefined;
}

/**
 * `vendor:product:version:update:edition:language`; an edition of five packed parts begins with `~` (NISTIR
 * 7695, 6.1.2.2).
 */
function fromUri(text: string): string | undefined {
  const parts = text.toLowerCase().split(':').map(decoded);
  if (
    parts.length < 2 ||
    parts.length > 6 ||
    !parts.every((part) => part !== undefined && /^[!-~]*$/.test(part))
  ) {
    return undefined;
  }
  const [vendor = '', product = '', version = '', update = '', edition = '', language = ''] = parts;
  if (vendor === '' || product === '') {
    return undefined;
  }
  const [first = '', software = '', targetSoftware = '', targetHardware = '', other = ''] =
    edition.startsWith('~') ? edition.slice(1).split('~') : [edition];
  return join(
    [vendor, product, version, update, first, language, software, targetSoftware, targetHardware, other].map(
      escaped,
    ),
  );
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** At each colon that no backslash escapes. */
function splitName(text: string): readonly string[] {
  return text.split(/(?<!\\):/);
}

function join(parts: readonly string[]): string {
  const rest = Array.from({ length: attributes - parts.length }, () => '*');
  return ['cpe', '2.3', 'o', ...parts, ...rest].join(':');
}

function escaped(text: string): string {
  if (text === '' || text === '*') {
    return '*';
  }
  return text === '-' ? text : text.replace(/[^\w.]/g, '\\$&');
}

/** A hyphen inside of an attribute is escaped in the binding that schemas check; distributions forget it. */
function requoted(part: string): string {
  return part === '-' ? part : part.replace(/(?<!\\)[-~]/g, '\\$&');
}
