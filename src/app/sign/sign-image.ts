import { formatStatement, type Statement } from '../../attest/statement.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { JudgedDocument } from '../../bom/profiles.ts';
import type { SignedStore } from '../../image/stored-store.ts';
import type { Digest } from '../../oci/digest.ts';
import { type ImageRef, type PinnedRef, pin } from '../../oci/reference.ts';
import type { Fetched, Registry } from '../../registry/contract.ts';
import { withoutMirrors } from '../../registry/endpoints.ts';
import { attachBundle } from '../../sigstore/attach.ts';
import { discoverBundles } from '../../sigstore/discover.ts';
import { findEquivalent } from '../../sigstore/equivalent.ts';
import type { FoundBundle } from '../../sigstore/found-bundle.ts';
import { signStatement } from '../../sigstore/sign.ts';
import type { Host } from '../../system/host.ts';
import { isLocalName, openLocalImage } from '../local-image.ts';
import { resolveImageName } from '../names.ts';
import { type Network, openUserRegistry } from '../network.ts';
import { resolveImage } from '../registries.ts';
import { checkOwnBundle, openSigning, type Signing, type SigningRequest } from './signing.ts';
import { type StatementRequest, type SubjectStatement, toStatements } from './statements.ts';

export interface SignRequest extends StatementRequest {
  /** `registry/repository[:tag][@digest]`. */
  readonly image: string;
  readonly signing?: SigningRequest;
  /** Do not sign again what the same signer has signed already. */
  readonly skipExisting?: boolean;
  readonly network?: Network;
  /** Told of each bundle as soon as it lies in the registry. */
  readonly onAttached?: (attached: Attached) => Promise<void>;
}

/** A bundle in the registry. */
export interface Attached {
  readonly statement: Statement;
  /** Of the manifest that refers to the image. */
  readonly digest: Digest;
  /** Bytes of the bundle. */
  readonly size: number;
}

export interface SignedImage {
  readonly image: PinnedRef;
  readonly attached: readonly Attached[];
  /** What the same signer had signed before, where that was asked. */
  readonly existing: readonly Statement[];
  readonly judged: readonly JudgedDocument[];
}

/**
 * Signs an image in its registry and attests its SBOM. Everything is made and checked before anything is
 * pushed: a scan that fails leaves no half-signed image behind. The signature comes last, because whoever
 * sees it expects the SBOM to be there.
 *
 * @throws TcfError (exit 3) for what was asked wrongly, (exit 2) where registry or services do not answer or
 *   a new bundle does not verify.
 */
export async function signImage(host: Host, request: SignRequest): Promise<SignedImage> {
  const { named, ref, registry } = isLocalName(request.image)
    ? await openToSignLocally(host, request)
    : await openToSign(host, request);
  const image = pin(ref, named.descriptor.digest);
  const signing = await openSigning(host, request.signing ?? {});
  const { judged, signed } = await toStatements(host, registry, { ref, named, image }, request);
  const found = request.skipExisting
    ? await discoverBundles(registry, ref, ...signed.map(({ subject }) => subject.digest))
    : [];
  const [fresh, existing] = partition(signed, (one) => !isThere(found, one, signing, host.now()));
  const { onAttached } = request;
  const attached = await attachSigned(host, { registry, ref, signing, signed: fresh, onAttached });
  return { image, attached, existing: existing.map(({ statement }) => statement), judged };
}

interface SigningPlace {
  readonly ref: ImageRef;
  readonly named: Fetched;
  readonly registry: SignedStore;
}

async function openToSign(host: Host, { image, network }: SignRequest): Promise<SigningPlace> {
  const { config, ref } = await resolveImageName(host, image, 'sign');
  // Where it is signed, and not a mirror of it.
  const registry = await openUserRegistry(host, network, withoutMirrors(config));
  return { ref, registry, named: await resolveImage(registry, ref) };
}

/**
 * An image of the local store, with a key: what a log says in public is about images that others can find.
 */
async function openToSignLocally(host: Host, { image, sbom, signing }: SignRequest): Promise<SigningPlace> {
  if ((signing?.signer ?? { kind: 'keyless' }).kind === 'keyless') {
    throw askedWrongly('sign.local', `${quoted(image)} never was in a registry, and is signed with a key`, {
      hint: 'name one with --key FILE (tcf keygen makes it)',
    });
  }
  if ((sbom ?? { kind: 'made' }).kind === 'made') {
    throw askedWrongly('sign.local', `the SBOM of ${quoted(image)} is made before it is signed`, {
      hint: `tcf sbom ${image} -o bom.json, then --sbom bom.json; or --no-sbom`,
    });
  }
  const { named, ref, store } = await openLocalImage(host, image);
  return { ref, named, registry: store };
}

/** What to sign, with what, and where it goes. */
export interface Attaching {
  readonly registry: Pick<Registry, 'attach' | 'pushBlob'>;
  readonly ref: ImageRef;
  readonly signing: Signing;
  readonly signed: readonly SubjectStatement[];
  readonly onAttached?: ((attached: Attached) => Promise<void>) | undefined;
}

/**
 * Signs statements and attaches them to their subjects, in their order. All are signed and checked before the
 * first is pushed.
 */
export async function attachSigned(
  host: Host,
  { onAttached, ref, registry, signed, signing }: Attaching,
): Promise<readonly Attached[]> {
  const bundles: (SubjectStatement & { readonly bundle: Uint8Array })[] = [];
  for (const one of signed) {
    bundles.push({ ...one, bundle: await signOne(one, signing, host.now) });
  }
  const attached: Attached[] = [];
  for (const { bundle, statement, subject } of bundles) {
    const { predicateType } = statement;
    const { digest } = await attachBundle(registry, ref, subject, { bundle, predicateType, now: host.now() });
    const one = { statement, digest, size: bundle.length };
    await onAttached?.(one);
    attached.push(one);
  }
  return attached;
}

async function signOne(
  { statement, subject }: SubjectStatement,
  signing: Signing,
  now: () => Date,
): Promise<Uint8Array> {
  const bundle = await signStatement(formatStatement(statement), signing.signer, signing.witnesses);
  checkOwnBundle(bundle, signing, { subject: subject.digest }, now());
  return bundle;
}

function partition<T>(items: readonly T[], is: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (is(item) ? 'yes' : 'no'));
  return [yes, no];
}

/**
 * Only what is proven counts: otherwise anybody could keep an image from being signed with a bundle that
 * looks right.
 */
function isThere(
  found: readonly FoundBundle[],
  { statement, subject }: SubjectStatement,
  { isSigner, trust }: Signing,
  now: Date,
): boolean {
  if (found.length === 0) {
    return false;
  }
  if (trust === undefined) {
    throw askedWrongly('sign.trust', '--skip-existing has nothing to check existing signatures against', {
      hint: 'name the trusted root of these services with --trusted-root',
    });
  }
  const wanted = { statement: formatStatement(statement), subject: subject.digest, trust, isSigner, now };
  return findEquivalent(found, wanted) !== undefined;
}
