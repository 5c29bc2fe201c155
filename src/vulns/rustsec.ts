import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import type { AdvisoryRecord, AffectedRange, RangeEvent } from './advisory.ts';
import { severityOf } from './cvss.ts';
import { complementOf, toInterval } from './requirements.ts';

const maxEntries = 1000;
const maxText = 500;

/**
 * An advisory of RustSec: the TOML at the beginning of its Markdown file, read by a TOML parser. What is
 * neither patched nor unaffected is affected.
 *
 * @throws TcfError `rustsec.malformed`, `document.malformed` (exit 2).
 */
export function parseRustsec(value: unknown, what: string, summary?: string): AdvisoryRecord {
  const document = new Shape(value, what);
  const advisory = document.get('advisory');
  const versions = document.optional('versions') ?? new Shape({}, `${what}.versions`);
  const listOf = (owner: Shape, key: string): readonly string[] =>
    owner
      .optional(key)
      ?.list(maxEntries)
      .map((text) => text.string(maxText)) ?? [];
  const vector = advisory.optional('cvss')?.string(maxText);
  const systems = listOf(document.optional('affected') ?? new Shape({}, what), 'os').map((name) =>
    name.toLowerCase(),
  );
  const date = advisory.get('date').string(maxText);
  return compact({
    id: advisory.get('id').string(maxText),
    aliases: listOf(advisory, 'aliases'),
    upstream: [],
    published: /^\d{4}-\d\d-\d\d$/.test(date) ? `${date}T00:00:00Z` : undefined,
    modified: undefined,
    withdrawn: advisory.optional('withdrawn')?.string(maxText),
    summary: summary?.slice(0, 200),
    severity: severityOf(vector === undefined ? [] : [{ type: typeOf(vector), value: vector }]),
    informational: advisory.optional('informational')?.string(maxText),
    disputed: undefined,
    affected: [
      compact({
        ecosystem: advisory.optional('collection')?.value === 'rust' ? 'Rust' : 'crates.io',
        name: advisory.get('package').string(maxText),
        ranges: [rangeOf([...listOf(versions, 'patched'), ...listOf(versions, 'unaffected')], what)],
        versions: [],
        systems: systems.length === 0 ? undefined : systems,
      }),
    ],
  });
}

function typeOf(vector: string): 'CVSS_V3' | 'CVSS_V4' {
  return vector.startsWith('CVSS:4') ? 'CVSS_V4' : 'CVSS_V3';
}

/** The complement of all requirements, as the events of one range. */
function rangeOf(requirements: readonly string[], what: string): AffectedRange {
  const good = requirements.map((text) => {
    const interval = toInterval(text);
    if (interval === undefined) {
      throw cannotTell('rustsec.malformed', `${what} has the invalid requirement ${quoted(text)}`);
    }
    return interval;
  });
  const events: RangeEvent[] = [];
  for (const { from, until } of complementOf(good)) {
    events.push({ kind: 'introduced', version: from ?? '0' });
    if (until !== undefined) {
      events.push({ kind: 'fixed', version: until });
    }
  }
  // Where every version is good the range is empty, and an empty list of events would be unreadable.
  return {
    type: 'SEMVER',
    events:
      events.length === 0
        ? [
            { kind: 'introduced', version: '0' },
            { kind: 'fixed', version: '0.0.0-0' },
          ]
        : events,
  };
}
