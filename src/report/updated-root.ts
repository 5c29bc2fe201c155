import { plural } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';

/** The trusted root of an instance, as its mirror has it now. */
export interface UpdatedRoot {
  readonly name: string;
  readonly digest: Digest;
  /** Whether another one, or none, was kept before. */
  readonly isNew: boolean;
  /** Version of the TUF root. */
  readonly root: number;
  /** Version of the TUF timestamp. */
  readonly timestamp?: number;
  /** How many signing configs came with it. */
  readonly signingConfigs: number;
}

/** One line. */
export function formatUpdatedRoot(updated: UpdatedRoot): string {
  const { digest, isNew, name, root, signingConfigs, timestamp } = updated;
  const more = signingConfigs === 0 ? '' : `; ${plural(signingConfigs, 'signing config')}`;
  const change = isNew ? 'new' : 'unchanged';
  return `${name} is up to date: TUF root ${root}, timestamp ${timestamp}; trusted root ${digest}, ${change}${more}\n`;
}
