import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { type CycloneDxOptions, defaultSpecVersion, toCycloneDx } from '../bom/cyclonedx.ts';
import type { MadeSbom } from '../bom/formats/format.ts';
import type { Bom } from '../bom/model.ts';
import {
  type JudgedDocument,
  missingFields,
  type ProfileDiagnostic,
  profileNames,
  profileProperties,
  type SbomProfile,
  unknownFields,
} from '../bom/profiles.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import type { OpenImage } from '../image/contract.ts';
import type { Platform } from '../oci/manifest.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { openBase } from './base-image.ts';
import { openLayerCache } from './layer-cache/layer-cache.ts';
import type { SharedCacheRequest } from './layer-cache/open-shared.ts';
import { withOwnCache } from './layer-cache/own-and-shared.ts';
import type { SharedCache } from './layer-cache/shared-cache.ts';
import type { Network } from './network.ts';
import { loadPins } from './pins/store.ts';
import { makeBom } from './scan.ts';
import { type ScannedLayer, startScanProgress } from './scan-progress.ts';

/** What is said about an SBOM beside the image, and how it is written. */
export interface SbomRequest
  extends Pick<
    CycloneDxOptions,
    'authors' | 'layout' | 'manufacturer' | 'securityContact' | 'supplier' | 'supportEnd' | 'uniqueSerial'
  > {
  /** Default: 1.6. */
  readonly specVersion?: CycloneDxOptions['specVersion'];
  /** What the SBOM has to say; what it does not say stands in it. */
  readonly profile?: SbomProfile;
  /** The image that this one was built on, or `auto` for the one that its annotations name. */
  readonly base?: string;
  /**
   * Layers that are read at a time; default: as many as the machine has cores. The SBOM does not depend on
   * it.
   */
  readonly jobs?: number;
  /** Whether layers that were read before are taken from the user's cache, and others kept there. */
  readonly cache?: boolean;
  /** Layers that others have read, and where what is read here is put for them. */
  readonly shared?: SharedCacheRequest;
  /** For the base image. */
  readonly platform?: Platform;
  readonly network?: Network;
}

/** An SBOM and what the profile made of it. */
export interface JudgedSbom extends MadeSbom {
  /** Lowest first. */
  readonly layers: readonly ScannedLayer[];
  /** Absent where no profile was asked for. */
  readonly judged?: JudgedDocument;
}

/**
 * The SBOM of an opened image, with what the user said about it. What a profile misses stands in the SBOM
 * itself.
 *
 * @throws TcfError `sbom.author`, `sbom.base` (exit 3), and as the pins and the scan do.
 */
export async function makeSbom(host: Host, image: OpenImage, request: SbomRequest = {}): Promise<JudgedSbom> {
  const { base, cache, jobs, network, platform, profile, shared, ...said } = request;
  const { bom, layers } = await scan(host, image, { base, cache, jobs, network, platform, shared });
  const options: CycloneDxOptions = {
    specVersion: defaultSpecVersion,
    toolVersion: version,
    timestamp: toTimestamp(image.config.created, host.env['SOURCE_DATE_EPOCH']),
    ...said,
    ...(profile === undefined ? {} : { profile, scanOptions: { profile } }),
  };
  const document = toCycloneDx(bom, options);
  return profile === undefined
    ? { bom, document, layers, options }
    : { ...judge({ bom, document, options }, profile), layers };
}

type ScanRequest = {
  readonly [Key in 'base' | 'cache' | 'jobs' | 'network' | 'platform' | 'shared']:
    | SbomRequest[Key]
    | undefined;
};

/** Reads the image, and tells a person at the terminal how far that is. */
async function scan(
  host: Host,
  image: OpenImage,
  { base, cache, jobs, network, platform, shared: asked }: ScanRequest,
): Promise<{ readonly bom: Bom; readonly layers: readonly ScannedLayer[] }> {
  const built = base === undefined ? undefined : await openBase(host, image, { base, network, platform });
  await using progress = startScanProgress(host);
  host.spareMemory?.();
  const own = cache === true ? await openLayerCache(progress.host) : undefined;
  await using shared = asked === undefined ? undefined : await openShared(progress.host, asked);
  const bom = await makeBom(
    image,
    built,
    compact({
      jobs,
      cache: shared === undefined || own === undefined ? (shared ?? own) : withOwnCache(own, shared),
      observer: progress.observer,
      pins: await loadPins(progress.host),
    }),
  );
  return { bom, layers: progress.layers() };
}

/** What speaks to registries and proves signatures is loaded where a cache is shared. */
async function openShared(host: Host, request: SharedCacheRequest): Promise<SharedCache> {
  const { openSharedLayers } = await import('./layer-cache/open-shared.ts');
  return await openSharedLayers(host, request);
}

/** The SBOM with what the profile misses in its properties. */
function judge(
  { bom, document, options }: MadeSbom,
  profile: SbomProfile,
): MadeSbom & { readonly judged: JudgedDocument } {
  const missing = missingFields(document, profile);
  requireAuthor(missing, profile);
  const unknown = unknownFields(document, profile);
  const properties = [...bom.properties, ...profileProperties(profile, missing, unknown)];
  const told: Bom = { ...bom, properties };
  return { bom: told, document: toCycloneDx(told, options), options, judged: { profile, missing, unknown } };
}

/** The one field that only the user can fill: without it nothing is written. */
function requireAuthor(missing: readonly ProfileDiagnostic[], profile: SbomProfile): void {
  const needed = missing.find(
    ({ field, subject }) => subject === 'document' && /^(?:author|creator)/.test(field),
  );
  if (needed === undefined) {
    return;
  }
  const how = profile === 'bsi' ? ', with an e-mail address or URL' : '';
  throw askedWrongly('sbom.author', `${profileNames[profile]} wants to know who makes the SBOM${how}`, {
    hint: "write --author 'Name <name@example.org>'",
  });
}
