import { checkPredicate, predicateNames, toPredicateType } from '../../attest/predicate.ts';
import { predicateTypes, type Statement, toSignatureStatement, toStatement } from '../../attest/statement.ts';
import { askedWrongly } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { parseSbom } from '../../bom/read.ts';
import { openFromRegistry } from '../../image/from-registry.ts';
import { chooseManifest } from '../../image/manifests.ts';
import type { Descriptor, Manifest } from '../../oci/manifest.ts';
import { formatPinnedRef, type ImageRef, type PinnedRef } from '../../oci/reference.ts';
import type { Fetched, Registry } from '../../registry/contract.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { givenSbomOptions, makeSbom, readSbomWishes, type SbomWishes, tellProfile } from '../make-sbom.ts';
import { flag, listOption, type Options, textOption } from '../options.ts';
import { readPlatform } from '../registries.ts';

/** What is going to be signed, and what it is about. */
export interface Signed {
  readonly subject: Descriptor;
  readonly statement: Statement;
}

export interface Target {
  readonly ref: ImageRef;
  /** What the name led to. */
  readonly named: Fetched;
  readonly image: PinnedRef;
}

/**
 * All that `tcf sign` was asked to say about an image, in the order in which it is attached. SBOMs come first and signatures last: whoever sees
 * a signature expects the rest to be there. What was named is signed last of all.
 *
 * @throws TcfError `sign.attest`, `sign.annotation`, `sign.recursive`, `sbom.subject` (exit 3), and as the registry and the scan do.
 */
export async function toStatements(
  host: Host,
  options: Options,
  registry: Registry,
  target: Target,
  wishes: SbomWishes,
): Promise<readonly Signed[]> {
  const { named, ref } = target;
  const annotations = readAnnotations(listOption(options, 'annotation'));
  const attested = await readAttestations(host, listOption(options, 'attest'), target);
  const recursive = flag(options, 'recursive');
  const wantsSbom = options['sbom'] !== false;
  const platforms = recursive
    ? await platformsOf(registry, target)
    : wantsSbom
      ? [await chosenOf(host, options, registry, target)]
      : [];
  if (recursive && typeof options['sbom'] === 'string' && platforms.length > 1) {
    throw askedWrongly('sign.recursive', '--sbom is about one platform, and --recursive signs them all', {
      hint: 'leave --sbom away, or sign one platform after the other',
    });
  }
  const sboms: Signed[] = [];
  if (wantsSbom)
    for (const platform of platforms)
      sboms.push(await attestSbom(host, options, registry, ref, platform, wishes));
  const signed = (subject: Descriptor): Signed => ({
    subject,
    statement: toSignatureStatement(subject.digest, annotations),
  });
  const others = recursive ? platforms.map(({ descriptor }) => descriptor) : [];
  return [
    ...sboms,
    ...attested,
    ...others.filter(({ digest }) => digest !== named.descriptor.digest).map(signed),
    signed(named.descriptor),
  ];
}

/** What is wanted of the SBOM. One that is not made grants no wishes, and a wish is not passed over in silence. @throws TcfError `sign.sbom` (exit 3). */
export function readWishes(options: Options): SbomWishes {
  const [wish] = givenSbomOptions(options);
  const isMade = options['sbom'] !== false && typeof options['sbom'] !== 'string';
  if (wish === undefined || isMade) return readSbomWishes(options);
  throw askedWrongly('sign.sbom', `${wish} is about an SBOM that tcf sign makes, and it is to make none`, {
    hint: 'leave --sbom FILE and --no-sbom away, or give the option to tcf sbom',
  });
}

