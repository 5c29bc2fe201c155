import { parseBundle } from '../attest/bundle.ts';
import { parseCosign2Layer } from '../attest/cosign2.ts';
import type { ProvenanceFacts } from '../attest/provenance.ts';
import type { Refusal } from '../attest/refusal.ts';
import type { Trust } from '../attest/trusted-root.ts';
import type { Verified } from '../attest/verified.ts';
import { type AttestationQuestion, verifyAttestation, verifyCosign2 } from '../attest/verify.ts';
import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { no, type Outcome, yes } from '../base/outcome.ts';
import { printable, quoted } from '../base/text.ts';
import { chooseManifest } from '../image/manifests.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/manifest.ts';
import { formatPinnedRef, type ImageRef, pin } from '../oci/reference.ts';
import { acceptedProvenances } from '../policy/accepted-provenances.ts';
import { type AttestedSbom, commonSboms } from '../policy/attested-sboms.ts';
import { decideAll, type Verdict } from '../policy/decide.ts';
import type { Policy } from '../policy/document.ts';
import { acceptedScans } from '../policy/earlier-image.ts';
import { type BaselineEvidence, type Candidate, type Evidence, toCandidate } from '../policy/evidence.ts';
import { canBeOverruled } from '../policy/overruled.ts';
import { usesRoots } from '../policy/root-age.ts';
import type { Fetched, Store } from '../registry/contract.ts';
import { cachedStore, emptyStoreCache } from '../registry/store-cache.ts';
import { discoverBundles } from '../sigstore/discover.ts';
import { discoverCosign2 } from '../sigstore/discover-cosign2.ts';
import type { FoundBundle } from '../sigstore/found-bundle.ts';
import type { Host } from '../system/host.ts';
import type { AttestedScan } from '../vulns/attested-scan.ts';
import { lastEntryTime, logDecision } from './decision-log.ts';
import { evictEvidence, keepEvidence, loadEvidence } from './evidence-cache.ts';
import { type Network, openUserServices } from './network.ts';
import { type ImagePlace, openPlace } from './place.ts';
import { hostPlatform } from './registries.ts';
import { loadPolicies } from './trust/policies.ts';
import { type DatedTrust, isOfMachine, loadTrust } from './trust/trust.ts';
import { openVulnerabilityEvidence } from './vulns/evidence.ts';

export interface Verification {
  readonly verdict: Verdict;
  /** `registry/repository@digest` of what was looked at. */
  readonly pinned: string;
  /** The manifest of the platform in question. */
  readonly manifest: Digest;
  /** What an engine may call the verified content: digests of configuration, manifest and index. */
  readonly imageIds: readonly Digest[];
  /** The attested SBOMs that each policy with the rule `sbom` accepts, worked out when they are asked for. */
  readonly sboms: () => readonly AttestedSbom[];
  /** The attested scans that each policy accepts whose rule `vulnerabilities` asks for one. */
  readonly scans: () => readonly AttestedScan[];
  /** What the provenances say that each policy with the rule `provenance` accepts by their signers. */
  readonly provenances: () => readonly ProvenanceFacts[];
}

/** A question about an image, and with what to answer it. */
export interface VerifyRequest {
  /** `registry/repository[:tag][@digest]`, or `oci:DIR[:TAG]`. */
  readonly image: string;
  /** Who asks, for the log of decisions. Default: `verify`. */
  readonly verb?: string;
  /** Which engine reads a short name. Default: podman, with buildah and skopeo. */
  readonly engine?: 'docker' | 'podman';
  /** File of a policy that has to allow the image, beside those of machine, user and project. */
  readonly policy?: string;
  /**
   * File of a trusted root in place of those that policies name; it does not speak for the policy of the
   * machine.
   */
  readonly trustedRoot?: string;
  /** Ask the TUF mirrors for newer trusted roots first. Without it no network is used for trust. */
  readonly updateTrust?: boolean;
  /** Which image of an index. Default: the one of this machine. */
  readonly platform?: Platform;
  /** `registry/repository` by which policies judge an image of an `oci:` layout. */
  readonly as?: string;
  /** Prove what was found at most a day ago, without asking the registry. */
  readonly cache?: boolean;
  /** What was there before, for a policy that asks for new vulnerabilities only. */
  readonly baseline?: BaselineEvidence;
  /** A database of vulnerabilities in place of the one that is kept. */
  readonly database?: string;
  readonly network?: Network;
}

/**
 * The one way from a name to a decision: resolve once, gather every candidate, prove each with the trust of
 * each policy, decide. What cannot be found out is thrown; what was found out is in the verdict. Both go into
 * the log of decisions.
 */
