import { compact } from '../base/compact.ts';
import { Shape } from '../base/shape.ts';
import { levelOfScore, type Severity, type SeverityLevel } from './advisory.ts';
import { vulnVerdicts } from './evaluate.ts';
import type { VulnFinding } from './scan.ts';

/** https://github.com/in-toto/attestation/blob/main/spec/predicates/vuln.md, version 0.2. */
export const vulnsPredicateType = 'https://in-toto.io/attestation/vulns/v0.2';

/** What an attested scan says, as far as a policy asks. */
export interface AttestedScan {
  readonly scanner: string;
  /** RFC 3339: how old its data is, by its own word. */
  readonly dataDate?: string;
  readonly scannedAt?: string;
  readonly findings: readonly VulnFinding[];
  /** Packages that lack an update for security. */
  readonly missingUpdates: readonly string[];
  /** Components and records that nobody could tell about; absent where the scanner does not say. */
  readonly doubts?: number;
}

/** A large image has some 5,000. */
const maxResults = 100_000;
const maxText = 2000;

/** From the worst. */
const levels: readonly SeverityLevel[] = ['critical', 'high', 'medium', 'low', 'none', 'unknown'];

/**
 * Reads a predicate of this type, by tcf or another scanner. Of another one each result is affected, and
 * nothing is known of what it could not tell.
 *
 * @throws TcfError `document.malformed` (exit 2).
 */
export function parseVulnsPredicate(value: unknown, what: string): AttestedScan {
  const shape = new Shape(value, what);
  const scanner = shape.get('scanner');
  const doubts = shape.optional('tcf:cannotTell');
  return compact({
    scanner: scanner.get('uri').string(maxText),
    dataDate: scanner.optional('db')?.optional('lastUpdate')?.string(maxText),
    scannedAt: shape.optional('metadata')?.optional('scanFinishedOn')?.string(maxText),
    findings: (scanner.optional('result')?.list(maxResults) ?? []).map(readResult),
    missingUpdates: (shape.optional('tcf:updates')?.list(maxResults) ?? [])
      .filter((update) => update.get('isSecurity').value === true)
      .map((update) => update.get('name').string(maxText)),
    doubts: doubts === undefined ? undefined : doubts.get('unjudged').whole() + doubts.get('unread').whole(),
  });
}

function readResult(result: Shape): VulnFinding {
  const own = result
    .optional('annotations')
    ?.list(maxResults)
    .flatMap((annotation) => annotation.optional('tcf:finding') ?? [])[0];
  const id = result.get('id').string(maxText);
  if (own === undefined) {
    return {
      id,
      aliases: [],
      upstream: [],
      ecosystem: '',
      package: '',
      components: [],
      verdict: 'affected',
      why: 'the scanner lists it',
      answers: [],
      differs: false,
      severity: ratedBy(result),
    };
  }
  return ownFinding(own, id);
}

/** What tcf wrote of its finding, as far as rules look at it. */
function ownFinding(own: Shape, id: string): VulnFinding {
  const texts = (key: string): readonly string[] =>
    own
      .optional(key)
      ?.list(maxResults)
      .map((text) => text.string(maxText)) ?? [];
  const verdict = vulnVerdicts.find((one) => one === own.get('verdict').value);
  if (verdict === undefined) {
    throw own.get('verdict').wrong('is not a verdict');
  }
  const severity = own.get('severity');
  const level = levels.find((one) => one === severity.get('level').value);
  if (level === undefined) {
    throw severity.get('level').wrong('is not a level');
  }
  return compact({
    id,
    aliases: texts('aliases'),
    upstream: texts('upstream'),
    ecosystem: own.get('ecosystem').string(maxText),
    package: own.get('package').string(maxText),
    version: own.optional('version')?.string(maxText),
    components: (own.optional('components')?.list(maxResults) ?? []).map((component) => {
      const origin = component.optional('origin')?.string(maxText);
      return compact({
        name: component.get('name').string(maxText),
        origin: origin === 'added' || origin === 'base' ? origin : undefined,
      });
    }),
    verdict,
    why: own.get('why').string(maxText),
    answers: [],
    differs: own.get('differs').boolean(),
    severity: { level },
    fixedIn: own.optional('fixedIn')?.string(maxText),
    fixedSince: own.optional('fixedSince')?.string(maxText),
    disputed: own.optional('disputed')?.value === true ? (true as const) : undefined,
    informational: own.optional('informational')?.string(maxText),
  });
}

/** The worst of what the scanner rates, by a word or a score of CVSS v3 or v4. */
function ratedBy(result: Shape): Severity {
  const rated = (result.optional('severity')?.list(maxResults) ?? []).map((one) =>
    toLevel(one.get('score').value),
  );
  return { level: levels.find((level) => rated.includes(level)) ?? 'unknown' };
}

function toLevel(value: unknown): SeverityLevel {
  const text = String(typeof value === 'string' || typeof value === 'number' ? value : '').toLowerCase();
  const word = levels.find((level) => level === text);
  if (word !== undefined) {
    return word;
  }
  const score = text === '' ? Number.NaN : Number(text);
  return levelOfScore(score >= 0 && score <= 10 ? score : undefined);
}
