import type { Component, Dependency, Layer } from '../bom/model.ts';

/**
 * One package database or one kind of native evidence. A cataloger is a plain value: it never imports
 * `image`, opens no file and keeps nothing between two images, so a test hands it a folder or a string.
 *
 * `Seen` is what its stream scanner says of a file and what `Tree.observed` gives back to it: plain data that
 * JSON can hold. A list of catalogers is `readonly Cataloger[]`, whatever each of them observes.
 */
export interface Cataloger<Seen extends object = object> {
  /** Stable, lower case: `dpkg`, `python`, `llvm`. It stands in the BOM with what was skipped. */
  readonly name: string;
  /**
   * Where files lie whose content is needed, as globs (`PathMatcher`): `wants` is asked about these and no
   * others. All lists are compiled to one automaton, so that a file of no interest costs nothing. Without a
   * list `wants` is asked about every file.
   */
  readonly wantedAt?: readonly string[];
  /**
   * Whether the content of this regular file is needed. The path has no leading slash. Content above
   * `contentLimit` is not kept; `TreeFile.content` then answers `undefined`.
   */
  wants(path: string): boolean;
  /**
   * Bytes, for files this cataloger wants, where `contentLimit` is too little. They stay in memory: keep it
   * small.
   */
  readonly contentLimit?: number;
  /** Which files `scan` is asked about; without it, every one. */
  readonly scanned?: ScannedFiles;
  /**
   * A scanner for a file that is too large to keep, such as `libtriton.so`. `head` holds the first bytes of
   * the file (at least 64, fewer only when the file ends before), so an ELF file is told by its magic.
   * `undefined`: not interested.
   */
  scan?(path: string, head: Uint8Array): StreamScanner<Seen> | undefined;
  /**
   * `false` where an observation is of no use under a name that a symbolic link gives a file: such a name is
   * known only when all layers were read, and to scan under it costs a second reading of a whole layer.
   */
  readonly scansBehindLinks?: boolean;
  /**
   * What `history` has to keep of a wanted content once a layer above replaced it; `undefined` keeps all of
   * it, as far as there is room. Of a database of 60 MiB the names of its packages are enough, for every
   * layer that wrote it.
   */
  summarize?(path: string, content: Uint8Array): Uint8Array | undefined;
  /** Reads what was kept. Never throws for bad content: that is a `Skipped` in the result. */
  catalog(tree: Tree<Seen>): Catalog;
}

/** Both hold where both are given. */
export interface ScannedFiles {
  /** Where the files lie, as globs. */
  readonly at?: readonly string[];
  /**
   * What they begin with, one character for each byte. Without it the head of a file says nothing to the
   * cataloger, and may be missing where the file has another name than in its layer.
   */
  readonly begins?: readonly string[];
  /**
   * The observation only tells whether a file is as something else says it is. It is left out where each
   * content costs a request.
   */
  readonly isCheck?: true;
}

/** Sees a file once, in chunks of any size; an observation must not depend on where the chunks are cut. */
export interface StreamScanner<Seen extends object = object> {
  push(chunk: Uint8Array): void;
  /** Whether the bytes that follow are of no use to it; they may be left out then. */
  readonly isDone?: boolean;
  /** The observation; `undefined` when there is nothing to say. */
  end(): Seen | undefined;
}

/** The merged file system of an image, as far as catalogers asked for it. */
export interface Tree<Seen extends object = object> {
  /** Target machine in the words of the image configuration: `amd64`, `arm64`. */
  readonly architecture: string;
  /** The image's environment, `NAME=value`. */
  readonly env: readonly string[];
  /** Every regular file that this cataloger wants and that is visible in the image, ordered by path. */
  wanted(): readonly TreeFile[];
  /** Every visible file that this cataloger's stream scanner had something to say about, ordered by path. */
  observed(): readonly ObservedFile<Seen>[];
  /**
   * The file behind a path, symbolic links followed inside the image; `undefined` if there is no regular
   * file.
   */
  file(path: string): TreeFile | undefined;
  exists(path: string): boolean;
  /** The real path after following symbolic links in every component; `undefined` if it leads nowhere. */
  resolve(path: string): string | undefined;
  /** Names in a directory, sorted; empty if the path leads to no directory. */
  list(path: string): readonly string[];
  /**
   * Contents that stood at this path in lower layers before they were replaced, as `summarize` left them,
   * lowest first, the visible one last and whole. Says in which layer a package first appeared.
   */
  history(path: string): readonly TreeFile[];
}

export interface TreeFile {
  /** Real path without a leading slash. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** When it was changed last, as the archive of its layer says, in whole seconds since 1970. */
  readonly modified?: number;
  readonly layer: Layer;
  /** Other names of the same file: hard links. */
  readonly links?: readonly string[];
  /** `undefined` where the content was not wanted or is above `contentLimit`. */
  content(): Uint8Array | undefined;
}

export interface ObservedFile<Seen extends object = object> extends TreeFile {
  readonly observation: Seen;
}

/** What one cataloger found. */
export interface Catalog {
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependency[];
  /** Which paths each component owns, so that two catalogers that saw one thing agree on one component. */
  readonly owners?: readonly Ownership[];
  /** Known unknowns: each makes the composition of this cataloger incomplete. */
  readonly skipped: readonly Skipped[];
  /**
   * What was seen and left out on purpose, such as package caches: named in the BOM, which is then not
   * complete.
   */
  readonly leftOut?: readonly Skipped[];
  /**
   * Components whose dependencies could not be read; they get no `dependsOn` and stand in an `unknown`
   * composition.
   */
  readonly unknownDependencies?: readonly string[];
}

export interface Ownership {
  readonly bomRef: string;
  /** Whether this component owns the path, which is real and has no leading slash. */
  owns(path: string): boolean;
}

export interface Skipped {
  readonly path: string;
  /** `stanza 12 has no Package field`. One line; a stranger's text in it is escaped. */
  readonly reason: string;
}

/**
 * 16 MiB holds every database and metadata file seen; rpm databases are larger and have a limit of their own.
 */
export const contentLimit: number = 16 * 1024 * 1024;
