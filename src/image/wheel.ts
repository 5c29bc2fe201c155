import { byCodeUnit } from '../base/text.ts';
import {
  type Cataloger,
  contentLimit,
  type ObservedFile,
  type StreamScanner,
  type Tree,
  type TreeFile,
} from '../catalogers/contract.ts';
import { readZip, type ZipEntry } from './zip.ts';

/** Where the files of a wheel are shown to catalogers, as if it were installed there. */
const wheelSite = 'lib/python3/site-packages';
const headLength = 4096;

/**
 * The files of a wheel as one cataloger sees them once they are installed, and nothing else. What is not
 * wanted is not unpacked.
 *
 * @throws TcfError `zip.malformed`, `zip.unreadable` (exit 2).
 */
export async function treeOfWheel<Seen extends object>(
  path: string,
  cataloger: Cataloger<Seen>,
): Promise<Tree<Seen>> {
  return await readZip(path, async (entries) => {
    const files = new Map<string, TreeFile>();
    const observed: ObservedFile<Seen>[] = [];
    for (const entry of [...entries].sort((a, b) => byCodeUnit(a.name, b.name))) {
      const { file, observation } = await readEntry(entry, cataloger);
      files.set(file.path, file);
      if (observation !== undefined) {
        observed.push({ ...file, observation });
      }
    }
    return toTree(files, observed, cataloger);
  });
}

async function readEntry<Seen extends object>(
  entry: ZipEntry,
  cataloger: Cataloger<Seen>,
): Promise<{ readonly file: TreeFile; readonly observation: Seen | undefined }> {
  const path = `${wheelSite}/${entry.name}`;
  const isWanted = cataloger.wants(path) && entry.size <= (cataloger.contentLimit ?? contentLimit);
  const kept: Uint8Array[] = [];
  const scanned = scanning(path, cataloger);
  await entry.stream((chunk) => {
    if (isWanted) {
      kept.push(Uint8Array.from(chunk));
    }
    scanned.push(chunk);
  });
  const content = isWanted ? Buffer.concat(kept) : undefined;
  const file: TreeFile = { path, size: entry.size, layer: { index: 0, diffId: '' }, content: () => content };
  return { file, observation: scanned.end() };
}

/** A scanner that is asked for once the head of the file is there. */
function scanning<Seen extends object>(path: string, { scan }: Cataloger<Seen>): StreamScanner<Seen> {
  const head: Uint8Array[] = [];
  let length = 0;
  let asked: { readonly scanner: StreamScanner<Seen> | undefined } | undefined;
  const ask = (): StreamScanner<Seen> | undefined => {
    if (asked === undefined) {
      const seen = Buffer.concat(head);
      asked = { scanner: scan?.(path, seen) };
      asked.scanner?.push(seen);
    }
    return asked.scanner;
  };
  return {
    push(chunk) {
      if (asked !== undefined) {
        asked.scanner?.push(chunk);
      } else {
        head.push(Uint8Array.from(chunk));
        length += chunk.length;
        if (length >= headLength) {
          ask();
        }
      }
    },
    end: () => ask()?.end(),
  };
}

/** A wheel has no links, so every path is real. */
function toTree<Seen extends object>(
  files: ReadonlyMap<string, TreeFile>,
  observed: readonly ObservedFile<Seen>[],
  cataloger: Cataloger<Seen>,
): Tree<Seen> {
  const children = new Map<string, Set<string>>();
  for (const path of files.keys()) {
    for (let at = path; at !== ''; ) {
      const parent = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      children.set(
        parent,
        (children.get(parent) ?? new Set()).add(at.slice(parent === '' ? 0 : parent.length + 1)),
      );
      at = parent;
    }
  }
  const exists = (path: string): boolean => files.has(path) || children.has(path);
  return {
    architecture: 'amd64',
    env: [],
    wanted: () => [...files.values()].filter(({ path }) => cataloger.wants(path)),
    observed: () => observed,
    file: (path) => files.get(path),
    exists,
    resolve: (path) => (exists(path) ? path : undefined),
    list: (path) => [...(children.get(path) ?? [])].sort(byCodeUnit),
    history: (path) => [...files.values()].filter((file) => file.path === path),
  };
}
