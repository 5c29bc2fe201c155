import { compact } from '../base/compact.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, IdentityMethod } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type {
  Catalog,
  Cataloger,
  ObservedFile,
  Ownership,
  Skipped,
  StreamScanner,
  Tree,
} from './contract.ts';
import { fileHashes, hashesOfFile } from './file-hashes.ts';
import { nvidia } from './gpu.ts';
import { identifiedBy } from './identity.ts';
import { modifiedAt } from './modified.ts';
import { isElf } from './programs/elf.ts';
import { magics } from './programs/magics.ts';
import { stringFinder } from './strings.ts';
import { toolOverrides } from './triton-env.ts';

/** What was seen of one file. `version` is absent where the file does not say it. */
interface Seen {
  readonly sha256: string;
  readonly sha512: string;
  readonly version?: string;
  readonly offset?: number;
}

const tools: ReadonlySet<string> = new Set([
  'cuobjdump',
  'fatbinary',
  'nvcc',
  'nvdisasm',
  'nvlink',
  'ptxas',
  'ptxas-blackwell',
]);
const bitcode = 'libdevice.10.bc';
const bitcodeMagic = [0x42, 0x43, 0xc0, 0xde];
const buildLine = /^Cuda compilation tools, release \d{1,3}\.\d{1,3}, V(\d{1,3}\.\d{1,3}\.\d{1,5})(?!\d)/;

/**
 * What is known about libdevice.10.bc, which has no version string that a search finds: the sum of its bytes
 * and the Triton releases that ship it, compared with Triton's repository for this project (docs/llvm.md).
 */
const libdevices: ReadonlyMap<string, string> = new Map([
  ['5c2fae37c86e68c3a38605a95f512d7d12d5f3db986310be47f57304aa72a5ee', 'Triton 2.0 to 3.8'],
  ['9e84b504f25d26ec775ef91f7122e68dac77fa1f776f1044128f5028356265d8', 'Triton 3.9'],
  ['9e84b504f25d26ec775ef91f7122e68dac77fa1f776f1044128f5028356265d8', 'Triton main from 2026-08-07'],
]);

/**
 * NVIDIA's tools by what they say of themselves. Only files that are the tool are asked: libcupti.so and
 * libnvperf_host.so hold complete build lines of other versions. Libraries have their version in their file
 * name only.
 */
