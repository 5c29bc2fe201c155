import type { Purl } from './purl.ts';

/** What tcf knows about an image, before any format: immutable, plain data, in the words of CycloneDX 1.7. */
export interface Bom {
  readonly subject: Subject;
  /** Top-level components; what belongs to another component is nested in its `components`. */
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
  readonly compositions: readonly Composition[];
  /** Facts about the scan as a whole: what was skipped, what is known to be unknown. */
  readonly properties: readonly Property[];
}

/**
 * The image the BOM describes. The config digest identifies it on every transport; the manifest digest where
 * there is one.
 */
export interface Subject {
  /** `triton-dev`, the last path component of the repository; else the config digest. */
  readonly name: string;
  readonly configDigest: string;
  readonly manifestDigest?: string;
  /** `registry/repository`, where the image came from a registry or a store that knows it. */
  readonly repository?: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** RFC 3339, from the image configuration. */
  readonly created?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The image this one is built on, where its layers were seen to be the lowest ones of this image. */
  readonly base?: BaseImage;
  /** What the builder says the base is. */
  readonly claimedBase?: { readonly name?: string; readonly digest?: string };
}

export interface BaseImage {
  readonly configDigest: string;
  readonly manifestDigest?: string;
  /** `registry/repository`. */
  readonly repository?: string;
  /** How many layers of the image are the base's: those with a lower index came with it. At least 1. */
  readonly layers: number;
}

/** Unique in a BOM, made from purl and location, never random. */
export type BomRef = string;

export type ComponentType = 'application' | 'container' | 'file' | 'library' | 'operating-system';

export interface Component {
  readonly bomRef: BomRef;
  readonly type: ComponentType;
  readonly name: string;
  /** Absent where it is not known; never guessed. */
  readonly version?: string;
  readonly purl?: Purl;
  readonly cpe?: string;
  readonly description?: string;
  readonly supplier?: Organization;
  /** Who made it, where a profile asks for that by itself. */
  readonly manufacturer?: Organization;
  readonly authors?: readonly Contact[];
  readonly licenses?: readonly License[];
  readonly copyright?: string;
  readonly hashes?: readonly ComponentHash[];
  readonly externalReferences?: readonly ExternalReference[];
  readonly properties?: readonly Property[];
  readonly evidence?: ComponentEvidence;
  readonly pedigree?: { readonly ancestors: readonly Component[] };
  readonly components?: readonly Component[];
}

export interface Organization {
  readonly name: string;
  readonly url?: string;
  readonly contacts?: readonly Contact[];
}

export interface Contact {
  readonly name?: string;
  readonly email?: string;
}

/** One licence statement. An `expression` is valid SPDX; what does not map is kept as `name`. */
export type License = { readonly acknowledgement: 'concluded' | 'declared' } & (
  | { readonly expression: string }
  | { readonly name: string }
);

export interface ComponentHash {
  readonly algorithm: 'MD5' | 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** Lower-case hexadecimal. */
  readonly value: string;
  /**
   * Of which bytes this is the hash: `file`, `rpm header`, `RECORD`, `deb archive`. Written as
   * `tcf:hash:subject`.
   */
  readonly subject: string;
}

export interface ExternalReference {
  readonly type:
    | 'build-meta'
    | 'distribution'
    | 'documentation'
    | 'issue-tracker'
    | 'other'
    | 'security-contact'
    | 'source-distribution'
    | 'vcs'
    | 'website';
  readonly url: string;
  readonly comment?: string;
  readonly hashes?: readonly ComponentHash[];
}

export interface Property {
  readonly name: string;
  readonly value: string;
}

export interface ComponentEvidence {
  readonly identity?: readonly Identity[];
  readonly occurrences?: readonly Occurrence[];
  readonly copyright?: readonly string[];
}

/** Which field was identified, how, and how sure that is (0 to 1). */
export interface Identity {
  readonly field: 'cpe' | 'hash' | 'name' | 'purl' | 'version';
  readonly confidence: number;
  readonly concludedValue?: string;
  readonly methods: readonly IdentityMethod[];
}

export interface IdentityMethod {
  readonly technique: 'binary-analysis' | 'filename' | 'hash-comparison' | 'manifest-analysis' | 'other';
  readonly confidence: number;
  readonly value: string;
}

/** Where a component was found: a path in the image, and the layer that brought it. */
export interface Occurrence {
  /** Without a leading slash, as in the layer: `usr/lib/os-release`. */
  readonly location: string;
  readonly layer?: Layer;
  /** Byte offset in the file, for what was found inside a binary. */
  readonly offset?: number;
}

export interface Layer {
  /** Position from the bottom, from 0. */
  readonly index: number;
  readonly diffId: string;
  /** The build step from the image's history. */
  readonly createdBy?: string;
}

export interface Dependency {
  readonly ref: BomRef;
  /** Empty only where the metadata was read and asks for nothing. */
  readonly dependsOn: readonly BomRef[];
}

export interface Composition {
  readonly aggregate: 'complete' | 'incomplete' | 'unknown';
  /** Components whose contents are described; absent: the BOM as a whole. */
  readonly assemblies?: readonly BomRef[];
  /** Components whose dependencies are described. */
  readonly dependencies?: readonly BomRef[];
}
