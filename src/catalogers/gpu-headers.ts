import { compact } from '../base/compact.ts';
import { printable } from '../base/text.ts';
import type { Component, License } from '../bom/model.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, Skipped, Tree } from './contract.ts';
import { amd, nvidia, partComponent, type Vendor } from './gpu.ts';

interface Header {
  readonly vendor: Vendor;
  readonly name: string;
  readonly description: string;
  /** Macros whose numbers make the version. A file of this name without the first of them is another file. */
  readonly macros: readonly string[];
  readonly toVersion: (numbers: readonly number[], text: string) => string | undefined;
  readonly licenses: readonly License[];
}

const eula: readonly License[] = [
  { acknowledgement: 'concluded', expression: 'LicenseRef-NVIDIA-CUDA-EULA' },
];
const cudnnSla: readonly License[] = [
  { acknowledgement: 'concluded', expression: 'LicenseRef-NVIDIA-cuDNN-SLA' },
];
const spdx = (expression: string): readonly License[] => [{ acknowledgement: 'concluded', expression }];
const dotted = (numbers: readonly number[]): string => numbers.join('.');
/** `12080` is 12.8: thousands are the major number, tens the minor one. */
const release = ([number = 0]: readonly number[]): string =>
  `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`;

/**
 * The headers by which a program learns at compile time what it is built against. CUDA's say release and no
 * patch level. They prove that the headers are there: what a program links or loads is another file, and
 * where that is found it is another component.
 */
const headers: ReadonlyMap<string, Header> = new Map([
  [
    'cuda.h',
    {
      vendor: nvidia,
      name: 'cuda-headers',
      description: 'headers of the CUDA driver API',
      macros: ['CUDA_VERSION'],
      toVersion: release,
      licenses: eula,
    },
  ],
  [
    'cuda_runtime_api.h',
    {
      vendor: nvidia,
      name: 'cudart-headers',
      description: 'headers of the CUDA runtime',
      macros: ['CUDART_VERSION'],
      toVersion: release,
      licenses: eula,
    },
  ],
  [
    'cudnn_version.h',
    {
      vendor: nvidia,
      name: 'cudnn-headers',
      description: 'headers of cuDNN',
      macros: ['CUDNN_MAJOR', 'CUDNN_MINOR', 'CUDNN_PATCHLEVEL'],
      toVersion: dotted,
      licenses: cudnnSla,
    },
  ],
  [
    'cupti_version.h',
    {
      vendor: nvidia,
      name: 'cupti-headers',
      description: 'headers of CUPTI',
      macros: ['CUPTI_API_VERSION'],
      toVersion: cuptiRelease,
      licenses: eula,
    },
  ],
  [
    'nccl.h',
    {
      vendor: nvidia,
      name: 'nccl-headers',
      description: 'headers of NCCL',
      macros: ['NCCL_MAJOR', 'NCCL_MINOR', 'NCCL_PATCH'],
      toVersion: dotted,
      licenses: [],
    },
  ],
  [
    'hip_version.h',
    {
      vendor: amd,
      name: 'hip-headers',
      description: 'headers of HIP',
      macros: ['HIP_VERSION_MAJOR', 'HIP_VERSION_MINOR', 'HIP_VERSION_PATCH'],
      toVersion: dotted,
      licenses: spdx('MIT'),
    },
  ],
  [
    'rocm_version.h',
    {
      vendor: amd,
      name: 'rocm-headers',
      description: 'headers of ROCm',
      macros: ['ROCM_VERSION_MAJOR', 'ROCM_VERSION_MINOR', 'ROCM_VERSION_PATCH'],
      toVersion: dotted,
      licenses: spdx('MIT'),
    },
  ],
]);

/**
 * CUDA, cuDNN, NCCL, CUPTI, HIP and ROCm by the version macros of their headers, wherever they were unpacked.
 */
export const gpuHeaders: Cataloger = {
  name: 'gpu-headers',
  wantedAt: [...recordPlaces, ...[...headers.keys()].map((name) => `**/${name}`)],
  wants: (path) => isRecord(path) || headers.has(nameOf(path)),
  catalog(tree: Tree): Catalog {
    const components: Component[] = [];
    const skipped: Skipped[] = [];
    for (const file of installed(tree, tree.wanted())) {
      const header = headers.get(nameOf(file.path));
      const content = file.content();
      if (header === undefined || content === undefined) {
        continue;
      }
      const { description, licenses, macros, name, toVersion, vendor } = header;
      // Headers are ASCII where it matters; a copyright sign in Latin-1 is no reason to miss them.
      const text = Buffer.from(content).toString('latin1');
      const numbers = macros.map((macro) => numberOf(text, macro));
      // `linux/cuda.h` is about a chip in old Macintoshes.
      if (!new RegExp(`^[ \\t]*#[ \\t]*define[ \\t]+${macros[0]}\\b`, 'm').test(text)) {
        continue;
      }
      const known = numbers.filter((number) => number !== undefined);
      const version = known.length === macros.length ? toVersion(known, text) : undefined;
      const said = macros.map((macro, at) => `${macro} ${numbers[at] ?? 'without a number'}`).join(', ');
      components.push(
        partComponent(
          compact({
            vendor,
            name,
            description,
            file,
            licenses,
            version,
            method: {
              technique: 'manifest-analysis',
              confidence: version === undefined ? 0.3 : 0.9,
              value: said,
            },
          }),
        ),
      );
      if (version === undefined) {
        skipped.push({ path: printable(file.path), reason: `does not say its version: ${said}` });
      }
    }
    return { components, dependencies: [], skipped };
  },
};

/** Under ten digits: above, a number is no version. */
function numberOf(text: string, macro: string): number | undefined {
  const found = new RegExp(`^[ \\t]*#[ \\t]*define[ \\t]+${macro}[ \\t]+\\(?(\\d{1,9})\\b`, 'm').exec(
    text,
  )?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * CUPTI counts its interface, and the comment above the number says which CUDA that was: ` * v26 : CUDA
 * Toolkit 12.8`. Since 13.0 the number is the version itself.
 */
function cuptiRelease([number = 0]: readonly number[], text: string): string | undefined {
  if (number >= 10_000) {
    return dotted([Math.floor(number / 10_000), Math.floor((number % 10_000) / 100)]);
  }
  return new RegExp(
    `^[ \\t]*\\*[ \\t]*v${number}[ \\t]*:[ \\t]*CUDA ?Tool[ \\w]{2,6}[ \\t](\\d{1,2}\\.\\d{1,2})[ \\t]*\\r?$`,
    'm',
  ).exec(text)?.[1];
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
