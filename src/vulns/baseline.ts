import { Shape } from '../base/shape.ts';
import type { AttestedScan } from './attested-scan.ts';
import type { Unjudged, VulnFinding, VulnScan } from './scan.ts';

/** What was there before, so that only what is new denies. */
export interface Baseline {
  readonly findings: ReadonlySet<string>;
  readonly updates: ReadonlySet<string>;
  readonly unjudged: ReadonlySet<string>;
}

/**
 * By every name of the vulnerability and the package, without its version: an old one that is still there is
 * not new.
 */
function keysOf({
  aliases,
  ecosystem,
  id,
  package: name,
}: Pick<VulnFinding, 'aliases' | 'ecosystem' | 'id' | 'package'>): readonly string[] {
  return [id, ...aliases].map((one) => `${ecosystem}\n${name}\n${one}`);
}

function unjudgedKey({ name, why }: Pick<Unjudged, 'name' | 'why'>): string {
  return `${name}\n${why}`;
}

export function toBaseline(scan: Pick<VulnScan, 'findings' | 'unjudged' | 'updates'>): Baseline {
  const open = scan.findings.filter(({ verdict }) => verdict === 'affected' || verdict === 'cannot-tell');
  return {
    findings: new Set(open.flatMap(keysOf)),
    updates: new Set(scan.updates.map(({ name }) => name)),
    unjudged: new Set(scan.unjudged.map(unjudgedKey)),
  };
}

/**
 * What an attested scan has found. It counts what it could not tell and does not name it, so nothing of that
 * is known.
 */
export function baselineOfScan({ findings, missingUpdates }: AttestedScan): Baseline {
  return { ...toBaseline({ findings, updates: [], unjudged: [] }), updates: new Set(missingUpdates) };
}

/** What all of them have: where they differ, the one that knows least counts. */
export function commonBaseline(first: Baseline, ...others: readonly Baseline[]): Baseline {
  const common = (part: keyof Baseline): ReadonlySet<string> =>
    new Set([...first[part]].filter((key) => others.every((other) => other[part].has(key))));
  return { findings: common('findings'), updates: common('updates'), unjudged: common('unjudged') };
}

/** Members of a list of a scan that was written as JSON. */
const maxListed = 200_000;
const maxText = 2000;

/**
 * Reads what `tcf vulns --format json` wrote.
 *
 * @throws TcfError `document.malformed` (exit 2).
 */
export function parseBaseline(value: unknown, what: string): Baseline {
  const shape = new Shape(value, what);
  const text = (owner: Shape, key: string): string => owner.get(key).string(maxText);
  return {
    findings: new Set(
      shape
        .get('findings')
        .list(maxListed)
        .filter((finding) => ['affected', 'cannot-tell'].includes(text(finding, 'verdict')))
        .flatMap((finding) =>
          keysOf({
            id: text(finding, 'id'),
            aliases: finding
              .get('aliases')
              .list(maxListed)
              .map((alias) => alias.string(maxText)),
            ecosystem: text(finding, 'ecosystem'),
            package: text(finding, 'package'),
          }),
        ),
    ),
    updates: new Set(
      shape
        .get('updates')
        .list(maxListed)
        .map((update) => text(update, 'name')),
    ),
    unjudged: new Set(
      shape
        .get('unjudged')
        .list(maxListed)
        .map((one) => unjudgedKey({ name: text(one, 'name'), why: text(one, 'why') })),
    ),
  };
}

/** The part of a scan that the baseline does not have. */
export function newSince<T extends Pick<VulnScan, 'findings' | 'unjudged' | 'updates'>>(
  scan: T,
  before: Baseline,
): T {
  return {
    ...scan,
    findings: newFindings(scan.findings, before),
    updates: scan.updates.filter(({ name }) => !before.updates.has(name)),
    unjudged: scan.unjudged.filter((one) => !before.unjudged.has(unjudgedKey(one))),
  };
}

export function newFindings(findings: readonly VulnFinding[], before: Baseline): readonly VulnFinding[] {
  return findings.filter((finding) => !keysOf(finding).some((key) => before.findings.has(key)));
}
