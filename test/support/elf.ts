import type { Layer } from '../../src/bom/model.ts';
import type { Catalog, Cataloger, ObservedFile, Tree, TreeFile } from '../../src/catalogers/contract.ts';

/** The first bytes of a 64-bit little-endian ELF shared object; only the magic counts for catalogers. */
const elfHead = Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(57)]);

/**
 * An ELF file with strings in it as compilers put them: each ends with NUL, with code between them. `fill`
 * pads every gap with that many bytes, so that strings come to lie wherever a test needs them.
 */
export function elf(strings: readonly string[], { fill = 100 }: { readonly fill?: number } = {}): Buffer {
  const code = Buffer.alloc(fill, Buffer.from('554889e54c8b7f00', 'hex'));
  return Buffer.concat([
    elfHead,
    ...strings.flatMap((text) => [code, Buffer.from(`\0${text}\0`, 'latin1')]),
    code,
  ]);
}

export interface Files {
  readonly [path: string]: Uint8Array | string;
}

export interface CatalogOptions {
  readonly env?: readonly string[];
  readonly chunk?: number;
  /** When every file was changed last, in seconds since 1970. */
  readonly modified?: number;
}

export const layer: Layer = { index: 0, diffId: `sha256:${'0'.repeat(64)}` };

/**
 * Runs one cataloger over files in memory, content in chunks of `chunk` bytes. Folders exist where files lie
 * in them.
 */
export function catalogFiles(
  cataloger: Cataloger,
  files: Files,
  { env = [], chunk = 65_536, modified }: CatalogOptions = {},
): Catalog {
  const all = new Map<string, TreeFile>();
  const observed: ObservedFile[] = [];
  for (const path of Object.keys(files).sort()) {
    const bytes = Buffer.from(files[path] ?? '');
    const file: TreeFile = {
      path,
      size: bytes.length,
      ...(modified === undefined ? {} : { modified }),
      layer,
      content: () => bytes,
    };
    all.set(path, file);
    const scanner = cataloger.scan?.(path, bytes.subarray(0, 64));
    if (scanner === undefined) {
      continue;
    }
    for (let at = 0; at < bytes.length; at += chunk) {
      scanner.push(bytes.subarray(at, at + chunk));
    }
    const observation = scanner.end();
    if (observation !== undefined) {
      observed.push({ ...file, observation: JSON.parse(JSON.stringify(observation)) });
    }
  }
  const isThere = (path: string): boolean =>
    all.has(path) || [...all.keys()].some((other) => other.startsWith(`${path}/`));
  const tree: Tree = {
    architecture: 'amd64',
    env,
    wanted: () => [...all.values()].filter(({ path }) => cataloger.wants(path)),
    observed: () => observed,
    file: (path) => (cataloger.wants(path) ? all.get(path) : undefined),
    exists: isThere,
    resolve: (path) => (isThere(path) ? path : undefined),
    list: (path) => [
      ...new Set(
        [...all.keys()].flatMap((other) =>
          other.startsWith(`${path}/`) ? (other.slice(path.length + 1).split('/')[0] ?? []) : [],
        ),
      ),
    ],
    history: (path) => [...all.values()].filter((file) => file.path === path),
  };
  return cataloger.catalog(tree);
}
