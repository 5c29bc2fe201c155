import { compact } from '../base/compact.ts';
import { Shape } from '../base/shape.ts';
import type { VersionAnswer } from './evaluate.ts';

/**
 * One CVE about programs of the CUDA toolkit, as NVIDIA's bulletin states it: by release of CUDA, in an
 * English sentence.
 */
export interface NvidiaFact {
  readonly cve: string;
  readonly bulletin: string;
  /** `2026-01-20`. */
  readonly published: string;
  /** As the bulletin names them: `cuobjdump`, `nsight systems`. */
  readonly programs: readonly string[];
  /** `unclear`: the sentence does not say whether the release itself is meant; then the fix alone counts. */
  readonly affected: { readonly bound: 'before' | 'through' | 'unclear'; readonly release: string };
  readonly fixed: readonly string[];
  readonly score?: number;
}

/** By release of CUDA, `12.8.0`: the build of each of its packages, `nvidia-cuda-nvcc` to `12.8.61`. */
export type CudaReleases = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Ten times what was published in five years. */
const maxFacts = 5000;
const maxReleases = 1000;
const maxText = 300;

/** @throws TcfError `document.malformed` (exit 2). */
export function parseNvidiaFacts(value: unknown, what: string): readonly NvidiaFact[] {
  return new Shape(value, what).list(maxFacts).map((fact) => {
    const affected = fact.get('affected');
    const bound = affected.get('bound').string(maxText);
    if (bound !== 'before' && bound !== 'through' && bound !== 'unclear') {
      throw affected.get('bound').wrong('is not before, through or unclear');
    }
    const score = fact.optional('cvss3')?.value;
    return compact({
      cve: idOf(fact.get('cve')),
      bulletin: fact.get('bulletin').string(maxText),
      published: fact.get('published').string(maxText),
      programs: texts(fact.get('programs')),
      affected: { bound, release: releaseOf(affected.get('release')) },
      fixed: fact.get('fixed').list(maxReleases).map(releaseOf),
      score: typeof score === 'number' && score >= 0 && score <= 10 ? score : undefined,
    });
  });
}

function idOf(shape: Shape): string {
  const id = shape.string(maxText);
  if (!/^CVE-\d{4}-\d{4,}$/.test(id)) {
    throw shape.wrong('is not the id of a CVE');
  }
  return id;
}

function releaseOf(shape: Shape): string {
  const text = shape.string(maxText);
  if (!/^\d{1,4}(?:\.\d{1,6}){0,3}$/.test(text)) {
    throw shape.wrong('is not a release such as 12.8.1');
  }
  return text;
}

function texts(shape: Shape): readonly string[] {
  return shape.list(maxReleases).map((text) => text.string(maxText));
}

/** @throws TcfError `document.malformed` (exit 2). */
export function parseCudaReleases(value: unknown, what: string): CudaReleases {
  const shape = new Shape(value, what);
  const names = Object.keys(shape.record());
  if (names.length > maxReleases) {
    throw shape.wrong(`has more than ${maxReleases} releases`);
  }
  return new Map(
    names.map((name) => {
      releaseOf(new Shape(name, `${what}: the release`));
      const builds = shape.get(name);
      const packages = Object.keys(builds.record());
      return [name, new Map(packages.map((part) => [part, releaseOf(builds.get(part))]))];
    }),
  );
}

type Release = readonly [number, number, number];

/** The releases that a build may belong to, both ends included. */
interface Placed {
  readonly from: Release;
  readonly to: Release;
}

function toRelease(text: string): Release {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  return [major, minor, patch];
}

function compareReleases(a: Release, b: Release): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/**
 * Libraries that come with the toolkit and have versions of their own: which package of `cuda-releases.json`
 * says them.
 */
const ownNumbers: Readonly<Record<string, string>> = { nvjpeg: 'nvidia-nvjpeg' };
/** What is released apart from CUDA: bounds are about the version itself. */
const apart: ReadonlySet<string> = new Set(['nvjpeg2000']);

/**
 * Where a build of a program belongs among the releases of CUDA. Builds of one line (12.8) only grow, so a
 * build between those of two releases belongs to one of the two; a line that is not listed is known as a
 * whole.
 */
function placeBuild(program: string, build: string, releases: CudaReleases): Placed | undefined {
  if (!/^\d{1,4}(?:\.\d{1,6}){1,3}$/.test(build)) {
    return undefined;
  }
  if (apart.has(program)) {
    return { from: toRelease(build), to: toRelease(build) };
  }
  const own = ownNumbers[program];
  if (own !== undefined && Object.hasOwn(ownNumbers, program)) {
    return placeByNumber(build, own, releases);
  }
  const [major = 0, minor = 0, number] = build.split('.').map(Number);
  const line = linesOf(releases, major, minor);
  if (number === undefined) {
    return { from: [major, minor, 0], to: [major, minor, Number.MAX_SAFE_INTEGER] };
  }
  const at = line.filter(({ first, last }) => first <= number && number <= last);
  const before = line.findLast(({ last }) => last < number);
  const after = line.find(({ first }) => number < first);
  return {
    from: (at[0] ?? before)?.release ?? [major, minor, 0],
    to: (at.at(-1) ?? after)?.release ?? [major, minor, Number.MAX_SAFE_INTEGER],
  };
}

