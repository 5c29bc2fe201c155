import { formatBytes } from '../../base/size.ts';
import { plural, printable } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { labelOfKind } from './kinds.ts';
import { labelOfLicense } from './license-label.ts';
import { type LlvmFacts, signOfPin, wordOfPin } from './llvm-facts.ts';
import { type Doubts, type Overview, overviewOf, packageBytes } from './overview.ts';

/** Lines of a list before the rest of it is counted. */
const maxListed = 5;

/**
 * What is in an image, for a terminal: one page, each line at most `columns` wide.
 *
 * @param name How the user calls the image, for the lines that say what to type next.
 */
export function toOverviewText(contents: BomContents, name: string, columns: number): string {
  const overview = overviewOf(contents);
  const lines = [
    ...headLines(contents),
    ...section('In it', [...kindLines(overview), ...originLines(overview)]),
    ...section('LLVM', overview.llvms.flatMap(llvmLines)),
    ...section('CUDA', partLines(overview.gpu.cuda)),
    ...section('ROCm', partLines(overview.gpu.rocm)),
    ...section('Compiled kernels', kernelLines(overview.gpu.kernels)),
    ...section('Licences', licenseLines(overview)),
    ...section('Not in the list', doubtLines(overview.doubts)),
    ...section('Next', nextLines(name)),
  ];
  return lines.map((line) => `${cut(line, columns)}\n`).join('');
}

export function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function headLines({ about, items, subject }: BomContents): readonly string[] {
  const said = (name: string): readonly string[] => (about.get(`tcf:image:${name}`) ?? []).slice(0, 1);
  const platform = [...said('os'), ...said('architecture'), ...said('variant')].join('/');
  const bytes = packageBytes(items);
  return [
    [printable(subject.name ?? 'an image without a name', 100), platform, said('created')[0]?.slice(0, 10)]
      .filter((part) => part !== undefined && part !== '')
      .map((part) => printable(part ?? '', 100))
      .join('  '),
    `${plural(items.length, 'component')}${bytes === 0 ? '' : `, ${formatBytes(bytes)} in packages`}`,
  ];
}

function kindLines({ kinds }: Overview): readonly string[] {
  const shown = kinds.length > maxListed + 1 ? kinds.slice(0, maxListed) : kinds;
  const rest = kinds.slice(shown.length).reduce((sum, { count }) => sum + count, 0);
  return columnsOf([
    ...shown.map(({ bytes, count, kind }) => [
      String(count),
      printable(labelOfKind(kind), 40),
      bytes === 0 ? '' : formatBytes(bytes),
    ]),
    ...(rest === 0 ? [] : [[String(rest), 'others', '']]),
  ]);
}

/** Numbers to the right, words to the left. */
function columnsOf(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (at: number): number => Math.max(...rows.map((row) => row[at]?.length ?? 0));
  const widths = [0, 1, 2].map(width);
  return rows.map(([count = '', word = '', size = '']) =>
    `${count.padStart(widths[0] ?? 0)}  ${word.padEnd(widths[1] ?? 0)}  ${size.padStart(widths[2] ?? 0)}`.trimEnd(),
  );
}

function originLines({ origins }: Overview): readonly string[] {
  return origins === undefined ? [] : [`${origins.base} came with the base, ${origins.added} were added`];
}

function llvmLines({ declared, item, observed, overrides, pin, reason, repository, role }: LlvmFacts) {
  const { component, locations } = item;
  const commit = /^[0-9a-f]{7,40}/.exec(observed[0] ?? declared[0] ?? '')?.[0]?.slice(0, 12);
  const head = [commit ?? component.version ?? 'of unknown version', `(${role})`, wordOfPin(pin)];
  const detail = (label: string, text: string | undefined): readonly string[] =>
    text === undefined || text === '' ? [] : [`    ${label} ${printable(text, 300)}`];
  return [
    `${signOfPin(pin)} ${head.map((word) => printable(word, 80)).join(' ')}`,
    ...detail('version', component.version),
    ...detail('declared', declared.join('; ')),
    ...detail('observed', observed.join('; ')),
    ...detail('from', repository),
    ...detail('why', reason),
    ...detail('overridden by', overrides.join(', ')),
    ...detail('in', locations.find((path) => /\.so(?:\.|$)/.test(path)) ?? locations[0]),
  ];
}

function partLines(items: readonly ContentItem[]): readonly string[] {
  const names = [
    ...new Set(
      items.map(({ component }) => `${component.name} ${component.version ?? 'of unknown version'}`),
    ),
  ].map((name) => printable(name, 80));
  return names.length > maxListed + 1
    ? [...names.slice(0, maxListed), `and ${names.length - maxListed} others`]
    : names;
}

function kernelLines(kernels: readonly ContentItem[]): readonly string[] {
  const targets = kernels.map(
    ({ component }) => component.properties['tcf:kernel:target'] ?? 'unknown target',
  );
  return [...Map.groupBy(targets, (target) => target)].map(
    ([target, group]) => `${group.length} for ${printable(target, 80)}`,
  );
}

function licenseLines({ licenses, unlicensed }: Overview): readonly string[] {
  const isLong = licenses.length > maxListed;
  const shown = isLong ? licenses.slice(0, maxListed - 1) : licenses;
  const rest = licenses.slice(shown.length).reduce((sum, { items }) => sum + items.length, 0);
  return columnsOf([
    ...shown.map(({ items, license }) => [String(items.length), printable(labelOfLicense(license), 200)]),
    ...(isLong ? [[String(rest), `under ${licenses.length - shown.length} others`]] : []),
    ...(unlicensed === 0 ? [] : [[String(unlicensed), 'of no known licence']]),
  ]);
}

function doubtLines(doubts: Doubts): readonly string[] {
  const { leftOut, leftOutCount, skipped, skippedCount, unowned, unownedCount } = doubts;
  const group = (count: number, noun: string, list: readonly string[]): readonly string[] =>
    count === 0 ? [] : [`${plural(count, noun)}, such as ${printable(list[0] ?? '', 300)}`];
  return [
    ...group(skippedCount, 'thing that could not be read', skipped),
    ...group(leftOutCount, 'thing left out on purpose', leftOut),
    ...group(unownedCount, 'program that no package claims', unowned),
  ];
}

function nextLines(name: string): readonly string[] {
  const image = printable(name, 200);
  const next = [
    [`tcf sbom ${image} -o bom.cdx.json`, 'the SBOM as a file'],
    [`tcf report ${image} -o report.html`, 'a page for a browser'],
    [`tcf tree ${image}`, 'what needs what'],
  ] as const;
  const width = Math.max(...next.map(([command]) => command.length));
  return next.map(([command, what]) => `${command.padEnd(width)}  ${what}`);
}
