import { byCodeUnit, printable } from '../base/text.ts';
import type { Component } from '../bom/model.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, Ownership, Skipped, Tree } from './contract.ts';
import { fileHashes } from './file-hashes.ts';
import { buildInfoIn, memoryOf } from './go/build-info.ts';
import { readBuildLines } from './go/build-lines.ts';
import { type GoProgram, goComponent } from './go/component.ts';
import { loadSegment, noteSegment } from './programs/elf.ts';
import { programMagics } from './programs/magics.ts';
import { isProgram, keepParts, type ProgramLayout, type Selection } from './programs/parts.ts';

/**
 * Of each segment; what lies behind is not found. Only old toolchains need the constants: kubelet 1.22 has 40
 * MiB of them.
 */
const maxConstants = 48 * 1024 * 1024;
const maxData = 16 * 1024 * 1024;
/**
 * Programs of Go by their build information (debug/buildinfo): the toolchain and every module that was
 * linked, with its version. What a module needs of the others is not written there.
 */
export const goBinary: Cataloger<GoProgram> = {
  name: 'go-binary',
  wantedAt: recordPlaces,
  wants: isRecord,
  scanned: { begins: programMagics },
  scan: (_path, head) => (isProgram(head) ? keepParts(head, selectionOf) : undefined),
  catalog(tree: Tree<GoProgram>): Catalog {
    const skipped: Skipped[] = [];
    const components: Component[] = [];
    const owners: Ownership[] = [];
    for (const file of installed(tree, tree.observed())) {
      const { modules } = file.observation;
      const info = readBuildLines(modules ?? '');
      if (modules === undefined || info.broken > 0) {
        skipped.push({ path: printable(file.path), reason: 'has modules that cannot be read' });
      }
      const component = goComponent(file, info);
      const paths = new Set([file.path, ...(file.links ?? [])]);
      components.push(component);
      owners.push({ bomRef: component.bomRef, owns: (path) => paths.has(path) });
    }
    return {
      components,
      dependencies: components.map(({ bomRef, components: linked = [] }) => ({
        ref: bomRef,
        dependsOn: linked.map((each) => each.bomRef).sort(byCodeUnit),
      })),
      owners,
      skipped,
      unknownDependencies: components.flatMap(({ components: linked = [] }) =>
        linked.map(({ bomRef }) => bomRef),
      ),
    };
  },
};

/**
 * Old toolchains keep pointers in the data and the strings among the constants, new ones everything in the
 * data.
 */
function selectionOf(layout: ProgramLayout): Selection<GoProgram> | undefined {
  const loaded = layout.segments.filter(({ type, isExecutable }) => type === loadSegment && !isExecutable);
  const isGo = isMarked(layout);
  const kept = loaded.filter(({ isWritable }) => isWritable || isGo);
  if (kept.length === 0) {
    return undefined;
  }
  const hashes = isGo ? fileHashes() : undefined;
  return {
    // The data first: what is kept has a limit, and new toolchains need nothing else.
    ranges: kept
      .toSorted((a, b) => Number(b.isWritable) - Number(a.isWritable))
      .map(({ at, isWritable, size }) => ({
        at,
        size: Math.min(size, isWritable ? maxData : maxConstants),
      })),
    ...(hashes === undefined ? {} : { everything: hashes.push }),
    end(parts) {
      const said = buildInfoIn(memoryOf(parts, loaded));
      if (said === undefined) {
        return undefined;
      }
      return { ...said, ...(hashes === undefined ? {} : { hashes: hashes.end() }) };
    },
  };
}

/**
 * Whether the headers say that Go made the program: in ELF by the note with Go's build-id, in Mach-O by its
 * section. A file without is asked all the same, for less. PE files say nothing, and are rare enough to be
 * asked for all.
 */
function isMarked(layout: ProgramLayout): boolean {
  if (layout.format === 'PE') {
    return true;
  }
  if (layout.format === 'Mach-O') {
    return layout.sections.some(({ name }) => name === '__go_buildinfo');
  }
  const { segments, window } = layout;
  return segments.some(
    ({ at, size, type }) => type === noteSegment && window.subarray(at, at + size).includes('Go\0\0'),
  );
}