export async function verifyImage(host: Host, request: VerifyRequest): Promise<Verification> {
  const { image, policy, trustedRoot, verb = 'verify' } = request;
  const policies = await loadPolicies(host, policy);
  await tellUnmoved(host, policies, trustedRoot);
  if (request.updateTrust) {
    await updateTrust(host, policies, request);
  }
  const trusts = await trustsOf(host, policies, trustedRoot);
  const asked = { verb, name: image, policies };
  try {
    const verification = await judgeImage(
      host,
      request,
      compact({ baseline: request.baseline, database: request.database, policies, trusts }),
    );
    await logDecision(host, { ...asked, verdict: verification.verdict });
    return verification;
  } catch (error) {
    if (error instanceof TcfError && error.exit === 2) {
      await logDecision(host, { ...asked, error });
    }
    throw error;
  }
}

/**
 * What these policies would say, and no others: a trial that decides nothing and stands in no log. Nothing
 * starts by it.
 *
 * @throws TcfError as `verifyImage` does.
 */
export async function tryPolicies(
  host: Host,
  request: VerifyRequest,
  policies: readonly Policy[],
): Promise<Verification> {
  const trusts = await trustsOf(host, policies, request.trustedRoot);
  return await judgeImage(host, request, { policies, trusts });
}

async function trustsOf(
  host: Host,
  policies: readonly Policy[],
  trustedRoot: string | undefined,
): Promise<Judges['trusts']> {
  const trusts = new Map<Policy, DatedTrust>();
  for (const one of policies) {
    trusts.set(one, await loadTrust(host, one, trustedRoot));
  }
  return trusts;
}

async function judgeImage(host: Host, request: VerifyRequest, judges: Judges): Promise<Verification> {
  const { as, cache = false, engine, image, network = {}, verb = 'verify' } = request;
  const platform = request.platform ?? hostPlatform(host);
  const place = await openPlace(host, { image, verb, platform, as, engine, network });
  return await decideAt(host, place, platform, judges, cache);
}

/** Somebody who sees a denial beside a root that fits should know why. */
export async function tellUnmoved(
  host: Host,
  policies: readonly Policy[],
  trustedRoot: string | undefined,
): Promise<void> {
  if (trustedRoot === undefined) {
    return;
  }
  const policy = policies.find((one) => isOfMachine(one) && usesRoots(one));
  if (policy === undefined) {
    return;
  }
  await host.stderr.write(
    `tcf: warning: --trusted-root does not speak for ${quoted(policy.name)}, which is the machine's\n`,
  );
}

/** The one place where a verification goes to the network for trust, and only because it was asked to. */
async function updateTrust(
  host: Host,
  policies: readonly Policy[],
  { network, trustedRoot }: VerifyRequest,
): Promise<void> {
  // The one call that needs them loads what asks mirrors.
  const { updateInstance } = await import('./trust/instances.ts');
  const services = await openUserServices(host, network);
  const isPinned = trustedRoot !== undefined;
  // What a user fetches is not asked by the machine's policy, nor is it where there is a root on the command
  // line by the others.
  const asking = policies.filter((policy) => (isOfMachine(policy) ? host.uid === 0 : !isPinned));
  const names = asking.flatMap(({ trust }) => (trust.root === undefined ? trust.instances : []));
  for (const name of new Set(names)) {
    const { warning } = await updateInstance(host, services, { name });
    if (warning !== undefined) {
      await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
    }
  }
}

interface Judges {
  readonly baseline?: BaselineEvidence;
  readonly database?: string;
  readonly policies: readonly Policy[];
  readonly trusts: ReadonlyMap<Policy, DatedTrust>;
}

/**
 * Decides with the cached evidence of the image where that is wanted, and asks the registry whenever this
 * does not end in a yes: a no may be out of date, a yes is proven anew from the signatures, whoever kept
 * them.
 */
async function decideAt(
  host: Host,
  place: ImagePlace,
  platform: Platform,
  judges: Judges,
  fromCache: boolean,
): Promise<Verification> {
  const { ref } = place;
  const repository = `${ref.registry}/${ref.repository}`;
  const isCached = fromCache && place.isRemote;
  const isFarAway = place.isRemote && !isCached;
  const store =
    isFarAway && ref.digest !== undefined ? askingAhead(place.store, ref, ref.digest) : place.store;
  const cachedOf = async (digest: Digest) =>
    isCached ? await loadEvidence(host, repository, digest) : emptyStoreCache();

  const known = ref.digest === undefined ? emptyStoreCache() : await cachedOf(ref.digest);
  const named = await place.resolve(cachedStore(store, known));
  const { digest } = named.descriptor;
  const cache = ref.digest === digest ? known : await cachedOf(digest);
  if (cache.at !== undefined) {
    const again = await judge(host, cachedStore(store, cache), { ref, named, platform }, judges);
    if (again.verdict.verdict === 'allow') {
      return again;
    }
  }

  for (const warning of await place.warnings()) {
    await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
  }
  const fresh = cache.at === undefined ? cache : emptyStoreCache();
  const verification = await judge(host, cachedStore(store, fresh), { ref, named, platform }, judges);
  if (place.isRemote) {
    fresh.manifests.set(digest, named);
    if (verification.verdict.verdict === 'allow') {
      await keepEvidence(host, repository, digest, fresh);
    } else {
      await evictEvidence(host, repository, digest);
    }
  }
  return verification;
}

