import { reasonOf } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type {
  Catalog,
  Cataloger,
  ObservedFile,
  Ownership,
  Skipped,
  StreamScanner,
  Tree,
  TreeFile,
} from './contract.ts';

/**
 * What a cataloger finds in an image. A cataloger reads what strangers wrote, and one line that it did not
 * expect must not cost what every other cataloger found: whatever it throws becomes a `Skipped` with the file
 * that it read last, also where it throws later, when it is asked who owns a path. `skipped` of the result
 * grows then.
 */
export function runCataloger<Seen extends object>(cataloger: Cataloger<Seen>, tree: Tree<Seen>): Catalog {
  const late: Skipped[] = [];
  let place = '/';
  const followedTree = followed(tree, (path) => {
    place = path;
  });
  try {
    const { owners = [], skipped, ...found } = cataloger.catalog(followedTree);
    late.push(...skipped);
    return { ...found, owners: owners.map((owner) => guarded(owner, cataloger.name, late)), skipped: late };
  } catch (error) {
    late.push(stopped(cataloger.name, place, 'and all that it found is left out', error));
    return { components: [], dependencies: [], skipped: late };
  }
}

/**
 * The scanner of a cataloger for a file, as `Cataloger.scan` says. Once it throws it sees no more of this
 * file, and `skipped` says so.
 */
export function openScanner<Seen extends object>(
  cataloger: Cataloger<Seen>,
  path: string,
  head: Uint8Array,
  skipped: Skipped[],
): StreamScanner<Seen> | undefined {
  try {
    const scanner = cataloger.scan?.(path, head);
    // Nearly always nobody is interested, and nothing is allocated.
    return scanner && new GuardedScanner(scanner, cataloger.name, path, skipped);
  } catch (error) {
    skipped.push(stopped(cataloger.name, path, unfinished, error));
    return undefined;
  }
}

const unfinished = 'and the file was not read to its end';

class GuardedScanner<Seen extends object> implements StreamScanner<Seen> {
  #scanner: StreamScanner<Seen> | undefined;
  readonly #name: string;
  readonly #path: string;
  readonly #skipped: Skipped[];

  constructor(scanner: StreamScanner<Seen>, name: string, path: string, skipped: Skipped[]) {
    this.#scanner = scanner;
    this.#name = name;
    this.#path = path;
    this.#skipped = skipped;
  }

  push(chunk: Uint8Array): void {
    try {
      this.#scanner?.push(chunk);
    } catch (error) {
      this.#stop(error);
    }
  }

  get isDone(): boolean {
    return this.#scanner === undefined || this.#scanner.isDone === true;
  }

  end(): Seen | undefined {
    try {
      return this.#scanner?.end();
    } catch (error) {
      this.#stop(error);
      return undefined;
    }
  }

  #stop(error: unknown): void {
    this.#scanner = undefined;
    this.#skipped.push(stopped(this.#name, this.#path, unfinished, error));
  }
}

/** What `Cataloger.summarize` keeps of a content; all of it where that throws. */
export function summaryBy(cataloger: Cataloger, path: string, content: Uint8Array): Uint8Array | undefined {
  try {
    return cataloger.summarize?.(path, content);
  } catch {
    // The visible content is asked for as well, and `runCataloger` says what is wrong with it.
    return content;
  }
}

function stopped(name: string, path: string, lost: string, error: unknown): Skipped {
  const reason = `the cataloger ${name} stopped here, ${lost}: ${reasonOf(error)}`;
  return { path: printable(path), reason: printable(reason) };
}

function guarded(owner: Ownership, name: string, skipped: Skipped[]): Ownership {
  let isBroken = false;
  return {
    bomRef: owner.bomRef,
    owns(path) {
      if (isBroken) {
        return false;
      }
      try {
        return owner.owns(path);
      } catch (error) {
        isBroken = true;
        skipped.push(stopped(name, path, 'and what a package of it owns is not known', error));
        return false;
      }
    },
  };
}

/** The same tree; `read` hears of each file whose content or observation is looked at. */
function followed<Seen extends object>(tree: Tree<Seen>, read: (path: string) => void): Tree<Seen> {
  const follow = (file: TreeFile): TreeFile => ({
    ...file,
    content() {
      read(file.path);
      return file.content();
    },
  });
  const followObserved = (file: ObservedFile<Seen>): ObservedFile<Seen> => ({
    ...follow(file),
    get observation() {
      read(file.path);
      return file.observation;
    },
  });
  let wanted: readonly TreeFile[] | undefined;
  let observed: readonly ObservedFile<Seen>[] | undefined;
  return {
    ...tree,
    wanted() {
      wanted ??= tree.wanted().map(follow);
      return wanted;
    },
    observed() {
      observed ??= tree.observed().map(followObserved);
      return observed;
    },
    file(path) {
      const found = tree.file(path);
      return found && follow(found);
    },
    history: (path) => tree.history(path).map(follow),
  };
}
