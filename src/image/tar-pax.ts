/** PAX extended headers (POSIX pax, "ustar Interchange Format"), as strict as Go's archive/tar. */

export type PaxRecords = ReadonlyMap<string, string>;

const numbers: readonly string[] = ['size', 'uid', 'gid'];
const times: readonly string[] = ['atime', 'ctime', 'mtime'];
const names: readonly string[] = ['path', 'linkpath', 'uname', 'gname'];

/** Records of the body of an `x` header; bytes as latin1. `undefined` where Go says ErrHeader. */
export function readPax(body: string): PaxRecords | undefined {
  const records = new Map<string, string>();
  /** GNU.sparse 0.0 says each number in a record of its own, all with the same keys. */
  const sparse: string[] = [];
  let at = 0;
  while (at < body.length) {
    const record = readRecord(body, at);
    if (record === undefined) {
      return undefined;
    }
    const { key, value } = record;
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const isOffset = key === 'GNU.sparse.offset';
      if (isOffset !== (sparse.length % 2 === 0) || value.includes(',')) {
        return undefined;
      }
      sparse.push(value);
    } else {
      records.set(key, value);
    }
    at = record.end;
  }
  if (sparse.length > 0) {
    records.set('GNU.sparse.map', sparse.join(','));
  }
  return isSound(records) ? records : undefined;
}

interface Located {
  readonly key: string;
  readonly value: string;
  readonly end: number;
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function readRecord(body: string, at: number): Located | undefined {
  const space = body.indexOf(' ', at);
  const length = space < 0 || space - at > 9 ? undefined : toInteger(body.slice(at, space));
  if (length === undefined || length < 5 || at + length > body.length) {
    return undefined;
  }
  const end = at + length;
  const equals = body.indexOf('=', space);
  if (body[end - 1] !== '\n' || equals < 0 || equals >= end - 1) {
    return undefined;
  }
  const key = body.slice(space + 1, equals);
  const value = body.slice(equals + 1, end - 1);
  const guarded = names.includes(key) ? value : key;
  return key === '' || guarded.includes('\0') ? undefined : { key, value, end };
}

function isSound(records: PaxRecords): boolean {
  const fits = (keys: readonly string[], form: RegExp) =>
    keys.every((key) => form.test(records.get(key) || '0'));
  return fits(numbers, /^[+-]?\d{1,18}$/) && fits(times, /^[+-]?\d{1,18}(?:\.\d*)?$/);
}

/** A whole number in decimal; `undefined` beyond 2^53. */
export function toInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,18}$/.test(text)) {
    return undefined;
  }
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
