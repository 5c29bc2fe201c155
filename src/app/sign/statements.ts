import { checkPredicate, predicateNames, toPredicateType } from '../../attest/predicate.ts';
import { predicateTypes, type Statement, toSignatureStatement, toStatement } from '../../attest/statement.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import type { JudgedDocument } from '../../bom/profiles.ts';
import { otherHashOf, parseSbom } from '../../bom/read.ts';
import { openFromRegistry } from '../../image/from-registry.ts';
import { chooseManifest } from '../../image/manifests.ts';
import type { Descriptor, Manifest, Platform } from '../../oci/manifest.ts';
import { formatPinnedRef, type ImageRef, type PinnedRef } from '../../oci/reference.ts';
import { isCyclonedx } from '../../policy/evidence.ts';
import type { Fetched, Store } from '../../registry/contract.ts';
import { formatDiagnostics } from '../../report/diagnostics.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { SbomRequest } from '../make-sbom.ts';
import { hostPlatform } from '../registries.ts';

/** What is going to be signed, and what it is about. */
export interface SubjectStatement {
  readonly subject: Descriptor;
  readonly statement: Statement;
}

export interface SignTarget {
  readonly ref: ImageRef;
  /** What the name led to. */
  readonly named: Fetched;
  readonly image: PinnedRef;
}

/** An SBOM that is made now, one that was made before, or none. */
export type SbomChoice =
  | { readonly kind: 'made'; readonly request?: SbomRequest }
  /** A file with CycloneDX JSON; it must be about the very image. */
  /** `unchecked`: signed though it is not valid CycloneDX. */
  | { readonly kind: 'given'; readonly file: string; readonly unchecked?: boolean }
  | { readonly kind: 'none' };

/** What is said about an image beside the signature. */
export interface StatementRequest {
  /** Signed with the image. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Predicates to attest: the type is a URI or a short name of cosign, the file holds JSON. */
  readonly attest?: readonly { readonly type: string; readonly file: string }[];
  /** Of an index, every platform too, each with its own SBOM. */
  readonly recursive?: boolean;
  /** Default: made. */
  readonly sbom?: SbomChoice;
  /** Beside each SBOM a scan of it is attested, by the database that is kept or by this file. */
  readonly scan?: { readonly database?: string };
  /** Whose SBOM to make where the image is an index. Default: the platform of this machine. */
  readonly platform?: Platform;
}

export interface Statements {
  readonly signed: readonly SubjectStatement[];
  /** What profiles made of the SBOMs, where one was asked for. */
  readonly judged: readonly JudgedDocument[];
}

/**
 * All that `tcf sign` was asked to say about an image, in the order in which it is attached. SBOMs come first
 * and signatures last: whoever sees a signature expects the rest to be there. What was named is signed last
 * of all.
 *
 * @throws TcfError `sign.attest`, `sign.annotation`, `sign.recursive`, `sbom.subject` (exit 3), and as the
 *   registry and the scan do.
 */
export async function toStatements(
  host: Host,
  registry: Store,
  target: SignTarget,
  request: StatementRequest,
): Promise<Statements> {
  const { annotations = {}, attest = [], recursive = false, sbom = { kind: 'made' } } = request;
  const { named } = target;
  const attested = await readAttestations(host, attest, target);
  const platform = request.platform ?? hostPlatform(host);
  const wantsSbom = sbom.kind !== 'none';
  const all = recursive ? await platformsOf(registry, target) : undefined;
  const platforms = all ?? (wantsSbom ? [await chosenOf(registry, target, platform)] : []);
  if (recursive && sbom.kind === 'given' && platforms.length > 1) {
    throw askedWrongly('sign.recursive', '--sbom is about one platform, and --recursive signs them all', {
      hint: 'leave --sbom out, or sign one platform after the other',
    });
  }
  if (request.scan !== undefined && !wantsSbom) {
    throw askedWrongly('sign.scan', '--attest-vulns is about the SBOM that is attested, and there is none', {
      hint: 'leave --no-sbom out',
    });
  }
  const sboms: AttestedSbom[] = [];
  for (const chosen of wantsSbom ? platforms : []) {
    sboms.push(await attestSbom({ host, platform, registry, ref: target.ref, sbom }, chosen));
  }
  const signed = (subject: Descriptor): SubjectStatement => ({
    subject,
    statement: toSignatureStatement(subject.digest, annotations),
  });
  const others = recursive ? platforms.map(({ descriptor }) => descriptor) : [];
  return {
    signed: [
      ...sboms.map(({ signed: attestation }) => attestation),
      ...(await scansOf(host, target, sboms, request.scan)),
      ...attested,
      ...others.filter(({ digest }) => digest !== named.descriptor.digest).map(signed),
      signed(named.descriptor),
    ],
    judged: sboms.flatMap(({ judged }) => judged ?? []),
  };
}

