import { predicateTypes, toStatement } from '../../attest/statement.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { toPurl } from '../../bom/purl.ts';
import { fetchNamed, maxNesting } from '../../image/manifests.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Descriptor, Index, Platform } from '../../oci/manifest.ts';
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
 * (https://slsa.dev/spec/v1.2/verification_summary): one for each manifest that an index leads to, and one for
 * the index, which passed where all of them did. With `platform` it is that platform alone. Where something could
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
  const verify: Verify = ({ digest = named.descriptor.digest, platform }) =>
    verifyImage(host, {
      ...request,
      image: formatImageRef({ ...pinned, digest }),
      ...compact({ platform }),
    });
  const asked = await verify({});
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

/** Decides about the image, or about one manifest in its index: that of a platform, or under its own digest. */
type Verify = (which: { readonly platform?: Platform; readonly digest?: Digest }) => Promise<Verification>;

interface Named {
  readonly named: Fetched;
  readonly pinned: ImageRef;
}

async function judgeEach(
  registry: Registry,
  { named, pinned }: Named,
  { platform }: VerdictRequest,
  asked: Verification,
  verify: Verify,
): Promise<readonly Judged[]> {
  const { descriptor, document } = named;
  if (document.kind === 'manifest') {
    return [{ subject: descriptor, verdicts: [asked.verdict] }];
  }
  if (platform !== undefined) {
    const { descriptor: subject } = await fetchNamed(registry, pinned, asked.manifest, 'manifest');
    return [{ subject, verdicts: [asked.verdict] }];
  }
  const children: Judged[] = [];
  for (const leaf of await leavesOf(registry, pinned, document)) {
    const verdict = await judgeLeaf(leaf, verify);
    children.push({ subject: leaf.descriptor, verdicts: [verdict] });
  }
  // That of the platform in question is among them, so that an index of nothing has not passed for nothing.
  const verdicts = [asked.verdict, ...children.flatMap((child) => child.verdicts)];
  return [...children, { subject: descriptor, verdicts }];
}

/** A manifest that an engine can be led to by an index. */
interface Leaf {
  readonly descriptor: Descriptor;
  readonly platform: Platform | undefined;
}

/**
 * Each once, those of an index in the index too. What stands there without a platform counts: podman starts it
 * where no entry fits. Only `unknown/unknown` (attestation manifests of BuildKit) fits no machine.
 */
async function leavesOf(
  registry: Registry,
  pinned: ImageRef,
  index: Index,
  nesting = 0,
): Promise<readonly Leaf[]> {
  const leaves = new Map<Digest, Leaf>();
  for (const { digest, platform } of index.manifests) {
    if (platform?.os === 'unknown') {
      continue;
    }
    const { descriptor, document } = await fetchNamed(registry, pinned, digest, `manifest ${digest}`);
    if (document.kind === 'manifest') {
      leaves.set(digest, { descriptor, platform });
      continue;
    }
    if (nesting === maxNesting) {
      throw cannotTell('image.nesting', `${formatImageRef(pinned)} is an index in an index in an index`);
    }
    for (const leaf of await leavesOf(registry, pinned, document, nesting + 1)) {
      leaves.set(leaf.descriptor.digest, { ...leaf, platform: leaf.platform ?? platform });
    }
  }
  return [...leaves.values()];
}

/** As who starts it sees it: through the index where its platform leads there, else by its own digest. */
async function judgeLeaf({ descriptor: { digest }, platform }: Leaf, verify: Verify): Promise<Verdict> {
  if (platform !== undefined) {
    const found = await verify({ platform }).catch(withoutImage);
    if (found?.manifest === digest) {
      return found.verdict;
    }
  }
  return (await verify({ digest })).verdict;
}

/** The index may hide an entry from us, as an attestation, that an engine starts all the same. */
function withoutImage(error: unknown): undefined {
  if (!(error instanceof TcfError) || error.code !== 'image.platform') {
    throw error;
  }
  return undefined;
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
