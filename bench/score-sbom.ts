import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, scratchPath } from './processes.ts';

// Scores the SBOMs of tcf, syft and trivy of the same images with sbomqs, and prints Markdown.
// usage: npm run bench:score -- IMAGE...
// IMAGE is in podman's store, or oci:LAYOUT:TAG. SBOMQS=PATH[:PATH...] names other builds of sbomqs than the one that bench/peers.sh makes.

interface Check {
  readonly key: string;
  readonly score: number;
  readonly description: string;
}

interface Score {
  readonly total: number;
  readonly below: readonly Check[];
}

const root = join(import.meta.dirname, '..');
const peers = '/var/tmp/tcf-peers/bin';
const scorers = (process.env['SBOMQS'] ?? join(peers, 'sbomqs')).split(':');
const people = ['--author', 'Ann <ann@example.org>', '--supplier', 'Acme <https://acme.example>'];

/** Every document that a tool can write; sbomqs 2.0.2 reads no CycloneDX 1.7. */
const documents: readonly {
  readonly tool: string;
  readonly specVersion: string;
  write(layout: string, output: string): void;
}[] = [
  ...['1.6', '1.7'].map((specVersion) => ({
    tool: 'tcf',
    specVersion,
    write: (layout: string, output: string) =>
      must(process.execPath, [
        ...[join(root, 'src/main.ts'), 'sbom', `oci:${layout}`, '-o', output],
        ...['--spec-version', specVersion, ...people],
      ]),
  })),
  ...['1.6', '1.7'].map((specVersion) => ({
    tool: 'syft',
    specVersion,
    write: (layout: string, output: string) =>
      must(join(peers, 'syft'), [
        ...['scan', `oci-dir:${layout}`, '-q', '-o', `cyclonedx-json@${specVersion}=${output}`],
      ]),
  })),
  {
    tool: 'trivy',
    specVersion: 'its own',
    write: (layout: string, output: string) =>
      must(join(peers, 'trivy'), [
        ...['image', '--input', layout, '--format', 'cyclonedx', '--output', output],
        ...['--quiet', '--skip-version-check', '--cache-dir', scratchPath('trivy-cache')],
      ]),
  },
];

/** 2.0.2 lists the checks flat, later versions by category; both name what they leave out of the score. */
interface Line {
  readonly key?: string;
  readonly feature?: string;
  readonly score: number;
  readonly description: string;
  readonly ignored?: boolean;
  readonly features?: readonly Line[];
}

/** `undefined`: this build does not read the document. */
function scoreOf(scorer: string, file: string): Score | undefined {
  let answer: { readonly files: readonly { sbom_quality_score: number; comprehenssive: readonly Line[] }[] };
  try {
    answer = JSON.parse(must(scorer, ['score', '--json', file]));
  } catch {
    return undefined;
  }
  const [scored] = answer.files;
  if (scored === undefined) {
    return undefined;
  }
  const checks = scored.comprehenssive.flatMap((line) => line.features ?? [line]);
  return {
    total: scored.sbom_quality_score,
    below: checks
      .filter(({ ignored, score }) => ignored !== true && score < 10)
      .map(({ description, feature = '', key = feature, score }) => ({ key, score, description })),
  };
}

function scoreImage(image: string): void {
  const layout = scratchPath(image.replaceAll(/[^a-z0-9]/gi, '-'));
  const source = image.startsWith('oci:') ? image : `containers-storage:${image}`;
  must('skopeo', ['copy', '--quiet', source, `oci:${layout}:latest`]);
  process.stdout.write(
    `\n## ${image}\n\n| SBOM | specVersion |${scorers.map((scorer) => ` ${scorer} |`).join('')}\n`,
  );
  process.stdout.write(`| --- | --- |${' --- |'.repeat(scorers.length)}\n`);
  const below: string[] = [];
  for (const { tool, specVersion, write } of documents) {
    if (tool !== 'tcf' && !existsSync(join(peers, tool))) {
      continue;
    }
    const file = scratchPath(`${tool}-${specVersion}.json`.replaceAll(' ', '-'));
    write(layout, file);
    const written = (JSON.parse(readFileSync(file, 'utf8')) as { specVersion: string }).specVersion;
    const scores = scorers.map((scorer) => scoreOf(scorer, file));
    const cells = scores.map((score) => ` ${score === undefined ? 'not read' : score.total.toFixed(2)} |`);
    process.stdout.write(`| ${tool} | ${written} |${cells.join('')}\n`);
    for (const [at, score] of scores.entries()) {
      const checks = score?.below.map(
        ({ description, key, score: of }) => `${key} ${of.toFixed(1)} (${description})`,
      );
      if (tool === 'tcf' && checks !== undefined) {
        below.push(`- tcf, ${written}, ${scorers[at]}: ${checks.join('; ')}`);
      }
    }
  }
  process.stdout.write(`\n${below.join('\n')}\n`);
}

const images = process.argv.slice(2);
if (images.length === 0) {
  throw new Error('usage: npm run bench:score -- IMAGE...');
}
for (const image of images) {
  scoreImage(image);
}
