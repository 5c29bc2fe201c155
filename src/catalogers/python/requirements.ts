import { byCodeUnit } from '../../base/text.ts';
import type { Distribution } from './distributions.ts';
import type { Environment } from './environments.ts';
import { holds, type MarkerEnvironment } from './markers.ts';
import { normalName } from './metadata.ts';
import { parseRequirement, type Requirement } from './pep508.ts';

/** What a distribution asks for: texts of requirements, or nothing known. */
export type RequirementTexts = (distribution: Distribution) => readonly string[] | undefined;

export interface Needs {
  readonly needs: ReadonlyMap<Distribution, ReadonlySet<Distribution>>;
  /** Those whose requirements were not all read, with the reason. */
  readonly unread: ReadonlyMap<Distribution, string>;
  /** What is asked for and not installed, as `pip check` tells it: `NAME` and the versions that would do. */
  readonly missing: ReadonlyMap<Distribution, ReadonlySet<string>>;
}

/** An environment of 600 distributions takes 40,000; the product of hostile extras and requirements has no end. */
const maxEvaluations = 2_000_000;

/**
 * Who needs whom, each environment for itself, with markers evaluated for the image's interpreter and machine. An extra counts only
 * where an installed distribution asks for it: nobody recorded what the user typed.
 */
export function needsOf(
  distributions: readonly Distribution[],
  textsOf: RequirementTexts,
  architecture: string,
): Needs {
  const visible = new Map<string, Map<string, Distribution>>();
  for (const distribution of distributions) {
    if (distribution.shadowedBy !== undefined) continue;
    const key = keyOf(distribution.environment);
    const names = visible.get(key) ?? new Map<string, Distribution>();
    names.set(normalName(distribution.name), distribution);
    visible.set(key, names);
  }
  const find = (name: string, from: Environment): Distribution | undefined => {
    const normal = normalName(name);
    for (let at: Environment | undefined = from; at !== undefined; at = at.parent) {
      const found = visible.get(keyOf(at))?.get(normal);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const unread = new Map<Distribution, string>();
  const requirements = new Map<Distribution, readonly Requirement[]>();
  for (const distribution of distributions) {
    const texts = textsOf(distribution);
    if (texts === undefined) unread.set(distribution, '');
    const parsed = (texts ?? []).map(parseRequirement);
    if (parsed.includes(undefined)) unread.set(distribution, 'has a requirement that cannot be read');
    requirements.set(
      distribution,
      parsed.filter((requirement) => requirement !== undefined),
    );
  }

  const needs = new Map(distributions.map((distribution) => [distribution, new Set<Distribution>()]));
  const missing = new Map<Distribution, Set<string>>();
  const asked = new Map(distributions.map((distribution) => [distribution, new Set([''])]));
  const work: (readonly [Distribution, string])[] = distributions.map((distribution) => [distribution, '']);
  let evaluations = 0;
  for (const [distribution, extra] of work) {
    const machines = markerEnvironments(distribution.environment, architecture);
    for (const { name, extras, marker, versions } of requirements.get(distribution) ?? []) {
      const target = find(name, distribution.environment);
      evaluations += 1;
      if (evaluations > maxEvaluations) {
        unread.set(distribution, 'asks for too much to follow');
        break;
      }
      const holdsOn = (machine: MarkerEnvironment): boolean =>
        marker === undefined || holds(marker, machine, extra);
      if (target === undefined) {
        if (isComplete(distribution) && machines.every(holdsOn))
          missing.set(distribution, (missing.get(distribution) ?? new Set()).add(`${name}${versions}`));
        continue;
      }
      if (!machines.some(holdsOn)) continue;
      // A distribution that asks for itself with an extra has no edge, but the extra counts.
      if (target !== distribution) needs.get(distribution)?.add(target);
      for (const wanted of extras.map(normalName)) {
        const known = asked.get(target);
        if (known === undefined || known.has(wanted)) continue;
        known.add(wanted);
        work.push([target, wanted]);
      }
    }
  }
  return { needs, unread, missing };
}

/** What is vendored finds the rest of itself elsewhere, and what is shadowed nobody imports. */
function isComplete({ environment, shadowedBy }: Distribution): boolean {
  return environment.vendored === undefined && shadowedBy === undefined;
}

function keyOf({ name, python }: Environment): string {
  return `${name}\0${python ?? ''}`;
}

const machines: Readonly<Record<string, string>> = {
  '386': 'i686',
  amd64: 'x86_64',
  arm: 'armv7l',
  arm64: 'aarch64',
};

/**
 * The marker variables of PEP 508. Where only `3.11` is known, the first and a late release of it: a requirement that holds in either
 * counts, and an edge leads to what is installed anyway.
 */
function markerEnvironments(environment: Environment, architecture: string): readonly MarkerEnvironment[] {
  const python = environment.python ?? '3';
  const full = environment.fullVersion ?? environment.parent?.fullVersion;
  const versions = full?.startsWith(`${python}.`) ? [full] : [`${python}.0`, `${python}.99`];
  return versions.map((version) => ({
    implementation_name: 'cpython',
    implementation_version: version,
    os_name: 'posix',
    platform_machine: machines[architecture] ?? architecture,
    platform_python_implementation: 'CPython',
    platform_system: 'Linux',
    python_full_version: version,
    python_version: python,
    sys_platform: 'linux',
  }));
}

/** Orders distributions by where they lie. */
export function byPlace(a: Distribution, b: Distribution): number {
  return byCodeUnit(a.info, b.info);
}
