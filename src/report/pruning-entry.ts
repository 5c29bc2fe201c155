import { compact } from '../base/compact.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { formatJson } from '../base/text.ts';
import { readDigest } from '../oci/digest.ts';
import { type ChainEnd, type DecisionEntry, latestOf, parseDecision, readUid } from './decision-entry.ts';

/**
 * The entry of the log that says which entries were taken away on purpose: all up to one, whose digest it
 * keeps.
 */
export interface PruningEntry
  extends Pick<DecisionEntry, 'at' | 'latest' | 'previous' | 'sequence' | 'tcf' | 'uid'> {
  /** The last entry that was taken away. */
  readonly pruned: ChainEnd;
}

export type DecisionLogEntry =
  | { readonly kind: 'decision'; readonly entry: DecisionEntry }
  | { readonly kind: 'pruning'; readonly entry: PruningEntry };

const format = 'tcf.pruning/1';

/** The text of the entry after `previous`, one line with a line feed. */
export function formatPruning(
  facts: Pick<PruningEntry, 'pruned' | 'tcf' | 'uid'> & {
    readonly at: Date;
    /** The latest time that the log holds so far. */
    readonly latest?: Date | undefined;
  },
  previous: ChainEnd,
): string {
  const { at, latest, pruned, tcf, uid } = facts;
  return formatJson({
    format,
    sequence: previous.sequence + 1,
    previous: previous.digest,
    at: at.toISOString(),
    ...latestOf(latest, at),
    tcf,
    uid,
    pruned: { sequence: pruned.sequence, digest: pruned.digest },
  });
}

/** @throws TcfError `json.malformed`, `document.malformed` (exit 2). */
export function parseLogEntry(text: string, what: string): DecisionLogEntry {
  const shape = new Shape(parseJson(text, what), what);
  if (shape.get('format').value !== format) {
    return { kind: 'decision', entry: parseDecision(text, what) };
  }
  const pruned = shape.get('pruned');
  return {
    kind: 'pruning',
    entry: compact({
      sequence: shape.get('sequence').whole(),
      previous: readDigest(shape.get('previous')),
      at: shape.get('at').instant(),
      latest: shape.optional('latest')?.instant(),
      tcf: shape.get('tcf').string(),
      uid: readUid(shape.get('uid')),
      pruned: { sequence: pruned.get('sequence').whole(), digest: readDigest(pruned.get('digest')) },
    }),
  };
}
