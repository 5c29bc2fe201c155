import { parseBundle } from '../../attest/bundle.ts';
import { predicateTypes, type Statement, toStatement } from '../../attest/statement.ts';
import { verifyAttestation } from '../../attest/verify.ts';
import { TcfError } from '../../base/error.ts';
import { no, type Outcome, yes } from '../../base/outcome.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Policy } from '../../policy/document.ts';
import { judgeSharedRecord } from '../../policy/layer-cache.ts';
import type { DatedTrust } from '../trust/trust.ts';
import type { CacheEntry } from './entry.ts';

/** A policy that may take somebody's word about layers, and whom it believes. */
export interface CacheJudge {
  readonly policy: Policy;
  readonly trust: DatedTrust;
}

/** What an entry has to be about. */
export interface WantedEntry {
  readonly diffId: Digest;
  /** As `layerCode`. */
  readonly code: string;
}

/**
 * What is signed about several records at once: which record is that of which layer, by which code. Without
 * layer and code in it a good entry of one layer could stand under the name of another.
 */
export function toRecordsStatement(
  code: string,
  records: ReadonlyMap<Digest, Uint8Array>,
): Statement | undefined {
  const digests = [...records].map(([diffId, record]) => [diffId, digestOf(record)] as const);
  const predicate = { code, layers: Object.fromEntries(digests) };
  const [first, ...others] = [...new Set(digests.map(([, subject]) => subject))].map((subject) =>
    toStatement({ subject, predicateType: predicateTypes.layerRecords, predicate }),
  );
  return first && { ...first, subjects: [first, ...others].flatMap(({ subjects }) => subjects) };
}

/**
 * The record of an entry, where every judge believes who signed that it is the record of this very layer by
 * this very code; else why it does not count: one clause.
 */
export function proveEntry(
  { bundle, record }: CacheEntry,
  { code, diffId }: WantedEntry,
  judges: readonly CacheJudge[],
  now: Date,
): Outcome<Uint8Array, string> {
  const digest = digestOf(record);
  const parsed = parseBundle(bundle);
  if (!parsed.ok) {
    return no(parsed.reason.message);
  }
  if (judges.length === 0) {
    return no('no policy names its signers');
  }
  for (const { policy, trust } of judges) {
    const outcome = verifyAttestation(parsed.value, trust, { subject: digest, content: record }, now);
    if (!outcome.ok) {
      return no(outcome.reason.message);
    }
    const why = otherThan(outcome.value.statement, digest, { code, diffId });
    if (why !== undefined) {
      return no(why);
    }
    const judged = judgeSharedRecord(policy, {
      verified: outcome.value,
      record: digest,
      now,
      dates: trust.dates,
    });
    if (!judged.ok) {
      return judged;
    }
  }
  return yes(record);
}

/** a genuine record of another layer, or by other code. */
function otherThan(
  { predicate, predicateType }: Statement,
  record: Digest,
  { code, diffId }: WantedEntry,
): string | undefined {
  if (predicateType !== predicateTypes.layerRecords) {
    return `its statement is ${quoted(predicateType)}, and none about records of layers`;
  }
  try {
    const shape = new Shape(predicate, 'predicate');
    if (shape.get('code').string(200) !== code) {
      return 'it was made by another version of tcf';
    }
    const said = shape.get('layers').get(diffId);
    return !said.missing && said.string(200) === record ? undefined : `it is not the record of ${diffId}`;
  } catch (error) {
    if (error instanceof TcfError) {
      return error.message;
    }
    throw error;
  }
}
