import { cannotTell } from '../base/error.ts';
import { plural } from '../base/text.ts';
import type { AttestedSbom } from '../policy/attested-sboms.ts';
import type { Host } from '../system/host.ts';
import { type Verification, type VerifyRequest, verifyImage } from './verify-image.ts';

export interface AttestedAnswer {
  readonly verification: Verification;
  /** Absent where the image is denied: then nobody says anything of it. */
  readonly sbom?: AttestedSbom;
}

/**
 * The SBOM that a trusted signer attested for an image, after the image passed every policy that there is.
 * Whom to trust with an SBOM is what the rule `sbom` of these policies says.
 *
 * @throws TcfError `sbom.not-attested`, `sbom.several` (exit 2), and as `verifyImage` does.
 */
export async function attestedSbom(host: Host, request: VerifyRequest): Promise<AttestedAnswer> {
  const verification = await verifyImage(host, { verb: 'sbom', ...request });
  if (verification.verdict.verdict !== 'allow') {
    return { verification };
  }
  return { verification, sbom: oneSbom(verification) };
}

/**
 * The SBOM of an image by the word of every policy.
 *
 * @throws TcfError `sbom.not-attested`, `sbom.several` (exit 2).
 */
export function oneSbom({ sboms: accepted }: Pick<Verification, 'sboms'>): AttestedSbom {
  const sboms = accepted();
  const [sbom] = sboms;
  if (sbom === undefined) {
    throw cannotTell('sbom.not-attested', 'no policy of this image trusts anybody with its SBOM', {
      hint: 'add the rule sbom: { by: [NAME] } to the policy, or leave --attested out',
    });
  }
  if (new Set(sboms.map(({ document }) => JSON.stringify(document))).size > 1) {
    const who = [...new Set(sboms.map(({ signer }) => signer))].join(' and ');
    throw cannotTell('sbom.several', `${plural(sboms.length, 'SBOM')} that differ are in force, by ${who}`, {
      hint: 'sign the image again, with one SBOM',
    });
  }
  return sbom;
}
