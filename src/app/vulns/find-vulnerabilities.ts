import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compact } from '../../base/compact.ts';
import { askedWrongly, reasonOf } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { byCodeUnit, quoted } from '../../base/text.ts';
import { parseSbom, type SbomFacts } from '../../bom/read.ts';
import type { DatabaseStatus } from '../../report/database.ts';
import { formatWarnings } from '../../report/diagnostics.ts';
import type { FoundVulnerabilities } from '../../report/vulns/found.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { applyVex, type TrustedVex } from '../../vulns/apply-vex.ts';
import type { SourceOrder } from '../../vulns/findings.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { parseVex } from '../../vulns/vex.ts';
import type { ImageRequest } from '../open-image.ts';
import { readContainerfile } from '../read-containerfile.ts';
import { namesFile, readSbomFile } from '../read-sbom.ts';
import { type UsedDatabase, useDatabase } from './place.ts';

export interface VulnsRequest extends ImageRequest {
  /** An image, or a file with an SBOM in CycloneDX JSON: a bare name that is a file here is the file. */
  readonly source: string;
  /** In place of an image that is read: an SBOM that was attested and accepted. */
  readonly attested?: unknown;
  /** A file in place of the database that is kept. */
  readonly database?: string;
  /** Files with VEX documents, and folders of them. */
  readonly vex?: readonly string[];
  readonly order?: SourceOrder;
  readonly base?: string;
  readonly cache?: boolean;
  /** From which the image was built, for reports that point into it. */
  readonly containerfile?: string;
}

/**
 * What is known of the vulnerabilities of an image or an SBOM. The database is opened first: without data no
 * image is read.
 *
 * @throws TcfError `db.*`, `vex.*` (exit 2), and as `openImage`, `makeSbom` and `parseSbom`.
 */
export async function findImageVulnerabilities(
  host: Host,
  request: VulnsRequest,
): Promise<FoundVulnerabilities> {
  // Records of half a database pass through, and what is kept of them is small.
  host.spareMemory?.();
  using used = await useDatabase(host, request.database);
  const containerfile =
    request.containerfile === undefined ? undefined : await readContainerfile(host, request.containerfile);
  const documents = await readVexFiles(host, request.vex ?? []);
  const sbom = await readSource(host, request);
  const scan = findVulnerabilities(sbom, used.data, request.order);
  const { scan: judged, unused } = applyVex(scan, sbom.subject, documents);
  return compact({
    source: request.source,
    subject: sbom.subject,
    database: statusOf(used),
    scan: judged,
    unused,
    containerfile,
  });
}

export function statusOf({ data, file, origin, path, taken }: UsedDatabase): DatabaseStatus {
  return compact({ path, file, taken, origin, facts: data.facts });
}

async function readSource(host: Host, request: VulnsRequest): Promise<SbomFacts> {
  const { attested, source } = request;
  if (attested !== undefined) {
    return parseSbom(attested, `the attested SBOM of ${quoted(source)}`);
  }
  if (namesFile(host, source)) {
    return await readSbomFile(host, source);
  }
  // Catalogers and the licence list load only where an image is read.
  const [{ makeSbom }, { openImage }] = await Promise.all([
    import('../make-sbom.ts'),
    import('../open-image.ts'),
  ]);
  await using opened = await openImage(host, source, request);
  await host.stderr.write(formatWarnings(opened.warnings));
  const { document } = await makeSbom(host, opened, request);
  return parseSbom(document, quoted(source));
}

/** A repository of VEX has a file for each package; vexhub has some 2,000. */
const maxVexFiles = 50_000;

async function readVexFiles(host: Host, paths: readonly string[]): Promise<readonly TrustedVex[]> {
  const documents: TrustedVex[] = [];
  for (const path of paths) {
    for (const file of vexFilesOf(host, path)) {
      const what = `the VEX document ${quoted(file)}`;
      const bytes = await readUserFile(host, file, jsonLimits.document.maxBytes, 'the VEX document');
      documents.push({ document: parseVex(parseJson(bytes, what, jsonLimits.document), what), source: file });
    }
  }
  return documents;
}

/** A folder is a repository of VEX: each `*.openvex.json`, `*.vex.json` and `vex.json` in it, by name. */
function vexFilesOf(host: Host, path: string): readonly string[] {
  const full = resolve(host.cwd, path);
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return [path];
  }
  try {
    const found = readdirSync(full, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?:^|[/.])(?:openvex|vex)\.json$/.test(name))
      .sort(byCodeUnit);
    if (found.length > 0 && found.length <= maxVexFiles) {
      return found.map((name) => join(path, name));
    }
  } catch (error) {
    throw askedWrongly('file.unreadable', `cannot read the folder ${quoted(path)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  throw askedWrongly(
    'vex.none',
    `the folder ${quoted(path)} holds no VEX documents, or more than ${maxVexFiles}`,
    {
      hint: 'their names end in .openvex.json, .vex.json or are vex.json',
    },
  );
}