interface LineRelease {
  readonly release: Release;
  /** Of the builds of its packages. */
  readonly first: number;
  readonly last: number;
}

/** The releases of one line, oldest first, by the builds of packages that count with the toolkit. */
function linesOf(releases: CudaReleases, major: number, minor: number): readonly LineRelease[] {
  const line = [...releases].flatMap(([name, builds]) => {
    const release = toRelease(name);
    if (release[0] !== major || release[1] !== minor) {
      return [];
    }
    const numbers = [...builds]
      .filter(([part]) => !Object.values(ownNumbers).includes(part))
      .map(([, build]) => Number(build.split('.')[2] ?? 0));
    return numbers.length === 0 ? [] : [{ release, first: Math.min(...numbers), last: Math.max(...numbers) }];
  });
  return line.sort((a, b) => compareReleases(a.release, b.release));
}

function placeByNumber(build: string, part: string, releases: CudaReleases): Placed {
  const known = [...releases]
    .flatMap(([name, builds]) => {
      const own = builds.get(part);
      return own === undefined ? [] : [{ release: toRelease(name), order: compareNumbers(own, build) }];
    })
    .sort((a, b) => compareReleases(a.release, b.release));
  const at = known.filter(({ order }) => order === 0);
  const before = known.findLast(({ order }) => order < 0);
  const after = known.find(({ order }) => order > 0);
  return {
    from: (at[0] ?? before)?.release ?? [0, 0, 0],
    to: (at.at(-1) ?? after)?.release ?? [Number.MAX_SAFE_INTEGER, 0, 0],
  };
}

function compareNumbers(a: string, b: string): number {
  const [one, two] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
    const order = (one[at] ?? 0) - (two[at] ?? 0);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

/** Whether a build of a program that the bulletin names is affected. */
export function judgeNvidia(
  fact: NvidiaFact,
  program: string,
  build: string | undefined,
  releases: CudaReleases,
): VersionAnswer {
  const placed = build === undefined ? undefined : placeBuild(program, build, releases);
  if (placed === undefined) {
    return { verdict: 'cannot-tell', why: `the build of ${program} is not known` };
  }
  const bounds = boundsOf(fact);
  const answers = bounds.flatMap((isBelow) => [isBelow(placed.from), isBelow(placed.to)]);
  const where = `${build} is of ${formatPlaced(placed, program)}`;
  const fixed = [...fact.fixed].sort((a, b) => compareReleases(toRelease(a), toRelease(b)))[0];
  const said = `${fact.affected.bound} ${fact.affected.release}${fixed === undefined ? '' : `, fixed in ${fixed}`}`;
  if (answers.length > 0 && answers.every((isAffected) => isAffected)) {
    const fixedIn = fixed === undefined ? {} : { fixedIn: apart.has(program) ? fixed : `CUDA ${fixed}` };
    return { verdict: 'affected', why: `${where}, the bulletin says ${said}`, ...fixedIn };
  }
  if (answers.length > 0 && answers.every((isAffected) => !isAffected)) {
    return { verdict: 'fixed', why: `${where}, the bulletin says ${said}` };
  }
  const contradicts = bounds.some((isBelow) => isBelow(placed.from) !== bounds[0]?.(placed.from));
  return {
    verdict: 'cannot-tell',
    why: contradicts
      ? `the bulletin contradicts itself: ${said}; ${where}`
      : `${where}, the bulletin says ${said}`,
  };
}

/** The sentence and the fix say the same thing twice; where they differ, both count and nobody can tell. */
function boundsOf({ affected, fixed }: NvidiaFact): readonly ((release: Release) => boolean)[] {
  const bound = toRelease(affected.release);
  const [first] = fixed.map(toRelease).sort(compareReleases);
  const bySentence = (release: Release): boolean => {
    const order = compareReleases(release, bound);
    return affected.bound === 'through' ? order <= 0 : order < 0;
  };
  return [
    ...(affected.bound === 'unclear' ? [] : [bySentence]),
    ...(first === undefined ? [] : [(release: Release) => compareReleases(release, first) < 0]),
  ];
}

function formatPlaced({ from, to }: Placed, program: string): string {
  const name = apart.has(program) ? program : 'CUDA';
  if (compareReleases(from, to) === 0) {
    return `${name} ${from.join('.')}`;
  }
  return to[2] === Number.MAX_SAFE_INTEGER
    ? `${name} ${from.join('.')} or a later one of this line`
    : `${name} ${from.join('.')} to ${to[0] === Number.MAX_SAFE_INTEGER ? 'the newest' : to.join('.')}`;
}

/** By `nvidia-cuda-NAME` on PyPI: the program that the package holds, where it has another name. */
const packages: Readonly<Record<string, string>> = {
  'nvidia-cuda-runtime': 'cudart',
  'nvidia-nvjpeg': 'nvjpeg',
  'nvidia-nvjpeg2k': 'nvjpeg2000',
};

/**
 * The program of NVIDIA that a package of PyPI is made of: `nvidia-cuda-nvcc-cu12` is nvcc. A metapackage
 * such as `cuda-toolkit` brings no program by itself.
 */
export function programOfPackage(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replace(/[-_.]+/g, '-')
    .replace(/-cu\d+$/, '');
  if (Object.hasOwn(packages, plain)) {
    return packages[plain];
  }
  return /^nvidia-cuda-([a-z0-9]+)$/.exec(plain)?.[1];
}