async function scansOf(
  host: Host,
  { ref }: SignTarget,
  sboms: readonly AttestedSbom[],
  scan: StatementRequest['scan'],
): Promise<readonly SubjectStatement[]> {
  if (scan === undefined) {
    return [];
  }
  // SQLite is loaded where a scan is asked for.
  const { toScanStatement } = await import('../vulns/attest-scan.ts');
  const scans: SubjectStatement[] = [];
  for (const { signed } of sboms) {
    const { subject, statement } = signed;
    const about = {
      digest: subject.digest,
      name: `${ref.registry}/${ref.repository}`,
      sbom: statement.predicate,
    };
    scans.push({ subject, statement: await toScanStatement(host, about, scan.database) });
  }
  return scans;
}

async function readAttestations(
  host: Host,
  given: NonNullable<StatementRequest['attest']>,
  { named, ref }: SignTarget,
): Promise<readonly SubjectStatement[]> {
  const signed: SubjectStatement[] = [];
  for (const { file, type: name } of given) {
    const predicateType = toPredicateType(name);
    if (predicateType === undefined) {
      throw askedWrongly('sign.attest', `cannot attest the predicate type ${quoted(name)}`, {
        hint: `write a URI or one of ${Object.keys(predicateNames).join(', ')}`,
      });
    }
    if (predicateType === predicateTypes.signature || isCyclonedx(predicateType)) {
      throw askedWrongly('sign.attest', `--attest ${quoted(name)} is what tcf sign makes itself`, {
        hint: 'an SBOM is attested with --sbom FILE, which checks that it is about this image',
      });
    }
    const { maxBytes } = jsonLimits.document;
    const what = `the predicate ${quoted(file)}`;
    const predicate = parseJson(
      await readUserFile(host, file, maxBytes, 'the predicate'),
      what,
      jsonLimits.document,
    );
    checkPredicate(predicateType, new Shape(predicate, quoted(file)));
    const statement = toStatement({
      subject: named.descriptor.digest,
      name: `${ref.registry}/${ref.repository}`,
      predicateType,
      predicate,
    });
    signed.push({ subject: named.descriptor, statement });
  }
  return signed;
}

