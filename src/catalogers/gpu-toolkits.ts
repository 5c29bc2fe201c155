import { decodeUtf8 } from '../base/bytes.ts';
import { TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, Property } from '../bom/model.ts';
import type { Catalog, Cataloger, Skipped, Tree, TreeFile } from './contract.ts';
import { amd, nvidia, partComponent } from './gpu.ts';

const cudaFile = /(?:^|\/)cuda(?:-[\d.]+)?\/version\.json$/;
const rocmFile = /(?:^|\/)rocm[^/]*\/\.info\/version$/;
const versionText = /^\d{1,3}(?:\.\d{1,9}){1,3}$/;
/** CUDA 13 lists 30 parts. */
const maxParts = 200;

/**
 * Toolkits that were unpacked from a tarball or put there by an installer, by the file in which they name
 * themselves: CUDA's `version.json`, ROCm's `.info/version`. The parts that `version.json` lists are what was
 * chosen from, not what lies on disk, so they are properties.
 */
export const gpuToolkits: Cataloger = {
  name: 'gpu-toolkits',
  wantedAt: ['**/cuda*/version.json', '**/rocm*/.info/version'],
  wants: (path) => cudaFile.test(path) || rocmFile.test(path),
  catalog(tree: Tree): Catalog {
    const components: Component[] = [];
    const skipped: Skipped[] = [];
    for (const file of tree.wanted()) {
      const content = file.content();
      const read = cudaFile.test(file.path) ? cuda : rocm;
      const found = content === undefined ? 'too large to read' : read(file, content);
      if (typeof found === 'string') {
        skipped.push({ path: printable(file.path), reason: found });
      } else if (found !== undefined) {
        components.push(found);
      }
    }
    return { components, dependencies: [], skipped };
  },
};

/**
 * `{"cuda": {"name": "CUDA SDK", "version": "12.8.1"}, "cuda_cudart": {...}}`; `undefined` for a
 * `version.json` of another program.
 */
function cuda(file: TreeFile, content: Uint8Array): Component | string | undefined {
  try {
    const shape = new Shape(parseJson(content, 'version.json'), 'version.json');
    const version = shape.optional('cuda')?.get('version').string(100);
    if (version === undefined) {
      return undefined;
    }
    if (!versionText.test(version)) {
      return `names an invalid version: ${printable(version)}`;
    }
    const parts = Object.keys(shape.record()).filter((key) => key !== 'cuda');
    const properties: readonly Property[] = parts
      .slice(0, maxParts)
      .sort(byCodeUnit)
      .map((key) => ({
        name: 'tcf:cuda:part',
        value: `${printable(key)} ${printable(shape.get(key).get('version').string(100))}`,
      }));
    return partComponent({
      vendor: nvidia,
      name: 'cuda-toolkit',
      version,
      description: 'CUDA toolkit',
      file,
      licenses: [{ acknowledgement: 'concluded', expression: 'LicenseRef-NVIDIA-CUDA-EULA' }],
      properties,
      method: { technique: 'manifest-analysis', confidence: 0.9, value: `version.json names ${version}` },
    });
  } catch (error) {
    if (error instanceof TcfError) {
      return error.message;
    }
    throw error;
  }
}

/** `7.1.1-38`: release and build. */
function rocm(file: TreeFile, content: Uint8Array): Component | string {
  const version = decodeUtf8(content)?.trim() ?? '';
  if (!/^\d{1,3}(?:\.\d{1,9}){1,3}(?:-[\w.]{1,40})?$/.test(version)) {
    return 'names no version of ROCm';
  }
  return partComponent({
    vendor: amd,
    name: 'rocm',
    version,
    description: 'ROCm',
    file,
    method: { technique: 'manifest-analysis', confidence: 0.9, value: `.info/version names ${version}` },
  });
}
