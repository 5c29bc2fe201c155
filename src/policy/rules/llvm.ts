import { byCodeUnit, printable } from '../../base/text.ts';
import type { SbomComponent, SbomFacts } from '../../bom/read.ts';
import { asking, choice, mapping, optional, textLike } from '../form.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst } from './worst.ts';

export interface LlvmParams extends CommonParams {
  readonly is?: 'pinned' | 'version' | undefined;
  readonly commit?: string | undefined;
  readonly whenAbsent?: 'allow' | 'deny' | undefined;
}

const shape = mapping({
  is: optional(
    choice('pinned', 'version'),
    'every LLVM inside Triton was observed and is the commit that this Triton version pins; `version` also takes one of which only the version was seen, if it is the one of the pin',
  ),
  commit: optional(
    textLike(/^[0-9a-f]{40}$/, 'is not a full commit: 40 hexadecimal digits in lower case'),
    'the LLVM inside Triton was observed to be exactly this commit',
  ),
  whenAbsent: optional(
    choice('allow', 'deny'),
    'what to do with an image in which the SBOM shows no Triton; the default is deny',
  ),
  mode,
});

/** The LLVMs that Triton pins. Others in the image (distro, ROCm, other wheels) are not its business. */
const pinnedRoles: ReadonlySet<string> = new Set(['amd-codegen', 'core', 'nvidia-codegen']);

