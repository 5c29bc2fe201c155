import { formatJson } from '../base/text.ts';
import { aspects, type BomDiff } from '../bom/diff.ts';
import type { SbomComponent, SbomFacts } from '../bom/read.ts';

/** Rises when a member changes its meaning or goes away; new members may appear at any time. */
const diffFormat = 'tcf.diff/1';

/** The diff as plain JSON, with two blanks of indent and a line feed at the end. */
export function toDiffJson(diff: BomDiff): string {
  const json = {
    format: diffFormat,
    old: sideOf(diff.old),
    new: sideOf(diff.new),
    added: diff.added.map(componentOf),
    removed: diff.removed.map(componentOf),
    changed: diff.changed.map((change) => ({
      aspects: aspects.filter((aspect) => change.aspects.includes(aspect)),
      before: componentOf(change.before),
      after: componentOf(change.after),
    })),
    unchanged: diff.unchanged,
  };
  return formatJson(json, 2);
}

function sideOf({ complete, serialNumber, subject, tools }: SbomFacts): unknown {
  return {
    name: subject.name ?? null,
    digests: subject.digests,
    serialNumber: serialNumber ?? null,
    tools,
    complete: complete ?? null,
  };
}

function componentOf(component: SbomComponent): unknown {
  const { hashes, licenses, location, name, properties, purl, type, version } = component;
  return {
    type,
    name,
    version: version ?? null,
    purl: purl ?? null,
    location: location ?? null,
    licenses,
    hashes,
    llvm: Object.fromEntries(Object.entries(properties).filter(([key]) => key.startsWith('tcf:llvm:'))),
  };
}
