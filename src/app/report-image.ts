import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { BomContents } from '../bom/contents.ts';
import { diffBoms } from '../bom/diff.ts';
import type { EvidenceFacts, PageFacts, PageLayer, VulnerabilityFacts } from '../report/page/facts.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { findVulnerabilities } from '../vulns/match.ts';
import { type Inside, type LookRequest, lookInside } from './look-inside.ts';
import { namesFile } from './read-sbom.ts';
import { type VerifyRequest, verifyImage } from './verify-image.ts';
import { statusOf } from './vulns/find-vulnerabilities.ts';
import { useDatabase } from './vulns/place.ts';

export interface ReportRequest extends LookRequest {
  /** An image or an SBOM, to say what changed since. */
  readonly baseline?: string;
  /** A policy beside those of machine, user and project. */
  readonly policy?: string;
  /** File of a trusted root in place of those that policies name. */
  readonly trustedRoot?: string;
}

/**
 * Everything that a page about an image says. What cannot be found out about signatures is said in it and is
 * no reason to have no page; an image that cannot be read is.
 *
 * @throws TcfError as `lookInside` does for the image and the baseline.
 */
export async function reportImage(host: Host, request: ReportRequest): Promise<PageFacts> {
  const { baseline, source } = request;
  const { contents, image } = await lookInside(host, request);
  const { base: _base, ...other } = request;
  const before = baseline === undefined ? undefined : await lookInside(host, { ...other, source: baseline });
  return compact({
    name: source,
    version,
    contents,
    layers: layersOf({ contents, ...compact({ image }) }),
    digest: image?.manifestDigest,
    evidence: await gatherEvidence(host, request),
    baseline:
      baseline === undefined || before === undefined
        ? undefined
        : { name: baseline, diff: diffBoms(before.contents, contents) },
    vulnerabilities: await gatherVulnerabilities(host, contents),
  });
}

/** Those that were read, else those that the SBOM names. */
function layersOf({ contents, image }: Inside): readonly PageLayer[] {
  const known = new Map(contents.layers.map((layer) => [layer.index, layer]));
  return (
    image?.layers.map(({ bytes, createdBy, diffId, index }) =>
      compact({ index, diffId, bytes, step: known.get(index)?.step ?? createdBy?.replace(/\s+/g, ' ') }),
    ) ?? contents.layers
  );
}

/** By the database that is kept on this machine. Without one nobody looked, and the page says so. */
async function gatherVulnerabilities(host: Host, contents: BomContents): Promise<VulnerabilityFacts> {
  try {
    using used = await useDatabase(host);
    return { kind: 'looked', database: statusOf(used), scan: findVulnerabilities(contents, used.data) };
  } catch (error) {
    if (error instanceof TcfError && error.code.startsWith('db.')) {
      return compact({ kind: 'none' as const, why: error.message, hint: error.hint });
    }
    throw error;
  }
}

async function gatherEvidence(host: Host, request: ReportRequest): Promise<EvidenceFacts> {
  const { network, platform, policy, source, trustedRoot } = request;
  if (namesFile(host, source)) {
    return {
      kind: 'none',
      why: 'the page was made from an SBOM in a file',
      hint: 'Name the image, and what is attached to it is proven',
    };
  }
  const question: VerifyRequest = compact({
    image: source,
    verb: 'report',
    policy,
    trustedRoot,
    platform,
    network,
  });
  try {
    return { kind: 'verdict', verdict: (await verifyImage(host, question)).verdict };
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    await host.stderr.write(`tcf: warning: nothing was proven: ${printable(error.message, 2000)}\n`);
    return compact({ kind: 'none' as const, why: error.message, hint: error.hint });
  }
}
