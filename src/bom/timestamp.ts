import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** What stands where neither an environment nor an image knows a time: a reproducible build's zero. */
const epoch = '1970-01-01T00:00:00Z';
/** 9999-12-31T23:59:59Z: RFC 3339 has four digits for a year. */
const lastSecond = 253_402_300_799;

/**
 * The time a BOM speaks of, never the time of the run: SOURCE_DATE_EPOCH, else the image's `created`, in UTC
 * and whole seconds. `0001-01-01T00:00:00Z`, which builders write for "no time", stays as it is.
 *
 * @throws TcfError `sbom.source-date-epoch` (exit 3) where the variable is not a whole number of seconds.
 */
export function toTimestamp(created: string | undefined, sourceDateEpoch: string | undefined): string {
  if (sourceDateEpoch !== undefined && sourceDateEpoch !== '') {
    const seconds = Number(sourceDateEpoch);
    if (!/^\d{1,12}$/.test(sourceDateEpoch) || seconds > lastSecond) {
      throw askedWrongly(
        'sbom.source-date-epoch',
        `SOURCE_DATE_EPOCH is ${quoted(sourceDateEpoch)}, not a time in seconds since 1970`,
        { hint: 'set it to the output of git log -1 --format=%ct, or unset it' },
      );
    }
    return utc(seconds * 1000);
  }
  // Date takes many spellings and some of them as local time: only RFC 3339 with an offset means one instant.
  if (created === undefined || !rfc3339.test(created)) {
    return epoch;
  }
  const time = Date.parse(created.toUpperCase().replace(/(\.\d{3})\d+/, '$1'));
  return Number.isNaN(time) || time < yearZero || time > lastSecond * 1000 ? epoch : utc(time);
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const yearZero = Date.parse('0000-01-01T00:00:00Z');

function utc(time: number): string {
  return new Date(Math.floor(time / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
