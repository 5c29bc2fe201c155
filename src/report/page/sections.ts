import { formatBytes } from '../../base/size.ts';
import { plural } from '../../base/text.ts';
import type { ContentItem } from '../../bom/contents.ts';
import { labelOfLicense } from '../inside/license-label.ts';
import { claimForPeople, type LlvmFacts, signOfPin, wordOfPin } from '../inside/llvm-facts.ts';
import type { Doubts, Overview } from '../inside/overview.ts';
import type { PageFacts, PageLayer } from './facts.ts';
import { type Html, html } from './html.ts';

/** Entries of a list that stands in the page as it is; the rest is counted. */
const maxEntries = 40;

/** A part of the page; `undefined` where there is nothing to say. */
export interface PagePart {
  readonly id: string;
  /** In the bar at the top. */
  readonly name: string;
  readonly body: Html;
  /** Where two columns fit: in which it stands. Absent: as wide as the page. */
  readonly column?: 'left' | 'right';
}

/** At most `maxEntries`, and how many are not shown. */
export function listOf<T>(items: readonly T[], show: (item: T) => Html, most: number = maxEntries): Html {
  const rest = items.length - most;
  return html`<ul class="plain">${items.slice(0, most).map((item) => html`<li>${show(item)}</li>`)}${
    rest > 0 ? html`<li class="note">and ${rest} more</li>` : undefined
  }</ul>`;
}

/** The colour of a sign. */
export const signClass = { '✓': 'yes', '✗': 'no', '?': 'maybe', '!': 'maybe' } as const;

export function withSign(sign: keyof typeof signClass): Html {
  return html`<span class="sign ${signClass[sign]}" aria-hidden="true">${sign}</span>`;
}

export function llvmSection({ llvms }: Overview): PagePart | undefined {
  if (llvms.length === 0) {
    return undefined;
  }
  return {
    id: 'llvm',
    name: 'LLVM',
    column: 'left',
    body: html`<h2>The LLVM in it</h2>
<p class="lead">Triton pins one commit of LLVM and links it statically. What was declared is compared with what the binary says.</p>
${llvms.map(llvmCard)}`,
  };
}

function llvmCard({ declared, item, observed, overrides, pin, reason, repository, role }: LlvmFacts): Html {
  const { component, layer, locations } = item;
  const commit = /^[0-9a-f]{7,40}/.exec(observed[0] ?? declared[0] ?? '')?.[0]?.slice(0, 12);
  const mark = signClass[signOfPin(pin)];
  const line = (label: string, values: readonly string[]): Html | undefined =>
    values.length === 0
      ? undefined
      : html`<dt>${label}</dt><dd>${values.map((value) => html`${value}<br>`)}</dd>`;
  return html`<article class="llvm"><header><span class="commit">${commit ?? component.version ?? 'not known'}</span>
<span class="pill ${mark}">${wordOfPin(pin)}</span><span class="note">role: ${role}</span></header>
<dl>${line('Version', component.version === undefined ? [] : [component.version])}${line(
    'Declared',
    declared.map((claim) => claimForPeople(claim)),
  )}${line(
    'Observed',
    observed.map((claim) => claimForPeople(claim)),
  )}${line('Repository', repository === undefined ? [] : [claimForPeople(repository)])}${line('Why', reason === undefined ? [] : [reason])}${line('Overridden by', overrides)}${line('Where', locations.slice(0, 3))}${line('Layer', layer === undefined ? [] : [String(layer)])}</dl></article>`;
}

/** Parts in a list before the rest is counted. */
const maxParts = 14;

export function gpuSection({ gpu }: Overview): PagePart | undefined {
  const { cuda, kernels, rocm } = gpu;
  if (cuda.length + rocm.length + kernels.length === 0) {
    return undefined;
  }
  const parts = (title: string, items: readonly ContentItem[]): Html | undefined =>
    items.length === 0
      ? undefined
      : html`<h3>${title} <span class="pill">${items.length}</span></h3><div class="parts">${listOf(items, partLine, maxParts)}</div>`;
  return {
    id: 'gpu',
    name: 'GPU',
    column: 'left',
    body: html`<h2>For the GPU</h2><p class="lead">Parts of CUDA and ROCm, by what each file says of itself, and kernels that were compiled before.</p>
${parts('CUDA', cuda)}${parts('ROCm', rocm)}${kernelList(kernels)}`,
  };
}

function partLine({ component, locations }: ContentItem): Html {
  const [place = ''] = locations;
  return html`<b>${component.name}</b> <span class="mono">${component.version ?? 'version not known'}</span><span class="place" title="${place}">${shortPlace(place)}</span>`;
}

/** Where a file lies, by its last folders: the whole path is in the title. */
function shortPlace(path: string): string {
  const parts = path.split('/');
  return parts.length > 4 ? `…/${parts.slice(-3).join('/')}` : path;
}

