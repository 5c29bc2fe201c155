import type { Distribution } from './distributions.ts';
import { markerEnvironments } from './marker-environments.ts';
import { holds } from './markers.ts';
import { normalName } from './metadata.ts';
import { type PythonRequirement, parseRequirement } from './pep508.ts';
import { finderOf } from './visible.ts';

/** What a distribution asks for: texts of requirements, or nothing known. */
export type RequirementTexts = (distribution: Distribution) => readonly string[] | undefined;

export interface Needs {
  readonly needs: ReadonlyMap<Distribution, ReadonlySet<Distribution>>;
  /** Those whose requirements were not all read, with the reason. */
  readonly unread: ReadonlyMap<Distribution, string>;
  /** What is asked for and not installed, as `pip check` tells it: `NAME` and the versions that would do. */
  readonly missing: ReadonlyMap<Distribution, ReadonlySet<string>>;
}

export interface Asking {
  readonly textsOf: RequirementTexts;
  /** Of the image: `amd64`. */
  readonly architecture: string;
  /** The directories of PYTHONPATH. */
  readonly searchPath: readonly string[];
}

/**
 * An environment of 600 distributions takes 40,000; the product of hostile extras and requirements has no
 * end.
 */
const maxEvaluations = 2_000_000;

/**
 * Who needs whom, each environment for itself, with markers evaluated for the image's interpreter and
 * machine. An extra counts only where an installed distribution asks for it: nobody recorded what the user
 * typed.
 */
export function needsOf(distributions: readonly Distribution[], asking: Asking): Needs {
  const { requirements, unread } = readRequirements(distributions, asking.textsOf);
  const find = finderOf(distributions, asking.searchPath);
  const needs = new Map(distributions.map((distribution) => [distribution, new Set<Distribution>()]));
  const missing = new Map<Distribution, Set<string>>();
  const asked = new Map(distributions.map((distribution) => [distribution, new Set([''])]));
  const work: (readonly [Distribution, string])[] = distributions.map((distribution) => [distribution, '']);
  const addExtras = (target: Distribution, extras: readonly string[]): void => {
    for (const wanted of extras.map(normalName)) {
      const known = asked.get(target);
      if (known === undefined || known.has(wanted)) {
        continue;
      }
      known.add(wanted);
      work.push([target, wanted]);
    }
  };
  let evaluations = 0;
  for (const [distribution, extra] of work) {
    const holdsFor = holder(distribution, asking.architecture, extra);
    for (const requirement of requirements.get(distribution) ?? []) {
      evaluations += 1;
      if (evaluations > maxEvaluations) {
        unread.set(distribution, 'asks for too much to follow');
        break;
      }
      const target = find(requirement.name, distribution);
      const holding = holdsFor(requirement);
      if (target === undefined) {
        if (holding === 'always' && isComplete(distribution)) {
          addTo(missing, distribution, `${requirement.name}${requirement.versions}`);
        }
        continue;
      }
      if (holding === 'never') {
        continue;
      }
      // A distribution that asks for itself with an extra has no edge, but the extra counts.
      if (target !== distribution) {
        needs.get(distribution)?.add(target);
      }
      addExtras(target, requirement.extras);
    }
  }
  return { needs, unread, missing };
}

function readRequirements(
  distributions: readonly Distribution[],
  textsOf: RequirementTexts,
): {
  readonly requirements: ReadonlyMap<Distribution, readonly PythonRequirement[]>;
  readonly unread: Map<Distribution, string>;
} {
  const unread = new Map<Distribution, string>();
  const requirements = new Map<Distribution, readonly PythonRequirement[]>();
  for (const distribution of distributions) {
    const texts = textsOf(distribution);
    if (texts === undefined) {
      unread.set(distribution, '');
    }
    const parsed = (texts ?? []).map(parseRequirement);
    if (parsed.includes(undefined)) {
      unread.set(distribution, 'has a requirement that cannot be read');
    }
    requirements.set(
      distribution,
      parsed.filter((requirement) => requirement !== undefined),
    );
  }
  return { requirements, unread };
}

/** Whether a requirement holds on every machine that the environment may be, on some, or on none. */
function holder(
  { environment }: Distribution,
  architecture: string,
  extra: string,
): (requirement: PythonRequirement) => 'always' | 'never' | 'perhaps' {
  const machines = markerEnvironments(environment, architecture);
  return ({ marker }) => {
    const held = machines.filter((machine) => marker === undefined || holds(marker, machine, extra)).length;
    if (held === 0) {
      return 'never';
    }
    return held === machines.length ? 'always' : 'perhaps';
  };
}

/**
 * What is vendored or lies in a directory of its own finds the rest of itself elsewhere, and what is shadowed
 * nobody imports.
 */
function isComplete({ environment, shadowedBy }: Distribution): boolean {
  return environment.vendored === undefined && environment.stray === undefined && shadowedBy === undefined;
}

function addTo<K>(sets: Map<K, Set<string>>, key: K, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}
