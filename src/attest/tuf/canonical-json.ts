import { encodeUtf8 } from '../../base/bytes.ts';
import { cannotTell, type TcfError } from '../../base/error.ts';
import { wholeText } from '../../base/json.ts';

/**
 * OLPC canonical JSON, which TUF metadata is signed as (TUF 1.0.34 section 4.2): keys in order of code
 * points, no blanks, whole numbers only, and in strings nothing escaped but `"` and `\`. Takes what
 * `parseJson` returns.
 *
 * @throws TcfError `tuf.malformed` (exit 2) for a number that is not whole, or that a double does not hold.
 */
export function canonicalJson(value: unknown): Uint8Array {
  return encodeUtf8(format(value));
}

function format(value: unknown): string {
  const large = wholeText(value);
  if (large !== undefined) {
    throw unwritable(large);
  }
  switch (typeof value) {
    case 'string':
      return formatString(value);
    case 'number':
      return formatNumber(value);
    case 'object':
      if (value === null) {
        return 'null';
      }
      return Array.isArray(value)
        ? `[${value.map(format).join(',')}]`
        : `{${Object.entries(value)
            .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            .map(([key, member]) => `${formatString(key)}:${format(member)}`)
            .join(',')}}`;
    default:
      return String(value);
  }
}

function formatString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Two numbers that a double cannot tell apart would be one signed text with two meanings. */
function formatNumber(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw unwritable(String(value));
  }
  return String(value);
}

function unwritable(number: string): TcfError {
  return cannotTell(
    'tuf.malformed',
    `TUF metadata holds a number that canonical JSON cannot write: ${number}`,
  );
}
