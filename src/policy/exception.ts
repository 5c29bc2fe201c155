import type { Digest } from '../oci/digest.ts';
import type { Evidence } from './evidence.ts';
import { choice, described, type Form, list, mapping } from './form.ts';
import { rules } from './rules/index.ts';
import { instantText } from './times.ts';
import { digestText, line } from './words.ts';

/** One image for which some rules only warn, until a day. */
export interface ExceptionShape {
  readonly digest: string;
  readonly rules: readonly string[];
  readonly reason: string;
  readonly owner: string;
  readonly expires: string;
}

/** How an exception shows in a finding. */
export interface UsedException {
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  /** An expired one changes nothing; it is shown so that nobody has to wonder why it does not help. */
  readonly expired: boolean;
}

const liftable = rules.flatMap(({ everywhere, name }) => (everywhere ? [] : [name]));

export const exceptionSchema: Form<ExceptionShape> = mapping({
  digest: described(digestText, 'the one image, by the digest of its manifest or index'),
  rules: described(list(choice(...liftable)), 'rules that only warn for this image'),
  reason: described(line, 'why, for people who read the decision'),
  owner: described(line, 'who answers for it'),
  expires: described(instantText, 'when it ends'),
});

/**
 * The exception about this image and rule: one in force before an expired one. `now` is at least the time
 * that evidence proves.
 */
export function exceptionFor(
  exceptions: readonly ExceptionShape[],
  rule: string,
  { image, platform }: Evidence,
  now: Date,
): UsedException | undefined {
  const names: readonly (Digest | undefined)[] = [image.digest, platform];
  const fitting = exceptions
    .filter((one) => names.some((name) => name === one.digest) && one.rules.includes(rule))
    .map(({ expires, owner, reason }) => ({ owner, reason, expires, expired: now >= new Date(expires) }));
  return fitting.find(({ expired }) => !expired) ?? fitting[0];
}
