import { formatBytes } from '../../base/size.ts';
import { byCodeUnit, plural, printable } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { licensesNamed } from '../../bom/license-expression.ts';
import { labelOfKind } from './kinds.ts';
import { labelOfLicense } from './license-label.ts';
import { claimForPeople, type LlvmFacts, signOfPin, wordOfPin } from './llvm-facts.ts';
import { type Doubts, type Overview, overviewOf, packageBytes } from './overview.ts';

/** Lines of a list before the rest of it is counted. */
const maxListed = 5;
/** Characters of a name of a part. */
const maxName = 60;

/**
 * What is in an image, for a terminal: one page, each line at most `columns` wide, but for what is to be
 * typed.
 *
 * @param name How the user calls the image, for the lines that say what to type next.
 */
export function toOverviewText(contents: BomContents, name: string, columns: number): string {
  const overview = overviewOf(contents);
  const lines = [
    ...headLines(contents),
    ...section('Inside', [...kindLines(overview), ...originLines(overview)]),
    ...section('LLVM', overview.llvms.flatMap(llvmLines)),
    ...section('CUDA', partLines(overview.gpu.cuda)),
    ...section('ROCm', partLines(overview.gpu.rocm)),
    ...section('Compiled kernels', kernelLines(overview.gpu.kernels)),
    ...section('Licences', licenseLines(overview)),
    ...section('Not in the list', doubtLines(overview.doubts)),
  ].map((line) => cut(line, columns));
  return [...lines, '', 'Next', ...nextLines(name, columns)].map((line) => `${line}\n`).join('');
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
  const head = `${role}  ${commit ?? component.version ?? 'of unknown version'}  ${wordOfPin(pin)}`;
  const claims = (said: readonly string[]): string =>
    said.map((claim) => claimForPeople(claim, true)).join('; ');
  const details = [
    ['version', component.version],
    ['declared', claims(declared)],
    ['observed', claims(observed)],
    ['from', repository === undefined ? undefined : claims([repository])],
    ['why', reason],
    ['overridden by', overrides.join(', ')],
    ['in', locations.find((path) => /\.so(?:\.|$)/.test(path)) ?? locations[0]],
  ].filter(([, text]) => text !== undefined && text !== '');
  const width = Math.max(...details.map(([label = '']) => label.length));
  return [
    `${signOfPin(pin)} ${printable(head, 200)}`,
    ...details.map(([label = '', text = '']) => `    ${label.padEnd(width)}  ${printable(text, 300)}`),
  ];
}

function partLines(items: readonly ContentItem[]): readonly string[] {
  const versions = new Map(
    items.map(({ component: { name, version = 'version not known' } }) => [
      `${name} ${version}`,
      { name, version },
    ]),
  );
  const parts = [...versions.values()];
  const shown = parts.length > maxListed + 1 ? parts.slice(0, maxListed) : parts;
  const width = Math.max(0, ...shown.map(({ name }) => Math.min(name.length, maxName)));
  const lines = shown.map(
    ({ name, version }) => `${printable(name, maxName).padEnd(width)}  ${printable(version, 40)}`,
  );
  return shown.length === parts.length ? lines : [...lines, `and ${parts.length - shown.length} others`];
}

function kernelLines(kernels: readonly ContentItem[]): readonly string[] {
  const targets = kernels.map(
    ({ component }) => component.properties['tcf:kernel:target'] ?? 'unknown target',
  );
  return [...Map.groupBy(targets, (target) => target)].map(
    ([target, group]) => `${group.length} for ${printable(target, 80)}`,
  );
}

/** Who is under two licences is counted with each. */
function licenseLines({ licenses, unlicensed }: Overview): readonly string[] {
  const counts = new Map<string, number>();
  for (const { items, license } of licenses) {
    for (const name of new Set(license.split('; ').flatMap(licensesNamed))) {
      counts.set(name, (counts.get(name) ?? 0) + items.length);
    }
  }
  const named = [...counts].sort(([a, m], [b, n]) => n - m || byCodeUnit(a, b));
  const shown = named.length > maxListed ? named.slice(0, maxListed - 1) : named;
  const rest = named.length - shown.length;
  return [
    ...columnsOf([
      ...shown.map(([name, count]) => [String(count), printable(labelOfLicense(name), 200)]),
      ...(unlicensed === 0 ? [] : [[String(unlicensed), 'of no known licence']]),
    ]),
    ...(rest === 0 ? [] : [`and ${rest} others; one component may name several`]),
  ];
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

/** What to type is never cut: where it leaves no room, it says itself what it does. */
function nextLines(name: string, columns: number): readonly string[] {
  const image = printable(name, 200);
  const next = [
    ['the SBOM as a file', `tcf sbom ${image} -o bom.cdx.json`],
    ['a page for a browser', `tcf report ${image} -o report.html`],
    ['what needs what', `tcf tree ${image}`],
  ] as const;
  const width = Math.max(...next.map(([what]) => what.length));
  const lines = next.map(([what, command]) => `  ${what.padEnd(width)}  ${command}`);
  return lines.some((line) => line.length > columns) ? next.map(([, command]) => `  ${command}`) : lines;
}
