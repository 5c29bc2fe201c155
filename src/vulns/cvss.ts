import calculators from 'ae-cvss-calculator';
import { levelOfScore, type Severity, type SeverityLevel } from './advisory.ts';

const { Cvss2, Cvss3P0, Cvss3P1, Cvss4P0 } = calculators;

/** A CVSS vector, or a word of the source such as `MODERATE`. */
export interface SeverityStatement {
  readonly type: SeverityType;
  readonly value: string;
}

type SeverityType = 'CVSS_V2' | 'CVSS_V3' | 'CVSS_V4' | 'word';

/** Newer versions of CVSS first, words last. */
const preference: readonly SeverityType[] = ['CVSS_V4', 'CVSS_V3', 'CVSS_V2', 'word'];

const words: Readonly<Record<string, SeverityLevel>> = {
  critical: 'critical',
  high: 'high',
  important: 'high',
  low: 'low',
  medium: 'medium',
  moderate: 'medium',
  negligible: 'low',
  none: 'none',
  unimportant: 'none',
};

/** The severity that a list of statements means: of the newest CVSS that can be read, else of a word. */
export function severityOf(statements: readonly SeverityStatement[]): Severity {
  for (const type of preference) {
    for (const statement of statements.filter((one) => one.type === type)) {
      const read = readSeverity(statement);
      if (read !== undefined) {
        return read;
      }
    }
  }
  return { level: 'unknown' };
}

function readSeverity({ type, value }: SeverityStatement): Severity | undefined {
  if (type === 'word') {
    const level = words[value.toLowerCase()];
    return level === undefined || !Object.hasOwn(words, value.toLowerCase())
      ? undefined
      : { level, from: value };
  }
  const score = scoreOf(value);
  return score === undefined ? undefined : { level: levelOf(score, type), score, from: value };
}

type Metrics = Readonly<Record<string, string>>;

/** What each version of CVSS asks of a base vector: each metric once, with one of these values. */
const bases: readonly {
  readonly start: string;
  readonly metrics: Metrics;
  readonly score: (vector: string) => number | undefined;
}[] = [
  {
    start: 'CVSS:4.0/',
    metrics: {
      AV: 'NALP',
      AC: 'LH',
      AT: 'NP',
      PR: 'NLH',
      UI: 'NPA',
      VC: 'HLN',
      VI: 'HLN',
      VA: 'HLN',
      SC: 'HLN',
      SI: 'HLN',
      SA: 'HLN',
    },
    score: (vector) => new Cvss4P0(vector).calculateScores().overall,
  },
  {
    start: 'CVSS:3.1/',
    metrics: { AV: 'NALP', AC: 'LH', PR: 'NLH', UI: 'NR', S: 'UC', C: 'NLH', I: 'NLH', A: 'NLH' },
    score: (vector) => new Cvss3P1(vector).calculateScores().base,
  },
  {
    start: 'CVSS:3.0/',
    metrics: { AV: 'NALP', AC: 'LH', PR: 'NLH', UI: 'NR', S: 'UC', C: 'NLH', I: 'NLH', A: 'NLH' },
    score: (vector) => new Cvss3P0(vector).calculateScores().base,
  },
  {
    start: '',
    metrics: { AV: 'NAL', AC: 'LMH', Au: 'MSN', C: 'NPC', I: 'NPC', A: 'NPC' },
    score: (vector) => new Cvss2(vector).calculateScores().base,
  },
];

/**
 * The base score of a CVSS vector, 2.0 to 4.0, by its specification; `undefined` for what is not a whole and
 * valid vector. Of threat and environment nothing is taken: they are about other places.
 */
export function scoreOf(vector: string): number | undefined {
  const text = vector.replace(/^\((.*)\)$/, '$1');
  const version = bases.find(({ start }) => text.startsWith(start));
  if (version === undefined) {
    return undefined;
  }
  const pairs = text
    .slice(version.start.length)
    .split('/')
    .map((pair) => pair.split(':') as [string, string | undefined]);
  const given = new Map(pairs);
  const isWhole =
    given.size === pairs.length &&
    Object.entries(version.metrics).every(([name, values]) => {
      const value = given.get(name);
      return value?.length === 1 && values.includes(value);
    });
  if (!isWhole) {
    return undefined;
  }
  const base = Object.keys(version.metrics)
    .map((name) => `${name}:${given.get(name)}`)
    .join('/');
  const score = version.score(`${version.start}${base}`);
  return score === undefined || !(score >= 0 && score <= 10) ? undefined : score;
}

/** NVD's ranges for v2 end with `high` and begin with `low`. */
const levelsOfV2: Readonly<Partial<Record<SeverityLevel, SeverityLevel>>> = { critical: 'high', none: 'low' };

function levelOf(score: number, type: SeverityType): SeverityLevel {
  const level = levelOfScore(score);
  return (type === 'CVSS_V2' ? levelsOfV2[level] : undefined) ?? level;
}
