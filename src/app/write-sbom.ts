import { createHash } from 'node:crypto';
import type { SbomFormat } from '../bom/formats/format.ts';
import type { JudgedDocument } from '../bom/profiles.ts';
import type { OpenImage } from '../image/contract.ts';
import type { Host } from '../system/host.ts';
import { codeKey } from './layer-cache/code-key.ts';
import { openRecords, type Records } from './layer-cache/records.ts';
import { formatSbomRecord, parseSbomRecord, type WrittenSbom } from './layer-cache/sbom-record.ts';
import type { SbomRequest } from './make-sbom.ts';
import { keptPins } from './pins/place.ts';

const sbomCacheLimits = {
  /** Of all SBOMs together: some hundred. */
  limit: 256 * 1024 * 1024,
  /** An image of half a million files has an SBOM of 60 MiB. */
  most: 128 * 1024 * 1024,
} as const;

/** An SBOM that was written, and what its profile made of it. */
export interface FormattedSbom extends WrittenSbom {
  readonly judged?: JudgedDocument;
}

/**
 * The SBOM of an opened image as text. With `cache` it is kept by everything that it follows from: of an
 * image of which nothing changed no layer is looked at, nor what layers said.
 *
 * @throws TcfError as `makeSbom`.
 */
export async function writeSbom(
  host: Host,
  image: OpenImage,
  request: SbomRequest,
  format: SbomFormat,
): Promise<FormattedSbom> {
  const key = request.cache === true ? keyOf(host, image, request, format) : undefined;
  const records = key === undefined ? undefined : await openSboms(host);
  if (records === undefined || key === undefined) {
    return await written(host, image, request, format);
  }
  const known = await records.load(key, parseSbomRecord);
  if (known !== undefined) {
    return known;
  }
  const made = await written(host, image, request, format);
  await records.keep(key, formatSbomRecord(made));
  return made;
}

async function written(
  host: Host,
  image: OpenImage,
  request: SbomRequest,
  format: SbomFormat,
): Promise<FormattedSbom> {
  // What reads images is not loaded where nothing is read.
  const [{ makeSbom }, { summaryOf }] = await Promise.all([
    import('./make-sbom.ts'),
    import('../bom/sbom-summary.ts'),
  ]);
  const made = await makeSbom(host, image, request);
  const text = format.write(made, host.env, format.version);
  return {
    text,
    summary: summaryOf(made.bom),
    ...(made.judged === undefined ? {} : { judged: made.judged }),
  };
}

async function openSboms(host: Host): Promise<Records | undefined> {
  return await openRecords(host, { name: 'sbom', code: codeKey('sboms'), ...sbomCacheLimits });
}

/**
 * Everything that the text follows from, as 64 hexadecimal digits; `undefined` where that is more than the
 * image and what is asked: a base image, a profile that tells more than the text, layers of a store that may
 * have changed there, a serial number of its own, an environment, a cache that is shared with others.
 */
function keyOf(
  host: Host,
  { annotations, configDigest, isUnverified, manifestDigest, repository }: OpenImage,
  {
    base,
    cache: _cache,
    jobs: _jobs,
    network: _network,
    platform: _platform,
    profile,
    shared,
    ...said
  }: SbomRequest,
  { name, readsEnvironment, version }: SbomFormat,
): string | undefined {
  const isMore =
    base !== undefined || profile !== undefined || said.uniqueSerial !== undefined || shared !== undefined;
  if (isMore || isUnverified === true || readsEnvironment === true || keptPins(host).length > 0) {
    return undefined;
  }
  const key = [
    { annotations, configDigest, manifestDigest, repository, format: name, version },
    { ...said, date: host.env['SOURCE_DATE_EPOCH'] },
  ];
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}
