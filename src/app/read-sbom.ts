import { jsonLimits, parseJson } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { parseSbom, type SbomFacts } from '../bom/read.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { isBareName, parseImageName } from '../image/source.ts';
import { formatWarnings } from '../report/diagnostics.ts';
import { fileExists, readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { type ImageRequest, openImage } from './open-image.ts';
import { loadPins } from './pins/store.ts';

/**
 * A CycloneDX document in a file.
 *
 * @throws TcfError `file.unreadable` (exit 3), `sbom.format`, `document.malformed` (exit 2).
 */
export async function readSbomFile(host: Host, path: string): Promise<SbomFacts> {
  const what = `the SBOM ${quoted(path)}`;
  const content = await readUserFile(host, path, jsonLimits.document.maxBytes, 'the SBOM');
  return parseSbom(parseJson(content, what, jsonLimits.document), what);
}

/** Whether a word names an SBOM in a file and not an image: where a file has that name, it is the SBOM. */
export function namesFile(host: Host, text: string): boolean {
  return isBareName(parseImageName(text)) && fileExists(host, text);
}

/**
 * What an SBOM says that is made of an image now. What the image gives cause to say is told.
 *
 * @throws TcfError as `openImage` and the scan do.
 */
export async function scanFacts(host: Host, text: string, request: ImageRequest): Promise<SbomFacts> {
  // Catalogers and the licence list load only where an image is scanned.
  const { makeBom } = await import('./scan.ts');
  const { defaultSpecVersion, toCycloneDx } = await import('../bom/cyclonedx.ts');
  await using opened = await openImage(host, text, request);
  await host.stderr.write(formatWarnings(opened.warnings));
  const bom = await makeBom(opened, undefined, { pins: await loadPins(host) });
  const timestamp = toTimestamp(opened.config.created, host.env['SOURCE_DATE_EPOCH']);
  return parseSbom(
    toCycloneDx(bom, { specVersion: defaultSpecVersion, toolVersion: version, timestamp }),
    quoted(text),
  );
}
