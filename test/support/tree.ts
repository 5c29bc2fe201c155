import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { byCodeUnit } from '../../src/base/text.ts';
import type { Layer } from '../../src/bom/model.ts';
import {
  type Cataloger,
  contentLimit,
  type ObservedFile,
  type Tree,
  type TreeFile,
} from '../../src/catalogers/contract.ts';

export interface TreeOptions {
  readonly architecture?: string;
  readonly env?: readonly string[];
  /**
   * Contents of lower layers, by path, lowest first. Each has a layer of its own; what is visible lies above
   * them all.
   */
  readonly before?: Readonly<Record<string, readonly (string | Uint8Array)[]>>;
}

/** What a file system holds: file contents, or where a link leads. */
export type Entry = string | Uint8Array | { readonly link: string };
export type Entries = Readonly<Record<string, Entry>>;

/** Files and links by their real path, as the tree of an image of one layer. */
export function treeOf<Seen extends object>(
  cataloger: Cataloger<Seen>,
  entries: Entries,
  options: TreeOptions = {},
): Tree<Seen> {
  const links = new Map<string, string>();
  const children = new Map<string, Set<string>>([['', new Set()]]);
  const files = new Map<string, TreeFile>();
  const observed: ObservedFile<Seen>[] = [];
  const steps = Math.max(0, ...Object.values(options.before ?? {}).map((contents) => contents.length));
  const fileAt = (path: string, content: string | Uint8Array, layer: Layer): TreeFile => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const kept = cataloger.wants(path) && bytes.length <= (cataloger.contentLimit ?? contentLimit);
    return { path, size: bytes.length, layer, content: () => (kept ? bytes : undefined) };
  };
  for (const path of Object.keys(entries).sort(byCodeUnit)) {
    const entry = entries[path] ?? '';
    for (let at = path; at !== ''; ) {
      const slash = at.lastIndexOf('/');
      const parent = at.slice(0, Math.max(0, slash));
      children.set(parent, (children.get(parent) ?? new Set()).add(at.slice(slash + 1)));
      at = parent;
    }
    if (typeof entry === 'object' && 'link' in entry) {
      links.set(path, entry.link);
      continue;
    }
    const file = fileAt(path, entry, layerOf(steps));
    files.set(path, file);
    const bytes = Buffer.from(entry);
    const scanner = cataloger.scan?.(path, bytes.subarray(0, 64));
    scanner?.push(bytes);
    const observation = scanner?.end();
    if (observation !== undefined) {
      observed.push({ ...file, observation });
    }
  }

  const resolve = (path: string, hops = 0): string | undefined => {
    let at = '';
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    for (const [index, part] of parts.entries()) {
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = at === '' ? part : `${at}/${part}`;
      const link = links.get(next);
      if (link !== undefined) {
        const start = link.startsWith('/') ? '' : `${at}/`;
        return hops > 40 ? undefined : resolve([start + link, ...parts.slice(index + 1)].join('/'), hops + 1);
      }
      at = next;
    }
    return files.has(at) || children.has(at) ? at : undefined;
  };
  const file = (path: string): TreeFile | undefined => files.get(resolve(path) ?? '');
  return {
    architecture: options.architecture ?? 'amd64',
    env: options.env ?? [],
    wanted: () => [...files.values()].filter(({ path }) => cataloger.wants(path)),
    observed: () => observed,
    file,
    exists: (path) => resolve(path) !== undefined,
    resolve: (path) => resolve(path),
    list: (path) => [...(children.get(resolve(path) ?? '?') ?? [])].sort(byCodeUnit),
    history(path) {
      const visible = file(path);
      const lower = (options.before?.[path] ?? []).map((content, index) =>
        fileAt(path, cataloger.summarize?.(path, Buffer.from(content)) ?? content, layerOf(index)),
      );
      return visible === undefined ? [] : [...lower, visible];
    },
  };
}

/** The tree in a folder, links as they are. */
export function treeFromFolder<Seen extends object>(
  folder: string,
  cataloger: Cataloger<Seen>,
  options: TreeOptions = {},
): Tree<Seen> {
  const entries: Record<string, Entry> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(join(folder, path))) {
      const inner = path === '' ? name : `${path}/${name}`;
      const full = join(folder, inner);
      const found = lstatSync(full);
      if (found.isSymbolicLink()) {
        entries[inner] = { link: readlinkSync(full) };
      } else if (found.isDirectory()) {
        walk(inner);
      } else if (found.isFile()) {
        entries[inner] = readFileSync(full);
      }
    }
  };
  walk('');
  return treeOf(cataloger, entries, options);
}

function layerOf(index: number): Layer {
  return { index, diffId: `sha256:${String(index).repeat(64).slice(0, 64)}`, createdBy: `step ${index}` };
}