interface Chosen {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

async function chosenOf(
  registry: Store,
  { image, named, ref }: SignTarget,
  platform: Platform,
): Promise<Chosen> {
  return await chooseManifest(registry, ref, named, platform, formatPinnedRef(image));
}

/** Every image of an index; attestation manifests of BuildKit, for `unknown/unknown`, are none. */
async function platformsOf(registry: Store, { image, named, ref }: SignTarget): Promise<readonly Chosen[]> {
  const { document } = named;
  if (document.kind === 'manifest') {
    return [{ descriptor: named.descriptor, manifest: document }];
  }
  const chosen: Chosen[] = [];
  for (const { digest, platform } of document.manifests) {
    if (platform?.os === 'unknown' || chosen.some(({ descriptor }) => descriptor.digest === digest)) {
      continue;
    }
    const child = await registry.manifest(ref, digest);
    if (child?.document.kind !== 'manifest') {
      throw askedWrongly(
        'sign.recursive',
        `${formatPinnedRef(image)} lists ${digest}, which is not an image`,
        {
          hint: 'sign its images one by one',
        },
      );
    }
    chosen.push({ descriptor: child.descriptor, manifest: child.document });
  }
  return chosen;
}

interface SbomContext {
  readonly host: Host;
  readonly registry: Store;
  readonly ref: ImageRef;
  readonly platform: Platform;
  readonly sbom: SbomChoice;
}

interface AttestedSbom {
  readonly signed: SubjectStatement;
  readonly judged?: JudgedDocument;
}

/** The SBOM is about one platform, so it is attached to that platform's manifest. */
async function attestSbom(context: SbomContext, chosen: Chosen): Promise<AttestedSbom> {
  const { ref } = context;
  const { judged, predicate } = await predicateOf(context, chosen);
  const statement = toStatement({
    subject: chosen.descriptor.digest,
    name: `${ref.registry}/${ref.repository}`,
    predicateType: predicateTypes.cyclonedx,
    predicate,
  });
  return compact({ signed: { subject: chosen.descriptor, statement }, judged });
}

interface Predicate {
  readonly predicate: unknown;
  readonly judged?: JudgedDocument | undefined;
}

async function predicateOf(context: SbomContext, chosen: Chosen): Promise<Predicate> {
  const { host, platform, ref, registry, sbom } = context;
  if (sbom.kind === 'given') {
    return { predicate: await readSbom(host, sbom, chosen) };
  }
  const { digest } = chosen.descriptor;
  const pinned: ImageRef = { registry: ref.registry, repository: ref.repository, digest };
  await using image = await openFromRegistry(registry, pinned, platform);
  const request = sbom.kind === 'made' ? sbom.request : {};
  // What is missing stands in the SBOM that is signed, and is no reason not to sign what is known.
  // Catalogers and the licence list load only where an SBOM is made.
  const { makeSbom } = await import('../make-sbom.ts');
  const { document, judged } = await makeSbom(host, image, request);
  return { predicate: document, judged };
}

/** An SBOM of another image under this image's name would be a lie with our signature on it. */
async function readSbom(
  host: Host,
  { file, unchecked = false }: Extract<SbomChoice, { readonly kind: 'given' }>,
  { descriptor, manifest }: Chosen,
): Promise<unknown> {
  const json = parseJson(
    await readUserFile(host, file, jsonLimits.document.maxBytes, 'the SBOM'),
    quoted(file),
    jsonLimits.document,
  );
  if (!unchecked) {
    await checkSbom(host, file, json);
  }
  const { isVex, subject } = parseSbom(json, quoted(file));
  if (isVex) {
    throw askedWrongly('sbom.vex', `${quoted(file)} is a VEX: it lists what is affected, not what is there`, {
      hint: `attest it with --attest https://cyclonedx.org/vex=${file}`,
    });
  }
  const { digests } = subject;
  if (!digests.includes(descriptor.digest) && !digests.includes(manifest.config.digest)) {
    throw askedWrongly('sbom.subject', `${quoted(file)} is not about ${descriptor.digest}`, {
      hint: `it names ${digests.join(', ') || 'no digest'}; make one with tcf sbom, or leave --sbom out`,
    });
  }
  const other = otherHashOf(subject, new Set([descriptor.digest, manifest.config.digest]));
  if (other !== undefined) {
    throw askedWrongly(
      'sbom.subject',
      `${quoted(file)} names ${descriptor.digest} and has the hash ${other}`,
      {
        hint: 'the hash of metadata.component is that of the manifest or of the configuration',
      },
    );
  }
  return json;
}

/** Nobody signs by mistake what others cannot read. @throws TcfError `sbom.invalid` (exit 3). */
async function checkSbom(host: Host, file: string, document: unknown): Promise<void> {
  // The schemas and their compiler load only where a document is given.
  const { checkDocument } = await import('../../bom/check-document.ts');
  const diagnostics = checkDocument(document);
  const errors = diagnostics.filter(({ level }) => level === 'error');
  await host.stderr.write(formatDiagnostics(diagnostics.filter(({ level }) => level !== 'error')));
  const [first] = errors;
  if (first === undefined) {
    return;
  }
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  throw askedWrongly(
    'sbom.invalid',
    `${quoted(file)} is not valid CycloneDX: ${first.subject ?? 'the document'}: ${first.message}${more}`,
    { hint: 'mend it, or sign it as it is with --allow-invalid-sbom' },
  );
}
