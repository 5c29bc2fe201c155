import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, Property } from '../bom/model.ts';
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
import { type FileHashes, fileHashes, hashesOfFile } from './file-hashes.ts';
import { identifiedBy } from './identity.ts';
import { installationTexts, isInstallationText } from './llvm/packages.ts';
import { installedVersions } from './triton-kernels/installed.ts';
import { isKeyOf, type KernelMetadata, parseKernelMetadata } from './triton-kernels/metadata.ts';

/**
 * Triton names the folder of a kernel by its hash: SHA-256 in base 32 (3.2 and later) or in hexadecimal
 * digits.
 */
const entryFile = /^((?:(.*)\/)?([A-Z2-7]{52}|[0-9a-f]{64}))\/([^/]+)$/s;
const entryFolders = [52, 64].map((length) => `**/${'?'.repeat(length)}`);
/** What stands for people and for the next stage of the compiler beside the code. */
const notCode = /\.(?:json|source|ttir|ttgir|llir|lock|tmp\..*)$|^tmp\./;
/** An image with ten thousand of them was autotuned for a week; each takes 1 KiB in the SBOM. */
const maxKernels = 20_000;
/** What a driver loads first; the others of a kernel are what it was made from. */
const order = ['cubin', 'hsaco', 'spv', 'zebin', 'so', 'ptx', 'amdgcn'];

type File = ObservedFile<FileHashes>;

interface Entry {
  /** The folder of the kernel, the cache around it and the name of the folder. */
  readonly folder: string;
  readonly cache: string;
  readonly key: string;
  /** `add` of `add.cubin` and `add.json`. */
  readonly name: string;
  /** Its code, what a driver loads first. */
  readonly files: readonly File[];
}

/**
 * The kernels in Triton's caches, wherever these lie: native code that runs with the user's rights and that
 * no package brought. Each is known by its metadata: target, key and the Triton that made it (docs/sbom.md,
 * "Compiled kernels").
 */
export const tritonKernels: Cataloger<FileHashes> = {
  name: 'triton-kernels',
  wantedAt: [...entryFolders.map((folder) => `${folder}/*.json`), ...installationTexts],
  wants: (path) => (path.endsWith('.json') && entryFile.test(path)) || isInstallationText(path),
  scanned: { at: entryFolders.map((folder) => `${folder}/*`) },
  scan(path): StreamScanner<FileHashes> | undefined {
    const name = entryFile.exec(path)?.[4];
    return name === undefined || notCode.test(name) ? undefined : fileHashes();
  },
  catalog(tree: Tree<FileHashes>): Catalog {
    const skipped: Skipped[] = [];
    const versions = installedVersions(tree);
    const entries = entriesIn(tree.observed()).filter((entry) => isTritons(tree, entry));
    const [cut] = entries.slice(maxKernels);
    if (cut !== undefined) {
      skipped.push({ path: printable(cut.cache), reason: `holds more than ${maxKernels} kernels` });
    }
    const components = entries.slice(0, maxKernels).map((entry) => {
      const file = tree.file(`${entry.folder}/${entry.name}.json`);
      const metadata = metadataIn(file, skipped);
      return componentOf(entry, file, metadata, versions);
    });
    const owners = entries.slice(0, maxKernels).map(({ files, folder, name }): Ownership => {
      const paths = new Set(files.flatMap(({ links = [], path }) => [path, ...links]));
      return { bomRef: refOf(folder, name), owns: (path) => paths.has(path) };
    });
    return { components, dependencies: [], owners, skipped };
  },
};

/** One entry for each name in each folder. */
function entriesIn(files: readonly File[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const file of files) {
    const [, folder = '', cache = '', key = '', base = ''] = entryFile.exec(file.path) ?? [];
    const name = base.split('.', 1)[0] ?? '';
    const id = `${folder}/${name}`;
    const others = entries.get(id)?.files ?? [];
    entries.set(id, { folder, cache, key, name, files: [...others, file].sort(byLoading) });
  }
  return [...entries.values()];
}

function byLoading(a: File, b: File): number {
  const rank = ({ path }: File): number => {
    const found = order.indexOf(path.slice(path.lastIndexOf('.') + 1));
    return found < 0 ? order.length : found;
  };
  return rank(a) - rank(b) || byCodeUnit(a.path, b.path);
}

/**
 * A folder with the name of a hash may be anybody's: Triton's has its metadata, or lies where Triton looks.
 */
function isTritons(tree: Tree<FileHashes>, { cache, folder, name }: Entry): boolean {
  if (/(?:^|\/)\.triton\/cache$/.test(cache)) {
    return true;
  }
  const configured = tree.env.findLast((entry) => entry.startsWith('TRITON_CACHE_DIR=')) ?? '';
  const path = configured.slice('TRITON_CACHE_DIR='.length).replace(/^\/+/, '');
  if (path !== '' && tree.resolve(path) === cache) {
    return true;
  }
  if (tree.list(folder).some((other) => other.startsWith('__grp__'))) {
    return true;
  }
  const content = tree.file(`${folder}/${name}.json`)?.content();
  return content !== undefined && parseKernelMetadata(content)?.target !== undefined;
}

function refOf(folder: string, name: string): string {
  return `kernel:${folder}/${name}`;
}

function metadataIn(file: TreeFile | undefined, skipped: Skipped[]): KernelMetadata | undefined {
  if (file === undefined) {
    return undefined;
  }
  const content = file.content();
  const metadata = content === undefined ? undefined : parseKernelMetadata(content);
  if (metadata === undefined) {
    skipped.push({ path: printable(file.path), reason: 'is not readable metadata of a kernel' });
  }
  return metadata;
}

function componentOf(
  entry: Entry,
  file: TreeFile | undefined,
  metadata: KernelMetadata | undefined,
  versions: ReadonlySet<string>,
): Component {
  const { files, folder, name } = entry;
  const [first] = files;
  return {
    bomRef: refOf(folder, name),
    type: 'file',
    name: printable(metadata?.name ?? name),
    ...(first === undefined ? {} : { hashes: hashesOfFile(first.observation) }),
    properties: propertiesOf(entry, file, metadata, versions),
    evidence: {
      identity: identifiedBy('name', {
        technique: file === undefined ? 'filename' : 'manifest-analysis',
        confidence: metadata === undefined ? 0.3 : 0.8,
        value: file?.path ?? first?.path ?? folder,
      }),
      occurrences: [...files, ...(file === undefined ? [] : [file])].map(({ layer, path }) => ({
        location: path,
        layer,
      })),
    },
  };
}

function propertiesOf(
  { cache, files, key }: Entry,
  file: TreeFile | undefined,
  metadata: KernelMetadata | undefined,
  versions: ReadonlySet<string>,
): readonly Property[] {
  const isLauncher = file === undefined && files.every(({ path }) => path.endsWith('.so'));
  const made = metadata?.triton;
  const whose = (version: string) => (versions.has(version) ? 'image' : 'other');
  const by = made === undefined ? 'unknown' : whose(made);
  const differs = metadata?.hash !== undefined && !isKeyOf(key, metadata.hash);
  const told: Readonly<Record<string, string>> = {
    cache: `/${cache}`,
    key,
    kind: isLauncher ? 'launcher' : 'kernel',
    'made-by': by,
    ...(differs ? { reason: `its metadata states the hash ${metadata.hash}, which is not its key` } : {}),
    target: metadata?.target ?? 'unknown',
    triton: made ?? 'unknown',
  };
  return Object.entries(told).map(([name, value]) => ({
    name: `tcf:kernel:${name}`,
    value: printable(value),
  }));
}
