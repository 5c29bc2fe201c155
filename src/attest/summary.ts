import { compact } from '../base/compact.ts';
import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { answer, type Refusal } from './refusal.ts';

/**
 * What a verification summary (VSA) says: that a verifier looked at an artifact and what came of it. Claims
 * of its signer, no more.
 */
export interface SummaryFacts {
  /** `verifier.id`, a URI. */
  readonly verifier: string;
  readonly verifiedAt: Date;
  /** What was verified, as its verifier was asked for it. */
  readonly resource: string;
  /** `policy.uri`, where the document has it. */
  readonly policy?: string;
  readonly result: 'FAILED' | 'PASSED';
  /** `SLSA_BUILD_LEVEL_3`, and words of the verifier's own. */
  readonly levels: readonly string[];
}

const maxText = 4000;
const maxLevels = 1000;

/** `https://slsa.dev/verification_summary/v1` and its minor versions. */
export function isSummary(predicateType: string): boolean {
  return /^https:\/\/slsa\.dev\/verification_summary\/v1(?:\.\d)?$/.test(predicateType);
}

/**
 * Reads what https://slsa.dev/spec/v1.2/verification_summary requires. Refused with `document.malformed`
 * where a required member is missing or is of another kind.
 */
export function parseSummary(predicate: unknown): Outcome<SummaryFacts, Refusal> {
  return answer('document.malformed', () => {
    const shape = new Shape(predicate, 'verification summary');
    const policy = shape.get('policy').optional('uri')?.string(maxText);
    const result = shape.get('verificationResult');
    const word = result.string(20);
    if (word !== 'PASSED' && word !== 'FAILED') {
      throw result.wrong('is neither PASSED nor FAILED');
    }
    return compact({
      verifier: shape.get('verifier').get('id').string(maxText),
      verifiedAt: new Date(shape.get('timeVerified').instant()),
      resource: shape.get('resourceUri').string(maxText),
      policy,
      result: word,
      levels: shape
        .get('verifiedLevels')
        .list(maxLevels)
        .map((level) => level.string(maxText)),
    });
  });
}

/** Whether a level that was verified is the wanted one, or a higher one of the same track of SLSA. */
export function reachesLevel(verified: readonly string[], wanted: string): boolean {
  const [, track, level] = levelOf(wanted);
  return verified.some((text) => {
    if (text === wanted) {
      return true;
    }
    const [, other, number] = levelOf(text);
    return track !== undefined && other === track && Number(number) >= Number(level);
  });
}

function levelOf(text: string): readonly (string | undefined)[] {
  return /^SLSA_([A-Z]+)_LEVEL_(\d)$/.exec(text) ?? [];
}
