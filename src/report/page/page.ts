import { createHash } from 'node:crypto';
import { formatBytes } from '../../base/size.ts';
import type { ContentItem } from '../../bom/contents.ts';
import { affectedOf } from '../../vulns/scan.ts';
import { signOfPin, wordOfPin } from '../inside/llvm-facts.ts';
import { type Overview, overviewOf, packageBytes } from '../inside/overview.ts';
import { wordOf } from '../text.ts';
import { baselineSection, marks, policySection, timelineSection } from './evidence-sections.ts';
import type { PageFacts } from './facts.ts';
import { escapeHtml, type Html, html } from './html.ts';
import { packData, packPage } from './pack.ts';
import { pageScript } from './script.ts';
import {
  doubtSection,
  gpuSection,
  layerSection,
  licenseSection,
  llvmSection,
  type PagePart,
  signClass,
} from './sections.ts';
import { pageStyle } from './style.ts';
import { vulnerabilitySection } from './vulnerability-section.ts';

/**
 * One file that says everything about an image, and reaches for nothing: no byte of it comes from elsewhere,
 * and its policy of content (CSP) lets run the one script and the one sheet whose digests it names. What was
 * read stands in it as text and never as markup.
 */
export function toPage(facts: PageFacts): string {
  const overview = overviewOf(facts.contents);
  const sections = [
    llvmSection(overview),
    gpuSection(overview),
    timelineSection(facts),
    policySection(facts),
    vulnerabilitySection(facts.vulnerabilities),
    baselineSection(facts.baseline),
    mapSection(),
    tableSection(),
    layerSection(facts),
    licenseSection(overview),
    doubtSection(overview),
  ].filter((section) => section !== undefined);
  const body = html`<a class="skip" href="#contents">Go to the table</a>
${head(facts)}
<div class="wrap" role="region" aria-label="At a glance">${tiles(facts, overview)}</div>
<nav aria-label="Parts of this page"><div class="wrap">${sections.map(({ id, name }) => html`<a href="#${id}">${name}</a>`)}</div></nav>
<div class="wrap"><main>${inColumns(sections)}</main>
<footer>${foot(facts)}</footer></div>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(contentPolicy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${html`${facts.contents.subject.name ?? facts.name} · tcf report`.text}</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style></head>
<body>
${body.text}
<script type="text/plain" id="data">${packData(packPage(facts.contents, facts.layers))}</script>
<script>${pageScript}</script>
</body></html>
`;
}

