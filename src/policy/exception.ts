import { z } from 'zod';
import { type Digest, isDigest } from '../oci/digest.ts';
import type { Evidence } from './evidence.ts';
import { rules } from './rules/index.ts';
import { instantText } from './times.ts';

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

const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,400}$/, 'is not one line of at most 400 characters');

const liftable = rules.flatMap(({ everywhere, name }) => (everywhere ? [] : [name]));

export const exceptionSchema: z.ZodType<ExceptionShape> = z.strictObject({
  digest: z
    .string()
    .refine(isDigest, { message: 'is not a digest: sha256:<64 hexadecimal digits>' })
    .describe('the one image, by the digest of its manifest or index'),
  rules: z
    .array(z.enum(liftable as [string, ...string[]]))
    .min(1)
    .describe('rules that only warn for this image'),
  reason: line.describe('why, for whoever reads the decision'),
  owner: line.describe('who answers for it'),
  expires: instantText.describe('when it ends'),
});

/** The exception about this image and rule: one in force before an expired one. */
export function exceptionFor(
  exceptions: readonly ExceptionShape[],
  rule: string,
  { image, now, platform }: Evidence,
): UsedException | undefined {
  const names: readonly (Digest | undefined)[] = [image.digest, platform];
  const fitting = exceptions
    .filter((one) => names.some((name) => name === one.digest) && one.rules.includes(rule))
    .map(({ expires, owner, reason }) => ({ owner, reason, expires, expired: now >= new Date(expires) }));
  return fitting.find(({ expired }) => !expired) ?? fitting[0];
}
