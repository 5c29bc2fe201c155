import type { ProvenSigner } from '../../attest/verified.ts';
import type { Evidence } from '../evidence.ts';
import { asking, described, list, mapping, optional, text, textLike } from '../form.ts';
import { isMeantBy } from '../identity.ts';
import type { Rule, RuleContext } from '../rule.ts';
import { digestText } from '../words.ts';

export interface DenyParams {
  readonly digests?: readonly string[] | undefined;
  readonly identities?: readonly DeniedIdentity[] | undefined;
  readonly keys?: readonly string[] | undefined;
}

export interface DeniedIdentity {
  readonly identity: string;
  readonly issuer?: string | undefined;
}

const shape = mapping({
  digests: optional(
    list(digestText),
    'images that never start: digests of an index, a manifest or a configuration',
  ),
  identities: optional(
    list(
      mapping({
        identity: described(
          textLike(/^[!-~]+$/, 'holds blanks or characters beyond ASCII'),
          'subject of the certificate, without case where nobody tells it apart; * stands for any characters except / and @',
        ),
        issuer: optional(text, 'OIDC issuer, compared whole; the default is any'),
      }),
    ),
    'identities whose statements count nowhere, whatever signers say',
  ),
  keys: optional(
    list(digestText),
    'SHA-256 of public keys (SubjectPublicKeyInfo in DER) whose statements count nowhere',
  ),
});

/**
 * What is on the list is out, in every scope: an image at once, a signer with all that it has signed.
 */
export const deny: Rule<DenyParams> = {
  name: 'deny',
  summary: 'Neither the image nor its signer is on the deny list.',
  everywhere: true,
  params: asking(shape),
  evaluate({ digests = [] }, evidence) {
    const found = namesOf(evidence).find((name) => digests.includes(name));
    return found === undefined
      ? { rule: 'deny', outcome: 'pass', message: 'the image is not on the deny list' }
      : {
          rule: 'deny',
          outcome: 'fail',
          message: 'the image is on the deny list',
          expected: 'an image that is not on the deny list',
          actual: found,
          hint: 'use another image; the policy says deny.digests',
        };
  },
};

function namesOf({ config, image, platform }: Evidence): readonly string[] {
  return [image.digest, platform, config].filter((name) => name !== undefined);
}

/** Whether the policy takes no word from this signer. */
export function isDenied(signer: ProvenSigner, context: RuleContext): boolean {
  const { identities = [], keys = [] } = (context.require['deny'] ?? {}) as DenyParams;
  if (signer.kind === 'key') {
    return keys.includes(signer.fingerprint);
  }
  return identities.some(
    ({ identity, issuer }) =>
      isMeantBy(identity, signer.identity) && (issuer === undefined || issuer === signer.issuer),
  );
}