function kernelList(kernels: readonly ContentItem[]): Html | undefined {
  if (kernels.length === 0) {
    return undefined;
  }
  const said = ({ component }: ContentItem, name: string): string =>
    component.properties[`tcf:kernel:${name}`] ?? 'not known';
  return html`<h3>Compiled kernels <span class="pill">${kernels.length}</span></h3>${listOf(
    kernels,
    (kernel) =>
      html`<b>${kernel.component.name}</b> for ${said(kernel, 'target')}, by Triton ${said(kernel, 'triton')}<br><span class="note mono">${kernel.locations[0]}</span>`,
    maxParts,
  )}`;
}

export function layerSection({ contents, layers }: PageFacts): PagePart | undefined {
  if (layers.length === 0) {
    return undefined;
  }
  const groups = Map.groupBy(contents.items, ({ layer }) => layer);
  const most = Math.max(1, ...layers.map(({ bytes = 0 }) => bytes));
  const baseLayers = Number(contents.about.get('tcf:base:layers')?.[0] ?? 0);
  const row = ({ bytes, index, step }: PageLayer): Html => {
    const isBase = index < baseLayers;
    const found = plural(groups.get(index)?.length ?? 0, 'component');
    return html`<li><div><span><b>${index}</b> ${isBase ? html`<span class="badge">base</span> ` : undefined}<span class="mono">${step ?? 'no build step is known'}</span></span><b>${
      bytes === undefined ? found : formatBytes(bytes)
    }</b></div>${bytes === undefined ? undefined : bar(bytes / most, isBase ? 'base' : 'part')}<span class="note">${found}</span></li>`;
  };
  return {
    id: 'layers',
    name: 'Layers',
    column: 'left',
    body: html`<h2>Who brought it</h2><p class="lead">Layers from the lowest to the highest, with the build step that made each${
      baseLayers === 0 ? '' : ` (the lowest ${baseLayers} came with the base image)`
    }.</p><ul class="bars">${layers.slice(0, maxEntries * 2).map(row)}</ul>`,
  };
}

/** Of a hundred; the word is read out, the bar is not. */
function bar(share: number, kind: 'base' | 'part'): Html {
  const width = Math.max(0.3, Math.round(share * 1000) / 10);
  return html`<svg viewBox="0 0 100 7" preserveAspectRatio="none" aria-hidden="true"><rect class="all" width="100" height="7" rx="1"/><rect class="${kind}" width="${width}" height="7" rx="1"/></svg>`;
}

const maxLicenses = 14;

export function licenseSection({ licenses, unlicensed }: Overview): PagePart {
  const most = Math.max(1, unlicensed, ...licenses.map(({ items }) => items.length));
  const line = (label: string, count: number): Html =>
    html`<li><div><span>${label}</span><b>${count}</b></div>${bar(count / most, 'part')}</li>`;
  const rest = licenses.slice(maxLicenses);
  const restCount = rest.reduce((sum, { items }) => sum + items.length, 0);
  return {
    id: 'licences',
    name: 'Licences',
    column: 'right',
    body: html`<h2>Licences</h2><p class="lead">What each component is under: as concluded, else as its packager declares.</p>
<ul class="bars">${licenses.slice(0, maxLicenses).map(({ items, license }) => line(labelOfLicense(license), items.length))}${
      rest.length === 0 ? undefined : line(`${rest.length} others`, restCount)
    }${unlicensed === 0 ? undefined : line('no licence known', unlicensed)}</ul>`,
  };
}

export function doubtSection({ doubts }: Overview): PagePart {
  return {
    id: 'unknown',
    name: 'Not known',
    column: 'left',
    body: html`<h2>What this page does not know</h2>${completeness(doubts)}${doubtList('Could not be read', doubts.skippedCount, doubts.skipped)}${doubtList(
      'Left out on purpose',
      doubts.leftOutCount,
      doubts.leftOut,
    )}${doubtList('Programs that no package claims', doubts.unownedCount, doubts.unowned)}`,
  };
}

function completeness({ complete }: Doubts): Html {
  if (complete === true) {
    return html`<p class="lead">${withSign('✓')}The SBOM says that it is complete: everything in the image was read.</p>`;
  }
  return complete === false
    ? html`<p class="lead">${withSign('?')}The SBOM says itself that it is not complete, and what is missing.</p>`
    : html`<p class="lead">${withSign('?')}The SBOM does not say whether it is complete.</p>`;
}

const maxDoubts = 12;

function doubtList(title: string, count: number, entries: readonly string[]): Html | undefined {
  return count === 0
    ? undefined
    : html`<h3>${title} <span class="pill maybe">${count}</span></h3>${listOf(
        entries,
        (entry) => html`<span class="note mono">${entry}</span>`,
        maxDoubts,
      )}`;
}
