import { jsonLimits, parseJson } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type BomContents, parseBomContents } from '../bom/contents.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import type { ImageRequest } from './open-image.ts';
import { namesFile } from './read-sbom.ts';
import type { ScannedLayer } from './scan-progress.ts';

export interface LookRequest extends ImageRequest {
  /** An image, or a file with an SBOM in CycloneDX JSON: a bare name that is a file here is the file. */
  readonly source: string;
  /** As for an SBOM: the image that this one was built on. */
  readonly base?: string;
  /** Whether layers that were read before are taken from the user's cache. */
  readonly cache?: boolean;
}

export interface Inside {
  readonly contents: BomContents;
  /** What was read of the image; absent for a file. */
  readonly image?: {
    readonly layers: readonly ScannedLayer[];
    /** `registry/repository`, where the source knows it. */
    readonly repository?: string;
    readonly manifestDigest?: string;
  };
}

/**
 * What is in an image, by reading it, or by the word of an SBOM.
 *
 * @throws TcfError as `openImage`, `makeSbom` and `parseSbom`.
 */
export async function lookInside(host: Host, request: LookRequest): Promise<Inside> {
  const { source } = request;
  if (namesFile(host, source)) {
    const what = `the SBOM ${quoted(source)}`;
    const content = await readUserFile(host, source, jsonLimits.document.maxBytes, 'the SBOM');
    return { contents: parseBomContents(parseJson(content, what, jsonLimits.document), what) };
  }
  // Catalogers and the licence list load only where an image is read.
  const [{ makeSbom }, { openImage }] = await Promise.all([
    import('./make-sbom.ts'),
    import('./open-image.ts'),
  ]);
  await using opened = await openImage(host, source, request);
  await host.stderr.write(formatWarnings(opened.warnings));
  const { document, layers } = await makeSbom(host, opened, request);
  const { manifestDigest, repository } = opened;
  return {
    contents: parseBomContents(document, quoted(source)),
    image: {
      layers,
      ...(repository === undefined ? {} : { repository }),
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    },
  };
}