export const cudaTools: Cataloger<Seen> = {
  name: 'cuda-tools',
  wantedAt: recordPlaces,
  wants: isRecord,
  scanned: {
    at: [...tools, bitcode, 'libcudart.so.*', 'libcudnn.so.*', 'libcupti.so*', 'libnccl.so.*'].map(
      (name) => `**/${name}`,
    ),
    begins: [...magics.elf, ...magics.bitcode],
  },
  scan(path, head): StreamScanner<Seen> | undefined {
    const name = nameOf(path);
    if (name === bitcode) {
      return bitcodeMagic.every((byte, at) => head[at] === byte) ? fileHashes() : undefined;
    }
    if (!isElf(head)) {
      return undefined;
    }
    if (tools.has(name)) {
      return readingBuildLine();
    }
    return libraryOf(name) === undefined ? undefined : fileHashes();
  },
  catalog(tree: Tree<Seen>): Catalog {
    const skipped: Skipped[] = [];
    const groups = new Map<string, ObservedFile<Seen>[]>();
    for (const file of installed(tree, tree.observed())) {
      const { sha256 } = file.observation;
      const name = nameOf(file.path);
      // Wheels have no links, so CUPTI lies there three times: one component. Two tools are two, whatever
      // their bytes.
      const library = libraryOf(name);
      const key = library === undefined ? file.path : `${library.name} ${directoryOf(file.path)} ${sha256}`;
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    const owners: Ownership[] = [];
    const components = [...groups.values()].map((files) => {
      const component = componentOf(files, tree.env);
      const paths = new Set(files.flatMap(({ path: name, links = [] }) => [name, ...links]));
      owners.push({ bomRef: component.bomRef, owns: (name) => paths.has(name) });
      const path = files[0]?.path ?? '';
      // A tool has a line for it; a library may be called `libcupti.so.12` and no more, and nothing of it was
      // left unread.
      if (component.version === undefined && tools.has(nameOf(path))) {
        skipped.push({ path: printable(path), reason: `${component.name} does not say its version` });
      }
      return component;
    });
    return { components, dependencies: [], owners, skipped };
  },
};

function readingBuildLine(): StreamScanner<Seen> {
  const hashes = fileHashes();
  let found: { version: string; offset: number } | undefined;
  const finder = stringFinder({
    anchors: ['Cuda compilation tools, release '],
    followedBy: /\d/,
    commits: false,
    onHit: ({ text, at, offset }) => {
      const version = buildLine.exec(text.slice(at))?.[1];
      if (version !== undefined) {
        found ??= { version, offset };
      }
    },
  });
  return {
    push(chunk) {
      hashes.push(chunk);
      finder.push(chunk);
    },
    end() {
      finder.end();
      return { ...hashes.end(), ...found };
    },
  };
}

function componentOf(files: readonly ObservedFile<Seen>[], env: readonly string[]): Component {
  const ordered = [...files].sort((a, b) => byCodeUnit(a.path, b.path));
  const [first] = ordered as [ObservedFile<Seen>];
  const name = nameOf(first.path);
  const seen = first.observation;
  const versioned = ordered.findLast(({ path }) => /\.so\.\d+\.\d+/.test(path));
  const fileVersion = libraryOf(nameOf(versioned?.path ?? ''))?.version;
  const what = libraryOf(name)?.name ?? (name === bitcode ? 'libdevice' : name);
  const version = seen.version ?? fileVersion;
  const purl = toPurl(
    compact({
      type: 'generic',
      namespace: 'nvidia',
      name: what,
      version,
    }),
  );
  const known = libdevices.get(seen.sha256);
  const method =
    proofOf(seen, known) ??
    ({
      technique: 'filename',
      confidence: fileVersion === undefined ? 0.4 : 0.7,
      value: nameOf(versioned?.path ?? first.path),
    } satisfies IdentityMethod);
  const overrides = tools.has(name) ? toolOverrides(env, name) : [];
  const properties = [
    ...overrides.map((value) => ({ name: 'tcf:triton:override', value })),
    ...(version === undefined ? modifiedAt(first) : []),
  ];
  return compact({
    bomRef: `${purl}#${first.path}`,
    type: tools.has(name) ? 'application' : 'library',
    name: what,
    version,
    purl,
    ...(known === undefined ? {} : { description: `libdevice.10.bc as in ${known}` }),
    supplier: nvidia.supplier,
    ...licensesOf(what),
    hashes: hashesOfFile(seen),
    ...(properties.length === 0 ? {} : { properties }),
    evidence: {
      identity: identifiedBy('version', method, version),
      occurrences: ordered.map(({ path, layer }) =>
        compact({
          location: path,
          layer,
          offset: seen.offset,
        }),
      ),
    },
  });
}

/**
 * A library by its file name. CUPTI is known under any; the others only where the name has the whole version,
 * as outside of wheels.
 */
function libraryOf(name: string): { readonly name: string; readonly version?: string } | undefined {
  const whole = /^lib(cudart|cudnn|nccl)\.so\.(\d{1,4}\.\d{1,4}\.\d{1,6})$/.exec(name);
  if (whole?.[1] !== undefined && whole[2] !== undefined) {
    return { name: whole[1], version: whole[2] };
  }
  const cupti = /^libcupti\.so(?:\.(\d[\d.]*))?$/.exec(name);
  if (cupti === null) {
    return undefined;
  }
  return compact({ name: 'cupti', version: cupti[1] });
}

/** NCCL's licence changed over time, and its file name does not say to which. */
function licensesOf(what: string): Pick<Component, 'licenses'> {
  if (what === 'nccl') {
    return {};
  }
  const expression = what === 'cudnn' ? 'LicenseRef-NVIDIA-cuDNN-SLA' : 'LicenseRef-NVIDIA-CUDA-EULA';
  return { licenses: [{ acknowledgement: 'concluded', expression }] };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** How the version is known of what lies in the file itself; `undefined` where only its name tells. */
function proofOf({ sha256, version }: Seen, known: string | undefined): IdentityMethod | undefined {
  if (version !== undefined) {
    return { technique: 'binary-analysis', confidence: 0.95, value: `V${version}` };
  }
  return known === undefined
    ? undefined
    : { technique: 'hash-comparison', confidence: 1, value: `sha256 ${sha256}: as in ${known}` };
}
