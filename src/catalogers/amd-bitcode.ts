import { byCodeUnit } from '../base/text.ts';
import type { Component } from '../bom/model.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, ObservedFile, StreamScanner, Tree } from './contract.ts';
import { type FileHashes, fileHashes, hashesOfFile } from './file-hashes.ts';
import { amd, partComponent } from './gpu.ts';
import { magics } from './programs/magics.ts';

/** ROCm's device libraries that Triton ships or that compilers link by default. */
const libraries = /(?:^|\/)(asanrtl|hip|ockl|ocml|opencl)\.bc$/;
const magic = [0x42, 0x43, 0xc0, 0xde];

interface Known {
  /**
   * The release of ROCm whose compiler wrote the file, by the identification in it; absent where it names
   * none.
   */
  readonly rocm?: string;
  readonly triton: string;
}

/**
 * The files in Triton's releases, whose bytes say nothing that a search would find reliably: bitcode is not
 * byte-aligned. Sums compared with Triton's repository for this project.
 */
const known: ReadonlyMap<string, Known> = new Map([
  ['c10282ce42ae9081dbbb49728ca5189619dd73b4b6ef1b68e8be78274067f82d', { triton: 'Triton 3.0 to 3.6' }],
  ['50f3535d6d2009750d07e73aa2b498c1bfa6cfdfe68d473bce7cbfbdf1736b8e', { triton: 'Triton 3.0 to 3.6' }],
  [
    'd71bf64655375af6ddb208479668708877b018cd81e5d2adb396c444ce92f3da',
    { rocm: '6.2.3', triton: 'Triton 3.3 to 3.6' },
  ],
  [
    '6875e743c99d1123627ef94937b700d25ea0fe402773257c720250a1fc31c06d',
    { rocm: '7.1.0', triton: 'Triton 3.7 to 3.9' },
  ],
  [
    'dbc064b5f4f61221ab552ec6d8f0dab41153fe9bd86fdcc63a8a97c9475a21c5',
    { rocm: '7.1.0', triton: 'Triton 3.7 to 3.9' },
  ],
  [
    'bb4e7361dae373871eac53293bbef9c3504f3757365799eaa8f4c7781064a7be',
    { rocm: '7.1.0', triton: 'Triton 3.7 to 3.9' },
  ],
]);

/** AMD's bitcode libraries, by what their bytes are. The LLVM that wrote them is no LLVM of the image. */
export const amdBitcode: Cataloger<FileHashes> = {
  name: 'amd-bitcode',
  wantedAt: recordPlaces,
  wants: isRecord,
  scanned: { at: ['**/*.bc'], begins: magics.bitcode },
  scan(path, head): StreamScanner<FileHashes> | undefined {
    if (!libraries.test(path) || !magic.every((byte, at) => head[at] === byte)) {
      return undefined;
    }
    return fileHashes();
  },
  catalog(tree: Tree<FileHashes>): Catalog {
    const components = installed(tree, tree.observed()).map(componentOf);
    return {
      components: components.sort((a, b) => byCodeUnit(a.bomRef, b.bomRef)),
      dependencies: [],
      skipped: [],
    };
  },
};

/**
 * Of the directory amd/device-libs, whose files say that they are under the licence of the University of
 * Illinois.
 */
const origin: Pick<Component, 'externalReferences' | 'licenses'> = {
  licenses: [{ acknowledgement: 'concluded', expression: 'NCSA' }],
  externalReferences: [{ type: 'vcs', url: 'https://github.com/ROCm/llvm-project' }],
};

function componentOf(file: ObservedFile<FileHashes>): Component {
  const { sha256 } = file.observation;
  const name = libraries.exec(file.path)?.[1] ?? '';
  const found = known.get(sha256);
  return {
    ...partComponent({
      vendor: amd,
      name: `rocm-device-libs-${name}`,
      ...(found?.rocm === undefined ? {} : { version: found.rocm }),
      ...(found === undefined ? {} : origin),
      description: found === undefined ? `${name}.bc` : `${name}.bc as in ${found.triton}`,
      file,
      method:
        found === undefined
          ? { technique: 'filename', confidence: 0.4, value: `${name}.bc` }
          : { technique: 'hash-comparison', confidence: 1, value: `sha256 ${sha256}: as in ${found.triton}` },
    }),
    hashes: hashesOfFile(file.observation),
  };
}
