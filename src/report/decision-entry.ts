import { encodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import type { TcfError } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { formatJson } from '../base/text.ts';
import { type Digest, digestOf, readDigest } from '../oci/digest.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { Verdict } from '../policy/decide.ts';

/** What the log keeps of one decision. Texts are as they were decided; the printer escapes them. */
export interface DecisionEntry {
  /** From 0, without a gap. */
  readonly sequence: number;
  /** SHA-256 of the whole entry before; absent in the first. */
  readonly previous?: Digest;
  /** RFC 3339, UTC, by the clock of the machine. */
  readonly at: string;
  /** RFC 3339, UTC: the latest time of an entry before, where the clock was behind it. */
  readonly latest?: string;
  readonly tcf: string;
  readonly verb: string;
  readonly uid: number;
  /** The name as it was typed. */
  readonly asked: string;
  /** `registry/repository@digest`; absent where the name led nowhere. */
  readonly image?: string;
  readonly verdict: 'allow' | 'cannot-tell' | 'deny';
  readonly policies: readonly { readonly name: string; readonly digest: Digest; readonly scope?: string }[];
  /** Why not: what each failed rule said, or the error. */
  readonly reasons: readonly string[];
}

export type DecisionFacts = Pick<DecisionEntry, 'asked' | 'tcf' | 'uid' | 'verb'> & {
  readonly at: Date;
  /** The latest time that the log holds so far. */
  readonly latest?: Date | undefined;
  readonly policies: readonly { readonly name: string; readonly digest: Digest }[];
} & ({ readonly verdict: Verdict } | { readonly error: TcfError });

const format = 'tcf.decision/1';

/**
 * An entry stays far below what its reader takes, whatever a stranger makes a rule say: one that cannot be
 * read would be the end of the chain, and of the log.
 */
const entryLimits = { reasons: 200, characters: 2000 } as const;

/** The text of an entry that follows `previous`, one line with a line feed. */
export function formatDecision(facts: DecisionFacts, previous: ChainEnd | undefined): string {
  const { asked, at, latest, tcf, uid, verb } = facts;
  const told = 'verdict' in facts ? ofVerdict(facts.verdict) : ofError(facts.error);
  const entry: DecisionEntry = {
    sequence: previous === undefined ? 0 : previous.sequence + 1,
    ...(previous === undefined ? {} : { previous: previous.digest }),
    at: at.toISOString(),
    ...latestOf(latest, at),
    tcf,
    verb,
    uid,
    asked: clipped(asked),
    policies: facts.policies.map(({ digest, name }) => ({ name, digest })),
    ...told,
    reasons: clippedAll(told.reasons),
  };
  return formatJson({ format, ...entry });
}

/** What an entry says of the time before it: only where its own clock is behind that. */
export function latestOf(latest: Date | undefined, at: Date): { readonly latest?: string } {
  return latest === undefined || latest <= at ? {} : { latest: latest.toISOString() };
}

function clippedAll(reasons: readonly string[]): readonly string[] {
  const kept = reasons.slice(0, entryLimits.reasons).map(clipped);
  return kept.length === reasons.length ? kept : [...kept, `and ${reasons.length - kept.length} more`];
}

function clipped(text: string): string {
  const { characters } = entryLimits;
  return text.length <= characters ? text : `${text.slice(0, characters).toWellFormed()}…`;
}

type Told = Pick<DecisionEntry, 'image' | 'reasons' | 'verdict'> & Partial<Pick<DecisionEntry, 'policies'>>;

function ofVerdict(verdict: Verdict): Told {
  const no = verdict.exit === 1 ? 'deny' : 'cannot-tell';
  return {
    image: formatPinnedRef(verdict.image),
    verdict: verdict.verdict === 'allow' ? 'allow' : no,
    policies: verdict.decisions.map(({ policy: { digest, name }, scope }) =>
      compact({
        name,
        digest,
        scope,
      }),
    ),
    reasons: verdict.decisions.flatMap(({ findings }) =>
      findings.filter(({ outcome }) => outcome !== 'pass').map(({ message, rule }) => `${rule}: ${message}`),
    ),
  };
}

function ofError({ code, message }: TcfError): Told {
  return { verdict: 'cannot-tell', reasons: [`${code}: ${message}`] };
}

/** A user id; -1 where the system has none (Windows). */
export function readUid(shape: Shape): number {
  return shape.value === -1 ? -1 : shape.whole();
}

/** The last entry of a log: what the next one names. */
export interface ChainEnd {
  readonly sequence: number;
  readonly digest: Digest;
}

/** @param entry as it is on the disk, whether it can be read as an entry or not. */
export function chainEnd(sequence: number, entry: string | Uint8Array): ChainEnd {
  return { sequence, digest: digestOf(typeof entry === 'string' ? encodeUtf8(entry) : entry) };
}

/** @throws TcfError `json.malformed`, `document.malformed` (exit 2). */
export function parseDecision(text: string, what: string): DecisionEntry {
  const shape = new Shape(parseJson(text, what, jsonLimits.small), what);
  if (shape.get('format').string() !== format) {
    throw shape.wrong('has another format');
  }
  const verdict = shape.get('verdict').string();
  if (verdict !== 'allow' && verdict !== 'deny' && verdict !== 'cannot-tell') {
    throw shape.get('verdict').wrong('is not a verdict');
  }
  const previous = shape.optional('previous');
  const image = shape.optional('image')?.string();
  const latest = shape.optional('latest')?.instant();
  return compact({
    sequence: shape.get('sequence').whole(),
    ...(previous === undefined ? {} : { previous: readDigest(previous) }),
    at: shape.get('at').instant(),
    latest,
    tcf: shape.get('tcf').string(),
    verb: shape.get('verb').string(),
    uid: readUid(shape.get('uid')),
    asked: shape.get('asked').string(),
    image,
    verdict,
    policies: shape
      .get('policies')
      .list(1000)
      .map((policy) => {
        const scope = policy.optional('scope')?.string();
        return compact({
          name: policy.get('name').string(),
          digest: readDigest(policy.get('digest')),
          scope,
        });
      }),
    reasons: shape
      .get('reasons')
      .list(10_000)
      .map((reason) => reason.string()),
  });
}