/** Nothing but the script and the sheet of the page, by their digests, and an icon that is none (A-122). */
function contentPolicy(): string {
  const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${source(pageScript)}`,
    `style-src ${source(pageStyle)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Neighbours that have a column stand in two columns; on a narrow page, one after the other. */
function inColumns(sections: readonly PagePart[]): readonly Html[] {
  const [first] = sections;
  if (first === undefined) {
    return [];
  }
  if (first.column === undefined) {
    return [sectionOf(first), ...inColumns(sections.slice(1))];
  }
  const wide = sections.findIndex(({ column }) => column === undefined);
  const run = wide < 0 ? sections : sections.slice(0, wide);
  const inColumn = (wanted: PagePart['column']): Html =>
    html`<div class="column">${run.filter(({ column }) => column === wanted).map(sectionOf)}</div>`;
  const columns = html`<div class="columns">${inColumn('left')}${inColumn('right')}</div>`;
  return [columns, ...inColumns(sections.slice(run.length))];
}

function sectionOf({ body, id }: PagePart): Html {
  return html`<section id="${id}">${body}</section>`;
}

function head({ contents, digest, evidence, name }: PageFacts): Html {
  const { about, subject } = contents;
  const said = (key: string): readonly string[] => (about.get(`tcf:image:${key}`) ?? []).slice(0, 1);
  const platform = [...said('os'), ...said('architecture'), ...said('variant')].join('/');
  const shown = digest ?? subject.digests[0];
  const item = (label: string, value: string | undefined): Html | undefined =>
    value === undefined || value === '' ? undefined : html`<li>${label} <code>${value}</code></li>`;
  return html`<header class="top"><div class="wrap"><div class="brand"><span><b>tcf</b> report</span><button type="button" id="theme" hidden>Theme: auto</button></div>
<h1>${subject.name ?? name}</h1>
<ul class="sub">${item('', name)}${item('', platform)}${item('made', said('created')[0]?.slice(0, 10))}${item('digest', shown)}</ul>
${verdictOf(evidence)}</div></header>`;
}

function verdictOf(evidence: PageFacts['evidence']): Html {
  if (evidence.kind === 'none') {
    return html`<span class="verdict maybe">? not verified</span>`;
  }
  const { mark, sign } = marks[evidence.verdict.exit];
  return html`<span class="verdict ${mark}">${sign} ${wordOf(evidence.verdict)} by the policies here</span>`;
}

function tiles({ contents, layers, vulnerabilities }: PageFacts, overview: Overview): Html {
  const { doubts, gpu, licenses, llvms, origins } = overview;
  const bytes = layers.reduce((sum, { bytes: size = 0 }) => sum + size, 0) || packageBytes(contents.items);
  const [llvm] = llvms;
  const toolkit = toolkitOf(gpu.cuda);
  const unknown = doubts.skippedCount + doubts.leftOutCount + doubts.unownedCount;
  const tile = (value: Html | number | string, label: string): Html =>
    html`<li><b>${value}</b><span>${label}</span></li>`;
  const small = (text: string, mark = ''): Html => html`<span class="small ${mark}">${text}</span>`;
  return html`<ul class="tiles">${tile(contents.items.length, origins === undefined ? 'components' : `components, ${origins.added} added to the base`)}${
    bytes === 0
      ? undefined
      : tile(formatBytes(bytes), layers.some((layer) => layer.bytes) ? 'in the layers' : 'in packages')
  }${layers.length === 0 ? undefined : tile(layers.length, 'layers')}${
    llvm === undefined
      ? undefined
      : tile(
          small(`${signOfPin(llvm.pin)} ${wordOfPin(llvm.pin)}`, signClass[signOfPin(llvm.pin)]),
          `LLVM (${llvm.role})`,
        )
  }${toolkit === undefined ? undefined : tile(small(toolkit.version), `CUDA, by ${toolkit.name}`)}${tile(licenses.length, 'licences')}${
    vulnerabilities.kind === 'looked'
      ? tile(affectedOf(vulnerabilities.scan).length, 'vulnerabilities found')
      : undefined
  }${tile(unknown, 'things not known')}</ul>`;
}

/** Which CUDA it is: that of the toolkit, else of the first of its tools that says so. */
function toolkitOf(
  parts: readonly ContentItem[],
): { readonly name: string; readonly version: string } | undefined {
  for (const name of ['cuda-toolkit', 'nvcc', 'ptxas', 'cuda-headers']) {
    const version = parts.find(({ component }) => component.name === name)?.component.version;
    if (version !== undefined) {
      return { name, version };
    }
  }
  return undefined;
}

function mapSection(): PagePart {
  return {
    id: 'space',
    name: 'Space',
    body: html`<h2>What takes the space</h2><p class="lead" id="map-note">Bytes by the word of the package databases, and of the layers themselves. Choose a part to see it in the table.</p>
<div id="orders" role="group" aria-label="Order of the map"><button type="button" value="kind" aria-pressed="true">By kind</button><button type="button" value="layer" aria-pressed="false">By layer</button></div>
<div id="map"></div>`,
  };
}

function tableSection(): PagePart {
  const choice = (key: string, label: string): Html =>
    html`<label>${label}<select id="of-${key}"></select></label>`;
  return {
    id: 'contents',
    name: 'Contents',
    body: html`<h2>Everything in it</h2><p class="lead">Search by name, version, package URL, licence or place. Unfold a line to see who brought it and who needs it.</p>
<div id="filters" role="search" aria-label="Table"><label>Search<input type="search" id="search" autocomplete="off" spellcheck="false"></label>${choice('kind', 'Kind')}${choice('layer', 'Layer')}${choice('license', 'Licence')}${choice('origin', 'Came with')}</div>
<p id="count" role="status">The table needs the script of this page, which the browser did not run.</p>
<div class="scroll" id="rows" tabindex="0" role="region" aria-label="Components"></div><button type="button" id="more" hidden>Show more</button>`,
  };
}

function foot({ contents, name, version }: PageFacts): Html {
  const { serialNumber, timestamp, tools } = contents;
  return html`<p>Made by tcf ${version} from ${name}. The page is a view: the SBOM and its signatures are what counts (tcf sbom, tcf verify).${
    tools.length === 0 ? '' : ` SBOM by ${tools.join(', ')}.`
  }${serialNumber === undefined ? '' : ` ${serialNumber}.`}${timestamp === undefined ? '' : ` ${timestamp}.`}</p>`;
}
