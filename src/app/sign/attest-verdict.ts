import { predicateTypes, toStatement } from '../../attest/statement.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { toPurl } from '../../bom/purl.ts';
import { formatPlatform } from '../../image/platform.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Descriptor, Platform } from '../../oci/manifest.ts';
import { formatImageRef, type ImageRef } from '../../oci/reference.ts';
import type { Verdict } from '../../policy/decide.ts';
import type { Fetched, Registry } from '../../registry/contract.ts';
import type { Host } from '../../system/host.ts';
import { version } from '../../version.ts';
import { openUserRegistry } from '../network.ts';
import { parseRegistryName, resolveImage } from '../registries.ts';
import { type Verification, type VerifyRequest, verifyImage } from '../verify-image.ts';
import { type Attached, attachSigned } from './sign-image.ts';
import { openSigning, type SigningRequest } from './signing.ts';
import type { SubjectStatement } from './statements.ts';

export interface VerdictRequest extends VerifyRequest {
  /**
   * `verifier.id` of the summary: a URI that names who decides here, and under which policies look for it.
   */
  readonly verifier: string;
  /** What `verifiedLevels` says of an image that passed. */
  readonly levels?: readonly string[];
  readonly signing?: SigningRequest;
  readonly onAttached?: (attached: Attached) => Promise<void>;
}

/** One manifest or index, and what was decided about it. */
interface Judged {
  readonly subject: Descriptor;
  readonly verdicts: readonly Verdict[];
}

/**
 * Decides about an image and attests what came of it as verification summaries
 * (https://slsa.dev/spec/v1.2/verification_summary): one for the manifest of each platform, and one for the
 * index, which passed where all of them did. With `platform` it is that platform alone. Where something could
 * not be told nothing is attested. The verification is that of the platform in question.
 *
 * @throws TcfError as `verifyImage` and `signImage` do; `vsa.verifier`, `vsa.level` (exit 3).
 */
export async function attestVerdict(host: Host, request: VerdictRequest): Promise<Verification> {
  checkWords(request);
  const ref = parseRegistryName(request.image, 'gate --attest-vsa');
  const registry = await openUserRegistry(host, request.network);
  const named = await resolveImage(registry, ref);
  // Under its digest from here on: what is decided about is what is signed.
  const pinned: ImageRef = {
    registry: ref.registry,
    repository: ref.repository,
    digest: named.descriptor.digest,
  };
  const verify = (platform?: Platform): Promise<Verification> =>
    verifyImage(host, {
      ...request,
      image: formatImageRef(pinned),
      ...compact({ platform }),
    });
  const asked = await verify();
  if (asked.verdict.exit === 2) {
    return asked;
  }
  const judged = await judgeEach(registry, { named, pinned }, request, asked, verify);
  const told = judged.filter(({ verdicts }) => verdicts.every(({ exit }) => exit !== 2));
  const signed = told.map((one): SubjectStatement => toSummary(one, pinned, request, host.now()));
  const signing = await openSigning(host, request.signing ?? {});
  await attachSigned(host, { registry, ref: pinned, signing, signed, onAttached: request.onAttached });
  return asked;
}

function checkWords({ levels = [], verifier }: VerdictRequest): void {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]{1,2000}$/.test(verifier)) {
    throw askedWrongly('vsa.verifier', 'the verifier of a verification summary is a URI', {
      hint: 'give one that names who decides here: --attest-vsa https://acme.example/gate',
    });
  }
  const wrong = levels.find((level) => !/^[!-~]{1,200}$/.test(level));
  if (wrong !== undefined) {
    throw askedWrongly('vsa.level', 'a level is one word, such as SLSA_BUILD_LEVEL_3');
  }
}

interface Named {
  readonly named: Fetched;
  readonly pinned: ImageRef;
}

async function judgeEach(
  registry: Registry,
  { named, pinned }: Named,
  { platform }: VerdictRequest,
  asked: Verification,
  verify: (platform: Platform) => Promise<Verification>,
): Promise<readonly Judged[]> {
  const { descriptor, document } = named;
  if (document.kind === 'manifest') {
    return [{ subject: descriptor, verdicts: [asked.verdict] }];
  }
  const descriptorOf = async (digest: Digest): Promise<readonly Descriptor[]> => {
    const child = await registry.manifest(pinned, digest);
    return child?.document.kind === 'manifest' ? [child.descriptor] : [];
  };
  if (platform !== undefined) {
    return (await descriptorOf(asked.manifest)).map((subject) => ({ subject, verdicts: [asked.verdict] }));
  }
  const children: Judged[] = [];
  // That of the platform in question is among them, so that an index without platforms has not passed for
  // nothing.
  const verdicts = [asked.verdict];
  for (const one of platformsOf(document.manifests)) {
    const { manifest, verdict } = await verify(one);
    verdicts.push(verdict);
    for (const subject of await descriptorOf(manifest)) {
      children.push({ subject, verdicts: [verdict] });
    }
  }
  return [...children, { subject: descriptor, verdicts }];
}

/** Each platform once; attestation manifests of BuildKit, for `unknown/unknown`, are not images. */
function platformsOf(manifests: readonly Descriptor[]): readonly Platform[] {
  const platforms = manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [platform],
  );
  return [...new Map(platforms.map((one) => [formatPlatform(one), one])).values()];
}

function toSummary(
  { subject, verdicts }: Judged,
  { registry, repository }: ImageRef,
  { levels = [], verifier }: VerdictRequest,
  now: Date,
): SubjectStatement {
  const name = `${registry}/${repository}`;
  const passed = verdicts.every(({ verdict }) => verdict === 'allow');
  const policies = [
    ...new Set(verdicts.flatMap(({ decisions }) => decisions.map(({ policy }) => policy.digest))),
  ].sort();
  const inputs = [
    ...new Set(
      verdicts.flatMap(({ candidates }) =>
        candidates.filter(({ verified }) => verified).map(({ source }) => source),
      ),
    ),
  ];
  const statement = toStatement({
    subject: subject.digest,
    name,
    predicateType: predicateTypes.summary,
    predicate: {
      verifier: { id: verifier, version: { tcf: version } },
      timeVerified: now.toISOString(),
      resourceUri: toPurl({
        type: 'oci',
        name: repository.split('/').at(-1) ?? repository,
        version: subject.digest,
        qualifiers: { repository_url: name },
      }),
      policy: policyOf(policies),
      inputAttestations: inputs.map((source) => ({ digest: { sha256: hexOf(source) } })),
      verificationResult: passed ? 'PASSED' : 'FAILED',
      verifiedLevels: passed ? levels : ['FAILED'],
      slsaVersion: '1.2',
    },
  });
  return { subject, statement };
}

/**
 * The policies that decided, as one resource: a policy has the digest that `tcf verify --json` shows, several
 * that of their list.
 */
function policyOf(digests: readonly Digest[]): {
  readonly uri: string;
  readonly digest: { readonly sha256: string };
} {
  const [only] = digests;
  const digest =
    only !== undefined && digests.length === 1 ? only : digestOf(Buffer.from(`${digests.join('\n')}\n`));
  return { uri: `urn:tcf:policy:${digest}`, digest: { sha256: hexOf(digest) } };
}

function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
