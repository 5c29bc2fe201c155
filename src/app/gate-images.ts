import { TcfError } from '../base/error.ts';
import type { GateOutcome } from '../report/gate.ts';
import type { Host } from '../system/host.ts';
import { attestVerdict, type VerdictRequest } from './sign/attest-verdict.ts';
import { type VerifyRequest, verifyImage } from './verify-image.ts';
import { readBaseline } from './vulns/baseline.ts';

export interface GateRequest {
  readonly images: readonly string[];
  /** What every image is asked. */
  readonly verify: Omit<VerifyRequest, 'baseline' | 'image'>;
  /** A file, an image or `:TAG`, with which new vulnerabilities are told from old ones. */
  readonly baseline?: string;
  /** Signs what was decided; absent where nothing is to be signed. */
  readonly attest?: Pick<VerdictRequest, 'levels' | 'onAttached' | 'signing' | 'verifier'>;
}

/**
 * Decides about images, one after the other. What cannot be decided is an outcome too, and costs no other
 * image its decision.
 */
export async function gateImages(host: Host, request: GateRequest): Promise<readonly GateOutcome[]> {
  const outcomes: GateOutcome[] = [];
  for (const image of request.images) {
    outcomes.push(await outcomeOf(host, image, request));
  }
  return outcomes;
}

async function outcomeOf(
  host: Host,
  image: string,
  { attest, baseline: name, verify }: GateRequest,
): Promise<GateOutcome> {
  try {
    const request = { ...verify, image };
    const baseline = await readBaseline(host, request, name);
    const asked = baseline === undefined ? request : { ...request, baseline };
    const { verdict } =
      attest === undefined
        ? await verifyImage(host, asked)
        : await attestVerdict(host, { ...asked, ...attest });
    return { image, verdict };
  } catch (error) {
    if (error instanceof TcfError) {
      return { image, error };
    }
    throw error;
  }
}
