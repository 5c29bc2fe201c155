import { formatBytes } from '../base/bytes.ts';
import type { Cataloger, Skipped, StreamScanner } from '../catalogers/contract.ts';
import { isProgram } from '../catalogers/programs/parts.ts';
import { openScanner } from '../catalogers/run.ts';
import { contentLimitOf, type Finds, scanLimits, tooMuchSeen, wantedBy } from './finds.ts';
import { KeptContents } from './kept-contents.ts';
import { latin1ToText } from './names.ts';

import type { TarEntry, TarSink } from './tar.ts';

/** One for each layer, used again for each file. */
export class FileReader implements TarSink {
  readonly finds: Map<number, Finds> = new Map();
  readonly programs: Set<number> = new Set();
  readonly skipped: Skipped[] = [];
  readonly #catalogers: readonly Cataloger[];
  readonly #kept = new KeptContents();
  #holesLeft: number = scanLimits.holes;
  #observationsLeft: number = scanLimits.layerObservations;
  #index = 0;
  #path = '';
  #size = 0;
  #wanted = 0;
  #content: Uint8Array | undefined;
  #filled = 0;
  readonly #head = new Uint8Array(scanLimits.head);
  #headSize = 0;
  #isDecided = false;
  #scanners: { readonly cataloger: number; readonly scanner: StreamScanner }[] = [];

  constructor(catalogers: readonly Cataloger[]) {
    this.#catalogers = catalogers;
  }

  /** What contents and heads lie in. */
  get blocks(): readonly ArrayBuffer[] {
    return this.#kept.blocks;
  }

  empty(index: number, name: string): void {
    const wanted = wantedBy(this.#catalogers, latin1ToText(name));
    if (wanted !== 0) {
      this.finds.set(index, { wanted, scanned: 0, content: new Uint8Array(0), observations: new Map() });
    }
  }

  open(entry: TarEntry, name: string): TarSink | undefined {
    this.#index = entry.index;
    this.#path = latin1ToText(name);
    this.#size = entry.size;
    const holes = Math.max(0, entry.size - entry.stored);
    // A hole costs nothing in the archive: without this limit a few hundred bytes keep us busy for years.
    if (holes > this.#holesLeft) {
      this.#skip(`a sparse file of ${formatBytes(entry.size)}: too many holes to look through`);
      return undefined;
    }
    this.#holesLeft -= holes;
    this.#wanted = wantedBy(this.#catalogers, this.#path);
    this.#content = this.#wanted === 0 ? undefined : this.#reserve();
    this.#filled = 0;
    this.#headSize = 0;
    this.#isDecided = false;
    this.#scanners = [];
    return this;
  }

  /** Nobody wants the content, and nobody the bytes after the head. */
  get isDone(): boolean {
    return this.#isDecided && this.#content === undefined && this.#scanners.length === 0;
  }

  push(chunk: Uint8Array): void {
    if (this.#content !== undefined) {
      this.#content.set(chunk, this.#filled);
      this.#filled += chunk.length;
    }
    if (this.#isDecided) {
      for (const { scanner } of this.#scanners) {
        scanner.push(chunk);
      }
      return;
    }
    // Nearly always the first chunk holds the whole head, and nothing is copied.
    if (this.#headSize === 0 && chunk.length >= Math.min(scanLimits.head, this.#size)) {
      this.#decide(chunk.subarray(0, scanLimits.head));
      for (const { scanner } of this.#scanners) {
        scanner.push(chunk);
      }
      return;
    }
    const part = chunk.subarray(0, scanLimits.head - this.#headSize);
    this.#head.set(part, this.#headSize);
    this.#headSize += part.length;
    if (this.#headSize < Math.min(scanLimits.head, this.#size)) {
      return;
    }
    const head = this.#head.slice(0, this.#headSize);
    this.#decide(head);
    for (const { scanner } of this.#scanners) {
      scanner.push(head);
      if (part.length < chunk.length) {
        scanner.push(chunk.subarray(part.length));
      }
    }
  }

  end(): void {
    for (const { cataloger, scanner } of this.#scanners) {
      const observation = scanner.end();
      if (observation !== undefined) {
        this.#keep(cataloger, observation);
      }
    }
    if (this.#wanted === 0) {
      return;
    }
    const found = this.#found();
    found.wanted = this.#wanted;
    if (this.#content !== undefined) {
      found.content = this.#kept.keep(this.#content);
    }
  }

  #decide(head: Uint8Array): void {
    this.#isDecided = true;
    const isNative = isProgram(head);
    if (isNative) {
      this.programs.add(this.#index);
    }
    for (let at = 0; at < this.#catalogers.length; at += 1) {
      const cataloger = this.#catalogers[at];
      const scanner = cataloger && openScanner(cataloger, this.#path, head, this.skipped);
      if (scanner === undefined) {
        continue;
      }
      this.#scanners.push({ cataloger: at, scanner });
      this.#found().scanned |= 1 << at;
    }
    // A scanned file is asked about again under the names that hard links give it.
    if (isNative || this.#scanners.length > 0 || this.#size >= scanLimits.headKeptFrom) {
      this.#found().head = this.#kept.keepHead(head);
    }
  }

  #reserve(): Uint8Array | undefined {
    // The file may yet be hidden by a layer above: what stays visible without content is reported after the
    // merge.
    const most = contentLimitOf(this.#catalogers, this.#wanted);
    return this.#size > most ? undefined : this.#kept.reserve(this.#size);
  }

  #keep(cataloger: number, observation: object): void {
    const size = JSON.stringify(observation).length;
    if (size > this.#observationsLeft) {
      this.#skip(tooMuchSeen);
      return;
    }
    this.#observationsLeft -= size;
    const found = this.#found();
    found.observations.set(cataloger, observation);
    found.observationBytes = (found.observationBytes ?? 0) + size;
  }

  #found(): Finds {
    const found = this.finds.get(this.#index) ?? { wanted: 0, scanned: 0, observations: new Map() };
    this.finds.set(this.#index, found);
    return found;
  }

  #skip(reason: string): void {
    this.skipped.push({ path: this.#path, reason });
  }
}
