import { byCodeUnit } from '../../base/text.ts';
import { cleanText } from '../clean.ts';
import { flatten } from '../layout.ts';
import type { Bom, Component } from '../model.ts';
import { rootRef } from '../subject.ts';
import type { FormatEnvironment, MadeSbom, SbomFormat } from './format.ts';

/**
 * A snapshot for GitHub's dependency submission API:
 * https://docs.github.com/en/rest/dependency-graph/dependency-submission. Commit, ref and job are those of
 * the workflow that runs tcf; elsewhere they are empty, and the program that submits the snapshot fills them
 * in.
 */
export const githubJson: SbomFormat = {
  name: 'github-json',
  summary: "a snapshot for GitHub's dependency submission",
  readsEnvironment: true,
  write: (sbom, env) => `${JSON.stringify(toSnapshot(sbom, env), undefined, 2)}\n`,
};

function toSnapshot({ bom, options }: MadeSbom, env: FormatEnvironment): unknown {
  const { subject } = bom;
  const image = subject.repository ?? subject.name;
  const name = cleanText(`${image}@${subject.manifestDigest ?? subject.configDigest}`);
  return {
    version: 0,
    sha: env['GITHUB_SHA'] ?? '',
    ref: env['GITHUB_REF'] ?? '',
    job: {
      id: env['GITHUB_RUN_ID'] ?? '',
      correlator: [env['GITHUB_WORKFLOW'], env['GITHUB_JOB'], image]
        .filter((part) => part !== undefined)
        .join('_'),
    },
    detector: {
      name: 'tcf',
      version: options.toolVersion,
      url: 'https://github.com/triton-container-first/tcf',
    },
    scanned: options.timestamp,
    manifests: { [name]: { name, resolved: resolvedOf(bom) } },
  };
}

/** Packages by purl, which is how GitHub knows them; one in two places is one. */
function resolvedOf(bom: Bom): Readonly<Record<string, unknown>> {
  const components = flatten(bom.components).filter(({ purl }) => purl !== undefined);
  const purls = new Map(components.map(({ bomRef, purl = '' }) => [bomRef, `${purl}`]));
  const needs = new Map(bom.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]));
  const direct = new Set(directRefs(bom).flatMap((ref) => purls.get(ref) ?? []));
  const groups = Map.groupBy(components, ({ purl = '' }) => `${purl}`);
  return Object.fromEntries(
    [...groups]
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([purl, same]) => [
        purl,
        {
          package_url: purl,
          relationship: direct.has(purl) ? 'direct' : 'indirect',
          scope: 'runtime',
          dependencies: [...new Set(same.flatMap((each) => dependenciesOf(each, needs, purls)))].sort(
            byCodeUnit,
          ),
        },
      ]),
  );
}

function dependenciesOf(
  { bomRef }: Component,
  needs: ReadonlyMap<string, readonly string[]>,
  purls: ReadonlyMap<string, string>,
): readonly string[] {
  return (needs.get(bomRef) ?? []).flatMap((ref) => purls.get(ref) ?? []);
}

/** What no other package asks for: the image or the operating system alone leads to it. */
function directRefs({ components, dependencies, subject }: Bom): readonly string[] {
  const systems = components.filter(({ type }) => type === 'operating-system').map(({ bomRef }) => bomRef);
  const containers = new Set([rootRef(subject), ...systems]);
  const asked = new Set(
    dependencies.filter(({ ref }) => !containers.has(ref)).flatMap(({ dependsOn }) => dependsOn),
  );
  return dependencies
    .filter(({ ref }) => containers.has(ref))
    .flatMap(({ dependsOn }) => dependsOn.filter((ref) => !asked.has(ref)));
}
