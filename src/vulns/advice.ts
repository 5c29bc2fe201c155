import { byCodeUnit } from '../base/text.ts';
import { comparePep440 } from '../bom/versions/pep440.ts';
import { ordersOf } from './ecosystems.ts';
import { affectedOf, levelsBySeverity, type VulnFinding, type VulnScan } from './scan.ts';

/** One step, and everything that it closes. */
export interface Advice {
  readonly kind: 'none' | 'rebase' | 'rebuild' | 'triton' | 'update' | 'upgrade';
  /** One sentence without a full stop: `update requests 2.28.1 to 2.31.0`. */
  readonly text: string;
  readonly findings: readonly VulnFinding[];
  /** Updates of packages that the archive has, whatever they close: `curl 7.88.1-10 to 7.88.1-10+deb12u14`. */
  readonly updates: readonly string[];
}

/** By the order in which they are worth doing. */
const kinds: readonly Advice['kind'][] = ['update', 'upgrade', 'rebase', 'triton', 'rebuild', 'none'];

/**
 * The first release of Triton whose wheels have a newer cuobjdump and nvdisasm, by the build that the older
 * ones have (read from the published wheels; docs/vulnerabilities.md).
 */
const newerTools: readonly (readonly [build: string, triton: string])[] = [
  ['12.3.52', '3.0.0'],
  ['12.4.99', '3.3.1'],
  ['12.8.55', '3.7.1'],
];

/**
 * Everything that is affected, and every update for security that is missing, by what to do about it: one step for
 * each thing that somebody does, and of one kind the worst first.
 */
export function adviseOn(scan: VulnScan): readonly Advice[] {
  const groups = new Map<string, { kind: Advice['kind']; findings: VulnFinding[]; updates: string[] }>();
  const groupOf = (kind: Advice['kind'], text: string) => {
    const group = groups.get(text) ?? { kind, findings: [], updates: [] };
    groups.set(text, group);
    return group;
  };
  const newest = newestFixes(scan);
  for (const finding of affectedOf(scan)) {
    const [kind, text] = adviceFor(finding, newest);
    groupOf(kind, text).findings.push(finding);
  }
  for (const { installed, isSecurity, name, offered } of scan.updates) {
    if (isSecurity) {
      groupOf('upgrade', 'install the updates for security that the distribution has').updates.push(
        `update ${name} ${installed} to ${offered.version} (${offered.suite}, ${offered.date.slice(0, 10)} or before)`,
      );
    }
  }
  return [...groups]
    .map(([text, group]) => ({ ...group, text }))
    .sort(
      (a, b) =>
        kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
        worstOf(a) - worstOf(b) ||
        byCodeUnit(a.text, b.text),
    );
}

/** Findings come in the order of severity. */
function worstOf({ findings: [first] }: Pick<Advice, 'findings'>): number {
  return first === undefined ? levelsBySeverity.length : levelsBySeverity.indexOf(first.severity.level);
}

/** By package: the newest of the versions that fix one of its findings, so that one step closes all. */
function newestFixes(scan: VulnScan): ReadonlyMap<string, string> {
  const newest = new Map<string, string>();
  for (const { ecosystem, fixedIn, package: name, version } of affectedOf(scan)) {
    const key = `${ecosystem} ${name} ${version}`;
    const before = newest.get(key);
    if (fixedIn !== undefined && (before === undefined || isNewer(fixedIn, before, ecosystem))) {
      newest.set(key, fixedIn);
    }
  }
  return newest;
}

function isNewer(a: string, b: string, ecosystem: string): boolean {
  const order = ordersOf(ecosystem).ecosystem;
  return order === undefined ? byCodeUnit(a, b) > 0 : order.compare(a, b) > 0;
}

function adviceFor(
  finding: VulnFinding,
  newest: ReadonlyMap<string, string>,
): readonly [Advice['kind'], string] {
  const { components, ecosystem, package: name, version } = finding;
  const what = `${name}${version === undefined ? '' : ` ${version}`}`;
  const insides = new Set(components.map(({ inside }) => inside));
  const [inside] = insides;
  const fix = newest.get(`${ecosystem} ${name} ${version}`);
  if (ecosystem === 'NVIDIA' || ecosystem === 'LLVM') {
    return toolAdvice(finding, what, fix);
  }
  if (fix === undefined || finding.fixedIn === undefined) {
    return nobody;
  }
  if (inside !== undefined && insides.size === 1) {
    return /^triton /.test(inside)
      ? ['triton', `take a newer Triton than ${inside.slice('triton '.length)}`]
      : ['rebuild', `take a newer ${inside.split(' ')[0]} than ${inside.split(' ').slice(1).join(' ')}`];
  }
  if (components.every(({ origin }) => origin === 'base')) {
    return ['rebase', 'rebuild on a newer base'];
  }
  return ['update', `update ${what} to ${fix}`];
}

function toolAdvice(
  { components, version }: VulnFinding,
  what: string,
  fix: string | undefined,
): readonly [Advice['kind'], string] {
  const triton = components.find(({ inside }) => inside !== undefined && /^triton /.test(inside))?.inside;
  if (triton !== undefined) {
    const first = newestTriton(version);
    const which = first === undefined ? 'a newer Triton' : `Triton ${first} or newer`;
    return ['triton', `take ${which} in place of ${triton.slice('triton '.length)}`];
  }
  return fix === undefined ? nobody : ['update', `update ${what} to that of ${fix}`];
}

const nobody: readonly [Advice['kind'], string] = ['none', 'there is no fix yet'];

/** The newest step of the table: the release whose tools have none of the findings that are known. */
function newestTriton(build: string | undefined): string | undefined {
  const isKnown = newerTools.some(([known]) => known === build);
  return isKnown
    ? newerTools
        .map(([, triton]) => triton)
        .toSorted(comparePep440)
        .at(-1)
    : undefined;
}
