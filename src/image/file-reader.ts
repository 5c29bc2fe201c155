import { formatBytes } from '../base/size.ts';
import type { Cataloger, Skipped, StreamScanner } from '../catalogers/contract.ts';
import { isProgram } from '../catalogers/programs/parts.ts';
import { openScanner } from '../catalogers/run.ts';
import { contentLimitOf, type Finds, scanLimits, tooMuchSeen } from './finds.ts';
import { type AskedFolder, type Interests, interestsOf, placeOfBit } from './interests.ts';
import { KeptContents } from './kept-contents.ts';
import { latin1ToText } from './names.ts';
import type { TarEntry, TarSink } from './tar.ts';

interface FileScanner {
  readonly cataloger: number;
  readonly scanner: StreamScanner;
}

const isDone = ({ scanner }: FileScanner): boolean => scanner.isDone === true;
const none: readonly FileScanner[] = [];
const noHead = new Uint8Array(0);
const allBits = 0x3fff_ffff;

/** One for each layer, used again for each file. */
export class FileReader implements TarSink {
  readonly finds: Map<number, Finds> = new Map();
  readonly programs: Set<number> = new Set();
  readonly skipped: Skipped[] = [];
  readonly #catalogers: readonly Cataloger[];
  readonly #kept = new KeptContents();
  #holesLeft: number = scanLimits.holes;
  #observationsLeft: number = scanLimits.layerObservations;
  readonly #interests: Interests;
  /** With its last slash; files come folder by folder. */
  #folderName = '';
  #folder: AskedFolder;
  #index = 0;
  /** As latin1. */
  #name = '';
  #maySee = 0;
  #size = 0;
  #wanted = 0;
  #content: Uint8Array | undefined;
  #filled = 0;
  readonly #head = new Uint8Array(scanLimits.head);
  #headSize = 0;
  #isDecided = false;
  #scanners: readonly FileScanner[] = none;
  readonly #isPartial: boolean;

  /** @param isPartial Contents cost a request each: scanners that go by the head of a file are not asked. */
  constructor(catalogers: readonly Cataloger[], isPartial = false) {
    this.#isPartial = isPartial;
    this.#catalogers = catalogers;
    this.#interests = interestsOf(catalogers);
    this.#folder = this.#interests.root;
  }

  /** What contents and heads lie in. */
  get blocks(): readonly ArrayBuffer[] {
    return this.#kept.blocks;
  }

  empty(index: number, name: string): void {
    this.#name = name;
    const wanted = this.#wantedBy();
    if (wanted !== 0) {
      this.finds.set(index, { wanted, scanned: 0, content: new Uint8Array(0), observations: new Map() });
    }
  }

  open(entry: TarEntry, name: string): TarSink | undefined {
    this.#index = entry.index;
    this.#name = name;
    this.#size = entry.size;
    const holes = Math.max(0, entry.size - entry.stored);
    // A hole costs nothing in the archive: without this limit a few hundred bytes keep us busy for years.
    if (holes > this.#holesLeft) {
      this.#skip(`a sparse file of ${formatBytes(entry.size)}: too many holes to look through`);
      return undefined;
    }
    this.#holesLeft -= holes;
    this.#wanted = this.#wantedBy();
    this.#maySee = this.#interests.mayScan(this.#folder, name, this.#folderName.length);
    this.#content = this.#wanted === 0 ? undefined : this.#reserve();
    this.#filled = 0;
    this.#headSize = 0;
    this.#isDecided = false;
    this.#scanners = none;
    if (this.#isPartial) {
      this.#decideByName();
    }
    return this;
  }

  /** Whether the content of a file is needed where it costs a request. */
  needs(name: string): boolean {
    this.#name = name;
    const isWanted = this.#wantedBy() !== 0;
    this.#maySee = this.#interests.mayScan(this.#folder, name, this.#folderName.length);
    return isWanted || this.#askedByName().some((one) => !isDone(one));
  }

  /** Nearly always nobody wants the file, and its first byte says that nobody ever will. */
  isOfUse(chunk: Uint8Array, at: number): boolean {
    return (
      this.#isDecided ||
      this.#content !== undefined ||
      this.#headSize > 0 ||
      this.#interests.mayBegin(chunk[at] ?? 0) ||
      this.#interests.byName(this.#maySee) !== 0
    );
  }

  /** Nobody wants the content, and nobody the bytes after those that were seen. */
  get isDone(): boolean {
    return this.#isDecided && this.#content === undefined && this.#scanners.every(isDone);
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
    const asked = this.#interests.scanning(this.#maySee, head);
    for (let left = asked; left !== 0; left &= left - 1) {
      const at = placeOfBit(left & -left);
      const cataloger = this.#catalogers[at];
      const scanner = cataloger && openScanner(cataloger, this.#path, head, this.skipped);
      if (scanner !== undefined) {
        this.#scanners = [...this.#scanners, { cataloger: at, scanner }];
        this.#found().scanned |= 1 << at;
      }
    }
    // It is asked about again under the names that links give it.
    const isTold = this.#interests.scanning(allBits, head) !== this.#interests.byName(allBits);
    const isKept = this.#scanners.length > 0 || this.#size >= scanLimits.headKeptFrom;
    if (isNative || isTold || (this.#interests.areOpen && isKept)) {
      this.#found().head = this.#kept.keepHead(head);
    }
  }

  #decideByName(): void {
    this.#isDecided = true;
    this.#scanners = this.#askedByName();
    // Under another name nothing else would be seen, and for a check nobody asks again.
    const asked = this.#interests.byName(this.#maySee);
    if (asked !== 0) {
      this.#found().scanned |= asked;
    }
  }

  #askedByName(): readonly FileScanner[] {
    const scanners: FileScanner[] = [];
    for (let left = this.#interests.byName(this.#maySee); left !== 0; left &= left - 1) {
      const at = placeOfBit(left & -left);
      const cataloger = this.#catalogers[at];
      const scanner =
        cataloger === undefined || cataloger.scanned?.isCheck === true
          ? undefined
          : openScanner(cataloger, this.#path, noHead, this.skipped);
      if (scanner !== undefined) {
        scanners.push({ cataloger: at, scanner });
      }
    }
    return scanners;
  }

  get #path(): string {
    return latin1ToText(this.#name);
  }

  #wantedBy(): number {
    const slash = this.#name.lastIndexOf('/');
    if (slash + 1 !== this.#folderName.length || !this.#name.startsWith(this.#folderName)) {
      this.#folderName = this.#name.slice(0, slash + 1);
      this.#folder = this.#interests.folder(this.#name.slice(0, Math.max(0, slash)));
    }
    const candidates = this.#interests.mayWant(this.#folder, this.#name, slash + 1);
    return candidates === 0 ? 0 : this.#interests.wanting(candidates, this.#path);
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
