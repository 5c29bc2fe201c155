import type { Digest } from '../../oci/digest.ts';
import { inputsOf } from '../lock/inputs.ts';
import type { BuiltStage } from './build-image.ts';

/** The type of our builds; docs/images.md says what its parameters mean. */
const buildType = 'urn:tcf:build:1';

export interface ProvenanceParts {
  readonly stages: readonly BuiltStage[];
  /** URI that names who builds. */
  readonly builder: string;
  readonly started: Date;
  readonly finished: Date;
  /** Digest of the SBOM's text. */
  readonly sbom: Digest;
  /** Versions of what took part, by name: they may matter, and no policy asks for them. */
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * The predicate of SLSA provenance 1.x for a build: the lock decides what is built, and every input stands
 * among the dependencies by its hash (https://slsa.dev/spec/v1.0/provenance).
 */
export function toProvenance(parts: ProvenanceParts): unknown {
  const { builder, finished, sbom, stages, started, tools } = parts;
  const top = stages.at(-1)?.open;
  return {
    buildDefinition: {
      buildType,
      externalParameters: { image: top?.lock.image ?? '', lock: top?.digest ?? '' },
      internalParameters: { tools, runtime: startOf(stages.at(-1)?.stage.runtime ?? {}) },
      resolvedDependencies: stages.flatMap(dependenciesOf),
    },
    runDetails: {
      builder: { id: builder, version: tools },
      metadata: { startedOn: started.toISOString(), finishedOn: finished.toISOString() },
      byproducts: [
        { name: 'bom.json', digest: digestSet(sbom), mediaType: 'application/vnd.cyclonedx+json' },
      ],
    },
  };
}

/** As whom and with what a container of the image starts: what a policy may want of it. */
function startOf(runtime: Readonly<Record<string, unknown>>): unknown {
  return {
    user: runtime['User'] ?? '',
    entrypoint: runtime['Entrypoint'] ?? [],
    command: runtime['Cmd'] ?? [],
  };
}

function dependenciesOf({ context, open }: BuiltStage): readonly unknown[] {
  const { base, image } = open.lock;
  return [
    { name: `${image}/lock.yaml`, digest: digestSet(open.digest) },
    ...context.map(({ digest, name }) => ({ name: `${image}/${name}`, digest: digestSet(digest) })),
    ...('image' in base
      ? [
          {
            name: 'base',
            uri: `docker://${base.image}`,
            digest: { sha256: base.digest.slice('sha256:'.length) },
          },
        ]
      : []),
    ...inputsOf(open.lock, open.folder).map(({ digest, kind, name, uri, version }) => ({
      name: version === undefined ? `${kind} ${name}` : `${kind} ${name} ${version}`,
      uri,
      digest: digestSet(digest),
    })),
  ];
}

function digestSet(digest: Digest): Readonly<Record<string, string>> {
  return { sha256: digest.slice('sha256:'.length) };
}
