import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { answer, type Refusal } from './refusal.ts';

/**
 * What a SLSA provenance says of a build, whichever version it is written in. Claims of its signer, no more.
 */
export interface ProvenanceFacts {
  /** `runDetails.builder.id` (1.x) or `builder.id` (0.2). */
  readonly builder: string;
  readonly buildType: string;
  /** What the build was asked to build; several where the document says it in several places. */
  readonly sources: readonly SourceClaim[];
  /** `externalParameters` (1.x) or `invocation.parameters` (0.2): what the caller of the build decided. */
  readonly parameters: unknown;
  /** `resolvedDependencies` (1.x) or `materials` (0.2): what went into it. */
  readonly materials: readonly Material[];
}

export interface SourceClaim {
  /** `https://github.com/acme/app`, without `git+`, `.git` and ref. */
  readonly repository: string;
  /** `refs/heads/main`, where the document says it. */
  readonly ref?: string;
}

export interface Material {
  readonly uri: string;
  /** `sha256:<hex>`, as written. */
  readonly digests: readonly string[];
}

/** `https://slsa.dev/provenance/v1` and its minor versions, and `v0.2`. The older `v0.1` says too little. */
export function isProvenance(predicateType: string): boolean {
  return /^https:\/\/slsa\.dev\/provenance\/v(?:0\.2|1(?:\.\d)?)$/.test(predicateType);
}

/** The build of PyTorch's wheels has some thousand. */
const maxMaterials = 100_000;
const maxText = 4000;

/** Refused with `document.malformed` where a required member is missing or is of another kind. */
export function parseProvenance(
  predicateType: string,
  predicate: unknown,
): Outcome<ProvenanceFacts, Refusal> {
  return answer('document.malformed', () => {
    const shape = new Shape(predicate, 'provenance');
    return predicateType.endsWith('/v0.2') ? readOld(shape) : readCurrent(shape);
  });
}

/** https://slsa.dev/spec/v1.2/build-provenance */
function readCurrent(shape: Shape): ProvenanceFacts {
  const definition = shape.get('buildDefinition');
  const parameters = definition.get('externalParameters');
  const materials = readMaterials(definition.optional('resolvedDependencies'));
  const asked = ['workflow', 'source', 'configSource'].flatMap((key) => readAsked(parameters.optional(key)));
  return {
    builder: shape.get('runDetails').get('builder').get('id').string(maxText),
    buildType: definition.get('buildType').string(maxText),
    sources: asked.length > 0 ? asked : fromMaterials(materials),
    parameters: parameters.value,
    materials,
  };
}

/** https://slsa.dev/spec/v0.2/provenance */
function readOld(shape: Shape): ProvenanceFacts {
  const invocation = shape.optional('invocation');
  const materials = readMaterials(shape.optional('materials'));
  const asked = readAsked(invocation?.optional('configSource'));
  return {
    builder: shape.get('builder').get('id').string(maxText),
    buildType: shape.get('buildType').string(maxText),
    sources: asked.length > 0 ? asked : fromMaterials(materials),
    parameters: invocation?.optional('parameters')?.value ?? {},
    materials,
  };
}

/**
 * `{repository, ref}` as GitHub's workflows write it, `{uri}` as BuildKit and the generators do, or the
 * address itself.
 */
function readAsked(shape: Shape | undefined): readonly SourceClaim[] {
  if (shape === undefined) {
    return [];
  }
  if (typeof shape.value === 'string') {
    return [toSource(shape.string(maxText))];
  }
  const repository = shape.optional('repository');
  if (repository !== undefined) {
    const ref = shape.optional('ref')?.string(maxText);
    return [
      {
        ...toSource(repository.string(maxText)),
        ...(ref === undefined ? {} : { ref }),
      },
    ];
  }
  const uri = shape.optional('uri');
  return uri === undefined ? [] : [toSource(uri.string(maxText))];
}

/** One git repository among the materials is the source; among several nobody says which. */
function fromMaterials(materials: readonly Material[]): readonly SourceClaim[] {
  const sources = materials.filter(({ uri }) => uri.startsWith('git+')).map(({ uri }) => toSource(uri));
  return new Set(sources.map(({ repository }) => repository)).size === 1 ? sources : [];
}

/** `git+https://github.com/acme/app@refs/heads/main`, `https://github.com/acme/app.git#refs/heads/main` */
function toSource(uri: string): SourceClaim {
  const [, address = '', ref] = /(.*?)(?:[@#](refs\/[^:]*|[0-9a-f]{40})(?::.*)?)?$/s.exec(uri) ?? [];
  const repository = address
    .replace(/^git\+/, '')
    .replace(/\/$/, '')
    .replace(/\.git$/, '');
  return { repository, ...(ref?.startsWith('refs/') ? { ref } : {}) };
}

function readMaterials(shape: Shape | undefined): readonly Material[] {
  return (shape?.list(maxMaterials) ?? []).map((material) => ({
    uri: material.optional('uri')?.string(maxText) ?? '',
    digests: Object.entries(material.optional('digest')?.record() ?? {}).flatMap(([algorithm, value]) =>
      typeof value === 'string' ? [`${algorithm}:${value}`] : [],
    ),
  }));
}
