import { jsonLimits, parseJson } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { parseSbom, type SbomFacts } from '../bom/read.ts';
import { isBareName, parseImageName } from '../image/source.ts';
import { fileExists, readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { isStandard } from '../system/standard.ts';

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

/**
 * Whether a word names an SBOM in a file and not an image: where a file has that name, it is the SBOM; `-` is
 * the one on standard input.
 */
export function namesFile(host: Host, text: string): boolean {
  return isStandard(text) || (isBareName(parseImageName(text)) && fileExists(host, text));
}
