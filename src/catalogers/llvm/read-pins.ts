import { compact } from '../../base/compact.ts';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { Component } from '../../bom/model.ts';
import type { Tree, TreeFile } from '../contract.ts';
import { llvmCataloger } from '../llvm.ts';
import { infoAround, readInfo } from '../python/info.ts';
import { normalName } from '../python/metadata.ts';
import type { LlvmObservation } from './binary.ts';
import { commitIn } from './checkouts.ts';
import { toPinTable } from './pins.ts';
import type { AddedPin, PinnedRole } from './pins-file.ts';
import { directoryOf, roleOfName } from './places.ts';

const roles: ReadonlySet<string> = new Set<PinnedRole>(['amd-codegen', 'core', 'nvidia-codegen']);

/**
 * What a wheel holds, as rows of a data file: each LLVM of Triton in it, by the commit in its bytes. `source`
 * names the wheel and its digest.
 *
 * @throws TcfError `pins.none`, `pins.ambiguous` (exit 2) where the bytes do not say it.
 */
export function pinsInWheel(tree: Tree<LlvmObservation>, source: string): readonly AddedPin[] {
  const { name, version } = distributionIn(tree);
  const found = llvmCataloger(toPinTable([]))
    .catalog(tree)
    .components.filter((component) => roles.has(said(component, 'role') ?? ''));
  const [twice] = [...Map.groupBy(found, (component) => said(component, 'role'))].filter(
    ([, { length }]) => length > 1,
  );
  if (twice !== undefined) {
    throw cannotTell('pins.ambiguous', `the wheel holds more than one LLVM for ${twice[0]}`, {
      hint: 'tcf sbom shows them; a pin has to be one',
    });
  }
  const pins = found.map((component) => pinOf(component, { name, version, source }));
  if (pins.some(({ role }) => role === 'core')) {
    return pins;
  }
  throw cannotTell('pins.none', 'the wheel holds no core library of Triton (PACKAGE/_C/libtriton.so)', {
    hint: 'name a wheel of Triton, or a checkout of its sources',
  });
}

function distributionIn(tree: Tree<LlvmObservation>): { readonly name: string; readonly version: string } {
  for (const { path } of tree.wanted()) {
    const info = path.endsWith('/METADATA') ? infoAround(path) : undefined;
    if (info === undefined) {
      continue;
    }
    const find = readInfo(tree, directoryOf(info), info.slice(info.lastIndexOf('/') + 1));
    if (find !== undefined && 'version' in find) {
      return find;
    }
  }
  throw cannotTell('pins.none', 'the archive has no metadata of a distribution', {
    hint: 'name a wheel of Triton',
  });
}

function pinOf(
  component: Component,
  { name, source, version }: { readonly name: string; readonly source: string; readonly version: string },
): AddedPin {
  const role = said(component, 'role') as PinnedRole;
  const commit = /^[0-9a-f]{40}(?= )/.exec(said(component, 'observed') ?? '')?.[0];
  if (commit === undefined) {
    throw cannotTell('pins.none', `the ${role} LLVM in the wheel does not name its commit in full`, {
      hint: 'name a checkout of the release in place of the wheel; its cmake/llvm-info.json has the pin',
    });
  }
  const repository = / by observation$/.test(said(component, 'repository') ?? '')
    ? said(component, 'repository')?.replace(/ by .*$/, '')
    : undefined;
  const llvmVersion = component.version?.replace(/\+[0-9a-f]{8}$/, '');
  const place = component.evidence?.occurrences?.find(({ location }) => location.endsWith('.so'))?.location;
  return compact({
    kind: 'release',
    distribution: normalName(name),
    triton_version: version,
    ...tritonCommit(version),
    role,
    llvm_commit: commit,
    llvm_repository: repository,
    ...(llvmVersion === undefined || llvmVersion === 'git' ? {} : { llvm_version: llvmVersion }),
    source: place === undefined ? source : `${source}:${place.replace(/^.*?site-packages\//, '')}`,
  });
}

/** `3.9.0+git7c56a5e4` names the tree that it was built from. */
function tritonCommit(version: string): { readonly triton_commit?: string } {
  const commit = /\+(?:git)?([0-9a-f]{7,40})$/.exec(version)?.[1];
  return commit === undefined ? {} : { triton_commit: commit };
}

/** What is known of a source tree beside its pin files. */
export interface SourceTree {
  /** `cmake/llvm-info.json` and its like, by their paths in the tree. */
  readonly files: readonly Pick<TreeFile, 'content' | 'path'>[];
  readonly distribution: string;
  readonly version: string;
  /** The commit that is checked out, 40 hexadecimal digits. */
  readonly commit?: string;
  readonly source: string;
}

/**
 * What a checkout declares, as rows of a data file.
 *
 * @throws TcfError `pins.none`, `pins.ambiguous` (exit 2).
 */
export function pinsInCheckout({
  commit,
  distribution,
  files,
  source,
  version,
}: SourceTree): readonly AddedPin[] {
  const pins = files.map((file): AddedPin => {
    const pin = commitIn(file);
    if (pin?.length !== 40) {
      throw cannotTell('pins.none', `${quoted(file.path)} holds no full commit of LLVM`, {
        hint: 'a pin has 40 hexadecimal digits',
      });
    }
    return compact({
      kind: 'release',
      distribution,
      triton_version: version,
      triton_commit: commit,
      role: roleOfName(file.path.slice(file.path.lastIndexOf('/') + 1)) as PinnedRole,
      llvm_commit: pin,
      source: `${source}:${file.path}`,
    });
  });
  const [twice] = pins.filter(({ llvm_commit, role }) =>
    pins.some((other) => other.role === role && other.llvm_commit !== llvm_commit),
  );
  if (twice !== undefined) {
    throw cannotTell('pins.ambiguous', `the source tree has two pins for ${twice.role}`, {
      hint: 'remove the older of cmake/llvm-info.json and cmake/llvm-hash.txt, as the release has only one',
    });
  }
  if (pins.length > 0) {
    return pins.filter(({ role }, at) => pins.findIndex((pin) => pin.role === role) === at);
  }
  throw cannotTell('pins.none', 'the source tree has no cmake/llvm-info.json and no cmake/llvm-hash.txt', {
    hint: 'name the root of a checkout of Triton',
  });
}

function said({ properties = [] }: Component, key: string): string | undefined {
  return properties.find(({ name }) => name === `tcf:llvm:${key}`)?.value;
}