/** The question what refers to the image is on its way while the image itself is asked for. */
function askingAhead(store: Store, ref: ImageRef, digest: Digest): Store {
  let ahead: ReturnType<Store['referrers']> | undefined = store.referrers(ref, digest);
  // Where the image itself is not there, nobody asks for the answer.
  ahead.catch(() => undefined);
  return {
    manifest: (...asked) => store.manifest(...asked),
    blob: (...asked) => store.blob(...asked),
    referrers: async (repository, subject) => {
      const first = subject === digest ? ahead : undefined;
      ahead = subject === digest ? undefined : ahead;
      return await (first ?? store.referrers(repository, subject));
    },
  };
}

/** An image as it was found, and what is wanted of it. */
interface NamedImage {
  readonly ref: ImageRef;
  readonly named: Fetched;
  readonly platform: Platform;
}

async function judge(
  host: Host,
  store: Store,
  { named, platform: platformWanted, ref }: NamedImage,
  { baseline, database, policies, trusts }: Judges,
): Promise<Verification> {
  const image = pin(ref, named.descriptor.digest);
  const what = formatPinnedRef(image);
  const { bytes, descriptor, manifest } = await chooseManifest(store, ref, named, platformWanted, what);
  const platform = descriptor.digest === image.digest ? undefined : descriptor.digest;

  const questions: readonly AttestationQuestion[] = [
    { subject: image.digest, content: named.bytes },
    ...(platform === undefined ? [] : [{ subject: platform, content: bytes }]),
  ];
  const digests = questions.map(({ subject }) => subject);
  const now = host.now();
  const recorded = await lastEntryTime(host);
  using opened = await openVulnerabilityEvidence(host, policies, database);
  const facts = compact({
    image,
    platform,
    config: manifest.config.digest,
    now,
    recorded,
    vulnerabilities: opened.vulnerabilities,
    baseline,
  });
  const judged = new Map<Policy, Evidence>();
  const decide = (found: readonly FoundBundle[]) =>
    decideAll(
      policies,
      facts,
      (policy) => {
        const trust = trusts.get(policy) ?? { roots: [], keys: [] };
        const candidates = found.map((candidate) => prove(candidate, trust, questions, now));
        judged.set(policy, { ...facts, candidates });
        return candidates;
      },
      (policy) => trusts.get(policy)?.dates ?? [],
    );

  const found = await discoverBundles(store, ref, ...digests);
  const verdict = decide(found);
  const imageIds = [manifest.config.digest, ...digests];
  const accepted = {
    sboms: () => commonSboms(judged),
    scans: () => acceptedScans(judged),
    provenances: () => acceptedProvenances(judged),
  };
  const isAllowed = verdict.verdict === 'allow';
  if (isAllowed && !canBeOverruled(verdict, policies)) {
    return { verdict, pinned: what, manifest: descriptor.digest, imageIds, ...accepted };
  }
  // What cosign 2 wrote is asked for where bundles do not suffice, whatever stands among them: a bundle
  // pushed by a stranger must not hide it. Where they do, its attestations are, if one of them may be newer
  // than those.
  const older = await discoverCosign2(store, ref, isAllowed ? ['att'] : ['sig', 'att'], ...digests);
  return {
    verdict: older.length === 0 ? verdict : decide([...found, ...older]),
    pinned: what,
    manifest: descriptor.digest,
    imageIds,
    ...accepted,
  };
}

/** A statement may be about the index or about its manifest for the platform; the rules ask which. */
function prove(
  found: FoundBundle,
  trust: Trust,
  questions: readonly AttestationQuestion[],
  now: Date,
): Candidate {
  if (!found.ok) {
    return { source: found.source, outcome: no({ code: found.code, message: found.reason }) };
  }
  const parsed = parse(found);
  if (!parsed.ok) {
    return toCandidate(found.source, parsed);
  }
  const outcomes = questions.map((question) => parsed.value(trust, question, now));
  const best = outcomes.find(isContradiction) ?? outcomes.find(({ ok }) => ok) ?? outcomes[0];
  return toCandidate(
    found.source,
    best ?? no({ code: 'statement.subject', message: 'it is about no image' }),
  );
}

/** A statement that contradicts itself about the manifest says nothing about its index either. */
function isContradiction(outcome: Outcome<Verified, Refusal>): boolean {
  return !outcome.ok && outcome.reason.code === 'statement.contradiction';
}

type Proof = (trust: Trust, question: AttestationQuestion, now: Date) => Outcome<Verified, Refusal>;

function parse(found: Extract<FoundBundle, { readonly ok: true }>): Outcome<Proof, Refusal> {
  if ('bundle' in found) {
    const bundle = parseBundle(found.bundle);
    return bundle.ok ? yes((...question) => verifyAttestation(bundle.value, ...question)) : bundle;
  }
  const signature = parseCosign2Layer(found.layer);
  return signature.ok ? yes((...question) => verifyCosign2(signature.value, ...question)) : signature;
}
