import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { isObject } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import type { AdvisoryRecord, AffectedPackage, AffectedRange, RangeEvent } from './advisory.ts';
import { type SeverityStatement, severityOf } from './cvss.ts';

/**
 * Of each list. The largest real record (a kernel of a distribution with every release) has some 4,000
 * packages, and the longest list of versions some 6,000.
 */
const limits = { packages: 20_000, ranges: 2_000, events: 20_000, versions: 50_000, names: 2_000 };
/** The longest real version, of a Go pseudo-version or a Debian snapshot, has under 100 characters. */
const maxText = 500;
const maxSummary = 200;

/**
 * Reads one record of the OSV schema, any 1.x, that was parsed with `parseJson`. Members that are not known
 * are passed over. What is known and has another form than the schema says makes its range unreadable: nobody
 * concludes from it that a version is not affected.
 *
 * @throws TcfError `osv.malformed` for what is not a record, `document.malformed` for lists beyond the limits
 *   (exit 2).
 */
export function parseOsv(value: unknown, what: string): AdvisoryRecord {
  const record = new Shape(value, what);
  const id = record.get('id').string(maxText);
  if (!/^[!-~]{1,200}$/.test(id)) {
    throw cannotTell('osv.malformed', `${what} has the invalid id ${quoted(id)}`);
  }
  const affected = listOf(record, 'affected', limits.packages);
  const specific = record.optional('database_specific');
  const informational = affected.map(informationalOf).find((word) => word !== undefined);
  return compact({
    id,
    aliases: namesOf(record, 'aliases'),
    upstream: namesOf(record, 'upstream'),
    published: dateOf(record, 'published'),
    modified: dateOf(record, 'modified'),
    withdrawn: record.optional('withdrawn')?.string(maxText),
    summary: textOf(record, 'summary')?.slice(0, maxSummary),
    severity: severityOf([...severitiesOf(record), ...wordOf(specific, 'severity')]),
    informational,
    disputed: isDisputed(specific) ? (true as const) : undefined,
    affected: affected.flatMap(readPackage),
  });
}

function listOf(owner: Shape, key: string, limit: number): readonly Shape[] {
  const member = owner.optional(key);
  return member === undefined || member.value === null ? [] : member.list(limit);
}

function namesOf(owner: Shape, key: string): readonly string[] {
  return listOf(owner, key, limits.names).map((name) => name.string(maxText));
}

/** What is only shown may have any form; another one than text is left out. */
function textOf(owner: Shape, key: string): string | undefined {
  const value = owner.optional(key)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** Go writes the year 1 where it knows no date. */
function dateOf(owner: Shape, key: string): string | undefined {
  const text = textOf(owner, key);
  return text !== undefined && /^[12]\d{3}-\d\d-\d\dT[\d:.]{8,20}Z$/.test(text) ? text : undefined;
}

function isMapping({ value }: Shape): boolean {
  return isObject(value);
}

function specificOf(owner: Shape, key: string): Shape | undefined {
  const member = owner.optional(key);
  return member !== undefined && isMapping(member) ? member : undefined;
}

/** RustSec's export says it of the package. */
function informationalOf(affected: Shape): string | undefined {
  const specific = specificOf(affected, 'database_specific');
  return specific === undefined ? undefined : textOf(specific, 'informational')?.slice(0, maxSummary);
}

function isDisputed(specific: Shape | undefined): boolean {
  return specific !== undefined && isMapping(specific) && specific.get('disputed').value === true;
}

const types: Readonly<Record<string, SeverityStatement['type']>> = {
  CVSS_V2: 'CVSS_V2',
  CVSS_V3: 'CVSS_V3',
  CVSS_V4: 'CVSS_V4',
};

function severitiesOf(owner: Shape): readonly SeverityStatement[] {
  return listOf(owner, 'severity', limits.names).flatMap((entry) => {
    if (!isMapping(entry)) {
      return [];
    }
    const type = textOf(entry, 'type') ?? '';
    const value = textOf(entry, 'score') ?? '';
    // Ubuntu writes its own word under its own type.
    return value === '' || value.length > maxText
      ? []
      : [{ type: (Object.hasOwn(types, type) ? types[type] : undefined) ?? 'word', value }];
  });
}

function wordOf(specific: Shape | undefined, key: string): readonly SeverityStatement[] {
  if (specific === undefined || !isMapping(specific)) {
    return [];
  }
  const value = textOf(specific, key);
  return value === undefined || value.length > maxText ? [] : [{ type: 'word', value }];
}

/** An entry without a package speaks of commits only, which no component of an image is matched by. */
function readPackage(entry: Shape): readonly AffectedPackage[] {
  const found = entry.optional('package');
  if (found === undefined || found.value === null) {
    return [];
  }
  const specific = specificOf(entry, 'ecosystem_specific');
  const urgency = specific === undefined ? undefined : textOf(specific, 'urgency');
  const own = severitiesOf(entry);
  return [
    compact({
      ecosystem: found.get('ecosystem').string(maxText),
      name: found.get('name').string(maxText),
      ranges: listOf(entry, 'ranges', limits.ranges).map(readRange),
      versions: listOf(entry, 'versions', limits.versions).map((version) => version.string(maxText)),
      severity: own.length === 0 ? undefined : severityOf(own),
      urgency: urgency?.slice(0, maxSummary),
      systems: systemsOf(specific),
    }),
  ];
}

/** RustSec's export: `ecosystem_specific.affects.os`; an empty list means all. */
function systemsOf(specific: Shape | undefined): readonly string[] | undefined {
  const affects = specific === undefined ? undefined : specificOf(specific, 'affects');
  const list = affects?.optional('os');
  if (list === undefined || !Array.isArray(list.value) || list.value.length === 0) {
    return undefined;
  }
  return list.list(limits.names).map((name) => name.string(maxText).toLowerCase());
}

const rangeTypes = ['ECOSYSTEM', 'GIT', 'SEMVER'] as const;
const eventKinds = ['introduced', 'fixed', 'last_affected', 'limit'] as const;
const unreadable: AffectedRange = { type: 'unreadable', events: [] };

function readRange(range: Shape): AffectedRange {
  const type = isMapping(range) ? rangeTypes.find((name) => name === range.get('type').value) : undefined;
  const list = isMapping(range) ? range.get('events').value : undefined;
  if (type === undefined || !Array.isArray(list)) {
    return unreadable;
  }
  const events = range.get('events').list(limits.events).map(readEvents);
  // Commits have no order here, so nothing of them is kept.
  if (type === 'GIT') {
    return { type, events: [] };
  }
  const read = events.flatMap((found) => found ?? []);
  const isWhole =
    events.every((found) => found !== undefined) && read.some(({ kind }) => kind === 'introduced');
  return isWhole ? { type, events: read } : unreadable;
}

/** The schema wants one key in each; older records have a pair, which means the same as two events. */
function readEvents(event: Shape): readonly RangeEvent[] | undefined {
  if (!isMapping(event)) {
    return undefined;
  }
  const read: RangeEvent[] = [];
  for (const kind of eventKinds) {
    const version = event.get(kind).value;
    if (typeof version === 'string' && version !== '' && version.length <= maxText) {
      read.push({ kind, version });
    } else if (version !== undefined) {
      return undefined;
    }
  }
  return read.length > 0 ? read : undefined;
}