function readAnnotations(given: readonly string[]): Readonly<Record<string, string>> {
  const annotations = new Map<string, string>();
  for (const text of given) {
    const [, key = '', value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (value === undefined || annotations.has(key)) {
      const why = value === undefined ? 'is no key=value' : 'names a key twice';
      throw askedWrongly('sign.annotation', `--annotation ${quoted(text)} ${why}`);
    }
    annotations.set(key, value);
  }
  return Object.fromEntries(annotations);
}

async function readAttestations(
  host: Host,
  given: readonly string[],
  { named, ref }: Target,
): Promise<readonly Signed[]> {
  const signed: Signed[] = [];
  for (const text of given) {
    const [, name = '', file = ''] = /^(.*?)=([^=]*)$/s.exec(text) ?? [];
    const predicateType = toPredicateType(name);
    if (predicateType === undefined || file === '') {
      throw askedWrongly('sign.attest', `--attest ${quoted(text)} is no TYPE=FILE`, {
        hint: `the type is a URI or one of ${Object.keys(predicateNames).join(', ')}`,
      });
    }
    if (predicateType === predicateTypes.signature || predicateType === predicateTypes.cyclonedx) {
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
  host: Host,
  options: Options,
  registry: Registry,
  { image, named, ref }: Target,
): Promise<Chosen> {
  return await chooseManifest(registry, ref, named, readPlatform(host, options), formatPinnedRef(image));
}

/** Every image of an index; attestation manifests of BuildKit, for `unknown/unknown`, are none. */
async function platformsOf(registry: Registry, { image, named, ref }: Target): Promise<readonly Chosen[]> {
  const { document } = named;
  if (document.kind === 'manifest') return [{ descriptor: named.descriptor, manifest: document }];
  const chosen: Chosen[] = [];
  for (const { digest, platform } of document.manifests) {
    if (platform?.os === 'unknown' || chosen.some(({ descriptor }) => descriptor.digest === digest)) continue;
    const child = await registry.manifest(ref, digest);
    if (child?.document.kind !== 'manifest') {
      throw askedWrongly('sign.recursive', `${formatPinnedRef(image)} lists ${digest}, which is no image`, {
        hint: 'sign its images one by one',
      });
    }
    chosen.push({ descriptor: child.descriptor, manifest: child.document });
  }
  return chosen;
}

/** The SBOM is about one platform, so it is attached to that platform's manifest. */
async function attestSbom(
  host: Host,
  options: Options,
  registry: Registry,
  ref: ImageRef,
  chosen: Chosen,
  wishes: SbomWishes,
): Promise<Signed> {
  const file = textOption(options, 'sbom');
  const predicate =
    file === undefined
      ? await scan(host, options, registry, ref, chosen, wishes)
      : await readSbom(host, file, chosen);
  const statement = toStatement({
    subject: chosen.descriptor.digest,
    name: `${ref.registry}/${ref.repository}`,
    predicateType: predicateTypes.cyclonedx,
    predicate,
  });
  return { subject: chosen.descriptor, statement };
}

async function scan(
  host: Host,
  options: Options,
  registry: Registry,
  ref: ImageRef,
  chosen: Chosen,
  wishes: SbomWishes,
): Promise<unknown> {
  const pinned: ImageRef = {
    registry: ref.registry,
    repository: ref.repository,
    digest: chosen.descriptor.digest,
  };
  await using image = await openFromRegistry(registry, pinned, readPlatform(host, options));
  const { document, judged } = await makeSbom(host, options, image, wishes, { specVersion: '1.7' });
  // What is missing stands in the SBOM that is signed, and is no reason not to sign what is known.
  if (judged !== undefined) await tellProfile(host, judged);
  return document;
}

/** An SBOM of another image under this image's name would be a lie with our signature on it. */
async function readSbom(host: Host, file: string, { descriptor, manifest }: Chosen): Promise<unknown> {
  const json = parseJson(
    await readUserFile(host, file, jsonLimits.document.maxBytes, 'the SBOM'),
    quoted(file),
    jsonLimits.document,
  );
  const { digests } = parseSbom(json, quoted(file)).subject;
  if (!digests.includes(descriptor.digest) && !digests.includes(manifest.config.digest)) {
    throw askedWrongly('sbom.subject', `${quoted(file)} is not about ${descriptor.digest}`, {
      hint: `it names ${digests.join(', ') || 'no digest'}; make one with tcf sbom, or leave --sbom away`,
    });
  }
  return json;
}
