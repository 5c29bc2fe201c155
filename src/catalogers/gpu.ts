import { createHash } from 'node:crypto';
import { compact } from '../base/compact.ts';
import type { Component, IdentityMethod, Organization, Property } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { TreeFile } from './contract.ts';
import { identifiedBy } from './identity.ts';
import { modifiedAt } from './modified.ts';

/** Who makes a GPU part, and under which licence it comes where nothing beside it says otherwise. */
export interface Vendor {
  /** Namespace of the purl. */
  readonly id: 'amd' | 'nvidia';
  readonly supplier: Organization;
}

export const nvidia: Vendor = {
  id: 'nvidia',
  supplier: { name: 'NVIDIA', url: 'https://www.nvidia.com/' },
};
export const amd: Vendor = {
  id: 'amd',
  supplier: { name: 'Advanced Micro Devices, Inc.', url: 'https://www.amd.com/' },
};

/** One GPU part that some file names. */
export interface GpuPart {
  readonly vendor: Vendor;
  readonly name: string;
  /** Absent where the file does not say it. */
  readonly version?: string;
  readonly description: string;
  readonly file: TreeFile;
  readonly method: IdentityMethod;
  readonly licenses?: Component['licenses'];
  readonly externalReferences?: Component['externalReferences'];
  readonly properties?: readonly Property[];
}

/**
 * The component of a part, at the place of the file that names it:
 * `pkg:generic/nvidia/cudnn@9.8.0#usr/include/cudnn_version.h`.
 */
export function partComponent(part: GpuPart): Component {
  const { description, externalReferences = [], file, licenses = [], method, name, vendor, version } = part;
  const properties = [...(part.properties ?? []), ...(version === undefined ? modifiedAt(file) : [])];
  const purl = toPurl(
    compact({
      type: 'generic',
      namespace: vendor.id,
      name,
      version,
    }),
  );
  const content = file.content();
  return compact({
    bomRef: `${purl}#${file.path}`,
    type: 'library',
    name,
    version,
    purl,
    description,
    supplier: vendor.supplier,
    ...(licenses.length === 0 ? {} : { licenses }),
    ...(content === undefined
      ? {}
      : {
          hashes: [
            {
              algorithm: 'SHA-256',
              value: createHash('sha256').update(content).digest('hex'),
              subject: 'the file that names the version',
            },
          ],
        }),
    ...(externalReferences.length === 0 ? {} : { externalReferences }),
    ...(properties.length === 0 ? {} : { properties }),
    evidence: {
      identity: identifiedBy('version', method, version),
      occurrences: [{ location: file.path, layer: file.layer }],
    },
  });
}