/** Triton under the names of its wheels; `tritonclient` and `triton-model-navigator` are something else. */
const tritonPurl = /^pkg:pypi\/(?:pytorch-)?triton(?:-nightly|-rocm|-windows|-xpu)?(?:[@?#]|$)/;

/** Reads the properties `tcf:llvm:*` of the SBOM in force, as docs/llvm.md describes them. */
export const llvmRule: Rule<LlvmParams> = {
  name: 'llvm',
  reads: () => 'sbom',
  summary: 'The LLVM inside Triton is the one that this Triton version pins.',
  params: asking(shape, 'asks for nothing; write "is: pinned" or a commit', ['commit', 'is']),
  evaluate(params, evidence, context) {
    const chosen = sbomsInForce(evidence, context);
    const expected = [
      ...(params.is === undefined ? [] : [`each LLVM of Triton observed and ${asked[params.is]}`]),
      ...(params.commit === undefined ? [] : [`LLVM commit ${params.commit}`]),
    ].join(' and ');
    return { ...sayWorst('llvm', chosen, (facts) => judge(facts, params)), expected };
  },
};

const asked = { pinned: 'equal to its pin', version: 'equal to its pin or of its version' } as const;

function judge(facts: SbomFacts, params: LlvmParams): Said {
  const ours = facts.components.filter((component) =>
    pinnedRoles.has(component.properties['tcf:llvm:role'] ?? ''),
  );
  if (ours.length === 0) {
    return judgeAbsence(facts, params);
  }
  const pins = ours.flatMap((component) => [
    ...(params.is === undefined ? [] : [judgePin(component, params.is)]),
    ...(params.commit === undefined || roleOf(component) !== 'core'
      ? []
      : [judgeCommit(component, params.commit)]),
  ]);
  const each = [...pins, ...ours.flatMap((component) => judgeChanges(component, facts))];
  if (!ours.some((component) => roleOf(component) === 'core')) {
    return {
      outcome: 'cannot-tell',
      message: 'the SBOM names a code generator of Triton but not its own LLVM',
    };
  }
  return (
    each.find(({ outcome }) => outcome === 'fail') ??
    each.find(({ outcome }) => outcome === 'cannot-tell') ?? {
      outcome: 'pass',
      message: `LLVM is as pinned: ${ours.map(describe).sort(byCodeUnit).join(', ')}`,
    }
  );
}

function judgeAbsence(facts: SbomFacts, params: LlvmParams): Said {
  if (facts.components.some(isTriton)) {
    return {
      outcome: 'cannot-tell',
      message: 'the image holds Triton, but the SBOM does not say with which LLVM',
      hint: 'write the SBOM with tcf sbom, which looks into the binaries',
    };
  }
  return params.whenAbsent === 'allow'
    ? { outcome: 'pass', message: 'the image holds no Triton' }
    : { outcome: 'cannot-tell', message: 'the SBOM shows no Triton, so there is no pin to compare with' };
}

/** By its name, or by what tcf sbom says of whoever brought Triton's library. */
function isTriton({ properties, purl }: SbomComponent): boolean {
  return properties['tcf:triton:pin'] !== undefined || tritonPurl.test(purl ?? '');
}

function judgePin(component: SbomComponent, is: 'pinned' | 'version'): Said {
  const { properties } = component;
  const pin = properties['tcf:llvm:pin'];
  const conflict = properties['tcf:llvm:conflict'];
  const details = { actual: describe(component) };
  if (pin === 'mismatch') {
    return {
      outcome: 'fail',
      message: `the ${roleOf(component)} LLVM of Triton is not the pinned one`,
      ...details,
    };
  }
  if (conflict !== undefined && conflict !== 'false') {
    return {
      outcome: 'fail',
      message: `what is known of the ${roleOf(component)} LLVM contradicts itself: ${printable(conflict)}`,
      ...details,
    };
  }
  if (pin === 'match' || (pin === 'version-match' && is === 'version')) {
    return { outcome: 'pass', message: '', ...details };
  }
  if (pin === 'version-match') {
    return {
      outcome: 'cannot-tell',
      message: `the ${roleOf(component)} LLVM of Triton has the version of its pin, but no commit was seen`,
      hint: 'write "is: version" to take the version for enough',
      ...details,
    };
  }
  return {
    outcome: 'cannot-tell',
    message: `whether the ${roleOf(component)} LLVM of Triton is the pinned one is not known (${printable(pin ?? 'unknown')})`,
    ...details,
  };
}

/**
 * What stands in the bytes of a library says nothing of a library that is another one than its package
 * installed.
 */
function judgeChanges(component: SbomComponent, { components }: SbomFacts): readonly Said[] {
  const owner = components.find(({ bomRef }) => bomRef !== undefined && bomRef === component.owner);
  const changed = (owner?.properties['tcf:python:record:modified'] ?? '').split('\n');
  const count = Number(owner?.properties['tcf:python:record:modified:count'] ?? 0);
  const library = changed.find((path) => /\.so(?:\.|$)/.test(path));
  const actual = describe(component);
  if (library !== undefined) {
    const message = `a library of ${printable(owner?.name ?? '')} is not the one that its RECORD lists: ${printable(library)}`;
    return [{ outcome: 'fail', message, actual, hint: 'install the package again' }];
  }
  return count > changed.length
    ? [
        {
          outcome: 'cannot-tell',
          message: `${count} files of ${printable(owner?.name ?? '')} are not those that its RECORD lists, and not all are named`,
          actual,
          hint: 'install the package again',
        },
      ]
    : [];
}

/** Only the whole hash proves a commit: a prefix of it is worth a question, not a yes. */
function judgeCommit(component: SbomComponent, commit: string): Said {
  // Each line is `HEX by METHODS` or `version VERSION by METHODS`.
  const observed = (component.properties['tcf:llvm:observed'] ?? '')
    .split('\n')
    .map((line) => line.split(' ', 1)[0] ?? '')
    .filter((word) => /^[0-9a-f]{7,40}$/.test(word));
  const actual = describe(component);
  if (observed.some((word) => !commit.startsWith(word))) {
    return { outcome: 'fail', message: 'the LLVM of Triton is of another commit', actual };
  }
  return observed.includes(commit)
    ? { outcome: 'pass', message: '', actual }
    : {
        outcome: 'cannot-tell',
        message: 'the commit of the LLVM of Triton was not observed in full',
        actual,
      };
}

function roleOf(component: SbomComponent): string {
  return component.properties['tcf:llvm:role'] ?? '';
}

function describe(component: SbomComponent): string {
  const { properties } = component;
  const parts = (['declared', 'observed'] as const).flatMap((key) => {
    const value = properties[`tcf:llvm:${key}`];
    return value === undefined ? [] : [`${key} ${printable(value)}`];
  });
  return `${roleOf(component)} ${parts.join(', ') || printable(component.version ?? 'of unknown version')}`;
}
