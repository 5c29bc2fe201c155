import { compact } from '../../base/compact.ts';
import { cannotTell, TcfError } from '../../base/error.ts';
import { isObject, jsonLimits, parseJson } from '../../base/json.ts';
import { printable, quoted } from '../../base/text.ts';
import { parseSbom } from '../../bom/read.ts';
import { asksForBaseline, isAttestationProven } from '../../policy/earlier-image.ts';
import type { BaselineEvidence } from '../../policy/evidence.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { type Baseline, baselineOfScan, commonBaseline, parseBaseline } from '../../vulns/baseline.ts';
import { oneSbom } from '../attested-sbom.ts';
import { namesFile } from '../read-sbom.ts';
import { loadPolicies } from '../trust/policies.ts';
import { type Verification, type VerifyRequest, verifyImage } from '../verify-image.ts';
import { predecessorsOf } from './predecessor.ts';

/**
 * What was there before: an SBOM or the JSON of `tcf vulns` in a file, or an image of which the policies
 * accept what is attested. Where nobody names one and a policy asks, the image before this one under its
 * name; where that cannot be proven it is said, and hides nothing.
 *
 * @param name A file, an image, or `:TAG` of the repository of the image in question.
 *
 * @throws TcfError `gate.baseline`, `sbom.*` (exit 2), and as `verifyImage` does.
 */
export async function readBaseline(
  host: Host,
  request: VerifyRequest,
  name: string | undefined,
): Promise<BaselineEvidence | undefined> {
  if (name === undefined) {
    return await earlierImage(host, request);
  }
  if (namesFile(host, name)) {
    return await readBaselineFile(host, name);
  }
  return await readBaselineImage(host, request, name.startsWith(':') ? withTag(request, name) : name);
}

function withTag({ as, image }: VerifyRequest, tag: string): string {
  return `${(as ?? image).replace(/@.*$/, '').replace(/:[^/:]*$/, '')}${tag}`;
}

async function readBaselineFile(host: Host, name: string): Promise<BaselineEvidence> {
  const what = `the baseline ${quoted(name)}`;
  const bytes = await readUserFile(host, name, jsonLimits.document.maxBytes, 'the baseline');
  const value = parseJson(bytes, what, jsonLimits.document);
  if (!isObject(value) || !('bomFormat' in value)) {
    return { name, isAttested: false, digests: [], known: parseBaseline(value, what) };
  }
  const sbom = parseSbom(value, what);
  return { name, isAttested: false, digests: sbom.subject.digests, sbom };
}

async function readBaselineImage(
  host: Host,
  request: VerifyRequest,
  image: string,
): Promise<BaselineEvidence> {
  const { as: _, ...others } = request;
  const verification = await verifyImage(host, { ...others, image, verb: 'baseline' });
  const { imageIds, pinned, verdict } = verification;
  if (!isAttestationProven(verdict)) {
    throw cannotTell('gate.baseline', `what is said of the baseline ${pinned} is not proven`, {
      hint: 'tcf verify says why; name an image whose signatures the policy accepts, or a file',
    });
  }
  const known = scannedBefore(verification);
  const needsSbom = known === undefined || verification.sboms().length > 0;
  return compact({
    name: pinned,
    isAttested: true,
    digests: imageIds,
    known,
    sbom: needsSbom
      ? parseSbom(oneSbom(verification).document, `the SBOM of the baseline ${quoted(image)}`)
      : undefined,
  });
}

function scannedBefore({ scans }: Verification): Baseline | undefined {
  const [first, ...others] = scans().map(baselineOfScan);
  return first === undefined ? undefined : commonBaseline(first, ...others);
}

/** The first of the images before this one of which everything is proven. */
async function earlierImage(host: Host, request: VerifyRequest): Promise<BaselineEvidence | undefined> {
  if (!asksForBaseline(await loadPolicies(host, request.policy))) {
    return undefined;
  }
  for (const image of await predecessorsOf(host, request)) {
    try {
      return await readBaselineImage(host, request, image);
    } catch (error) {
      if (!(error instanceof TcfError) || error.exit !== 2) {
        throw error;
      }
      await host.stderr.write(
        `tcf: warning: ${printable(image)} was before this image, and is not a baseline: ${printable(error.message, 2000)}\n`,
      );
    }
  }
  return undefined;
}
