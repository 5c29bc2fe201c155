import { cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import { parseSbom } from '../../bom/read.ts';
import type { BaselineEvidence } from '../../policy/evidence.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { parseBaseline } from '../../vulns/baseline.ts';
import { attestedSbom } from '../attested-sbom.ts';
import { namesFile } from '../read-sbom.ts';
import type { VerifyRequest } from '../verify-image.ts';

/**
 * What was there before: an SBOM or the JSON of `tcf vulns` in a file, or an image, of which the policy must
 * accept the attested SBOM.
 *
 * @throws TcfError `gate.baseline`, `sbom.*` (exit 2), and as `verifyImage` does.
 */
export async function readBaseline(
  host: Host,
  request: VerifyRequest,
  name: string | undefined,
): Promise<BaselineEvidence | undefined> {
  if (name === undefined) {
    return undefined;
  }
  if (namesFile(host, name)) {
    const what = `the baseline ${quoted(name)}`;
    const bytes = await readUserFile(host, name, jsonLimits.document.maxBytes, 'the baseline');
    const value = parseJson(bytes, what, jsonLimits.document);
    const isBom = typeof value === 'object' && value !== null && 'bomFormat' in value;
    return isBom
      ? { isAttested: false, sbom: parseSbom(value, what) }
      : { isAttested: false, known: parseBaseline(value, what) };
  }
  const { as: _, ...others } = request;
  const { sbom, verification } = await attestedSbom(host, { ...others, image: name });
  if (sbom === undefined) {
    throw cannotTell('gate.baseline', `the policy does not allow the baseline ${verification.pinned}`, {
      hint: 'tcf verify says why; name an image that it allows, or a file',
    });
  }
  return { isAttested: true, sbom: parseSbom(sbom.document, `the SBOM of the baseline ${quoted(name)}`) };
}
